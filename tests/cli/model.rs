//! `score`, `inspect`, `check`, `completions` and the help.

use crate::cli_support::Folder;

/// The columns of a line of `score`.
fn columns(line: &str) -> Vec<f64> {
    line.split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect()
}

#[test]
fn score_adds_up_its_files() {
    let folder = Folder::with_model();
    folder.write("other.txt", "jumps the quick fox\nline 12: fox\n");
    let run = folder
        .run(&["score", "model.safetensors", "text.txt", "other.txt"])
        .ok();
    let rows: Vec<Vec<f64>> = run.text().lines().skip(1).map(columns).collect();
    let [text, other, total] = rows.as_slice() else {
        panic!("{}", run.text())
    };
    assert_eq!((text[3], other[3], total[3]), (3499.0, 32.0, 3531.0));
    let mean = (text[0] * text[3] + other[0] * other[3]) / total[3];
    assert!((mean - total[0]).abs() < 1e-4, "{rows:?}");
    for row in &rows {
        assert!(
            (row[1] - row[0] / std::f64::consts::LN_2).abs() < 2e-4,
            "{row:?}"
        );
        assert!((row[2] - row[0].exp()).abs() < 1e-3 * row[2], "{row:?}");
    }
}

#[test]
fn what_adapts_stands_beside_the_plain_score_and_never_for_it() {
    let folder = Folder::with_model();
    folder.write("other.txt", "line 12: fox\n".repeat(60));
    let score = |flags: &[&str]| {
        let files = ["score", "model.safetensors", "text.txt", "other.txt"];
        folder.run(&[&files[..], flags].concat()).ok()
    };
    let (plain, both) = (score(&[]), score(&["--adapt"]));
    let is_adapted = |line: &&str| line.contains(", adapted: ");
    let (adapted, rest): (Vec<&str>, Vec<&str>) = both.text().lines().partition(is_adapted);
    assert!(rest.iter().copied().eq(plain.text().lines()));
    assert_eq!(adapted.len(), 3);
    for (name, (plain, line)) in ["text.txt", "other.txt", "total"]
        .into_iter()
        .zip(rest[1..].iter().zip(adapted))
    {
        let gain = columns(plain)[0] - columns(line)[0];
        assert!(
            gain > 0.0 && line.contains(&format!("  {name}, adapted: ")),
            "{line}"
        );
        let told = line.rsplit_once(": ").unwrap().1;
        assert!((columns(told)[0] - gain).abs() < 2e-4 && told.ends_with(" nats/char less"));
    }
    // The second file starts with the weights of the model, not with those of the first.
    let alone = folder.run(&["score", "model.safetensors", "other.txt", "--adapt"]);
    let last = alone.ok().text().lines().last().unwrap().to_owned();
    assert!(both.text().contains(&last), "{last}");

    let json = |run: crate::cli_support::Run| -> Vec<serde_json::Value> {
        let lines = run.text().lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let (plain, both) = (
        json(score(&["--json"])),
        json(score(&["--json", "--adapt"])),
    );
    for (plain, both) in plain.iter().zip(&both) {
        let number = |key: &str| both[key].as_f64().unwrap();
        let kept = plain.as_object().unwrap().iter();
        assert!(kept.into_iter().all(|(key, value)| both[key] == *value));
        assert!(plain.get("adapted_nats_per_character").is_none());
        let gain = number("nats_per_character") - number("adapted_nats_per_character");
        assert!((number("gain_nats_per_character") - gain).abs() < 1e-12);
        assert!(number("adapted_bits_per_character") < number("bits_per_character"));
        assert!(number("adapted_perplexity") < number("perplexity"));
    }
    let listed = json(score(&["--json", "--adapt", "--per-char"]));
    let nats = listed
        .iter()
        .take(3499)
        .map(|line| line["adapted_nats"].as_f64().unwrap());
    let mean = nats.sum::<f64>() / 3499.0;
    let whole = both[0]["adapted_nats_per_character"].as_f64().unwrap();
    assert!((mean - whole).abs() < 1e-9, "{mean} and {whole}");
    let lines = json(score(&["--json", "--adapt", "--per-line"]));
    assert!(
        lines
            .iter()
            .all(|line| line["adapted_nats_per_character"].is_f64())
    );
}

#[test]
fn any_number_of_threads_scores_alike() {
    let folder = Folder::with_model();
    let score = |threads: &str| {
        let flags = ["--per-char", "--json", "--threads", threads];
        let run = folder.run(&[&["score", "model.safetensors", "text.txt"][..], &flags].concat());
        run.ok().stdout
    };
    let one = score("1");
    assert!(one == score("2") && one == score("5"));
}

#[test]
fn the_strangest_line_comes_first() {
    let folder = Folder::with_text();
    let flags = [
        "--hidden-size",
        "24",
        "--max-steps",
        "150",
        "--batch-size",
        "8",
        "--seq-length",
        "16",
    ];
    folder
        .run(&[&["train", "text.txt", "-o", "m"], flags.as_slice()].concat())
        .ok();
    let odd = "xof nworb kciuq eht";
    let text = crate::cli_support::text();
    let (before, after) = text.split_at(text.find("line 40").unwrap());
    folder.write("odd.txt", format!("{before}{odd}\n{after}"));
    let run = folder.run(&["score", "m", "odd.txt", "--per-line"]).ok();
    let first = run.text().lines().next().unwrap();
    assert!(first.ends_with(&format!("    41  {odd}")), "{first:?}");
    assert_eq!(run.text().lines().count(), 101);
}

#[test]
fn scores_by_character_add_up_to_the_whole() {
    let folder = Folder::with_model();
    let run = folder
        .run(&[
            "score",
            "model.safetensors",
            "text.txt",
            "--per-char",
            "--json",
        ])
        .ok();
    let number = |line: &str, name: &str| -> f64 {
        let rest = line.split_once(&format!("\"{name}\":")).unwrap().1;
        rest.split([',', '}']).next().unwrap().parse().unwrap()
    };
    let sum: f64 = run.text().lines().map(|line| number(line, "nats")).sum();
    let whole = folder
        .run(&["score", "model.safetensors", "text.txt", "--json"])
        .ok();
    let mean = number(whole.text(), "nats_per_character");
    assert!((sum / 3499.0 - mean).abs() < 1e-9, "{sum} against {mean}");
    assert_eq!(number(whole.text(), "characters"), 3499.0);
}

#[test]
fn unknown_characters_are_refused_or_skipped() {
    let folder = Folder::with_model();
    folder.write("odd.txt", "the qüick fox");
    folder.write("plain.txt", "the qick fox");
    let message = "cannot read odd.txt: character 'ü' (U+00FC) at character offset 5 is not in the vocabulary; similar: 'u', 'x', 'w', 't', 's'";
    let refused = folder.run(&["score", "model.safetensors", "odd.txt"]);
    assert_eq!(
        (refused.code, refused.stderr),
        (Some(1), format!("error: {message}\n"))
    );
    let score = |args: &[&str]| {
        let run = folder
            .run(&[&["score", "model.safetensors"], args].concat())
            .ok();
        columns(run.text().lines().nth(1).unwrap())
    };
    assert_eq!(
        score(&["odd.txt", "--unknown", "skip"]),
        score(&["plain.txt"])
    );
}

#[test]
fn inspect_tells_what_the_model_is() {
    let folder = Folder::with_model();
    let run = folder.run(&["inspect", "model.safetensors"]).ok();
    let text = run.text();
    for part in [
        "lstm, layers 1, hidden units 16",
        "vocabulary  33 characters: \\n 0123456789:",
        "20 steps done",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    let json = folder.run(&["inspect", "model.safetensors", "--json"]).ok();
    assert!(
        json.text().starts_with("{\"bytes\":false,") && json.text().contains("\"hidden_size\":16")
    );
}

#[test]
fn the_gradient_check_passes_for_every_cell() {
    for args in [
        &["check"][..],
        &[
            "check",
            "--num-layers",
            "2",
            "--dropout",
            "0.3",
            "--seed",
            "5",
        ],
    ] {
        let run = Folder::new().run(args).ok();
        for cell in ["rnn ", "rnn_relu ", "lstm ", "gru ", "mingru "] {
            assert!(
                run.text().lines().any(|line| line.starts_with(cell)),
                "{cell} in {}",
                run.text()
            );
        }
        assert!(
            run.text()
                .lines()
                .last()
                .unwrap()
                .starts_with("every gradient matches")
        );
    }
}

#[test]
fn every_command_explains_itself_with_an_example() {
    let folder = Folder::new();
    let run = folder.run(&["--help"]).ok();
    let commands = [
        "demo",
        "train",
        "sample",
        "score",
        "inspect",
        "view",
        "check",
        "completions",
    ];
    for command in commands {
        assert!(run.text().contains(&format!("\n  {command} ")), "{command}");
        let help = folder.run(&[command, "--help"]).ok();
        assert!(
            help.text().contains(&format!("rnn-cli {command} ")),
            "{}",
            help.text()
        );
        assert!(help.text().contains("\nExample"), "{}", help.text());
    }
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = Folder::new().run(&["completions", shell]).ok();
        assert!(
            run.text().contains("hidden-size") && run.text().contains("inspect"),
            "{shell}"
        );
    }
}

/// Such a file is sound as far as a file can be: all of its weights are finite.
#[test]
fn a_model_whose_states_overflow_is_told() {
    let folder = Folder::with_model();
    let mut model = rnn::Model::load(folder.path("model.safetensors")).unwrap();
    let mut network = model.network().clone();
    network.parameters_mut().as_mut_slice().fill(f32::MAX);
    model = rnn::Model::new(model.vocabulary().clone(), network, None);
    model.save(folder.path("large")).unwrap();
    let message = "the network's states overflow after 1 character: its weights are too large; use a model whose training did not diverge";
    for (args, what) in [
        (&["score", "large", "text.txt"][..], "score text.txt"),
        (&["sample", "large", "-n", "5"], "sample large"),
        (&["view", "large", "text.txt", "--json"], "view text.txt"),
    ] {
        folder
            .run(args)
            .fails(1, &format!("cannot {what}: {message}"));
    }
    folder.run(&["inspect", "large"]).ok();
}

#[test]
fn the_vocabulary_is_shown_as_it_is_and_what_steers_a_terminal_is_not() {
    let folder = Folder::new();
    folder.write("text.txt", "it's \"so\" \u{1b}[0m \\ \t\n".repeat(40));
    folder.train(&["text.txt", "-o", "m"]).ok();
    let shown = folder.run(&["inspect", "m"]).ok();
    let expected = r#"14 characters: \t\n\u{1b} "'0[\\imost"#;
    assert!(shown.text().contains(expected), "{}", shown.text());
}

#[test]
fn every_command_has_a_page_for_man_and_its_whole_help() {
    let folder = Folder::new();
    let page = folder.run(&["man"]).ok();
    assert!(page.text().contains(".TH rnn-cli 1"), "{}", page.text());
    for (command, sentence) in [
        ("demo", "At the end the network spells the word"),
        (
            "train",
            "Settings that are not given are fitted to the text",
        ),
        (
            "sample",
            "The same model, flags and seed give the same text",
        ),
        (
            "score",
            "Prints the mean surprise in nats and bits per character",
        ),
        (
            "inspect",
            "network, vocabulary, settings and training losses",
        ),
        ("import", "The file contains the state dict of one nn.RNN"),
        ("view", "It needs no other file and no network"),
        ("check", "In a small random network, each weight is moved"),
        ("completions", "completes commands and flags in a shell"),
        ("man", "the manual page of a command"),
    ] {
        let page = folder.run(&["man", command]).ok();
        let version = concat!("rnn-cli ", env!("CARGO_PKG_VERSION"));
        let title = format!(".TH rnn-cli-{command} 1  \"{version}\"");
        assert!(page.text().contains(&title), "{}", page.text());
        let help = folder.run(&[command, "--help"]).ok();
        for shown in [page, help] {
            // However the lines break.
            let words: Vec<&str> = shown.text().split_whitespace().collect();
            let text = words.join(" ").replace("rnn\\-cli", "rnn-cli");
            assert!(text.contains(sentence), "{sentence:?} in {text}");
        }
    }
    let message = "there is no command \"mna\"; use one of demo, train, sample, score, inspect, \
                   import, view, check, completions, man, help";
    folder.run(&["man", "mna"]).fails(2, message);
}
