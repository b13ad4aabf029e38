//! Links, pipes, devices and folders at every path that a command opens: it ends, says what is wrong in
//! one line, and leaves alone what they lead to.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::cli_support::{Folder, Run, TINY};
use crate::snapshot::{self, Snapshot};

/// Far longer than any of these takes.
const LIMIT: Duration = Duration::from_secs(60);

const FIXTURE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/fixtures/imports/lstm_1.safetensors"
);

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Dangling,
    LinkToFile,
    LinkToFolder,
    LinkInCircle,
    HardLink,
    Pipe,
    Null,
    Endless,
    Folder,
    Socket,
}

const KINDS: [Kind; 10] = [
    Kind::Dangling,
    Kind::LinkToFile,
    Kind::LinkToFolder,
    Kind::LinkInCircle,
    Kind::HardLink,
    Kind::Pipe,
    Kind::Null,
    Kind::Endless,
    Kind::Folder,
    Kind::Socket,
];

/// Command lines, with `X` for the path, and the suffix at which it stands.
const PATHS: [(&str, &str); 27] = [
    ("train X -o m", ""),
    ("train text.txt -o X", ""),
    ("train text.txt -o X --force", ""),
    ("train text.txt -o X", ".lock"),
    ("train text.txt -o X --force", ".lock"),
    ("train text.txt -o X", ".resume"),
    ("train text.txt -o X --force", ".resume"),
    ("train text.txt -o m --metrics X", ""),
    ("train text.txt -o m --metrics X --force", ""),
    ("train text.txt -o m --plot X", ""),
    ("train text.txt -o m --plot X --force", ""),
    ("train text.txt -o m --init-from X", ""),
    ("train text.txt --resume X", ""),
    ("train text.txt --resume X", ".resume"),
    ("train text.txt --resume run --metrics X", ""),
    ("train text.txt --resume run --plot X", ""),
    ("train text.txt --resume run --plot X --metrics X", ".lock"),
    ("sample X", ""),
    ("score X text.txt", ""),
    ("score run X", ""),
    ("inspect X", ""),
    ("view X text.txt -o page", ""),
    ("view run X -o page", ""),
    ("view run text.txt -o X --force", ""),
    ("import X -o m", ""),
    ("import theirs --vocabulary X -o m", ""),
    ("import theirs --vocabulary letters -o X --force", ""),
];

fn make(folder: &Folder, kind: Kind, name: &str) {
    let path = folder.path(name);
    let made = |result: std::io::Result<()>| result.expect("a new name");
    match kind {
        Kind::Dangling => made(symlink("away/nothing", path)),
        Kind::LinkToFile => made(symlink("away/precious", path)),
        Kind::LinkToFolder => made(symlink("away", path)),
        Kind::LinkInCircle => made(symlink(name, path)),
        Kind::HardLink => made(fs::hard_link(folder.path("away/precious"), path)),
        Kind::Null => made(symlink("/dev/null", path)),
        Kind::Endless => made(symlink("/dev/zero", path)),
        Kind::Folder => made(fs::create_dir(path)),
        Kind::Socket => drop(std::os::unix::net::UnixListener::bind(path).expect("a new name")),
        Kind::Pipe => {
            let made = Command::new("mkfifo").arg(path).status();
            assert!(made.expect("mkfifo runs").success());
        }
    }
}

fn is_text(command: &str) -> bool {
    ["train X", "score run X", "view run X", "--vocabulary X"]
        .iter()
        .any(|part| command.contains(part))
}

/// Runs a command that may not wait for ever, nor take all memory.
fn run(folder: &Folder, args: &[&str]) -> Run {
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "ulimit -v 1000000 && exec \"$0\" \"$@\"",
            env!("CARGO_BIN_EXE_rnn-cli"),
        ])
        .args(args)
        .current_dir(folder.path(""))
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = command.spawn().expect("a shell runs");
    let start = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if start.elapsed() > LIMIT {
            child.kill().expect("it runs still");
            panic!("{args:?} waits for ever");
        }
        sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("it has ended");
    Run {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).expect("words"),
    }
}

/// Puts the folder back as it was.
fn restore(folder: &Folder, sound: &Snapshot) {
    for (path, _) in snapshot::of(&folder.path("")).into_iter().rev() {
        let full = folder.path(path.to_str().expect("a name of ours"));
        match sound.get(&path) {
            Some(snapshot::Entry::File(content)) => fs::write(&full, content).expect("a file"),
            Some(_) => {}
            None if full.is_dir() && !full.is_symlink() => {
                fs::remove_dir_all(&full).expect("a folder");
            }
            None => fs::remove_file(&full).expect("a file"),
        }
    }
}

#[test]
fn whatever_stands_at_a_path_nothing_hangs_and_nothing_behind_it_changes() {
    let folder = Folder::with_text();
    folder
        .train(&["text.txt", "-o", "run", "--schedule", "constant"])
        .ok();
    fs::copy(FIXTURE, folder.path("theirs")).expect("a fixture");
    folder.write("letters", "zebra \nx");
    fs::create_dir(folder.path("away")).expect("a new name");
    folder.write("away/precious", "somebody's work\n".repeat(9));
    let sound = snapshot::of(&folder.path(""));
    let (mut cases, mut successes) = (0, 0);
    for kind in KINDS {
        for (command, end) in PATHS {
            if kind == Kind::Pipe && is_text(command) {
                // To read a pipe is to wait for its writer, which is what it is for.
                continue;
            }
            make(&folder, kind, &format!("x{end}"));
            let before = snapshot::of(&folder.path(""));
            let words = command.replace('X', "x");
            let mut args: Vec<&str> = words.split(' ').collect();
            if args[0] == "train" && !command.contains("--resume") {
                args.extend(TINY);
            }
            let run = run(&folder, &args);
            let shown = format!("{kind:?}: {args:?}: {:?} {}", run.code, run.stderr);
            assert!([Some(0), Some(1), Some(2)].contains(&run.code), "{shown}");
            let said = run
                .stderr
                .lines()
                .filter(|line| line.starts_with("error: "));
            assert_eq!(said.count(), usize::from(run.code != Some(0)), "{shown}");
            let after = snapshot::of(&folder.path(""));
            // A link stands for what it leads to where somebody typed it and forces it.
            let is_asked =
                command.contains("--force") && end.is_empty() && kind == Kind::LinkToFile;
            let may_change = match kind {
                _ if is_asked => vec!["away/precious"],
                Kind::HardLink if command.contains("--force") && end.is_empty() => vec!["x"],
                _ => vec![],
            };
            let lost = snapshot::lost(&before, &after, &may_change);
            assert!(lost.is_empty(), "{shown}: lost {lost:?}");
            let is_new = after
                .keys()
                .any(|path| path.starts_with("away") && !before.contains_key(path));
            // Likewise a model typed as a link to where there is nothing yet, and what is beside it.
            let is_asked = is_asked
                || kind == Kind::Dangling && end.is_empty() && !command.contains("--resume X");
            assert!(!is_new || is_asked, "{shown}: made a file elsewhere");
            successes += usize::from(run.code == Some(0));
            cases += 1;
            restore(&folder, &sound);
        }
    }
    println!("{cases} cases, {successes} of which succeeded");
    assert!(successes > 10, "{successes}");
}
