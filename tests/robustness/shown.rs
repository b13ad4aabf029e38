//! Names of files, arguments and texts with characters that steer a terminal, turn its lines around
//! or hide: none of them reaches the terminal as itself.

use rnn::visible::is_visible;

use crate::cli_support::{Folder, Run};

/// Everything of Unicode that is not shown and that a name can hold, in pieces that fit into a name:
/// all control and format characters, separators, fillers, variation selectors and tags, and some
/// of the private, unassigned and blank ones.
fn pieces() -> Vec<String> {
    let ranges = [
        '\u{1}'..='\u{20}',
        '\u{7f}'..='\u{ad}',
        '\u{34f}'..='\u{34f}',
        '\u{600}'..='\u{61c}',
        '\u{6dd}'..='\u{70f}',
        '\u{890}'..='\u{8e2}',
        '\u{115f}'..='\u{1160}',
        '\u{1680}'..='\u{1680}',
        '\u{17b4}'..='\u{17b5}',
        '\u{180b}'..='\u{180f}',
        '\u{2000}'..='\u{206f}',
        '\u{3000}'..='\u{3000}',
        '\u{3164}'..='\u{3164}',
        '\u{e000}'..='\u{e003}',
        '\u{fe00}'..='\u{fe0f}',
        '\u{feff}'..='\u{feff}',
        '\u{ffa0}'..='\u{ffa0}',
        '\u{fff0}'..='\u{ffff}',
        '\u{110bd}'..='\u{110cd}',
        '\u{13430}'..='\u{1343f}',
        '\u{1bca0}'..='\u{1bca3}',
        '\u{1d173}'..='\u{1d17a}',
        '\u{e0000}'..='\u{e007f}',
        '\u{e0100}'..='\u{e01ef}',
        '\u{10fffd}'..='\u{10ffff}',
    ];
    let hidden: Vec<char> = ranges
        .into_iter()
        .flatten()
        .filter(|&c| !is_visible(c))
        .collect();
    assert!(hidden.len() > 550, "{}", hidden.len());
    hidden
        .chunks(30)
        .map(|piece| format!("a{}z", String::from_iter(piece)))
        .collect()
}

/// Standard error, and where it is for people standard output too, show nothing that is hidden.
#[track_caller]
fn assert_visible(run: &Run, is_for_people: bool) {
    let stdout = if is_for_people { run.text() } else { "" };
    for text in [stdout, &run.stderr] {
        let odd = text
            .chars()
            .find(|&c| c != '\n' && c != '\t' && !is_visible(c));
        assert_eq!(odd, None, "{run:?}");
    }
}

#[test]
fn no_name_of_a_file_or_argument_reaches_the_terminal_unescaped() {
    let folder = Folder::with_model();
    for name in pieces() {
        let text = format!("{name}.txt");
        folder.write(&text, crate::cli_support::text());
        let model = format!("{name}.safetensors");
        folder.write(&model, folder.read("model.safetensors"));
        let (no, page) = (format!("{name}.none"), format!("{name}.html"));
        let flag = format!("--{name}");
        let train = [
            "train",
            &text,
            "-o",
            &model,
            "--max-steps",
            "1",
            "--hidden-size",
            "2",
        ];
        let all: [&[&str]; 26] = [
            &["score", &model, &text],
            &["score", &no, &text],
            &["score", &model, &no],
            &["score", &text, &text],
            &["score", &model, &model],
            &["sample", &no],
            &["sample", &text],
            &["sample", "model.safetensors", "--prime", &name, "-n", "1"],
            &["view", &model, &text, "-n", "50", "-o", &page],
            &["view", &model, &text, "-n", "50", "-o", &page],
            &["view", &model, &text, "-n", "50", "-o", &text],
            &["inspect", &no],
            &["inspect", &text],
            &["import", &text, "-o", &no],
            &["import", &model, "-o", &no, "--vocabulary", &text],
            &train,
            &[&train[..], &["--force"]].concat(),
            &["train", &no],
            &["train", &text, "--resume", &model],
            &["demo", "--text", &name, "--epochs", "3"],
            &["demo", "--epochs", &name],
            &["train", "text.txt", "--cell", &name],
            &["score", "model.safetensors", "text.txt", &flag],
            &[&name],
            &["man", &name],
            &["completions", &name],
        ];
        for args in all {
            let run = folder.run(args);
            // The demo ends with the word, which is its result, as a sample is.
            let is_raw = ["demo", "sample"].contains(&args[0]) && run.code == Some(0);
            assert_visible(&run, !is_raw);
        }
    }
}

#[test]
fn what_a_text_holds_is_shown_by_no_report_as_it_is() {
    let folder = Folder::new();
    let text: String = pieces().iter().map(|piece| format!("{piece}\n")).collect();
    folder.write("t", text.repeat(2));
    let train = [
        "train",
        "t",
        "-o",
        "m",
        "--max-steps",
        "20",
        "--eval-every",
        "10",
    ];
    let train = [&train[..], &["--hidden-size", "8", "--sample-every", "5"]].concat();
    assert_visible(&folder.run(&train).ok(), true);
    for report in [
        &["inspect", "m"][..],
        &["score", "m", "t", "--per-char"],
        &["score", "m", "t", "--per-line"],
        &["score", "m", "t"],
    ] {
        assert_visible(&folder.run(report).ok(), true);
    }
    for hidden in ["\u{202e}", "\u{2028}", "\u{200b}"] {
        let unknown = format!("{hidden}\u{1f600}");
        folder.write("other", &unknown);
        assert_visible(&folder.run(&["score", "m", "other"]), true);
    }
}

#[test]
fn names_in_all_scripts_are_shown_as_they_are() {
    let folder = Folder::with_model();
    for name in [
        "Zürich",
        "ze\u{301}bre",
        "हिन्दी",
        "עברית",
        "日本語",
        "😀",
        "a – b “c”",
    ] {
        let message = format!("cannot read {name}: no such file");
        folder
            .run(&["score", "model.safetensors", name])
            .fails(1, &message);
    }
}
