//! `--records`: lines that are learned and written each for itself.

use crate::cli_support::Folder;

const TRAIN: [&str; 10] = [
    "train",
    "names.txt",
    "--records",
    "--hidden-size",
    "8",
    "--max-steps",
    "6",
    "--eval-every",
    "2",
    "--force",
];

fn folder() -> Folder {
    let folder = Folder::new();
    // The last line lacks its end, which makes it no less a line.
    folder.write("names.txt", "anna\nbob\ncarl\n".repeat(20) + "dora");
    folder
}

#[test]
fn lines_are_learned_and_written_one_a_line() {
    let folder = folder();
    let said = folder.run(&TRAIN).ok().stderr;
    let hint = "try: rnn-cli sample names.safetensors --records --samples 10";
    assert!(said.contains(hint), "{said}");
    let told = folder.run(&["inspect", "names.safetensors"]).ok();
    assert!(told.text().contains(", line by line\n"), "{}", told.text());
    let sample = |samples: &str| {
        let args = [
            "sample",
            "names.safetensors",
            "--records",
            "--samples",
            samples,
        ];
        folder.run(&args).ok().text().to_owned()
    };
    let (five, nine) = (sample("5"), sample("9"));
    assert_eq!((five.lines().count(), nine.lines().count()), (5, 9));
    assert!(nine.starts_with(&five));
    let primed = folder
        .run(&["sample", "names.safetensors", "--records", "--prime", "an"])
        .ok();
    assert!(primed.text().starts_with("an") && primed.text().lines().count() == 1);
}

#[test]
fn a_run_goes_on_with_records_and_not_without() {
    let folder = folder();
    folder.run(&TRAIN).ok();
    let straight = folder.read("names.safetensors");
    folder
        .run(&["train", "names.txt", "--resume", "names.safetensors"])
        .ok();
    assert!(folder.read("names.safetensors") == straight);
    folder
        .run(&[
            "train",
            "names.txt",
            "--max-steps",
            "2",
            "--hidden-size",
            "8",
            "--force",
        ])
        .ok();
    folder
        .run(&[
            "train",
            "names.txt",
            "--records",
            "--resume",
            "names.safetensors",
        ])
        .fails(
            1,
            "names.safetensors.resume has no --records; to change it, start a new run (you passed --records)",
        );
}

#[test]
fn a_model_without_line_ends_writes_no_lines() {
    let folder = Folder::new();
    folder.write("text.txt", "abcabd".repeat(30));
    folder
        .run(&[
            "train",
            "text.txt",
            "--max-steps",
            "2",
            "--hidden-size",
            "4",
        ])
        .ok();
    folder
        .run(&["sample", "text.safetensors", "--records"])
        .fails(
            2,
            "--records needs a model that knows the newline character; train one with --records",
        );
    folder
        .run(&["score", "text.safetensors", "text.txt", "--records"])
        .fails(
            2,
            "--records needs a model that knows the newline character; train one with --records",
        );
}

#[test]
fn each_line_is_scored_as_if_it_were_alone() {
    let folder = folder();
    folder.run(&TRAIN).ok();
    let model = rnn::Model::load(folder.path("names.safetensors")).unwrap();
    let run = |content: &str, flag: &str| {
        folder.write("some.txt", content);
        let run = folder.run(&["score", "names.safetensors", "some.txt", flag]);
        run.ok().text().to_owned()
    };
    for (content, flag) in [
        ("anna\nbob\ncarl\ndora", "--per-line"),
        ("dora\nbob\nanna\n", "--per-line"),
    ] {
        let text = run(content, flag);
        assert_eq!(text.lines().count(), content.lines().count());
        for line in text.lines() {
            let name = line.split_whitespace().next_back().unwrap();
            let alone = model.score(&format!("\n{name}\n")).unwrap();
            let nats = format!("{:9.4} ", alone.nats_per_character());
            assert!(line.starts_with(&nats), "{line:?} is not {nats}");
        }
    }
    // All characters count, ends of lines among them; one that is missing is put there.
    let whole = run("anna\nbob\ncarl\ndora", "--json");
    assert!(whole.contains("\"characters\":19,"), "{whole}");
    assert_eq!(run("bob\ndora\n", "--records"), run("bob\ndora\n", "-v"));
    // A copy that adapts starts each line anew as well, so the first is scored as ever.
    let first = |flags: &[&str]| {
        let args = ["score", "names.safetensors", "some.txt", "--per-char"];
        let run = folder.run(&[&args[..], flags].concat()).ok();
        run.text().lines().take(9).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(first(&["--adapt"]), first(&[]));
    let trained = folder.run(&["inspect", "names.safetensors", "--json"]).ok();
    let trained: serde_json::Value = serde_json::from_str(trained.text()).unwrap();
    assert_eq!(trained["training"]["config"]["records"], true);
}
