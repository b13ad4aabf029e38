//! Ways in which the program broke, or might have, that were on nobody's list: what is in the
//! environment, names that steer a terminal, sizes that add up, files without end.
#![cfg(target_os = "linux")]

mod cli_support;
mod fault_support;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use cli_support::{Folder, TINY};

/// Far longer than any of these take; for what would wait for ever.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs a command that may not wait for ever.
#[track_caller]
fn end(command: &mut Command) -> Output {
    let mut child = command.spawn().expect("the binary runs");
    let start = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if start.elapsed() > LIMIT {
            child.kill().expect("it runs still");
            panic!("it waits for ever");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().expect("it has ended")
}

/// Asserts how a command ends, and all that it says.
#[track_caller]
fn fails(command: &mut Command, code: i32, message: &str) {
    let output = end(command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, format!("error: {message}\n"));
    assert_eq!(output.status.code(), Some(code));
}

#[test]
fn a_wrong_instruction_set_in_the_environment_is_an_error_and_no_panic() {
    let folder = Folder::with_model();
    let before = folder.names();
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
            let message =
                format!("TENSOR_ISA is {quoted}, expected portable, avx2, avx512 or neon");
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
    let message = "cannot save m: m.lock is a device, pipe or socket, expected a file or nothing";
    let train = [&["train", "text.txt", "-o", "m"][..], &TINY].concat();
    fails(&mut folder.command(&train), 1, message);
    fs::create_dir(folder.path("page.html.lock")).expect("a new name");
    let view = ["view", "model.safetensors", "text.txt", "-o", "page.html"];
    let message = "cannot save page.html: page.html.lock is a folder, expected a file or nothing";
    fails(&mut folder.command(&view), 1, message);
}

#[test]
fn of_a_huge_file_that_is_no_model_little_is_read() {
    const TERABYTE: u64 = 1 << 40;
    let folder = Folder::with_text();
    let header = b"{\"__metadata__\":{\"rnn\":\"\"}}      ";
    let sound = [&(header.len() as u64).to_le_bytes()[..], header].concat();
    let too_long = format!(
        "it is not a safetensors file: its header would have {} bytes, expected at most 33554432",
        u64::from_le_bytes(*b"to be or")
    );
    let cases: [(&[u8], &str); 3] = [
        (
            &sound,
            "its 1099511627776 bytes are not as many as its header says: \
             it is cut short or not a safetensors file",
        ),
        (b"to be or not to be", &too_long),
        (
            &[0; 8],
            "it is not a safetensors file: its header is damaged: \
             EOF while parsing a value at line 1 column 0",
        ),
    ];
    for (start, what) in cases {
        folder.write("huge", start);
        let file = File::options().write(true).open(folder.path("huge"));
        file.expect("a file")
            .set_len(TERABYTE)
            .expect("a hole takes no room");
        let message = format!("cannot read huge: not a model of this program: {what}");
        for args in [
            &["inspect", "huge"][..],
            &["sample", "huge"],
            &["train", "text.txt", "-o", "m", "--init-from", "huge"],
        ] {
            fails(&mut folder.command(args), 1, &message);
        }
        let message = format!("cannot read huge: not a network to import: {what}");
        fails(
            &mut folder.command(&["import", "huge", "-o", "m"]),
            1,
            &message,
        );
        fs::rename(folder.path("huge"), folder.path("m.resume")).expect("the same folder");
        let message = format!("cannot read m.resume: not a model of this program: {what}");
        let resume = ["train", "text.txt", "--resume", "m"];
        fails(&mut folder.command(&resume), 1, &message);
        fs::remove_file(folder.path("m.resume")).expect("it is there");
    }
}

#[test]
fn a_standard_input_without_end_is_no_model() {
    let folder = Folder::new();
    let zeros = || Stdio::from(File::open("/dev/zero").expect("a device"));
    let what = "it is not a safetensors file: its header is damaged: \
                EOF while parsing a value at line 1 column 0";
    let message = format!("standard input: not a model of this program: {what}");
    fails(
        folder.command(&["inspect", "-"]).stdin(zeros()),
        1,
        &message,
    );
    let message = format!("standard input: not a network to import: {what}");
    fails(
        folder.command(&["import", "-", "-o", "m"]).stdin(zeros()),
        1,
        &message,
    );
    // One that says that it has no end.
    let header = br#"{"a":{"dtype":"U8","shape":[9007199254740992],"data_offsets":[0,9007199254740992]}}    "#;
    let start = [&(header.len() as u64).to_le_bytes()[..], header].concat();
    let run = folder.run_with_input(&["inspect", "-"], &start);
    run.fails(1, "cannot read standard input: out of memory");
}

#[test]
fn a_vocabulary_without_end_is_refused() {
    let folder = Folder::new();
    let fixture = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/imports/gru_2.safetensors"
    );
    let import = ["import", fixture, "-o", "m", "--vocabulary"];
    let message = "/dev/zero is no vocabulary: it has more bytes than there are characters";
    fails(
        &mut folder.command(&[&import[..], &["/dev/zero"]].concat()),
        1,
        message,
    );
    folder.write("latin", b"abc\xe9");
    let message =
        "cannot read latin: byte 0xe9 at byte offset 3 is not valid UTF-8, expected UTF-8 text";
    fails(
        &mut folder.command(&[&import[..], &["latin"]].concat()),
        1,
        message,
    );
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
            format!("{output} is what is imported, expected another name for the model (-o)");
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
fn weights_beyond_all_numbers_are_not_saved_and_their_run_goes_on() {
    let folder = Folder::with_text();
    let wild = [
        "--learning-rate",
        "1e300",
        "--schedule",
        "constant",
        "--force",
    ];
    let train = |more: &[&str]| {
        folder.run(
            &[
                &["train", "text.txt"][..],
                more,
                &wild,
                &TINY[..4],
                &["--max-steps", "3"],
            ]
            .concat(),
        )
    };
    train(&["-o", "m"]).ok();
    folder.run(&["sample", "m"]).ok();
    folder
        .run(&["train", "text.txt", "--resume", "m", "--max-steps", "4"])
        .ok();
    // Without a held-out text the last weights are the model, and these are none.
    let what = "its weights are not finite, a smaller learning rate may help";
    let run = train(&["-o", "n", "--split", "1"]);
    let last = run.stderr.lines().last();
    assert_eq!(
        (run.code, last),
        (Some(1), Some(&*format!("error: cannot save n: {what}")))
    );
    assert!(!folder.path("n").exists());
    let run = train(&["-o", "-", "--split", "1"]);
    let last = run.stderr.lines().last();
    assert_eq!(
        (run.code, last),
        (
            Some(1),
            Some(&*format!("error: cannot write the model: {what}"))
        )
    );
    assert!(run.stdout.is_empty());
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
fn samples_that_wait_for_others_do_not_fill_the_memory() {
    let folder = Folder::with_model();
    let many = [
        "sample",
        "model.safetensors",
        "--samples",
        "10000",
        "--length",
        "1000000",
    ];
    let run = folder.run_limited("ulimit -v 400000", &many);
    let said = "error: the sizes asked for take 9999000000 bytes (10.0 GB) of memory, ";
    assert!(run.stderr.starts_with(said), "{}", run.stderr);
    assert_eq!((run.code, run.stderr.lines().count()), (Some(1), 1));
    // A stop may end them all early, so the end of memory is told when it comes.
    let stop = [&many[..], &["--stop", "never to be seen"]].concat();
    let run = folder.run_limited("ulimit -v 100000", &stop);
    let said = "error: samples that wait for those before them fill the memory, expected fewer or shorter ones";
    assert!(run.stderr.starts_with(said), "{}", run.stderr);
    assert_eq!((run.code, run.stderr.lines().count()), (Some(1), 1));
}

#[test]
fn a_view_of_more_than_memory_holds_is_an_error() {
    let folder = Folder::with_model();
    folder.write("long.txt", cli_support::text().repeat(600));
    let view = [
        "view",
        "model.safetensors",
        "long.txt",
        "--characters",
        "18446744073709551615",
    ];
    for more in [&["-o", "page.html"][..], &["--json"]] {
        let run = folder.run_limited("ulimit -v 400000", &[&view[..], more].concat());
        let said = "error: the sizes asked for take ";
        assert!(run.stderr.starts_with(said), "{}", run.stderr);
        assert_eq!((run.code, run.stderr.lines().count()), (Some(1), 1));
    }
    assert!(!folder.path("page.html").exists());
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
