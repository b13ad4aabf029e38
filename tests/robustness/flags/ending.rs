//! Running a command line and judging how it ended.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

use crate::cli_support::{Folder, TINY, text};

/// A run that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(20);
/// What trains for longer than this is asked to stop, as it may have been told to go on for ever.
const PATIENCE: Duration = Duration::from_millis(400);
/// How much of an output without end is read.
const ENOUGH: usize = 1 << 17;

/// The files of a folder, by name.
type Files = BTreeMap<String, Vec<u8>>;

/// How a run ended.
struct Ended {
    code: Option<i32>,
    asked: bool,
    stderr: String,
}

/// Runs a command line in a folder with texts and models; the exit code, or what is wrong.
pub(super) fn check(args: &[String]) -> Result<i32, String> {
    let folder = folder();
    let before = files(&folder);
    let ended = run(command(&folder, args), args, PATIENCE)?;
    let code = match ended.code {
        Some(code) => code,
        // Asked before it trained, and so it ended as anything does. Did it ever get there?
        None if ended.asked && args[0] == "train" => {
            let ended = run(command(&folder, args), args, LIMIT / 2)?;
            return ended
                .code
                .ok_or_else(|| "does not begin to train".to_owned());
        }
        None if ended.asked => return Ok(0),
        None => return Err(format!("was killed: {}", ended.stderr)),
    };
    judge(&ended, code)?;
    let after = files(&folder);
    if code == 2 && before != after {
        return Err("was misused and yet wrote a file".into());
    }
    judge_files(args, &before, &after)?;
    let target = target(args);
    let wrote = code == 0 && args[0] != "view" && !args.iter().any(|arg| arg == "--dry-run");
    if wrote
        && let Some(target) = &target
        && after.contains_key(target)
    {
        let inspected = folder.run(&["inspect", target]);
        if inspected.code != Some(0) {
            return Err(format!("{target}: {}", inspected.stderr));
        }
    }
    if code == 130 {
        go_on(&folder, args, &ended.stderr)?;
    }
    Ok(code)
}

/// What every run keeps to.
fn judge(ended: &Ended, code: i32) -> Result<(), String> {
    let said = &ended.stderr;
    let errors = said
        .lines()
        .filter(|line| line.starts_with("error:"))
        .count();
    let expected = usize::from(code == 1 || code == 2);
    let is_allowed = code == 0 || code == 1 || code == 2 || (code == 130 && ended.asked);
    if !is_allowed || errors != expected || said.contains("panicked") {
        return Err(format!("{code}, {errors} errors: {said}"));
    }
    Ok(())
}

/// What may lie in the folder afterwards: what was there, as it was, and what was asked for.
fn judge_files(args: &[String], before: &Files, after: &Files) -> Result<(), String> {
    let mut ours = Vec::new();
    if let Some(target) = target(args) {
        ours.extend(["", ".resume", ".lock"].map(|end| format!("{target}{end}")));
    }
    ours.extend(
        ["metrics", "plot"]
            .iter()
            .filter_map(|flag| value(args, flag)),
    );
    if args[0] == "view" && value(args, "output").is_none() {
        ours.extend(["m.html", "r.html", "b.html"].map(String::from));
    }
    let may_change = args
        .iter()
        .any(|arg| arg == "--force" || arg.starts_with("--resume"));
    for (name, content) in after {
        match before.get(name) {
            None if !ours.contains(name) => return Err(format!("left {name}")),
            Some(was) if was != content && !(may_change && ours.contains(name)) => {
                return Err(format!("changed {name}"));
            }
            _ => {}
        }
    }
    match before.keys().find(|name| !after.contains_key(*name)) {
        // A run that diverged takes what it was with it.
        Some(name) if !(may_change && ours.contains(name)) => Err(format!("removed {name}")),
        _ => Ok(()),
    }
}

/// Runs the command that a stopped run printed, to its end or until it is stopped again.
fn go_on(folder: &Folder, args: &[String], said: &str) -> Result<(), String> {
    let Some((_, printed)) = said.trim_end().split_once("to continue, run:\n  ") else {
        let is_known = said.contains("standard output gets the model")
            || args.iter().any(|arg| arg == "--quiet");
        return if is_known {
            Ok(())
        } else {
            Err(format!("printed no command: {said}"))
        };
    };
    let line = printed.replacen(
        "rnn-cli",
        &format!("exec '{}'", env!("CARGO_BIN_EXE_rnn-cli")),
        1,
    );
    let mut shell = folder.command(&[]);
    let mut command = Command::new("sh");
    command
        .args(["-c", &line])
        .current_dir(shell.get_current_dir().expect("a folder"));
    shell = command;
    shell.stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = run(shell, args, PATIENCE)?;
    match ended.code {
        Some(0 | 130) => Ok(()),
        // Before it trained.
        None if ended.asked => Ok(()),
        code => Err(format!("{printed}: {code:?} {}", ended.stderr)),
    }
}

/// Runs a command, asks it to stop after `patience` if it may be without end, and waits for its end.
fn run(mut command: Command, args: &[String], patience: Duration) -> Result<Ended, String> {
    let mut child = command
        .stdin(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = match args.last().map(String::as_str) {
        Some("-") if args[0] == "train" || args.len() > 2 && args[args.len() - 2] == "m" => {
            text().into_bytes()
        }
        Some("-") => fixtures()[if args[0] == "import" { "lstm" } else { "m" }].clone(),
        _ => Vec::new(),
    };
    // A run that fails early closes its input, which is its own good right.
    let feeding = spawn(move || drop(stdin.write_all(&input)));
    let (stdout, stderr) = (
        child.stdout.take().expect("a pipe"),
        child.stderr.take().expect("a pipe"),
    );
    let (stdout, stderr) = (gather(stdout), gather(stderr));
    let may_be_endless = args[0] == "train" || args[0] == "demo";
    let (start, mut asked) = (Instant::now(), false);
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        if may_be_endless && !asked && start.elapsed() > patience {
            asked = true;
            ask(&child);
        }
        if start.elapsed() > patience.max(PATIENCE) + LIMIT {
            child.kill().expect("it runs still");
            child.wait().expect("it ends");
            return Err(format!(
                "hangs{}",
                if asked { ", asked to stop" } else { "" }
            ));
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    feeding.join().expect("no panic");
    stdout.join().expect("no panic");
    Ok(Ended {
        code: status.code(),
        asked,
        stderr: String::from_utf8_lossy(&stderr.join().expect("no panic")).into_owned(),
    })
}

/// Reads what comes, though not for ever.
fn gather(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    spawn(move || {
        let mut all = Vec::new();
        let _ = pipe.by_ref().take(ENOUGH as u64).read_to_end(&mut all);
        all
    })
}

fn ask(child: &Child) {
    // It may have ended by itself meanwhile.
    let _ = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .output();
}

fn command(folder: &Folder, args: &[String]) -> Command {
    folder.command(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The value of a flag.
fn value(args: &[String], flag: &str) -> Option<String> {
    let start = format!("--{flag}=");
    args.iter()
        .find_map(|arg| arg.strip_prefix(&start))
        .map(str::to_owned)
}

/// The file that a model or page goes to, if it is one.
fn target(args: &[String]) -> Option<String> {
    if let Some(resumed) = value(args, "resume") {
        return Some(resumed.trim_end_matches(".resume").to_owned());
    }
    match value(args, "output") {
        Some(path) => (path != "-").then_some(path),
        None if args[0] == "train" => {
            let name = Path::new(args.last()?).file_stem()?.to_str()?.to_owned();
            Some(format!("{name}.safetensors"))
        }
        None => None,
    }
}

/// All files of a folder, those of its folder too.
fn files(folder: &Folder) -> Files {
    let mut files = Files::new();
    for name in folder.names() {
        if folder.path(&name).is_dir() {
            for entry in fs::read_dir(folder.path(&name)).expect("a folder") {
                let path = entry.expect("an entry").path();
                let name = path
                    .strip_prefix(folder.path("."))
                    .unwrap_or(&path)
                    .display()
                    .to_string();
                files.insert(name, fs::read(path).expect("a file"));
            }
        } else {
            files.insert(name.clone(), folder.read(&name));
        }
    }
    files
}

/// A folder with texts, models, and runs that can go on.
fn folder() -> Folder {
    let folder = Folder::with_text();
    fs::create_dir(folder.path("folder")).expect("a folder");
    for (name, content) in fixtures() {
        folder.write(name, content);
    }
    folder
}

/// What lies in each folder, made once.
fn fixtures() -> &'static Files {
    static FIXTURES: OnceLock<Files> = OnceLock::new();
    FIXTURES.get_or_init(|| {
        let folder = Folder::with_text();
        folder.write(
            "odd.txt",
            "\u{feff}\u{4f60}\u{597d}\r\ncafe\u{301} \u{1f600}\n\n\0\u{1b}[31m".repeat(30),
        );
        folder.write("tiny.txt", "ab");
        folder.write(
            "bytes.bin",
            (0..4000u32)
                .map(|i| ((i * i) >> 3) as u8)
                .collect::<Vec<u8>>(),
        );
        folder.write("letters.txt", "zebra \nx");
        fs::create_dir(folder.path("folder")).expect("a folder");
        folder.write("folder/one", text());
        folder.write("folder/two", "two");
        let imports = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/imports/");
        for (name, file) in [("lstm", "lstm_1.safetensors"), ("gru", "gru_2.safetensors")] {
            folder.write(
                name,
                fs::read(format!("{imports}{file}")).expect("a fixture"),
            );
        }
        let train = |args: &[&str]| folder.train(args).ok();
        train(&["text.txt", "-o", "m"]);
        train(&["text.txt", "-o", "r", "--records"]);
        train(&["bytes.bin", "-o", "b", "--bytes"]);
        for name in ["m", "r", "b"] {
            fs::remove_file(folder.path(&format!("{name}.resume"))).expect("it is there");
        }
        train(&["text.txt", "-o", "old", "--schedule", "constant"]);
        train(&["text.txt", "-o", "cosine", "--schedule", "cosine"]);
        train(&[
            "text.txt",
            "-o",
            "records",
            "--records",
            "--schedule",
            "plateau",
        ]);
        stop_open(&folder);
        let locks: Vec<String> = folder
            .names()
            .into_iter()
            .filter(|name| name.ends_with(".lock"))
            .collect();
        locks
            .iter()
            .for_each(|name| fs::remove_file(folder.path(name)).expect("it is there"));
        files(&folder)
    })
}

/// `open`: a run by the clock, stopped before its number of steps was fixed.
fn stop_open(folder: &Folder) {
    let small = &TINY[..4];
    let flags = [
        "train",
        "text.txt",
        "-o",
        "open",
        "--time",
        "1h",
        "--patience",
        "1000000000",
        "--eval-every",
        "5",
        "--batch-size",
        "4",
    ];
    let mut child = folder
        .command(&[&flags, small].concat())
        .spawn()
        .expect("the binary runs");
    // Held open: a reader that goes away ends the run as well.
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_exact(&mut [0; 10]).expect("a report");
    ask(&child);
    std::io::copy(&mut stdout, &mut std::io::sink()).expect("more reports");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
}
