//! `inspect`, `check`, `completions` and the help.

use crate::cli_support::Folder;

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
        ("import", "The file contains the state dict of an nn.RNN"),
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
