//! The page of `view` with every array as long as it may get: it is drawn, and nothing is written to
//! the browser's console.
//!
//! | array | its largest | here |
//! |---|---|---|
//! | history | 100,000 evaluations | the same |
//! | characters of the text | what `--characters` says, up to some five million, where their numbers are the longest text that Chrome reads and `view` refuses | 150,000 |
//! | symbols of the vocabulary | 1,112,064, all of Unicode | 150,000, and all with `--ignored` |
//! | units of a layer | 32,768 | 2,048 |

use rnn::{
    CellKind, Init, Model, Network, NetworkConfig, Record, TrainConfig, Training, Vocabulary,
};
use serde_json::Value;

use crate::cli_support::Folder;
use crate::webdriver::{Browser, assert_quiet};

/// A small untrained model of these symbols, with this history.
pub(crate) fn model(
    symbols: Vec<char>,
    cell: CellKind,
    hidden_size: usize,
    history: Vec<Record>,
) -> Model {
    let vocabulary = Vocabulary::from_symbols(symbols).expect("ascending symbols");
    let config = NetworkConfig {
        cell,
        vocab_size: vocabulary.len(),
        hidden_size,
        num_layers: 1,
    };
    let network = Network::new(config, &Init::default(), 1).expect("sizes");
    let training = (!history.is_empty()).then(|| Training {
        config: TrainConfig::default(),
        best_step: Some(history[history.len() / 2].step),
        history,
    });
    Model::new(vocabulary, network, training)
}

/// A folder with a page of this model and text, which is to be shown whole.
pub(crate) fn folder(model: &Model, text: &str) -> Folder {
    let folder = Folder::new();
    folder.write("text.txt", text);
    model.save(folder.path("m")).expect("a sound model");
    let view = ["view", "m", "text.txt", "-o", "page.html", "-n", "10000000"];
    folder.run(&view).ok();
    folder
}

pub(crate) fn record(step: u64, losses: [Option<f64>; 2], learning_rate: f64) -> Record {
    Record {
        step,
        train_loss: losses[0],
        validation_loss: losses[1],
        learning_rate,
    }
}

/// Opens the page, which must fill all of its panels, and quietly.
pub(crate) fn open(browser: &Browser, folder: &Folder) {
    browser.look(1180, false);
    browser.open(&folder.path("page.html"));
    let empty = "return ['loss', 'surprise', 'neurons', 'memory', 'letters', 'write']
        .filter((id) => document.getElementById(id).children.length < 2)";
    assert_eq!(browser.run(empty), Value::Array(vec![]));
    assert_eq!(
        browser.run("return document.getElementById('failure').textContent !== ''"),
        false
    );
    let odd = "return [...document.querySelectorAll('svg *')].flatMap((e) => [...e.attributes])
        .filter((a) => a.name !== 'data-class' && /NaN|Infinity|undefined/.test(a.value)).map((a) => a.value.slice(0, 80))";
    assert_eq!(browser.run(odd), Value::Array(vec![]));
    assert_quiet(browser);
}

const LETTERS: &str = "\n abcdefghij";

pub(crate) fn letters() -> Vec<char> {
    LETTERS.chars().collect()
}

pub(crate) fn small_text(length: usize) -> String {
    LETTERS.chars().cycle().take(length).collect()
}

#[test]
fn the_longest_history_is_drawn_as_the_line_that_it_is() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let losses = |step: u64| {
        let loss = 4.0 / (1.0 + step as f64 / 5e3) + (step % 7) as f64 * 0.01;
        // A peak between two pixels, and a gap.
        let train = if step == 70_001 { 9.0 } else { loss };
        [(step / 1000 != 30).then_some(train), Some(loss + 0.1)]
    };
    let history = (1..=100_000)
        .map(|step| record(step, losses(step), 1e-3))
        .collect();
    let folder = folder(
        &model(letters(), CellKind::GRU, 4, history),
        &small_text(300),
    );
    open(&browser, &folder);
    let points = browser.run(
        "return [...document.querySelectorAll('#loss figure path')].map((p) => (p.getAttribute('d') ?? '').split(/[ML]/).length)",
    );
    let most = points
        .as_array()
        .expect("paths")
        .iter()
        .filter_map(Value::as_u64)
        .max();
    assert!(
        most.is_some_and(|most| (800..6000).contains(&most)),
        "{points}"
    );
    // The peak is there, at the top of the chart, and so is the gap.
    let top = browser.run(
        "const d = document.querySelector('#loss figure > svg path.blue').getAttribute('d');
         return [Math.min.apply(null, d.split(/[ML]/).slice(1).map((p) => Number(p.split(' ')[1]))), d.split('M').length - 1]",
    );
    assert!(
        top[0].as_f64().is_some_and(|y| y < 40.0) && top[1] == 2,
        "{top}"
    );
    // The table grows a part at a time.
    let count = "return document.querySelectorAll('#loss details:first-of-type tbody tr').length";
    assert_eq!(browser.run(count), 0);
    browser.run("document.querySelector('#loss details').open = true");
    browser.wait_for("return document.querySelectorAll('#loss tbody tr').length === 500");
    browser.run("document.querySelector('#loss details button').click()");
    browser.wait_for("return document.querySelectorAll('#loss tbody tr').length === 1000");
    // And the pointer finds the step below it.
    browser.hover("document.querySelector('#loss figure > svg')");
    let said = browser.run("return document.querySelector('#loss .reading').textContent");
    let step = said
        .as_str()
        .and_then(|said| said.split([' ', ':']).nth(1))
        .map(|step| step.replace(',', ""));
    let step: u64 = step.expect("a step").parse().expect("a number");
    assert!((45_000..55_000).contains(&step), "{said}");
    assert_quiet(&browser);
}

#[test]
fn a_long_text_is_shown_a_stretch_at_a_time() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = folder(
        &model(letters(), CellKind::RNN, 2, vec![]),
        &small_text(150_000),
    );
    open(&browser, &folder);
    let shown = "return [...document.querySelectorAll('#surprise .text span')].map((s) => s.index).filter((_, i, all) => i === 0 || i === all.length - 1).concat(document.querySelectorAll('#surprise .text span').length)";
    assert_eq!(browser.run(shown), serde_json::json!([0, 19_999, 20_000]));
    let press = |word: &str| {
        browser.run(&format!(
            "[...document.querySelectorAll('#surprise button')].find((b) => b.textContent === '{word}').click()"
        ));
    };
    press("Later");
    assert_eq!(
        browser.run(shown),
        serde_json::json!([20_000, 39_999, 20_000])
    );
    // The keys go on where a stretch ends, and what is told is of the character itself.
    browser.run("document.querySelector('#surprise .text').children[19999].click(); document.querySelector('#surprise .text').focus()");
    browser.keys("\u{e014}");
    assert_eq!(
        browser.run(shown),
        serde_json::json!([40_000, 59_999, 20_000])
    );
    let facts = browser.run("return document.querySelector('#surprise .card p').textContent");
    assert!(
        facts
            .as_str()
            .is_some_and(|facts| facts.ends_with("character 40,001")),
        "{facts}"
    );
    press("Earlier");
    assert_eq!(
        browser.run(shown),
        serde_json::json!([20_000, 39_999, 20_000])
    );
    assert_quiet(&browser);
}

fn symbols(count: usize) -> Vec<char> {
    let all: Vec<char> = ('\0'..=char::MAX).take(count).collect();
    assert_eq!(all.len(), count);
    all
}

fn draw_vocabulary(count: usize) {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = folder(
        &model(symbols(count), CellKind::RNN, 1, vec![]),
        &small_text(60),
    );
    open(&browser, &folder);
    let glyphs = browser.run("return document.querySelectorAll('#letters .glyph').length");
    assert!(
        glyphs
            .as_u64()
            .is_some_and(|glyphs| (50..20_000).contains(&glyphs)),
        "{glyphs}"
    );
    let told = browser.run("return document.querySelector('#letters figcaption').textContent");
    assert!(
        told.as_str()
            .is_some_and(|told| told.contains("characters are drawn")),
        "{told}"
    );
}

#[test]
fn a_vocabulary_of_many_symbols_is_drawn() {
    draw_vocabulary(150_000);
}

#[test]
#[ignore = "takes some gigabytes"]
fn a_vocabulary_of_all_of_unicode_is_drawn() {
    draw_vocabulary(1_112_064);
}

#[test]
fn many_units_are_drawn() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    folder.write("text.txt", small_text(40));
    model(letters(), CellKind::RNN, 2_048, vec![])
        .save(folder.path("m"))
        .expect("a sound model");
    let view = ["view", "m", "text.txt", "-o", "page.html"];
    folder.run(&view).ok();
    open(&browser, &folder);
    browser.run("document.getElementById('neurons').scrollIntoView({ behavior: 'instant' })");
    browser.wait_for("return document.querySelector('#neurons canvas').height === 1260");
    assert_quiet(&browser);
}
