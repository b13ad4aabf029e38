//! The page of `view` with numbers at the ends of their range: no loop that adds a step too small to
//! change a number, and no line to infinity.

use rnn::{CellKind, Model, Record};
use serde_json::Value;

use crate::agreement::{network, set};
use crate::page::{folder, letters, model, open, record, small_text};
use crate::webdriver::{Browser, assert_quiet, lines};

#[test]
fn histories_at_the_ends_of_numbers_block_nothing() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let ulp = |x: f64, ulps: u64| f64::from_bits(x.to_bits() + ulps);
    let far = 1u64 << 60;
    let cases: Vec<(&str, Vec<Record>)> = vec![
        (
            "rates one ulp apart",
            (1..40)
                .map(|k| record(k, [Some(2.0), Some(ulp(2.0, k % 2))], ulp(0.1, k % 2)))
                .collect(),
        ),
        (
            "steps near 2^60",
            (0..40)
                .map(|k| record(far + k, [Some(2.0), Some(1.0)], 0.1))
                .collect(),
        ),
        (
            "steps near 2^60, 256 apart",
            (0..40)
                .map(|k| record(far + 256 * k, [Some(2.0), Some(1.0)], 0.1))
                .collect(),
        ),
        (
            "the last steps there are",
            (0..4)
                .map(|k| record(u64::MAX - 3 + k, [Some(2.0), None], 0.1))
                .collect(),
        ),
        (
            "the largest losses",
            (1..9)
                .map(|k| record(k, [Some(f64::MAX / k as f64), Some(f64::MAX)], f64::MAX))
                .collect(),
        ),
        (
            "the smallest losses",
            (1..9)
                .map(|k| record(k, [Some(5e-324 * k as f64), Some(1e-310)], 5e-324))
                .collect(),
        ),
        (
            "a large and a small loss",
            vec![
                record(1, [Some(f64::MAX), None], 1.0),
                record(u64::MAX, [Some(5e-324), Some(0.0)], 1e-300),
            ],
        ),
        (
            "no losses",
            (1..9).map(|k| record(k, [None, None], 0.1)).collect(),
        ),
        (
            "one of each",
            vec![
                record(1, [Some(1.0), None], 0.1),
                record(2, [None, Some(1.0)], 0.1),
            ],
        ),
    ];
    for (name, history) in cases {
        let folder = folder(
            &model(letters(), CellKind::GRU, 4, history),
            &small_text(300),
        );
        println!("{name}");
        open(&browser, &folder);
    }
}

#[test]
fn ticks_are_few_and_within_their_range_whatever_it_is() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = folder(
        &model(letters(), CellKind::GRU, 4, vec![]),
        &small_text(300),
    );
    open(&browser, &folder);
    let found = browser.run(
        "const ends = [0, 1, -1, 0.1, 3, 5e-324, 1e-310, 1e-9, 1e9, 2 ** 53, 2 ** 60, 1e300, Number.MAX_VALUE, -Number.MAX_VALUE];
         const next = (x) => { const b = new DataView(new ArrayBuffer(8)); b.setFloat64(0, x); b.setBigUint64(0, b.getBigUint64(0) + 1n); return b.getFloat64(0); };
         const random = randomFrom(1);
         const pairs = ends.flatMap((a) => ends.map((b) => [a, b])).concat(ends.map((a) => [a, next(a)]), ends.map((a) => [a, next(next(a))]));
         for (let i = 0; i < 20000; i++) { const a = (random() - 0.5) * 10 ** (600 * random() - 300); pairs.push([a, a + random() * 10 ** (40 * random() - 20)]); }
         let checked = 0; const wrong = [];
         for (const [low, high] of pairs.filter(([a, b]) => a < b)) for (const count of [0.6, 3, 6.25, 14]) for (const least of [0, 1]) {
           const all = ticks(low, high, count, least), slack = (high / 2 - low / 2) * 1e-6 + Math.abs(high) * 1e-12 + 1e-300 + least * 1e-8;
           checked++;
           if (all.length > 2 * count + 3 || all.some((t, i) => !Number.isFinite(t) || t < low - slack || t > high + slack || (i && t <= all[i - 1]))) wrong.push([low, high, count, all.slice(0, 9)]);
         }
         return [checked, wrong.slice(0, 3)]",
    );
    assert!(
        found[0].as_u64().is_some_and(|checked| checked > 80_000),
        "{found}"
    );
    assert_eq!(found[1], Value::Array(vec![]));
    // Ordinary ones are what they always were.
    assert_eq!(
        browser.run("return ticks(0.3, 2.2, 5).map((t) => t.toFixed(1)).join()"),
        "0.5,1.0,1.5,2.0"
    );
}

#[test]
fn gradients_that_outgrow_their_numbers_are_drawn_as_far_as_they_go() {
    let Some(browser) = Browser::start() else {
        return;
    };
    // The state stays at zero, and what changes it would grow a thousandfold at each step.
    let mut model = model(letters(), CellKind::RNN, 2, vec![]);
    let mut network = model.network().clone();
    let layout = network.parameters().layout().clone();
    for named in layout.named() {
        let values = network.parameters_mut().slice_mut(named.block);
        let value = |at: usize| match named.name.as_str() {
            "rnn.weight_hh_l0" if at == 0 || at == 3 => 1e3,
            "decoder.weight" => at as f32,
            _ => 0.0,
        };
        values
            .iter_mut()
            .enumerate()
            .for_each(|(at, to)| *to = value(at));
    }
    model = Model::new(model.vocabulary().clone(), network, None);
    let folder = folder(&model, &small_text(300));
    let summary = lines(folder.run(&["view", "m", "text.txt", "--json"]).ok()).remove(0);
    let norms = summary["memory"]["layers"][0]["hidden"]
        .as_array()
        .expect("norms");
    assert!(
        norms[3].as_f64() > Some(1e8) && norms[60].is_null(),
        "{norms:?}"
    );
    open(&browser, &folder);
    let text = browser.run("return document.querySelector('#memory p').textContent");
    assert!(
        text.as_str()
            .is_some_and(|text| text.contains("more than 128")),
        "{text}"
    );
}

#[test]
fn a_network_that_overflows_as_it_writes_stops_and_says_so() {
    let Some(browser) = Browser::start() else {
        return;
    };
    // Twice the state at each character: beyond f64 after a thousand, f32 after 127.
    let mut growing = network(CellKind::RNN_RELU, letters().len(), 1);
    set(&mut growing, "rnn.weight_ih_l0", |_| 1.0);
    set(&mut growing, "rnn.weight_hh_l0", |at| {
        if at == 0 || at == 3 { 2.0 } else { 0.0 }
    });
    let sound = model(letters(), CellKind::RNN, 2, vec![]);
    let growing = Model::new(sound.vocabulary().clone(), growing, None);
    let folder = folder(&growing, &small_text(60));
    open(&browser, &folder);
    for _ in 0..3 {
        browser.wait_for("return !document.getElementById('more').disabled");
        browser.run("document.getElementById('more').click()");
    }
    let note = "document.querySelector('#write [role=status]').textContent";
    browser.wait_for(&format!(
        "return {note}.startsWith('The network’s states overflow here')"
    ));
    let written = browser.run("return document.querySelector('#written .made').textContent.length");
    assert!(
        written.as_u64().is_some_and(|n| (900..1_200).contains(&n)),
        "{written}"
    );
    assert_quiet(&browser);
}
