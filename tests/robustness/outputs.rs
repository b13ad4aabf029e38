//! Outputs that cannot be written are found out before the work, and what is written can be read by
//! those who may.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::cli_support::{Folder, TINY};
use crate::snapshot;

const FIXTURE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/fixtures/imports/lstm_1.safetensors"
);

/// Each output of each command, with `OUT` in its place.
const OUTPUTS: [&str; 5] = [
    "train text.txt -o OUT",
    "train text.txt -o m --metrics OUT",
    "train text.txt -o m --plot OUT",
    "import theirs -o OUT --vocabulary letters",
    "view model.safetensors text.txt -o OUT",
];

fn folder() -> Folder {
    let folder = Folder::with_model();
    fs::copy(FIXTURE, folder.path("theirs")).expect("a fixture");
    folder.write("letters", "zebra \nx");
    folder
}

#[test]
fn what_cannot_be_written_at_the_end_is_refused_at_the_start() {
    let folder = folder();
    fs::create_dir(folder.path("folder")).expect("a new name");
    let long = "x".repeat(300);
    let cases = [
        (
            "models/",
            "it names a folder; use a file such as models/model.safetensors",
        ),
        (
            "models/.",
            "it names a folder; use a file such as models/./model.safetensors",
        ),
        ("folder/", "it is a folder, not a file"),
        ("folder", "it is a folder, not a file"),
        (".", "it is a folder, not a file"),
        ("..", "it is a folder, not a file"),
        ("/", "it is a folder, not a file"),
        ("none/m", "the folder none does not exist"),
        ("text.txt/m", "not a directory"),
        (&long, "file name too long"),
        ("/proc/m", "no such file"),
    ];
    let before = snapshot::of(&folder.path(""));
    for command in OUTPUTS {
        for (name, what) in cases {
            let args: Vec<&str> = command
                .split(' ')
                .map(|word| if word == "OUT" { name } else { word })
                .collect();
            let run = folder.run(&args);
            // Endless training would show that this is told too late.
            let said = format!("error: cannot save {name}: {what}\n");
            assert_eq!((run.code, &*run.stderr), (Some(1), &*said), "{args:?}");
            assert!(snapshot::of(&folder.path("")) == before, "{args:?}");
        }
    }
}

#[test]
fn who_may_not_read_a_model_may_not_read_what_it_goes_on_from() {
    let folder = Folder::with_text();
    let mode = |name: &str| {
        fs::metadata(folder.path(name))
            .expect("a file")
            .permissions()
            .mode()
    };
    folder
        .train(&["text.txt", "-o", "m", "--schedule", "constant"])
        .ok();
    let usual = mode("m");
    assert_eq!(mode("m.resume"), usual);
    fs::set_permissions(folder.path("m"), Permissions::from_mode(0o600)).expect("it is ours");
    folder
        .run(&["train", "text.txt", "--resume", "m", "--max-steps", "30"])
        .ok();
    assert_eq!(
        (mode("m") & 0o777, mode("m.resume") & 0o777),
        (0o600, 0o600)
    );
    folder.train(&["text.txt", "-o", "m", "--force"]).ok();
    assert_eq!(
        (mode("m") & 0o777, mode("m.resume") & 0o777),
        (0o600, 0o600)
    );
}

#[test]
fn nothing_of_a_run_that_lasts_is_overwritten_by_another() {
    let folder = folder();
    let mut first = folder.start_long_run();
    let mut said = Vec::new();
    for command in OUTPUTS {
        for name in ["m", "m.resume", "m.lock"] {
            for force in [&[][..], &["--force"]] {
                let words = command.replace("-o m ", "-o other ").replace("OUT", name);
                let mut args: Vec<&str> = words.split(' ').collect();
                args.extend(force);
                if args[0] == "train" {
                    args.extend(TINY);
                }
                said.push((words.clone(), folder.run(&args)));
            }
        }
    }
    let is_running = first.try_wait().expect("a child").is_none();
    first.kill().expect("it runs still");
    first.wait().expect("it ends");
    assert!(is_running);
    for (words, run) in said {
        assert_eq!(
            (run.code, run.stderr.lines().count()),
            (Some(1), 1),
            "{words}: {run:?}"
        );
        let is_told = run.stderr.contains("another run is saving there")
            || run.stderr.contains(" already exists; ");
        assert!(is_told, "{words}: {run:?}");
    }
}
