//! Command lines and inputs that are refused, one by one, each with its exact words: exit code 2 where
//! no file could make the command line right, else 1; one line; nothing on standard output; nothing
//! left behind. The table is `fixtures/refusals.txt`.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::cli_support::Folder;

/// What a user types, and what is said: an exit code and a message.
const TABLE: &str = include_str!("../fixtures/refusals.txt");
/// Words of a programmer, not of a program for people.
const NEVER: [&str; 6] = [
    "panicked",
    "unwrap",
    "Os {",
    "os error",
    "RUST_BACKTRACE",
    "Err(",
];

/// A folder with everything that the table names.
fn folder() -> Folder {
    let folder = Folder::with_model();
    folder.write("empty", "");
    folder.write("one", "aaaa");
    folder.write("single", "l");
    folder.write("latin", b"caf\xe9 cr\xe8mecaf\xe9 cr\xe8mecaf\xe9 cr\xe8me");
    folder.write("utf16", b"\xff\xfeh\0e\0l\0l\0o\0");
    folder.write("foreign", "Ünïcödé");
    // A header of 64 bytes, one tensor of one number, no metadata.
    let mut theirs = 64u64.to_le_bytes().to_vec();
    theirs.extend(br#"{"weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}     "#);
    theirs.extend([0; 4]);
    folder.write("theirs", theirs);
    fs::rename(folder.path("model.safetensors"), folder.path("model")).expect("the same folder");
    let resume = folder.path("model.safetensors.resume");
    fs::rename(resume, folder.path("model.resume")).expect("the same folder");
    fs::create_dir(folder.path("folder")).expect("a new name");
    symlink("nowhere/m", folder.path("dangling")).expect("a new name");
    symlink("loop", folder.path("loop")).expect("a new name");
    let made = Command::new("mkfifo").arg(folder.path("fifo")).status();
    assert!(made.expect("mkfifo runs").success());
    folder
}

/// A command line's arguments, as far as the table needs a shell: words, some of them in quotes.
fn arguments(line: &str) -> Vec<String> {
    let words = line
        .split(' ')
        .map(|word| word.trim_matches('\'').to_owned());
    words.collect()
}

#[test]
fn every_refusal_has_its_exact_words_and_leaves_nothing_behind() {
    let folder = folder();
    let before: Vec<_> = folder.names();
    let text = folder.read("text.txt");
    let model = folder.read("model");
    let mut seen = BTreeSet::new();
    for case in TABLE.split("\n\n") {
        let (command, expected) = case.trim().split_once('\n').expect("two lines");
        let line = command.strip_prefix("$ rnn-cli ").expect("a command");
        let (code, message) = expected.split_once(' ').expect("a code and a message");
        assert!(seen.insert(line), "{line} is there twice");
        let args = arguments(line);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let run = folder.run(&args);
        assert_eq!(run.stderr, format!("error: {message}\n"), "{line}");
        assert_eq!(
            run.code.map(|code| code.to_string()).as_deref(),
            Some(code),
            "{line}"
        );
        assert_eq!(run.text(), "", "{line}");
        for word in NEVER {
            assert!(!run.stderr.contains(word), "{line}: {}", run.stderr);
        }
        assert!(
            message.starts_with(|c: char| !c.is_uppercase()),
            "{line}: {message}"
        );
        assert!(
            message.ends_with("...") || !message.ends_with('.'),
            "{line}: {message}"
        );
        assert_eq!(folder.names(), before, "{line} left something");
    }
    assert!(seen.len() >= 80, "{} cases", seen.len());
    assert!(folder.read("text.txt") == text && folder.read("model") == model);
}
