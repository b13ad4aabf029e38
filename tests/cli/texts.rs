//! Where `train` takes its text from, and what becomes of characters that it does not have.

use std::fs;

use crate::cli_support::{Folder, TINY};

/// A folder with one text in pieces: `text.txt`, and the same cut over files and folders.
fn pieces() -> Folder {
    let folder = Folder::with_text();
    let text = crate::cli_support::text();
    for name in ["all/b", "all/c/.hidden"] {
        fs::create_dir_all(folder.path(name)).unwrap();
    }
    for (name, range) in [
        ("all/a.txt", 0..500),
        ("all/b/1", 500..501),
        ("all/b/2", 501..2000),
        ("all/c/0", 2000..text.len()),
    ] {
        folder.write(name, &text[range]);
    }
    for hidden in ["all/.DS_Store", "all/c/.hidden/x"] {
        folder.write(hidden, b"\xff\xfe");
    }
    folder.train(&["text.txt", "-o", "whole"]).ok();
    folder
}

#[test]
fn files_are_joined_as_typed_and_folders_by_path() {
    let folder = pieces();
    folder
        .train(&["all/a.txt", "all/b/1", "all/b/2", "all/c/0", "-o", "files"])
        .ok();
    folder
        .train(&["all/a.txt", "all/b", "all/c", "-o", "mixed"])
        .ok();
    folder.train(&["all"]).ok();
    for model in ["files", "mixed", "all.safetensors"] {
        assert!(folder.read(model) == folder.read("whole"), "{model}");
    }
    folder
        .train(&["all/b", "all/a.txt", "all/c", "-o", "shuffled"])
        .ok();
    assert!(folder.read("shuffled") != folder.read("whole"));
}

#[test]
fn standard_input_is_one_of_several() {
    let folder = pieces();
    let text = folder.read("text.txt");
    let args = [&["train", "all/a.txt", "-", "-o", "m"], TINY.as_slice()].concat();
    folder.run_with_input(&args, &text[500..]).ok();
    assert!(folder.read("m") == folder.read("whole"));
    let message = "- stands for standard input and can be given only once";
    folder.train(&["-", "-", "-o", "n"]).fails(2, message);
}

#[test]
fn several_texts_need_a_name_for_the_model() {
    let folder = pieces();
    let message = "cannot name the model after several texts; use -o MODEL";
    folder.train(&["all/a.txt", "text.txt"]).fails(2, message);
}

#[test]
fn a_run_in_the_folder_of_its_text_does_not_read_its_own_files() {
    let folder = Folder::with_text();
    let start = [
        ".",
        "-o",
        "m",
        "--schedule",
        "constant",
        "--plot",
        "p.svg",
        "--metrics",
        "m.jsonl",
    ];
    folder.train(&start).ok();
    folder.write(".rnn-left.tmp", b"\xff");
    let more = [
        "--resume",
        "m",
        "--plot",
        "p.svg",
        "--metrics",
        "m.jsonl",
        "--max-steps",
        "30",
    ];
    folder
        .run(&[&["train", "."], more.as_slice()].concat())
        .ok();
    assert_eq!(
        folder.names(),
        [
            ".rnn-left.tmp",
            "m",
            "m.jsonl",
            "m.resume",
            "p.svg",
            "text.txt"
        ]
    );
}

#[cfg(unix)]
#[test]
fn links_that_lead_in_circles_and_pipes_are_no_trouble() {
    let folder = pieces();
    std::os::unix::fs::symlink("..", folder.path("all/c/up")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path("all/broken")).unwrap();
    let pipe = std::process::Command::new("mkfifo")
        .arg(folder.path("all/pipe"))
        .status();
    assert!(pipe.unwrap().success());
    folder.train(&["all", "-o", "m"]).ok();
    assert!(folder.read("m") == folder.read("whole"));
}

#[test]
fn unknown_characters_are_replaced_where_the_model_was_made_for_it() {
    let folder = Folder::with_text();
    folder.train(&["text.txt", "-o", "plain"]).ok();
    folder
        .train(&["text.txt", "-o", "ready", "--unknown", "replace"])
        .ok();
    folder.write("odd", "line 12: ж\nline 13: ж\n");
    let sample =
        |model, how| folder.run(&["sample", model, "-n", "5", "--prime", "ж", "--unknown", how]);
    let score = |model, how| folder.run(&["score", model, "odd", "--unknown", how]);
    for model in ["plain", "ready"] {
        for (run, offset) in [(sample(model, "error"), 0), (score(model, "error"), 9)] {
            let what = "character 'ж' (U+0436) at character offset";
            let message = format!("{what} {offset} is not in the vocabulary");
            assert!(
                run.code == Some(1) && run.stderr.contains(&message),
                "{run:?}"
            );
        }
        sample(model, "skip").ok();
        assert!(score(model, "skip").ok().text().contains("        19  odd"));
    }
    let message = "--prime: character 'ж' (U+0436) at character offset 0 cannot be replaced: the vocabulary lacks the replacement character U+FFFD";
    sample("plain", "replace").fails(1, message);
    assert_eq!(score("plain", "replace").code, Some(1));
    assert_eq!(
        sample("ready", "replace").ok().text().chars().next(),
        Some('ж')
    );
    assert!(
        score("ready", "replace")
            .ok()
            .text()
            .contains("        21  odd")
    );
    let again = [
        "train",
        "text.txt",
        "--resume",
        "plain",
        "--unknown",
        "replace",
    ];
    folder.run(&again).fails(
        1,
        "plain.resume has --unknown error; to change it, start a new run (you passed replace)",
    );
    folder
        .run(&[
            "train",
            "text.txt",
            "--resume",
            "ready",
            "--unknown",
            "replace",
        ])
        .ok();
}
