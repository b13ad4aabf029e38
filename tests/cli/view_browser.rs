//! The page of `view` in a real browser: every panel is drawn, and answers to pointer and keys.

use crate::cli_support::Folder;
use crate::webdriver::{Browser, assert_quiet, lines, page};
use serde_json::Value;

const ARROW_RIGHT: char = '\u{e014}';
const TAB: char = '\u{e004}';
/// Colours that lie on each other, their contrast and the least that WCAG 2.2 asks of such: 4.5 for
/// text, 3 for the edge of a control.
const CONTRASTS: &str = "
    const light = (name) => rgb(name).map((v) => v / 255)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0.05);
    const contrast = (a, b) => Math.max(light(a) / light(b), light(b) / light(a));
    const text = ['ink', 'soft', 'accent', 'orange', 'blue', 'green', 'purple', 'grey', 'gold'];
    return [...text.map((name) => [name, 'paper', 4.5]), ['ink', 'pos', 4.5], ['ink', 'neg', 4.5], ['edge', 'paper', 3]]
        .map(([name, on, least]) => [`${name} on ${on}`, contrast('--' + name, '--' + on), least])";
/// Whether the page's network has read the text, once it was asked to.
const READ: &str = "return document.getElementById('neurons').getAttribute('aria-busy') !== 'true'";

#[test]
fn every_panel_is_drawn_in_light_and_dark_and_on_a_phone() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = page(&["--cell", "lstm", "--num-layers", "2"]);
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
        let found = browser.run(CONTRASTS);
        let pairs = found.as_array().expect("pairs");
        assert!(
            pairs.len() == 12
                && pairs
                    .iter()
                    .all(|pair| pair[1].as_f64() >= pair[2].as_f64()),
            "{found}"
        );
        if width < 500 {
            let small = "return [...document.querySelectorAll('a:not(.skip), button, select, input, textarea, summary')]
                 .filter((e) => e.getBoundingClientRect().height < 44).map((e) => e.outerHTML.slice(0, 80))";
            assert_eq!(browser.run(small), Value::Array(vec![]), "for a finger");
        }
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
    let folder = page(&["--cell", "gru"]);
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
    let folder = page(&["--cell", "lstm"]);
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
        browser.wait_for(READ);
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
        browser.wait_for(READ);
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
fn five_thousand_characters_are_painted_in_one_go() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::with_text();
    folder.write("long.txt", crate::cli_support::text().repeat(2));
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

#[test]
fn a_screen_reader_finds_everything_by_role_and_name() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = page(&["--cell", "lstm"]);
    browser.open(&folder.path("page.html"));
    let tree = browser.accessibility_tree();
    let of = |role: &str| -> Vec<&str> {
        let all = tree.iter().filter(|node| node.0 == role);
        all.map(|node| node.1.as_str()).collect()
    };
    for (role, name) in [
        ("heading", "m"),
        ("navigation", "Panels"),
        ("button", "Dark colours"),
        ("combobox", "Property"),
        ("combobox", "Signal"),
        ("spinbutton", "Unit"),
        ("slider", "Temperature 0.80"),
        ("textbox", "Start of the text"),
        ("region", "What the model writes"),
        ("button", "Continue"),
    ] {
        assert!(of(role).contains(&name), "{role} {name}: {:?}", of(role));
    }
    for panel in ["Loss", "Surprise", "Neurons", "Memory", "Letters", "Try it"] {
        assert!(of("region").contains(&panel) && of("heading").contains(&panel));
        assert!(of("link").contains(&panel), "{panel}");
    }
    assert_eq!(of("application").len(), 2, "the two texts");
    // Nothing that can be used or looked at goes without a name.
    for role in [
        "application",
        "button",
        "combobox",
        "image",
        "link",
        "slider",
        "spinbutton",
        "textbox",
    ] {
        let names = of(role);
        assert!(
            !names.is_empty() && names.iter().all(|name| !name.trim().is_empty()),
            "{role}: {names:?}"
        );
    }
    // One stop of the Tab key for a text, not one for each of its characters; each can be seen.
    let mut stops = Vec::new();
    for _ in 0..80 {
        browser.keys(&TAB.to_string());
        let stop = browser.run(
            "const e = document.activeElement, style = getComputedStyle(e);
             return e === document.body ? null : [e.tagName, e.id, style.outlineStyle]",
        );
        if stop.is_null() {
            break;
        }
        assert_eq!(stop[2], "solid", "{stop}");
        stops.push(stop);
    }
    assert!(
        (25..60).contains(&stops.len()),
        "{}: {stops:?}",
        stops.len()
    );
    assert_quiet(&browser);
}
