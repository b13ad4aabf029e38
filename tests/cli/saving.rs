//! The files of a training run while it saves: locks, leftovers, links, and saves that fail.

use std::fs;
use std::io::{BufRead, BufReader, Read};

use crate::cli_support::Folder;

#[test]
fn a_second_run_on_the_same_path_is_refused_while_the_first_lasts() {
    let folder = Folder::with_text();
    let mut first = folder.start_long_run();
    let message =
        "cannot save m: another run is saving there; wait for it to end or use another path";
    folder
        .train(&["text.txt", "-o", "m", "--force"])
        .fails(1, message);
    folder.resume(&[]).fails(1, message);
    first.kill().unwrap();
    first.wait().unwrap();
    // The lock ends with its holder; the file that it leaves bars nobody and goes at the next end.
    folder.train(&["text.txt", "-o", "m", "--force"]).ok();
    assert_eq!(folder.names(), ["m", "m.resume", "text.txt"]);
}

#[test]
fn leftovers_of_a_killed_save_are_cleaned_and_nothing_else() {
    let folder = Folder::finished();
    let lock = "rnn: training saves to the model beside this file\n.rnn-killed.tmp\n";
    folder.write("m.lock", lock);
    let others = [".rnn-other.tmp", "m.tmp", "m.resume.tmp"];
    for name in [".rnn-killed.tmp"].iter().chain(&others) {
        folder.write(name, "left over");
    }
    folder.resume(&["--max-steps", "30"]).ok();
    assert_eq!(
        folder.names(),
        [
            ".rnn-other.tmp",
            "m",
            "m.resume",
            "m.resume.tmp",
            "m.tmp",
            "text.txt"
        ]
    );
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_stands_for_the_model_at_its_end() {
    let folder = Folder::with_text();
    fs::create_dir(folder.path("disk")).unwrap();
    std::os::unix::fs::symlink("disk/model", folder.path("m")).unwrap();
    folder
        .train(&["text.txt", "-o", "m", "--schedule", "constant"])
        .ok();
    folder.resume(&["--max-steps", "30"]).ok();
    assert!(fs::symlink_metadata(folder.path("m")).unwrap().is_symlink());
    assert_eq!(folder.names(), ["disk", "m", "text.txt"]);
    assert_eq!(fs::read_dir(folder.path("disk")).unwrap().count(), 2);
}

/// A save fails here because a folder stands where its file should be.
#[test]
fn a_failed_save_on_the_way_warns_and_a_failed_last_one_fails() {
    let folder = Folder::with_text();
    let train = |name| {
        let start = [
            "train",
            "text.txt",
            "-o",
            name,
            "--max-steps",
            "1000",
            "--force",
        ];
        let sizes = [
            "--hidden-size",
            "8",
            "--batch-size",
            "4",
            "--eval-every",
            "10",
        ];
        folder.command(&[start.as_slice(), &sizes].concat())
    };
    assert!(train("straight").output().unwrap().status.success());
    for is_mended in [true, false] {
        let mut child = train("m").spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        lines.next().unwrap().unwrap();
        let obstacle = folder.path("m.resume");
        while fs::create_dir(&obstacle).is_err() {
            let _ = fs::remove_file(&obstacle);
        }
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut warning = String::new();
        stderr.read_line(&mut warning).unwrap();
        assert_eq!(
            warning,
            "warning: cannot save m.resume: it is a folder, not a file; training continues\n"
        );
        if is_mended {
            fs::remove_dir(&obstacle).unwrap();
        }
        lines.for_each(|line| drop(line.unwrap()));
        let mut said = String::new();
        stderr.read_to_string(&mut said).unwrap();
        let code = child.wait().unwrap().code();
        if is_mended {
            assert_eq!(code, Some(0), "{said}");
            assert!(folder.read("m") == folder.read("straight"));
        } else {
            assert_eq!(code, Some(1), "{said}");
            assert!(
                said.ends_with(
                    "error: cannot save m.resume: it is a folder, not a file; m is saved, and \
                     complete without it\n"
                ),
                "{said}"
            );
            assert!(folder.read("m") == folder.read("straight"));
        }
    }
}
