//! Disks that fail at any call, and texts that change: the error is told, the files stay whole, and
//! nothing is left behind.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::sync::LazyLock;

use crate::cli_support::{Folder, Run};
use crate::fault_support::{Fault, shim};

/// A run of four steps that saves at its start, at step 2 and 4, and at its end.
const RUN: [&str; 17] = [
    "train",
    "text.txt",
    "-o",
    "outbox/m",
    "--force",
    "--hidden-size",
    "8",
    "--num-layers",
    "1",
    "--max-steps",
    "4",
    "--eval-every",
    "2",
    "--batch-size",
    "4",
    "--threads",
    "1",
];

/// The folder of its model; every call on a path with this name counts.
const OUT: &str = "outbox";
/// Names that a run leaves there.
const FILES: [&str; 2] = ["m", "m.resume"];

/// The files of a run with these flags and no fault.
fn trained(flags: &[&str]) -> [Vec<u8>; 2] {
    let folder = Folder::with_text();
    fs::create_dir(folder.path(OUT)).expect("a new name");
    folder.run(&[&RUN[..], flags].concat()).ok();
    ["outbox/m", "outbox/m.resume"].map(|name| folder.read(name))
}

/// A folder with the model of an earlier run at `outbox/m`.
fn folder() -> Folder {
    static EARLIER: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| trained(&["--seed", "7"]));
    let folder = Folder::with_text();
    fs::create_dir(folder.path(OUT)).expect("a new name");
    folder.write("outbox/m", &EARLIER[0]);
    folder.write("outbox/m.resume", &EARLIER[1]);
    folder
}

/// What lies beside the model.
fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.path(OUT)).expect("a folder");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<String> = entries
        .map(|entry| name(entry).to_string_lossy().into())
        .collect();
    names.sort();
    names
}

/// Whether both files are those of a run without a fault.
fn ended_well(folder: &Folder) -> bool {
    static STRAIGHT: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| trained(&[]));
    let paths = ["outbox/m", "outbox/m.resume"];
    paths.map(|name| folder.read(name)) == *STRAIGHT
}

/// Asserts that a run with a failed call ended as it must.
fn check(folder: &Folder, old: &[u8], fault: Fault, run: &Run) {
    let said: Vec<&str> = run.stderr.lines().collect();
    let last = said.last().copied().unwrap_or_default();
    let told = |line: &&str| line.contains("cannot save outbox/m");
    match run.code {
        Some(0) if ["close", "short write", "interrupted write"].contains(&fault.call) => {}
        // A lock's file that cannot be removed bars nobody, a leftover that is not there is none.
        Some(0) if fault.call == "unlink" => {}
        // At the end of a run what going on needs makes room for the model, and is written anew.
        Some(0) if fault.call == "write" && ended_well(folder) => {}
        Some(0) => {
            let warned = said.iter().find(|line| told(line));
            let warned = warned.unwrap_or_else(|| panic!("{fault:?} was not told: {run:?}"));
            assert!(
                warned.ends_with("; training continues"),
                "{fault:?}: {warned}"
            );
        }
        Some(1) => assert!(
            last.starts_with("error: cannot save outbox/m"),
            "{fault:?}: {run:?}"
        ),
        _ => panic!("{fault:?}: {run:?}"),
    }
    assert!(
        !run.stderr.contains("panicked") && !run.stderr.contains("os error"),
        "{run:?}"
    );
    // Old or new, and whole.
    let new = folder.read("outbox/m");
    if new != old {
        folder.run(&["inspect", "outbox/m"]).ok();
    }
    let left = names(folder);
    let others: Vec<_> = left
        .iter()
        .filter(|name| !FILES.contains(&name.as_str()))
        .collect();
    assert!(
        others.is_empty() || fault.call == "unlink",
        "{fault:?} left {others:?}"
    );
}

#[test]
fn every_call_of_a_save_that_fails_is_told_and_harms_no_file() {
    if shim().is_none() {
        return;
    }
    let calls = [
        "open",
        "write",
        "short write",
        "interrupted write",
        "fsync",
        "fchmod",
        "rename",
        "unlink",
        "close",
    ];
    let mut counts = Vec::new();
    for call in calls {
        for at in 1.. {
            let folder = folder();
            let old = folder.read("outbox/m");
            let fault = Fault {
                call,
                path: OUT,
                at,
                stays: false,
            };
            let Some(run) = folder.run_with_fault(&RUN, fault) else {
                counts.push(format!("{call} {}", at - 1));
                assert!(at > 2, "{call}: {} calls", at - 1);
                break;
            };
            check(&folder, &old, fault, &run);
            if names(&folder) != FILES {
                // Whatever was left disturbs the next run no more than it stays after it.
                folder.run(&RUN).ok();
                assert_eq!(names(&folder), FILES, "{fault:?}");
            }
        }
    }
    println!("calls that failed in turn: {}", counts.join(", "));
}

#[test]
fn a_disk_that_stays_broken_from_any_call_on_leaves_the_old_file_or_the_new() {
    if shim().is_none() {
        return;
    }
    for call in ["write", "fsync", "rename"] {
        for at in 1.. {
            let folder = folder();
            let old = folder.read("outbox/m");
            let fault = Fault {
                call,
                path: OUT,
                at,
                stays: true,
            };
            let Some(run) = folder.run_with_fault(&RUN, fault) else {
                break;
            };
            assert_eq!(run.code, Some(1), "{fault:?}: {run:?}");
            check(&folder, &old, fault, &run);
        }
    }
}

#[test]
fn a_text_that_cannot_be_read_to_its_end_is_told() {
    if shim().is_none() {
        return;
    }
    let folder = Folder::with_text();
    fs::create_dir(folder.path(OUT)).expect("a new name");
    for at in 1..4 {
        let fault = Fault {
            call: "read",
            path: "text.txt",
            at,
            stays: false,
        };
        if let Some(run) = folder.run_with_fault(&RUN, fault) {
            run.fails(1, "cannot read text.txt: input/output error");
            assert!(names(&folder).is_empty());
        } else {
            assert!(at > 1);
        }
    }
}

#[test]
fn a_text_that_changes_while_it_is_learned_changes_nothing() {
    let change: [fn(&Folder); 3] = [
        |folder| fs::remove_file(folder.path("text.txt")).expect("it is there"),
        |folder| folder.write("text.txt", ""),
        |folder| folder.write("text.txt", "something else\n".repeat(100)),
    ];
    let flags = [
        "--force",
        "--max-steps",
        "60",
        "--eval-every",
        "10",
        "--hidden-size",
        "8",
    ];
    for change in change {
        let folder = Folder::with_text();
        let train = |name| [&["train", "text.txt", "-o", name][..], &flags].concat();
        folder.run(&train("straight")).ok();
        let mut child = folder
            .command(&train("m"))
            .spawn()
            .expect("the binary runs");
        let mut reports = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        assert!(reports.next().is_some());
        change(&folder);
        reports.for_each(drop);
        assert!(child.wait().expect("it ends").success());
        assert!(folder.read("m") == folder.read("straight"));
        // Going on with another text is refused.
        let run = folder.run(&["train", "text.txt", "--resume", "m", "--max-steps", "70"]);
        assert_eq!(
            (run.code, run.stderr.lines().count()),
            (Some(1), 1),
            "{run:?}"
        );
    }
}
