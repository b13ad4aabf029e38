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
    assert!(
        said.contains("\ntry: rnn-cli sample names.safetensors\n"),
        "{said}"
    );
    let told = folder.run(&["inspect", "names.safetensors"]).ok();
    assert!(told.text().contains(", line by line\n"), "{}", told.text());
    let sample = |samples: &str| {
        let args = ["sample", "names.safetensors", "--samples", samples];
        folder.run(&args).ok().text().to_owned()
    };
    let (five, nine) = (sample("5"), sample("9"));
    assert_eq!((five.lines().count(), nine.lines().count()), (5, 9));
    assert!(nine.starts_with(&five));
    let run = |flags: &[&str]| {
        let args = [&["sample", "names.safetensors"], flags].concat();
        folder.run(&args).ok().text().to_owned()
    };
    let ten = run(&[]);
    assert!(ten.starts_with(&nine) && ten.lines().count() == 10);
    assert_eq!(run(&["--records"]), ten);
    let primed = run(&["--prime", "an"]);
    assert!(primed.lines().all(|line| line.starts_with("an")) && primed.lines().count() == 10);
    // A sample ends at the end of its line also where it may end before.
    let expected: Vec<_> = ten.lines().map(|line| line.split('a').next()).collect();
    let stopped = run(&["--stop", "a"]);
    assert_eq!(stopped.lines().map(Some).collect::<Vec<_>>(), expected);
}

#[test]
fn a_page_of_lines_has_the_numbers_of_score() {
    let folder = folder();
    folder.run(&TRAIN).ok();
    folder.write("some.txt", "anna\nbob\n\ndora");
    let run = |args: &[&str]| folder.run(args).ok().text().to_owned();
    let page = run(&["view", "names.safetensors", "some.txt", "--json"]);
    let page: serde_json::Value = serde_json::from_str(page.lines().next().unwrap()).unwrap();
    let scores = run(&["score", "names.safetensors", "some.txt", "--per-char"]);
    let nats = page["nats"].as_array().unwrap().iter();
    let nats = nats.map(|nats| format!("{:9.4}", nats.as_f64().unwrap()));
    assert!(nats.eq(scores.lines().map(|line| line[..9].to_owned())));
    assert_eq!((scores.lines().count(), &page["line_end"]), (15, &0.into()));
}

#[test]
fn a_run_that_starts_from_a_model_of_lines_learns_lines() {
    let folder = folder();
    folder.run(&TRAIN).ok();
    let start = [
        "train",
        "names.txt",
        "-o",
        "m",
        "--max-steps",
        "2",
        "--init-from",
    ];
    let said = folder
        .run(&[&start[..], &["names.safetensors"]].concat())
        .ok()
        .stderr;
    let note = "note: names.safetensors was trained with --records, so this run treats each line as an example, too\n";
    assert!(said.contains(note), "{said}");
    let told = folder.run(&["inspect", "m"]).ok();
    assert!(told.text().contains(", line by line\n"), "{}", told.text());
}

#[test]
fn line_ends_of_other_systems_make_the_same_model() {
    let folder = folder();
    folder.run(&TRAIN).ok();
    let model = folder.read("names.safetensors");
    let names = String::from_utf8(folder.read("names.txt")).unwrap();
    let score = |text| {
        folder
            .run(&["score", "names.safetensors", text, "--json"])
            .ok()
    };
    let expected = score("names.txt").text().replace("names.txt", "");
    for (end, name) in [("\r\n", "CRLF"), ("\r", "CR")] {
        folder.write("other.txt", names.replace('\n', end));
        let flags = ["train", "other.txt", "-o", "m", "--force"];
        let said = folder.run(&[&flags[..], &TRAIN[2..9]].concat()).ok().stderr;
        let note = format!("note: lines end in {name}, which was read as a newline\n");
        assert!(said.contains(&note), "{said}");
        assert!(folder.read("m") == model, "{name}");
        assert_eq!(score("other.txt").text().replace("other.txt", ""), expected);
    }
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
    // The same network, but of a running text.
    let model = rnn::Model::new(model.vocabulary().clone(), model.network().clone(), None);
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
