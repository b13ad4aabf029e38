//! What is around the program and steers nothing: its environment, names of files, pipes where files
//! are expected, odd terminals, folders that are gone.
#![cfg(target_os = "linux")]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use crate::cli_support::ending::{end, fails};
use crate::cli_support::{Folder, TINY};

#[test]
fn a_wrong_instruction_set_in_the_environment_is_an_error_and_no_panic() {
    let folder = Folder::with_model();
    let before = folder.names();
    let available: Vec<_> = rnn::Isa::available().iter().map(|isa| isa.name()).collect();
    let available = available.join(", ");
    for args in [
        &["demo"][..],
        &["check"],
        &["train", "text.txt", "-o", "m"],
        &["sample", "model.safetensors"],
        &["score", "model.safetensors", "text.txt"],
        &["view", "model.safetensors", "text.txt"],
        &["inspect", "model.safetensors"],
    ] {
        for name in ["nonsense", "", "AVX2", "\u{1b}[2J"] {
            let quoted = format!("{name:?}");
            let message = format!("TENSOR_ISA is {quoted}; use one of: {available}");
            fails(folder.command(args).env("TENSOR_ISA", name), 2, &message);
        }
    }
    assert_eq!(folder.names(), before);
}

#[test]
fn a_pipe_in_place_of_the_lock_makes_nobody_wait() {
    let folder = Folder::with_model();
    let made = Command::new("mkfifo").arg(folder.path("m.lock")).status();
    assert!(made.expect("mkfifo runs").success());
    let message = "cannot save m: m.lock is a device, pipe or socket; move it away or use another name for the model";
    let train = [&["train", "text.txt", "-o", "m"][..], &TINY].concat();
    fails(&mut folder.command(&train), 1, message);
    // A page needs no lock.
    fs::create_dir(folder.path("page.html.lock")).expect("a new name");
    let view = ["view", "model.safetensors", "text.txt", "-o", "page.html"];
    assert!(end(&mut folder.command(&view)).status.success());
}

#[test]
fn an_import_does_not_overwrite_what_it_reads() {
    let folder = Folder::new();
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/imports/");
    let theirs = fs::read(format!("{fixtures}lstm_1.safetensors")).expect("a fixture");
    folder.write("theirs", &theirs);
    folder.write("letters", "zebra \nx");
    fs::hard_link(folder.path("letters"), folder.path("other")).expect("a new name");
    std::os::unix::fs::symlink("theirs", folder.path("link")).expect("a new name");
    for output in ["theirs", "link", "letters"] {
        let args = [
            "import",
            "theirs",
            "--vocabulary",
            "letters",
            "--force",
            "-o",
            output,
        ];
        let message =
            format!("{output} is the file to import; use another name for the model (-o)");
        folder.run(&args).fails(1, &message);
    }
    assert!(folder.read("theirs") == theirs);
    // Nor does it make a file of the name that stands for standard output.
    let run = folder.run(&["import", "theirs", "-o", "-"]).ok();
    folder.run(&["import", "theirs", "-o", "m"]).ok();
    assert!(run.stdout == folder.read("m") && run.stderr.is_empty());
    assert!(!folder.names().contains(&"-".to_owned()));
}

#[test]
fn names_of_files_steer_no_terminal() {
    let folder = Folder::with_model();
    let name = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}2J\n.txt";
    folder.write(name, folder.read("text.txt"));
    fs::create_dir(folder.path("folder")).expect("a new name");
    folder.write(&format!("folder/{name}"), b"caf\xe9");
    let missing = format!("missing{name}");
    for args in [
        &["train", name, "--force"][..],
        &["train", "folder", "-o", "m"],
        &["train", "text.txt", "-o", &missing, "--dry-run"],
        &["train", "text.txt", "--resume", &missing],
        &["score", "model.safetensors", name],
        &["score", "model.safetensors", &missing],
        &["sample", &missing],
        &["view", "model.safetensors", name, "--force"],
        &["train", "text.txt", "--hidden-size", name],
    ] {
        let args = if args[0] == "train" && args[1] == name {
            [args, &TINY].concat()
        } else {
            args.to_vec()
        };
        let run = folder.run(&args);
        let said = [run.text(), &run.stderr].concat();
        let steers = |c: char| c.is_control() && c != '\n';
        assert!(!said.contains(steers), "{args:?}: {said:?}");
    }
}

#[test]
fn a_command_that_is_proposed_works_whatever_the_names() {
    let folder = Folder::with_text();
    let name = OsStr::from_bytes(b"-n\xff\xfe7 it's\t\n$HOME.txt");
    fs::rename(folder.path("text.txt"), folder.path("").join(name)).expect("a new name");
    let mut typed = OsString::from("./");
    typed.push(name);
    let mut command = folder.command(&["train"]);
    let output = command.arg(typed).args(TINY).output().expect("it runs");
    let said = String::from_utf8(output.stderr).expect("words");
    let proposed = said
        .lines()
        .find_map(|line| line.strip_prefix("try: rnn-cli "));
    let proposed = proposed.unwrap_or_else(|| panic!("nothing is proposed: {said}"));
    let script = format!("'{}' {proposed} -n 5", env!("CARGO_BIN_EXE_rnn-cli"));
    let mut shell = Command::new("bash");
    shell.args(["-c", &script]).current_dir(folder.path(""));
    let Ok(output) = shell.output() else {
        return;
    };
    assert!(output.status.success(), "{script}: {output:?}");
}

#[test]
fn a_terminal_beyond_all_sizes_gets_lines() {
    let folder = Folder::with_text();
    let binary = env!("CARGO_BIN_EXE_rnn-cli");
    let tiny = TINY.join(" ");
    for size in ["rows 65535 cols 65535", "rows 0 cols 0", "rows 1 cols 1"] {
        let command = format!("stty {size}; '{binary}' train text.txt -o m --force --live {tiny}");
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &command, "/dev/null"]);
        script.current_dir(folder.path("")).stdin(Stdio::null());
        let Ok(output) = script.output() else {
            eprintln!("SKIPPED: no terminal can be made, as there is no script (util-linux) here");
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{size}: {said}");
        assert!(said.contains("step 20/20"), "{size}: {said}");
    }
}

#[test]
fn odd_surroundings_change_no_result() {
    let folder = Folder::with_text();
    let train = |name: &'static str| [&["train", "text.txt", "-o", name][..], &TINY].concat();
    folder.run(&train("m")).ok();
    let model = folder.read("m");
    let settings: [&[(&str, &str)]; 5] = [
        &[("LANG", "C"), ("LC_ALL", "C")],
        &[("HOME", "/nonexistent"), ("TMPDIR", "/nonexistent")],
        &[("RAYON_NUM_THREADS", "nonsense"), ("RUST_LOG", "trace")],
        &[("RAYON_NUM_THREADS", "1000000"), ("RUST_MIN_STACK", "x")],
        &[
            ("TERM", "nonsense"),
            ("COLUMNS", "0"),
            ("CLICOLOR_FORCE", "1"),
        ],
    ];
    let run = |command: &mut Command| {
        let output = end(command);
        assert!(output.status.success(), "{output:?}");
        assert!(folder.read("n") == model);
        fs::remove_file(folder.path("n")).expect("it is there");
        fs::remove_file(folder.path("n.resume")).expect("it is there");
    };
    for variables in settings {
        run(folder.command(&train("n")).envs(variables.iter().copied()));
    }
    run(folder.command(&train("n")).env_clear());
}

#[test]
fn a_folder_that_is_gone_is_told() {
    let folder = Folder::with_model();
    let at = |name: &str| folder.path(name).display().to_string();
    fs::create_dir(folder.path("gone")).expect("a new name");
    let script = r#"cd gone && rmdir ../gone && exec "$0" "$@""#;
    let run = |args: &[&str]| {
        fs::create_dir_all(folder.path("gone")).expect("a new name");
        let mut command = Command::new("sh");
        command
            .args(["-c", script, env!("CARGO_BIN_EXE_rnn-cli")])
            .args(args);
        end(command
            .current_dir(folder.path(""))
            .stderr(Stdio::piped())
            .stdout(Stdio::piped()))
    };
    let output = run(&["train", &at("text.txt"), "-o", "m"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: cannot save m: no such file\n"
    );
    assert_eq!(output.status.code(), Some(1));
    let output = run(&["sample", &at("model.safetensors"), "-n", "5"]);
    assert!(output.status.success(), "{output:?}");
}
