//! The page of `view` in a real browser: it loads, answers and computes what the program computes.

mod cli_support;
mod webdriver;

use cli_support::{Folder, Run};
use serde_json::Value;
use webdriver::Browser;

const ARROW_RIGHT: char = '\u{e014}';

/// A folder with `text.txt`, `m` trained on it with these flags, and its page, `page.html`.
fn page(flags: &[&str]) -> Folder {
    let folder = Folder::with_text();
    let common = [
        "train",
        "text.txt",
        "-o",
        "m",
        "--hidden-size",
        "16",
        "--max-steps",
        "60",
        "--eval-every",
        "20",
    ];
    let small = ["--batch-size", "4", "--seq-length", "16"];
    folder.run(&[&common[..], &small[..], flags].concat()).ok();
    folder
        .run(&["view", "m", "text.txt", "-o", "page.html"])
        .ok();
    folder
}

fn lines(run: Run) -> Vec<Value> {
    let lines = run
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    lines.collect()
}

/// Nothing but the page itself, and pictures that it holds.
#[track_caller]
fn assert_quiet(browser: &Browser) {
    assert_eq!(browser.complaints(), Vec::<String>::new());
    let requests = browser.requests();
    assert!(
        requests.iter().all(
            |url| (url.starts_with("file:///") && url.ends_with(".html"))
                || url.starts_with("data:")
        ),
        "{requests:?}"
    );
}

#[test]
fn every_panel_is_drawn_in_light_and_dark_and_on_a_phone() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = page(&["--model", "lstm", "--num-layers", "2"]);
    for (width, is_dark) in [(1180, false), (1180, true), (390, false), (390, true)] {
        browser.look(width, is_dark);
        browser.open(&folder.path("page.html"));
        let drawn = "return ['#loss path', '#surprise .text span', '#neurons canvas', '#neurons .bars button', \
                     '#memory path', '#letters .glyph', '#write textarea'].filter((s) => !document.querySelector(s))";
        assert_eq!(
            browser.run(drawn),
            Value::Array(vec![]),
            "{width} {is_dark}"
        );
        assert_eq!(
            browser.run("return document.documentElement.scrollWidth"),
            width,
            "nothing sticks out"
        );
        assert_eq!(
            browser.run("return document.documentElement.dataset.theme === 'dark'"),
            is_dark
        );
        assert_quiet(&browser);
    }
    browser.run("document.getElementById('theme').click()");
    assert_eq!(
        browser.run("return document.documentElement.dataset.theme"),
        "light"
    );
    assert_eq!(
        browser.run("return document.getElementById('theme').ariaPressed"),
        "false"
    );
}

#[test]
fn pointing_at_a_character_shows_what_score_says_of_it() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = page(&["--model", "gru"]);
    let scores = lines(
        folder
            .run(&["score", "m", "text.txt", "--per-char", "--json"])
            .ok(),
    );
    browser.open(&folder.path("page.html"));
    let card = "document.querySelector('#surprise .card')";
    for at in [1usize, 7, 35, 120, 400] {
        browser.hover(&format!(
            "document.querySelector('#surprise .text').children[{at}]"
        ));
        let nats = scores[at - 1]["nats"].as_f64().expect("a number");
        let said = browser.run(&format!("return {card}.querySelector('p').textContent"));
        let said = said.as_str().expect("text");
        assert!(
            said.starts_with(&format!("{nats:.4} nats, ")),
            "{at}: {said}, expected {nats:.4}"
        );
        let titles = browser.run(&format!(
            "return [...{card}.querySelectorAll('li')].map((li) => [li.title, li.className])"
        ));
        let rows = titles.as_array().expect("rows");
        assert!(rows.len() == 5 || rows.len() == 6, "{rows:?}");
        let p = |row: &Value| -> f64 {
            let title = row[0].as_str().expect("a title");
            title
                .trim_start_matches("probability ")
                .parse()
                .expect("a number")
        };
        let came = rows
            .iter()
            .find(|row| row[1] == "came")
            .expect("what came is listed");
        assert!((p(came) - (-nats).exp()).abs() < 1e-5, "{at}: {came}");
        assert!(
            rows[..5].windows(2).all(|two| p(&two[0]) >= p(&two[1])),
            "{rows:?}"
        );
    }
    // The same by keys, and spoken.
    browser.run("document.querySelector('#surprise .text').focus()");
    browser.keys(&ARROW_RIGHT.to_string());
    let nats = scores[400]["nats"].as_f64().expect("a number");
    let spoken = browser.run("return document.getElementById('spoken').textContent");
    assert!(
        spoken
            .as_str()
            .is_some_and(|s| s.contains(&format!("{nats:.2} nats. Expected: "))),
        "{spoken}"
    );
    assert_quiet(&browser);
}

#[test]
fn choosing_a_unit_recolours_the_text_by_its_activation() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = page(&["--model", "lstm"]);
    let numbers = lines(folder.run(&["view", "m", "text.txt", "--json"]).ok());
    let values = |signal: &str, unit: u64| -> Vec<f64> {
        let line = numbers[1..]
            .iter()
            .find(|line| line["signal"] == signal && line["unit"] == unit);
        let values = line.expect("a line")["values"]
            .as_array()
            .expect("values")
            .iter();
        values
            .map(|value| value.as_f64().expect("a number"))
            .collect()
    };
    browser.open(&folder.path("page.html"));
    let choose = |unit: u64| {
        browser.run(&format!(
            "const unit = document.getElementById('unit'); unit.value = {unit}; unit.dispatchEvent(new Event('change'))"
        ));
        browser.run(
            "return [...document.querySelectorAll('#neurons .text span')].map((s) => s.className)",
        )
    };
    let (three, eleven) = (choose(3), choose(11));
    assert_ne!(three, eleven);
    let level = |values: &[f64], bound: f64, classes: &Value| {
        for (at, value) in values.iter().enumerate() {
            let class = classes[at].as_str().expect("a class");
            let level: f64 = class
                .split(' ')
                .find_map(|part| part.strip_prefix('l')?.parse().ok())
                .unwrap_or(0.0);
            let sign = if class.starts_with('n') { -1.0 } else { 1.0 };
            assert!(
                (sign * level / 10.0 - value / bound).abs() < 0.07,
                "{at}: {class}, {value} of {bound}"
            );
        }
    };
    level(&values("hidden state", 11), 1.0, &eleven);
    // Gates and memory are computed in the page, from the weights.
    for (index, signal) in [
        "cell state",
        "input gate",
        "forget gate",
        "output gate",
        "candidate",
    ]
    .into_iter()
    .enumerate()
    {
        browser.run(&format!(
            "const list = document.querySelectorAll('#neurons select')[1]; list.selectedIndex = {}; list.dispatchEvent(new Event('change'))",
            index + 1
        ));
        browser.wait_for("return !document.querySelectorAll('#neurons select')[1].disabled");
        let values = values(signal, 5);
        let most = values
            .iter()
            .fold(0.0f64, |most, value| most.max(value.abs()));
        level(
            &values,
            if signal == "cell state" { most } else { 1.0 },
            &choose(5),
        );
    }
    assert_quiet(&browser);
}

#[test]
fn typing_makes_the_model_go_on() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = page(&["--model", "lstm"]);
    browser.open(&folder.path("page.html"));
    let set = "const heat = document.getElementById('temperature'); heat.value = 0; heat.dispatchEvent(new Event('input')); \
               const typed = document.getElementById('typed'); typed.value = ''; typed.focus()";
    browser.run(set);
    browser.keys("line 12: the q");
    browser.wait_for("return !document.getElementById('more').disabled");
    let written = browser.run("return document.getElementById('written').textContent");
    let sample = [
        "sample",
        "m",
        "--greedy",
        "--length",
        "300",
        "--prime",
        "line 12: the q",
    ];
    let expected = folder.run(&sample).ok();
    assert_eq!(
        written.as_str().map(str::trim_end),
        Some(expected.text().trim_end())
    );
    browser.run("document.getElementById('more').click()");
    browser.wait_for("return !document.getElementById('more').disabled");
    let further = browser.run("return document.getElementById('written').textContent");
    let (before, after) = (
        written.as_str().expect("text"),
        further.as_str().expect("text"),
    );
    assert!(after.starts_with(before) && after.chars().count() == before.chars().count() + 300);
    browser.keys("€");
    let note = browser.run("return document.querySelector('#write [role=status]').textContent");
    assert_eq!(note, "The model does not know €, so it does not read it.");
    assert_quiet(&browser);
}

#[test]
fn the_page_computes_the_programs_probabilities() {
    let Some(browser) = Browser::start() else {
        return;
    };
    for cell in ["rnn", "rnn-relu", "lstm", "gru"] {
        let folder = page(&["--model", cell, "--num-layers", "2"]);
        let summary = lines(folder.run(&["view", "m", "text.txt", "--json"]).ok()).remove(0);
        browser.open(&folder.path("page.html"));
        let computed = browser.run(
            "const state = network.start(), all = [];
             for (const id of data.ids.slice(0, -1)) all.push(Array.from(probabilities(network.step(state, id))));
             return all",
        );
        let (mut worst, mut count) = (0.0f64, 0);
        for (t, computed) in computed.as_array().expect("rows").iter().enumerate() {
            let sum: f64 = computed
                .as_array()
                .expect("a row")
                .iter()
                .filter_map(Value::as_f64)
                .sum();
            assert!((sum - 1.0).abs() < 1e-12);
            for k in 0..5 {
                let id = summary["likeliest"][t][k].as_u64().expect("an id") as usize;
                let theirs = summary["probabilities"][t][k]
                    .as_f64()
                    .expect("a probability");
                worst = worst.max((computed[id].as_f64().expect("a probability") - theirs).abs());
                count += 1;
            }
        }
        assert_eq!(count, 5 * 3499);
        assert!(worst < 1e-5, "{cell}: {worst:e}");
    }
}

#[test]
fn hostile_texts_and_names_run_nothing_and_break_nothing() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let nasty = "</script><script>window.hacked=1</script><img src=x onerror=\"window.hacked=2\">\
                 <!--<script>'\"`${window.hacked=3}\\u003c&lt;&#x0;\0\u{202e}\u{2066}\u{200f}\u{2028}\u{301}\u{7f}\r\n\t\u{feff}\u{1f600}{{}}\u{05d0}";
    let folder = Folder::new();
    folder.write("text.txt", nasty.repeat(12));
    let model = "a</title><script>window.hacked=4<!--\u{202e}'\"&{{}}.safetensors";
    let text = "b<img src=x onerror=window.hacked=5>\u{2028}\n.txt";
    // A file's name cannot hold a slash, so the markup is that of names that can be.
    let model = model.replace('/', "\u{2215}");
    folder.write(text, nasty.repeat(3));
    folder
        .train(&["text.txt", "-o", &model, "--split", "1"])
        .ok();
    folder.run(&["view", &model, text, "-o", "page.html"]).ok();
    let source = String::from_utf8(folder.read("page.html")).expect("UTF-8");
    assert_eq!(source.matches("</script>").count(), 2, "the page's own");
    browser.open(&folder.path("page.html"));
    for panel in ["loss", "surprise", "neurons", "memory", "letters", "write"] {
        let filled = browser.run(&format!(
            "return document.getElementById('{panel}').children.length > 1"
        ));
        assert_eq!(filled, true, "{panel}");
    }
    let at = nasty.chars().count() + 3;
    browser.hover(&format!(
        "document.querySelector('#surprise .text').children[{at}]"
    ));
    browser.run("document.querySelector('#neurons .bars button')?.click(); document.getElementById('another').click()");
    browser.wait_for("return !document.getElementById('more').disabled");
    assert_eq!(browser.run("return window.hacked ?? null"), Value::Null);
    assert_eq!(
        browser
            .run("return document.querySelectorAll('img, script:not([nonce]):not([type])').length"),
        0
    );
    let count = browser.run("return document.querySelectorAll('#surprise .text span').length");
    assert_eq!(count, 3 * nasty.chars().count());
    let title = browser.run("return document.title");
    assert_eq!(title, model.replace('\u{202e}', "U+202E"));
    // No character that turns the text around gets to the page as itself.
    let shown = browser.run("return document.body.innerText");
    let shown = shown.as_str().expect("text");
    assert!(
        !shown.contains(['\u{202e}', '\u{2066}', '\u{200f}', '\0']) && shown.contains("U+202E"),
        "{shown}"
    );
    assert_quiet(&browser);
}

#[test]
fn five_thousand_characters_are_painted_in_one_go() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::with_text();
    folder.write("long.txt", cli_support::text().repeat(2));
    folder.train(&["text.txt", "-o", "m"]).ok();
    folder
        .run(&["view", "m", "long.txt", "-o", "page.html"])
        .ok();
    browser.open(&folder.path("page.html"));
    let painted =
        browser.run("return performance.getEntriesByName('first-contentful-paint')[0].startTime");
    // Told, not asserted: how fast depends on the machine.
    println!("first contentful paint after {painted} ms");
    assert!(painted.is_number());
    let count = browser.run("return document.querySelectorAll('#surprise .text span').length");
    assert_eq!(count, 5000);
}
