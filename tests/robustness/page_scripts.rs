//! The scripts of the page of `view`: what none of them may do, and that they hide what the terminal
//! hides.

use crate::webdriver::{Browser, assert_quiet, page};

/// Every script of the page, by name.
const SCRIPTS: [(&str, &str); 10] = [
    (
        "base",
        include_str!("../../crates/rnn-cli/src/view/base.js"),
    ),
    (
        "chart",
        include_str!("../../crates/rnn-cli/src/view/chart.js"),
    ),
    (
        "letters",
        include_str!("../../crates/rnn-cli/src/view/letters.js"),
    ),
    (
        "loss",
        include_str!("../../crates/rnn-cli/src/view/loss.js"),
    ),
    (
        "memory",
        include_str!("../../crates/rnn-cli/src/view/memory.js"),
    ),
    (
        "network",
        include_str!("../../crates/rnn-cli/src/view/network.js"),
    ),
    (
        "neurons",
        include_str!("../../crates/rnn-cli/src/view/neurons.js"),
    ),
    (
        "start",
        include_str!("../../crates/rnn-cli/src/view/start.js"),
    ),
    (
        "text",
        include_str!("../../crates/rnn-cli/src/view/text.js"),
    ),
    (
        "write",
        include_str!("../../crates/rnn-cli/src/view/write.js"),
    ),
];

/// Places of a script where a list becomes arguments, of which a browser takes some hundred thousand:
/// `f(...list)`, `f.apply(this, list)`. A list in a list or an object is no trouble, and the dots
/// before a function's last parameter are none of a call.
fn spreads(script: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in script.lines() {
        let code = match line.trim_start() {
            comment if comment.starts_with("//") || comment.starts_with('*') => continue,
            code => code,
        };
        let is_declaration = code.starts_with("function ") && code.ends_with('{');
        // The bracket that each place lies in.
        let mut open = Vec::new();
        for (at, character) in code.char_indices() {
            match character {
                '(' | '[' | '{' => open.push(character),
                ')' | ']' | '}' => drop(open.pop()),
                '.' if code[at..].starts_with("...") => {
                    // What is open since an earlier line may be a call.
                    let is_call = !matches!(open.last(), Some('[' | '{'));
                    if is_call && !is_declaration {
                        found.push(code);
                    }
                }
                '.' if code[at..].starts_with(".apply(") => found.push(code),
                _ => {}
            }
        }
    }
    found
}

#[test]
fn no_script_spreads_a_list_into_arguments() {
    for (name, script) in SCRIPTS {
        assert_eq!(spreads(script), Vec::<&str>::new(), "{name}.js");
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/view");
    let entries = std::fs::read_dir(folder).expect("the scripts' folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let scripts = names.filter(|name| name.as_encoded_bytes().ends_with(b".js"));
    assert_eq!(
        scripts.count(),
        SCRIPTS.len(),
        "a script that is not looked at"
    );
    // What the search is for.
    for bad in [
        "const low = Math.min(...known);",
        "element.append(...rows.map((row) => make('tr', {}, row)));",
        "text += String.fromCharCode(...codes);",
        "  ...points.map(([x, y], i) => draw('text', {",
        "list.push.apply(list, more);",
        "f([a], ...rest)",
    ] {
        assert_eq!(spreads(bad), [bad.trim_start()]);
    }
    for good in [
        "const all = [x, ...series.map((s) => s.name)];",
        "function make(name, attributes = {}, ...children) {",
        "f([...new Set(all)], { ...options })",
        "text + '…'",
    ] {
        assert_eq!(spreads(good), Vec::<&str>::new());
    }
}

#[test]
fn the_page_hides_what_the_terminal_hides() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = page(&[]);
    browser.open(&folder.path("page.html"));
    // Code points that the page shows as themselves in names, as ranges.
    let ranges = browser.run(
        "const out = []; for (let c = 0; c < 0x110000; c++) {
           if (c >= 0xd800 && c < 0xe000) continue;
           const s = String.fromCodePoint(c);
           if (!plain(s).includes(s)) continue;
           if (out.length && out.at(-1)[1] === c - 1) out.at(-1)[1] = c; else out.push([c, c]);
         } return out",
    );
    let mut shown = 0;
    for range in ranges.as_array().expect("ranges") {
        let end = |at: usize| range[at].as_u64().expect("a code point") as u32;
        for code in end(0)..=end(1) {
            let character = char::from_u32(code).expect("no surrogate");
            shown += 1;
            // The browser may know of letters that came after this program, and the other way round.
            let is_new = !rnn::visible::is_visible(character);
            assert!(!is_new || is_letter_to_come(code), "{character:?}");
        }
    }
    assert!(shown > 140_000, "{shown}");
    assert_quiet(&browser);
}

/// Unassigned when this was written, but in a range where a later Unicode may have a letter: no block
/// of format characters or of private use.
fn is_letter_to_come(code: u32) -> bool {
    !matches!(code, 0..=0x36f | 0x600..=0x6ff | 0x2000..=0x206f | 0xd800..=0xffff | 0xe0000..)
}
