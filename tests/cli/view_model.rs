//! The model in the page of `view`, in a real browser: it computes what the program computes, and
//! nothing that comes from a file is run.

use crate::cli_support::Folder;
use crate::webdriver::{Browser, assert_quiet, lines, page};
use serde_json::Value;

/// A page of five hundred characters, and what the program says of them.
fn short(flags: &[&str]) -> (Folder, Vec<Value>) {
    let folder = page(flags);
    let view = |more: &[&str]| {
        let args = ["view", "m", "text.txt", "-n", "500"];
        folder.run(&[&args[..], more].concat()).ok()
    };
    view(&["-f", "-o", "page.html"]);
    let told = lines(view(&["--json"]));
    (folder, told)
}

#[test]
fn typing_makes_the_model_go_on() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = page(&["--cell", "lstm"]);
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
    assert_eq!(note, "The model does not know €, so it skips it.");
    assert_quiet(&browser);
}

#[test]
fn the_page_computes_the_programs_probabilities() {
    let Some(browser) = Browser::start() else {
        return;
    };
    for cell in ["rnn", "rnn-relu", "lstm", "gru", "mingru"] {
        let (folder, told) = short(&["--cell", cell, "--num-layers", "2"]);
        let summary = &told[0];
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
        assert_eq!(count, 5 * 499);
        assert!(worst < 1e-5, "{cell}: {worst:e}");
    }
}

#[test]
fn the_page_computes_every_signal_of_every_unit() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let (folder, numbers) = short(&["--cell", "gru", "--num-layers", "2", "--hidden-size", "64"]);
    browser.open(&folder.path("page.html"));
    // They are there once the panel is looked at.
    browser.run("document.getElementById('neurons').scrollIntoView({ behavior: 'instant' })");
    browser.wait_for("return computed.size === 2 * 64 * 4");
    let computed =
        browser.run("return [...computed].map(([key, { values }]) => [key, Array.from(values)])");
    let mut checked = 0;
    for pair in computed.as_array().expect("pairs") {
        let key = pair[0].as_str().expect("a key");
        let line = numbers[1..].iter().find(|line| {
            let signal = line["signal"].as_str().expect("a signal");
            format!("{}/{}/{signal}", line["layer"], line["unit"]) == key
        });
        let values = line.expect("a line")["values"].as_array().expect("values");
        for (ours, theirs) in pair[1].as_array().expect("values").iter().zip(values) {
            let (ours, theirs) = (
                ours.as_f64().expect("a number"),
                theirs.as_f64().expect("a number"),
            );
            assert!((ours - theirs).abs() < 1e-5, "{key}: {ours} {theirs}");
            checked += 1;
        }
    }
    assert_eq!(checked, 2 * 64 * 4 * 500);
    assert_quiet(&browser);
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
    assert_eq!(source.matches("</script>").count(), 3, "the page's own");
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
fn a_page_of_lines_reads_and_writes_line_by_line() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    folder.write("names.txt", "anna\nbob\ncarl\ndora\n".repeat(20));
    let train = "train names.txt --records -o m --hidden-size 12 --batch-size 4 --max-steps 300";
    folder.run(&train.split(' ').collect::<Vec<_>>()).ok();
    folder
        .run(&["view", "m", "names.txt", "-o", "page.html"])
        .ok();
    let told = lines(folder.run(&["view", "m", "names.txt", "--json"]).ok());
    browser.open(&folder.path("page.html"));
    let computed = browser.run(
        "const state = network.start(), all = [];
         let logits = network.step(state, data.line_end);
         for (const id of data.ids) {
           all.push(-Math.log(probabilities(logits)[id]));
           logits = network.step(state, id);
         }
         return all",
    );
    let (computed, told) = (
        computed.as_array().unwrap(),
        told[0]["nats"].as_array().unwrap(),
    );
    assert_eq!(computed.len(), 380);
    assert_eq!(told.len(), 380);
    for (ours, theirs) in computed.iter().zip(told) {
        let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
        assert!((ours - theirs).abs() < 1e-4, "{ours} {theirs}");
    }
    browser.run(
        "const heat = document.getElementById('temperature'); heat.value = 0; heat.dispatchEvent(new Event('input'))",
    );
    browser.wait_for("return !document.getElementById('more').disabled");
    let written = browser.run("return document.getElementById('written').textContent");
    let line = folder
        .run(&["sample", "m", "--greedy", "--samples", "1"])
        .ok();
    let written = written.as_str().unwrap();
    let expected = line.text().repeat(written.lines().count());
    assert!(
        written.lines().count() > 20 && expected.starts_with(written),
        "{written:?}"
    );
    assert_quiet(&browser);
}
