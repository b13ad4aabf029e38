//! Every input, and every file of somebody else's, at every name that an output might use for itself:
//! nothing of it is lost, with `--force` or without.

use std::fs;
use std::os::unix::fs::symlink;

use crate::cli_support::{Folder, TINY};
use crate::snapshot;

/// What stands after the name of an output in names that some program might make up beside it.
const ENDS: [&str; 12] = [
    "",
    ".tmp",
    ".temp",
    ".lock",
    ".resume",
    ".resume.tmp",
    ".resume.lock",
    ".part",
    ".bak",
    ".new",
    "~",
    ".damaged-1",
];

const FIXTURE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/fixtures/imports/lstm_1.safetensors"
);
/// A command line: words with the names of the inputs and outputs in it, see [`Case`].
const COMMANDS: [(&str, &[&str], &[&str]); 6] = [
    (
        "train TEXT -o OUT --metrics LOG --plot PLOT",
        &["TEXT"],
        &["OUT", "LOG", "PLOT"],
    ),
    (
        "train TEXTS --bytes -o OUT --metrics LOG --plot PLOT",
        &["TEXTS"],
        &["OUT", "LOG", "PLOT"],
    ),
    (
        "train text.txt -o OUT --init-from MODEL",
        &["MODEL"],
        &["OUT"],
    ),
    (
        "import THEIRS -o OUT --vocabulary LETTERS",
        &["THEIRS", "LETTERS"],
        &["OUT"],
    ),
    ("view MODEL TEXT -o OUT", &["MODEL", "TEXT"], &["OUT"]),
    ("view MODEL text.txt", &["MODEL"], &["PAGE"]),
];

/// A folder with a text, a model and a network of PyTorch.
fn folder() -> Folder {
    let folder = Folder::with_text();
    folder.train(&["text.txt", "-o", "model"]).ok();
    fs::remove_file(folder.path("model.resume")).expect("it is there");
    fs::copy(FIXTURE, folder.path("theirs")).expect("a fixture");
    folder.write("letters", "zebra \nx");
    folder
}

/// What a file that plays a part holds.
fn content(folder: &Folder, part: &str) -> Vec<u8> {
    folder.read(match part {
        "TEXT" | "TEXTS" => "text.txt",
        "MODEL" => "model",
        "THEIRS" => "theirs",
        "LETTERS" => "letters",
        _ => return b"a file of somebody else's\n".to_vec(),
    })
}

/// Runs a command with one part played by a file of this name, and asserts that all files that were
/// there are there still; true if the command succeeded.
fn check(folder: &Folder, command: &str, part: &str, name: &str, is_forced: bool) -> bool {
    let before = snapshot::of(&folder.path(""));
    let words = command.split(' ').map(|word| match word {
        // A folder is named, and the file is one of those in it.
        "TEXTS" => ".",
        word if word == part => name,
        "TEXT" => "text.txt",
        "MODEL" => "model",
        "THEIRS" => "theirs",
        "LETTERS" => "letters",
        "OUT" => "book",
        "LOG" => "log",
        "PLOT" => "curve.svg",
        word => word,
    });
    let mut args: Vec<&str> = words.collect();
    if args[0] == "train" {
        args.extend(TINY);
    }
    if is_forced {
        args.push("--force");
    }
    let run = folder.run(&args);
    let after = snapshot::of(&folder.path(""));
    // What is typed as the output is overwritten where that is forced, unless it is an input.
    let output = if command.contains("OUT") {
        "book"
    } else {
        "model.html"
    };
    let is_asked = is_forced && part == "bystander";
    let may_change = if is_asked { vec![output] } else { vec![] };
    let lost = snapshot::lost(&before, &after, &may_change);
    assert!(lost.is_empty(), "{args:?} lost {lost:?}: {}", run.stderr);
    assert!(
        [Some(0), Some(1), Some(2)].contains(&run.code),
        "{args:?}: {run:?}"
    );
    let errors = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "));
    assert_eq!(
        errors.count(),
        usize::from(run.code != Some(0)),
        "{args:?}: {run:?}"
    );
    for path in after.keys().filter(|path| !before.contains_key(*path)) {
        fs::remove_file(folder.path(path.to_str().expect("a name of ours"))).expect("a file");
    }
    run.code == Some(0)
}

#[test]
fn no_file_is_lost_whatever_its_name() {
    let folder = folder();
    let (mut cases, mut successes) = (0, 0);
    for (command, inputs, outputs) in COMMANDS {
        for part in inputs.iter().copied().chain(["bystander"]) {
            for output in outputs {
                let stem = match *output {
                    "OUT" => "book",
                    "LOG" => "log",
                    "PAGE" => "model.html",
                    _ => "curve.svg",
                };
                for end in ENDS {
                    let name = format!("{stem}{end}");
                    folder.write(&name, content(&folder, part));
                    for is_forced in [false, true] {
                        cases += 1;
                        successes += usize::from(check(&folder, command, part, &name, is_forced));
                        folder.write(&name, content(&folder, part));
                    }
                    fs::remove_file(folder.path(&name)).expect("it is there");
                }
            }
        }
    }
    println!("{cases} cases, {successes} of which succeeded");
    // Most names are free to have: a program that refuses everything would lose nothing either.
    assert!(successes * 2 > cases, "{successes} of {cases} succeeded");
}

#[test]
fn no_input_is_lost_under_another_name() {
    let folder = folder();
    fs::create_dir(folder.path("folder")).expect("a new name");
    symlink(".", folder.path("here")).expect("a new name");
    let mut cases = 0;
    for (command, inputs, outputs) in COMMANDS {
        for part in inputs {
            let real = match *part {
                "MODEL" => "model",
                "THEIRS" => "theirs",
                "LETTERS" => "letters",
                _ => "text.txt",
            };
            fs::hard_link(folder.path(real), folder.path("hard")).expect("a new name");
            symlink(real, folder.path("soft")).expect("a new name");
            symlink("soft", folder.path("softer")).expect("a new name");
            let around = ["here/", "folder/../", "./"].map(|way| format!("{way}{real}"));
            let around = around.iter().map(String::as_str);
            for alias in ["hard", "soft", "softer"].into_iter().chain(around) {
                for output in outputs {
                    let command = command.replace(*output, alias);
                    for is_forced in [false, true] {
                        cases += 1;
                        let done = check(&folder, &command, "", "", is_forced);
                        // The page of the last has another name.
                        assert!(!done || command == COMMANDS[5].0, "{command} was done");
                    }
                }
            }
            for alias in ["hard", "soft", "softer"] {
                fs::remove_file(folder.path(alias)).expect("it is there");
            }
        }
    }
    println!("{cases} cases");
}

#[test]
fn force_is_for_the_model_alone_and_not_for_a_text_of_a_folder() {
    let folder = folder();
    fs::create_dir(folder.path("texts")).expect("a new name");
    folder.write("texts/a.txt", folder.read("text.txt"));
    folder.write("texts/b.txt", "somebody's work\n");
    let train = |more: &[&str]| {
        let start = ["train", "texts", "--force"];
        folder.run(&[&start[..], &TINY, more].concat())
    };
    train(&["-o", "texts/b.txt"]).fails(
        1,
        "texts/b.txt is one of the texts; use another name for the model (-o)",
    );
    assert_eq!(folder.read("texts/b.txt"), b"somebody's work\n");
    // What stands at a name that nobody typed is not ours to overwrite, even so.
    folder.write("my.resume", "Curriculum vitae\n");
    let message = "my.resume is damaged or not a file of this program; move it away or use another name for the model";
    train(&["-o", "my"]).fails(1, message);
    assert_eq!(folder.read("my.resume"), b"Curriculum vitae\n");
    // A model of ours is no text, and may be overwritten.
    train(&["-o", "texts/m"]).ok();
    let model = folder.read("texts/m");
    train(&["-o", "texts/m", "--seed", "2"]).ok();
    assert!(folder.read("texts/m") != model);
}
