//! Disks too small for all that a run writes, by size: what people need, the model, comes first.
//!
//! A small disk is a file system in memory, in a name space of its own, so nobody need be root.

use std::fs;
use std::process::Command;

use crate::cli_support::{Folder, Run};

const RUN: [&str; 14] = [
    "text.txt",
    "-o",
    "disk/m",
    "--hidden-size",
    "48",
    "--num-layers",
    "1",
    "--max-steps",
    "30",
    "--eval-every",
    "10",
    "--batch-size",
    "4",
    "--force",
];

/// Runs `train` with `disk` a disk of so many kilobytes, on which `script` was run before, and leaves
/// what is on it in the end in `left`; `None` where no disk can be made.
fn run_on_disk(folder: &Folder, kilobytes: usize, script: &str, args: &[&str]) -> Option<Run> {
    let script = format!(
        "mount -t tmpfs -o size={kilobytes}k disk disk 2>/dev/null || exit 77\n{script}\n\
         \"$0\" train \"$@\"; code=$?; cp -r disk left; exit $code"
    );
    for name in ["disk", "left"] {
        let _ = fs::remove_dir_all(folder.path(name));
    }
    fs::create_dir(folder.path("disk")).expect("a new name");
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
        .arg(env!("CARGO_BIN_EXE_rnn-cli"))
        .args(args)
        .current_dir(folder.path(""))
        .output();
    let Some(output) = output.ok().filter(|output| {
        folder.path("left").exists()
            || output.status.code() != Some(77) && output.status.code() != Some(1)
    }) else {
        eprintln!("SKIPPED: no small disk can be made here");
        return None;
    };
    Some(Run {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).expect("words"),
    })
}

fn left(folder: &Folder, name: &str) -> Option<Vec<u8>> {
    fs::read(folder.path(&format!("left/{name}"))).ok()
}

#[test]
fn a_run_that_trains_to_its_end_leaves_its_model_on_any_disk() {
    let folder = Folder::with_text();
    fs::create_dir(folder.path("disk")).expect("a new name");
    folder.run(&[&["train"], &RUN[..]].concat()).ok();
    let (model, resume) = (folder.read("disk/m"), folder.read("disk/m.resume"));
    folder
        .run(&[&["train"], &RUN[..], &["--seed", "7"]].concat())
        .ok();
    fs::copy(folder.path("disk/m"), folder.path("older")).expect("a model");
    let older = folder.read("older");
    let whole = (2 * model.len() + 2 * resume.len()) / 1000 + 40;
    let (mut trained, mut refused, mut only_model) = (0, 0, 0);
    for kilobytes in (8..whole).step_by(whole / 40) {
        for script in ["", "cp older disk/m"] {
            let Some(run) = run_on_disk(&folder, kilobytes, script, &RUN) else {
                return;
            };
            let shown = format!("{kilobytes} kB, {script:?}: {run:?}");
            assert!([Some(0), Some(1)].contains(&run.code), "{shown}");
            let errors = run
                .stderr
                .lines()
                .filter(|line| line.starts_with("error: "));
            assert_eq!(errors.count(), usize::from(run.code == Some(1)), "{shown}");
            let (now, going_on) = (left(&folder, "m"), left(&folder, "m.resume"));
            let kept = if script.is_empty() || kilobytes * 1000 < older.len() {
                None
            } else {
                Some(&older)
            };
            if run.stdout.is_empty() {
                // Said before the work.
                refused += 1;
                assert_eq!(run.code, Some(1), "{shown}");
                assert!(now.as_ref() == kept || kept.is_none(), "{shown}");
                continue;
            }
            trained += 1;
            assert!(now.as_ref() == Some(&model), "{shown}");
            if going_on.as_ref() != Some(&resume) {
                only_model += 1;
                assert_eq!(run.code, Some(1), "{shown}");
                let last = run.stderr.lines().last().unwrap_or_default();
                assert!(
                    last.ends_with("; disk/m is saved, and complete without it"),
                    "{shown}"
                );
            }
            let leftovers: Vec<_> = fs::read_dir(folder.path("left"))
                .expect("a folder")
                .map(|entry| entry.expect("an entry").file_name())
                .filter(|name| name != "m" && name != "m.resume")
                .collect();
            assert!(leftovers.is_empty(), "{shown}: {leftovers:?}");
        }
    }
    println!(
        "{refused} refused, {trained} trained, {only_model} of them with room for the model alone"
    );
    assert!(refused > 0 && trained > 0 && only_model > 0);
}
