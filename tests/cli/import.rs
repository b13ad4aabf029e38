//! `import` and `train --init-from`: networks from elsewhere, and what becomes of them.

use crate::cli_support::Folder;

fn folder() -> Folder {
    let folder = Folder::new();
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/imports/");
    for name in ["lstm_1.safetensors", "gru_2.safetensors"] {
        folder.write(name, std::fs::read(format!("{fixtures}{name}")).unwrap());
    }
    folder.write("letters.txt", "zebra \nx");
    folder.write("bears.txt", "a bear ate a zebra, a bar\n".repeat(20));
    folder
}

#[test]
fn an_imported_network_samples_and_scores() {
    let folder = folder();
    folder
        .run(&["import", "lstm_1.safetensors", "-o", "lstm.safetensors"])
        .ok();
    let vocabulary = ["--vocabulary", "letters.txt", "-o", "gru.safetensors"];
    folder
        .run(&[&["import", "gru_2.safetensors"], &vocabulary[..]].concat())
        .ok();
    for model in ["lstm.safetensors", "gru.safetensors"] {
        let text = folder.run(&["sample", model, "--length", "30"]).ok();
        assert!(text.text().chars().all(|c| "zebra \nx".contains(c)));
    }
    folder
        .run(&["import", "lstm_1.safetensors", "-o", "lstm.safetensors"])
        .fails(
            1,
            "lstm.safetensors already exists; use another name (-o) or --force to overwrite it",
        );
    folder
        .run(&["import", "gru_2.safetensors", "-o", "other.safetensors"])
        .fails(
            1,
            "cannot read gru_2.safetensors: not a network to import: its metadata has no \"vocabulary\"; pass the characters (--vocabulary)",
        );
    assert!(!folder.names().contains(&"other.safetensors".to_owned()));
}

#[test]
fn a_vocabulary_comes_as_programs_write_it() {
    let folder = folder();
    let import = |output: &str| {
        let args = ["import", "gru_2.safetensors", "--vocabulary", "letters.txt"];
        folder.run(&[&args[..], &["-f", "-o", output]].concat())
    };
    import("plain").ok();
    let forms = [
        "zebra \nx\n",
        "z\ne\nb\nr\na\n \n\n\nx\n",
        r#"["z", "e", "b", "r", "a", " ", "\n", "x"]"#,
        r#"{"z": 0, "e": 1, "x": 7, "b": 2, "r": 3, "a": 4, " ": 5, "\n": 6}"#,
        r#"{"itos": {"0":"z","1":"e","2":"b","3":"r","4":"a","5":" ","6":"\n","7":"x"}}"#,
    ];
    for form in forms {
        folder.write("letters.txt", form);
        import("other").ok();
        assert!(folder.read("other") == folder.read("plain"), "{form}");
    }
    folder.write(
        "letters.txt",
        r#"["z", "e", "b", "r", "a", " ", "<unk>", "x"]"#,
    );
    import("other").fails(
        1,
        "cannot read gru_2.safetensors: not a network to import: \
         the vocabulary has \"<unk>\" for number 6, expected one character",
    );
}

#[test]
fn training_begins_with_a_model_whose_vocabulary_grows() {
    let folder = folder();
    folder
        .run(&["import", "lstm_1.safetensors", "-o", "lstm.safetensors"])
        .ok();
    let train = |more: &[&str]| {
        let args = ["train", "bears.txt", "--init-from", "lstm.safetensors"];
        let steps = ["--max-steps", "4", "--eval-every", "2"];
        folder.run(&[&args[..], &steps[..], more].concat())
    };
    train(&[]).ok();
    let first = folder.read("bears.safetensors");
    let inspected = folder.run(&["inspect", "bears.safetensors", "--json"]).ok();
    let about: serde_json::Value = serde_json::from_str(inspected.text()).unwrap();
    assert_eq!(about["network"]["hidden_size"], 6);
    // Eight of the model, and t and the comma of the text.
    assert_eq!(about["network"]["vocab_size"], 10);
    folder
        .run(&["train", "bears.txt", "--resume", "bears.safetensors"])
        .ok();
    assert!(folder.read("bears.safetensors") == first);
    train(&["--force", "--hidden-size", "7"]).fails(
        2,
        "lstm.safetensors has --hidden-size 6, which --init-from keeps (you passed 7)",
    );
    train(&["--force", "--bytes"]).fails(
        2,
        "lstm.safetensors is a model of characters; omit --bytes to start from it",
    );
    assert!(folder.read("bears.safetensors") == first);
}

#[test]
fn fine_tuning_starts_where_the_model_stands() {
    let folder = folder();
    let text = "she sells sea shells by the sea shore. ".repeat(40);
    folder.write("sea.txt", &text);
    folder
        .run(&[
            "train",
            "sea.txt",
            "--hidden-size",
            "32",
            "--max-steps",
            "150",
        ])
        .ok();
    let first_loss = |more: &[&str]| {
        let args = [
            "train",
            "sea.txt",
            "-o",
            "new.safetensors",
            "--force",
            "--max-steps",
            "1",
        ];
        let run = folder.run(&[&args[..], more].concat()).ok();
        let (_, rest) = run.text().split_once("train ").unwrap();
        rest.split(' ').next().unwrap().parse::<f64>().unwrap()
    };
    let (tuned, fresh) = (
        first_loss(&["--init-from", "sea.safetensors"]),
        first_loss(&["--hidden-size", "32"]),
    );
    assert!(tuned < fresh - 1.0, "{tuned} and {fresh}");
}

#[test]
fn a_model_that_no_step_improves_is_the_result() {
    let folder = folder();
    folder
        .run(&["import", "lstm_1.safetensors", "-o", "lstm.safetensors"])
        .ok();
    let run = folder.run(&[
        "train",
        "bears.txt",
        "--init-from",
        "lstm.safetensors",
        "--learning-rate",
        "30",
        "--warmup-steps",
        "0",
        "--max-steps",
        "4",
        "--eval-every",
        "2",
        "--metrics",
        "bears.jsonl",
    ]);
    let run = run.ok();
    let first = run.text().lines().next().unwrap();
    assert!(
        first.starts_with("step 0/4  validation ") && first.ends_with("  saved"),
        "{first}"
    );
    let end = "at step 0\nno step beat the model that training began with\n";
    assert!(run.stderr.contains(end), "{}", run.stderr);
    let steps = || -> Vec<u64> {
        let lines = String::from_utf8(folder.read("bears.jsonl")).unwrap();
        let step =
            |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["step"].as_u64();
        lines.lines().map(|line| step(line).unwrap()).collect()
    };
    assert_eq!(steps(), [0, 2, 4]);
    folder
        .run(&[
            "train",
            "bears.txt",
            "--resume",
            "bears.safetensors",
            "--metrics",
            "bears.jsonl",
        ])
        .ok();
    assert_eq!(steps(), [0, 2, 4]);
    let dry = [
        "train",
        "bears.txt",
        "--init-from",
        "lstm.safetensors",
        "--dry-run",
    ];
    let dry = folder.run(&[&dry[..], &["-o", "dry"]].concat()).ok();
    assert!(!dry.text().contains(" at 0 chars/s"), "{}", dry.text());
}
