//! Commands that read one input agree on it: all accept it, or all refuse it for one reason; and the
//! numbers that several of them tell are the same.

use rnn::{CellKind, Init, Model, Network, NetworkConfig, Vocabulary};
use serde_json::Value;

use crate::cli_support::{Folder, Run};

/// Why a run refused, without the words on what it was about to do with which file; `None` where it
/// did not.
#[track_caller]
fn reason(run: &Run) -> Option<String> {
    if run.code == Some(0) {
        return None;
    }
    let said = run.stderr.strip_prefix("error: ").expect("one error");
    let said = said.strip_suffix('\n').expect("a line");
    assert!(run.code == Some(1) && !said.contains('\n'), "{run:?}");
    let is_context = |part: &str| part.starts_with("cannot ") || part == "--prime";
    let parts = said.split(": ").skip_while(|part| is_context(part));
    Some(parts.collect::<Vec<_>>().join(": "))
}

fn json(run: &Run) -> Vec<Value> {
    let lines = run.text().lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// All commands that read this text with this model, by name.
fn runs(folder: &Folder, model: &str, text: &str) -> Vec<(&'static str, Run)> {
    let view = ["view", model, text, "-n", "1000000"];
    let mut runs = vec![
        ("score", folder.run(&["score", model, text, "--json"])),
        (
            "score --per-char",
            folder.run(&["score", model, text, "--json", "--per-char"]),
        ),
        (
            "score --per-line",
            folder.run(&["score", model, text, "--json", "--per-line"]),
        ),
        (
            "view --json",
            folder.run(&[&view[..], &["--json"]].concat()),
        ),
        (
            "view",
            folder.run(&[&view[..], &["-f", "-o", "page.html"]].concat()),
        ),
    ];
    // What an argument can hold: no end of a string, and on Linux 128 KiB; a file's mark of its
    // encoding is none of an argument.
    if let Ok(prime) = String::from_utf8(folder.read(text))
        && !prime.contains('\0')
        && !prime.starts_with('\u{feff}')
        && !prime.is_empty()
        && prime.len() < 100_000
    {
        let sample = ["sample", model, "-n", "5", "--prime", &prime];
        runs.push(("sample", folder.run(&sample)));
    }
    runs
}

#[track_caller]
pub(crate) fn assert_one_reason(folder: &Folder, model: &str, text: &str) -> Option<String> {
    one_reason(&runs(folder, model, text), &format!("{model} {text}"))
}

#[track_caller]
fn one_reason(runs: &[(&str, Run)], what: &str) -> Option<String> {
    let expected = reason(&runs[0].1);
    for (name, run) in &runs[1..] {
        assert_eq!(reason(run), expected, "{name} {what}, after score");
    }
    expected
}

/// Sums to as many digits as `view --json` has.
#[track_caller]
fn assert_same(what: &str, a: f64, b: f64) {
    assert!(
        (a - b).abs() <= 1e-7 * b.abs().max(1.0),
        "{what}: {a} and {b}"
    );
}

pub(crate) fn network(cell: CellKind, vocab_size: usize, num_layers: usize) -> Network<f32> {
    let config = NetworkConfig {
        cell,
        vocab_size,
        hidden_size: 2,
        num_layers,
    };
    let mut network = Network::new(config, &Init::default(), 1).expect("sizes");
    network.parameters_mut().as_mut_slice().fill(0.0);
    network
}

/// Sets a parameter by the name of its matrix.
pub(crate) fn set(network: &mut Network<f32>, name: &str, value: impl Fn(usize) -> f32) {
    let layout = network.parameters().layout().clone();
    let named = layout.named().into_iter().find(|named| named.name == name);
    let values = network.parameters_mut().slice_mut(named.expect(name).block);
    values
        .iter_mut()
        .enumerate()
        .for_each(|(at, to)| *to = value(at));
}

#[test]
fn sound_and_unsound_models_and_texts_are_the_same_to_every_command() {
    let folder = Folder::with_text();
    folder.train(&["text.txt", "-o", "sound"]).ok();
    folder
        .train(&["text.txt", "-o", "lstm", "--cell", "lstm"])
        .ok();
    folder.train(&["text.txt", "-o", "bytes", "--bytes"]).ok();
    folder.train(&["text.txt", "-o", "lines", "--records"]).ok();
    folder.write("letters", "zebra \nx");
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/imports/");
    let network = format!("{fixtures}gru_2.safetensors");
    folder
        .run(&[
            "import",
            &network,
            "--vocabulary",
            "letters",
            "-o",
            "imported",
        ])
        .ok();
    let sound = Model::load(folder.path("sound")).unwrap();
    let one = Vocabulary::from_text("l").unwrap();
    let small = network_of(&one);
    Model::new(one, small, None)
        .save(folder.path("one"))
        .unwrap();
    let mut nan = sound.network().clone();
    nan.parameters_mut().as_mut_slice()[7] = f32::NAN;
    let nan = Model::new(sound.vocabulary().clone(), nan, None);
    folder.write("nan", nan.to_bytes());
    let mut cut = folder.read("sound");
    cut.truncate(cut.len() - 3);
    folder.write("cut", cut);
    let texts: [(&str, &[u8]); 9] = [
        ("empty", b""),
        ("several", b"llll"),
        ("unknown", "line \u{e9}".as_bytes()),
        ("mark", b"\xef\xbb\xbfline"),
        ("crlf", b"line\r\nline\r\n"),
        ("invalid", b"li\xffne"),
        ("nul", b"li\0ne"),
        ("zebra", b"a zebra\n"),
        ("huge", &b"the fox ".repeat(4_000)),
    ];
    for (name, content) in texts {
        folder.write(name, content);
    }
    let names = texts.map(|text| text.0);
    let (mut accepted, mut refused) = (0, 0);
    for model in [
        "sound", "lstm", "bytes", "lines", "imported", "one", "nan", "cut",
    ] {
        let is_model = !["nan", "cut"].contains(&model);
        assert_eq!(folder.run(&["inspect", model]).code == Some(0), is_model);
        for text in names.into_iter().chain(["text.txt"]) {
            let runs = runs(&folder, model, text);
            let reason = one_reason(&runs, &format!("{model} {text}"));
            if reason.is_some() {
                refused += 1;
                // A start for training is read like any other model, and a text like any other, but
                // that a vocabulary may grow.
                let knows_letters = ["sound", "lstm", "lines"].contains(&model);
                if !is_model || text == "empty" || text == "invalid" && knows_letters {
                    let train = [
                        "train",
                        text,
                        "-o",
                        "new",
                        "--max-steps",
                        "1",
                        "--init-from",
                        model,
                        // A model of lines is noted.
                        "--quiet",
                    ];
                    assert_eq!(self::reason(&folder.run(&train)), reason, "{model} {text}");
                }
            } else {
                accepted += 1;
                numbers_agree(&folder, &runs, model, text);
            }
        }
    }
    assert_eq!((accepted, refused), (26, 54));
}

fn network_of(vocabulary: &Vocabulary) -> Network<f32> {
    let mut network = network(CellKind::GRU, vocabulary.len(), 1);
    set(&mut network, "decoder.weight", |_| 0.5);
    network
}

/// The whole, its parts, and what the page and the library say of them.
fn numbers_agree(folder: &Folder, runs: &[(&str, Run)], model: &str, text: &str) {
    let what = format!("{model} {text}");
    let whole = &json(&runs[0].1)[0];
    let count = whole["characters"].as_f64().expect("a number");
    let nats = whole["nats_per_character"].as_f64().expect("a number") * count;
    let parts = json(&runs[1].1);
    let sum: f64 = parts
        .iter()
        .map(|part| part["nats"].as_f64().expect("a number"))
        .sum();
    assert_eq!(parts.len() as f64, count, "{what}");
    assert_same(&what, sum, nats);
    let lines = json(&runs[2].1);
    assert!(!lines.is_empty());
    let summary = &json(&runs[3].1)[0];
    let shown = summary["nats"].as_array().expect("nats");
    assert_eq!(shown.len(), parts.len(), "{what}");
    for (shown, part) in shown.iter().zip(&parts) {
        assert_same(
            &what,
            shown.as_f64().expect("a number"),
            part["nats"].as_f64().expect("a number"),
        );
    }
    // The library reads texts alone, without the mark of their encoding and with line ends that the
    // model knows.
    if let Ok(mut text) = String::from_utf8(folder.read(text)) {
        let loaded = Model::load(folder.path(model)).unwrap();
        if !loaded.vocabulary().is_bytes() && loaded.vocabulary().id('\r').is_none() {
            text = text.replace("\r\n", "\n");
        }
        let is_marked = text.starts_with('\u{feff}') && !loaded.vocabulary().is_bytes();
        let score = loaded
            .score(if is_marked { &text[3..] } else { &text })
            .unwrap();
        assert_eq!(score.characters as f64, count, "{what}");
        assert_same(&what, score.nats, nats);
    }
}
