//! Each command that the program prints is run as printed, in odd folders and under odd names.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use crate::cli_support::{Folder, TINY};

/// Names that a shell, a flag or a sentence would take apart.
const NAMES: [&[u8]; 9] = [
    b"plain",
    b"two words",
    b"it's \"quoted\"",
    b"-n",
    b"--resume",
    b"$HOME `ls` \\ *",
    b"a\nb",
    "Łódź \u{202e}x".as_bytes(),
    b"\xff\xfe",
];

/// A link that is made before: what it leads to, and its name.
type Link = (&'static str, &'static str);

/// Where text and model lie, as typed, and links.
const LAYOUTS: [(&str, &str, &[Link]); 8] = [
    ("NAME.txt", "NAME", &[]),
    ("./NAME.txt", "./NAME.resume.x", &[]),
    ("texts", "NAME", &[("texts/NAME", "NAME")]),
    ("texts", "texts/NAME", &[]),
    (".", "NAME.safetensors", &[]),
    ("NAME.txt", "texts/../NAME", &[]),
    (
        "texts",
        "NAME",
        &[("NAME2", "NAME"), ("texts/NAME3", "NAME2")],
    ),
    ("NAME.txt", "NAME.resume", &[]),
];

fn named(pattern: &str, name: &[u8]) -> OsString {
    let mut bytes = Vec::new();
    for (at, part) in pattern.split("NAME").enumerate() {
        if at > 0 {
            bytes.extend(name);
        }
        bytes.extend(part.as_bytes());
    }
    OsStr::from_bytes(&bytes).to_owned()
}

/// As a person types it: a name that looks like a flag gets a folder.
fn typed(path: &OsStr) -> OsString {
    if path.as_bytes().starts_with(b"-") {
        let mut typed = OsString::from("./");
        typed.push(path);
        return typed;
    }
    path.to_owned()
}

/// The commands in what was said, in the order printed.
fn commands(said: &str) -> Vec<&str> {
    let after = |line| -> Option<&str> { str::split_once(line, "rnn-cli ").map(|(_, rest)| rest) };
    said.lines().filter_map(after).collect()
}

/// Runs a line as printed, in a shell; `None` where there is none.
fn run_line(folder: &Folder, line: &str) -> Option<std::process::Output> {
    let script = format!("'{}' {line}", env!("CARGO_BIN_EXE_rnn-cli"));
    let mut shell = Command::new("bash");
    shell.args(["-c", &script]).current_dir(folder.path(""));
    shell.stdin(Stdio::null()).output().ok()
}

#[test]
fn what_is_printed_after_a_stop_goes_on_and_what_is_printed_at_the_end_samples() {
    let (mut cases, mut lines) = (0, 0);
    for name in NAMES {
        for (text, model, links) in LAYOUTS {
            let folder = Folder::with_text();
            fs::create_dir(folder.path("texts")).expect("a new name");
            let content = folder.read("text.txt");
            fs::remove_file(folder.path("text.txt")).expect("it is there");
            let root = folder.path("");
            fs::write(root.join("texts/a.txt"), &content).expect("a new name");
            fs::write(root.join(named("NAME.txt", name)), &content).expect("a new name");
            for (end, link) in links {
                symlink(root.join(named(end, name)), root.join(named(link, name))).expect("a link");
            }
            let mut command = folder.command(&["train"]);
            command
                .arg(typed(&named(text, name)))
                .arg("-o")
                .arg(typed(&named(model, name)))
                .args(&TINY[..4])
                .args([
                    "--eval-every",
                    "5",
                    "--max-steps",
                    "100000",
                    "--batch-size",
                    "4",
                ])
                .args([
                    "--schedule",
                    "constant",
                    "--metrics",
                    "log",
                    "--plot",
                    ".curve.svg",
                ]);
            let mut child = command.spawn().expect("the binary runs");
            let mut reports = BufReader::new(child.stdout.take().expect("it is piped")).lines();
            let first = reports.next();
            let mut said = String::new();
            if first.is_some() {
                let pid = child.id().to_string();
                let sent = Command::new("kill").args(["-INT", &pid]).status();
                assert!(sent.expect("kill runs").success());
            }
            reports.for_each(drop);
            let mut stderr = child.stderr.take().expect("it is piped");
            stderr.read_to_string(&mut said).expect("words");
            let code = child.wait().expect("it ends").code();
            let shown = format!("{text} {model} {name:?}: {said}");
            assert_eq!(code, Some(130), "{shown}");
            let printed = commands(&said);
            assert_eq!(printed.len(), 1, "{shown}");
            cases += 1;
            // As many steps more as it takes to end.
            let inspected = folder
                .command(&["inspect"])
                .arg(typed(&named(model, name)))
                .output();
            assert!(inspected.expect("it runs").status.success(), "{shown}");
            let line = format!("{} --max-steps 1", printed[0]);
            let Some(refused) = run_line(&folder, &line) else {
                return;
            };
            let refused = String::from_utf8_lossy(&refused.stderr).into_owned();
            let done = refused
                .split(" steps are already done")
                .next()
                .and_then(|start| start.split(' ').next_back());
            let done: u64 = done
                .and_then(|n| n.parse().ok())
                .unwrap_or_else(|| panic!("{shown}{line}: {refused}"));
            let line = format!("{} --max-steps {}", printed[0], done + 5);
            let ended = run_line(&folder, &line).expect("a shell");
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            assert!(ended.status.success(), "{shown}{line}: {said}");
            for line in commands(&said) {
                lines += 1;
                let samples = line.starts_with("sample");
                let more = if samples { " --length 5" } else { "" };
                // The other is how to train for longer.
                let line = format!("{line}{more}").replace("--more 5m", "--more 2");
                let output = run_line(&folder, &line).expect("a shell");
                assert!(
                    output.status.success() && !output.stdout.is_empty(),
                    "{line}: {output:?}"
                );
            }
        }
    }
    println!("{cases} stops, {lines} other commands");
    assert!(lines >= cases);
}
