//! `train --resume`: what it takes, what it refuses, and the files around it.

mod cli_support;

use std::fs;
use std::io::{BufRead, BufReader, Read};

use cli_support::{Folder, Run, TINY};

/// A folder with a text and `m`, the model of a finished run.
fn finished() -> Folder {
    let folder = Folder::with_text();
    folder
        .train(&["text.txt", "-o", "m", "--schedule", "constant"])
        .ok();
    folder
}

/// `train text.txt --resume m` with these flags.
fn resume(folder: &Folder, flags: &[&str]) -> Run {
    folder.run(&[&["train", "text.txt", "--resume", "m"], flags].concat())
}

#[test]
fn what_was_typed_must_be_what_the_run_is() {
    let folder = finished();
    let before = (folder.read("m"), folder.read("m.resume"));
    for (flags, message) in [
        (
            "--hidden-size 256",
            "hidden-size is 16 in m.resume, 256 was asked",
        ),
        ("--num-layers 2", "num-layers is 1 in m.resume, 2 was asked"),
        ("--model gru", "model is lstm in m.resume, gru was asked"),
        ("--dropout 0.5", "dropout is 0.2 in m.resume, 0.5 was asked"),
        ("--batch-size 5", "batch-size is 4 in m.resume, 5 was asked"),
        (
            "--seq-length 8",
            "seq-length is 16 in m.resume, 8 was asked",
        ),
        ("--horizon 8", "horizon is not set in m.resume, 8 was asked"),
        (
            "--optimizer sgd",
            "optimizer is adam in m.resume, sgd was asked",
        ),
        (
            "--learning-rate 0.1",
            "learning-rate is 0.004 in m.resume, 0.1 was asked",
        ),
        (
            "--schedule cosine",
            "schedule is constant in m.resume, cosine was asked",
        ),
        (
            "--clip 1",
            "clip is norm 5.0 in m.resume, norm 1.0 was asked",
        ),
        (
            "--clip-value 5",
            "clip is norm 5.0 in m.resume, value 5.0 was asked",
        ),
        (
            "--eval-every 3",
            "eval-every is 10 in m.resume, 3 was asked",
        ),
        (
            "--patience 3",
            "patience is not set in m.resume, 3 was asked",
        ),
        ("--seed 2", "seed is 1 in m.resume, 2 was asked"),
        (
            "--orthogonal",
            "orthogonal is off in m.resume, on was asked",
        ),
        (
            "--split 0.8,0.2",
            "split is 0.9,0.1 in m.resume, 0.8,0.2 was asked",
        ),
        ("--bytes", "bytes is off in m.resume, on was asked"),
        (
            "--max-steps 19",
            "--max-steps: 20 steps are done, expected at least as many in all, got 19",
        ),
    ] {
        let flags: Vec<&str> = flags.split(' ').collect();
        resume(&folder, &flags).fails(1, message);
    }
    assert!(before == (folder.read("m"), folder.read("m.resume")));
    assert_eq!(folder.names(), ["m", "m.resume", "text.txt"]);
}

#[test]
fn the_flags_of_the_first_command_may_be_typed_again() {
    let folder = finished();
    let again = [&["--schedule", "constant"], TINY.as_slice()].concat();
    let run = resume(&folder, &again).ok();
    let told = "the run was finished: all of its 20 steps were done";
    assert!(run.stderr.starts_with(told), "{}", run.stderr);
    // Also where the text was too short for them.
    folder.write("text.txt", "abcabcabcabcabcabcabcabc");
    folder.train(&["text.txt", "-o", "m", "--force"]).ok();
    resume(&folder, &TINY).ok();
}

#[test]
fn the_number_of_steps_is_fixed_once_the_rate_falls_towards_it() {
    let folder = Folder::with_text();
    folder.train(&["text.txt", "-o", "m"]).ok();
    let message = "--max-steps: the number of steps is 20, 30 was asked: after 20 steps the \
                   learning rate has begun to fall, so the number can no longer change";
    resume(&folder, &["--max-steps", "30"]).fails(1, message);
    let message = "--time: the number of steps is 20, a time limit was asked: after 20 steps the \
                   learning rate has begun to fall, so the number can no longer change";
    resume(&folder, &["--time", "1s"]).fails(1, message);
}

#[test]
fn a_text_that_changed_is_refused() {
    let folder = finished();
    let message = "cannot use text.txt: the text has changed since the run began, expected the \
                   same characters in the same order";
    let text = cli_support::text();
    for changed in [
        text.replacen("00", "01", 1),
        format!("{text}é"),
        text[1..].to_owned(),
    ] {
        folder.write("text.txt", changed);
        resume(&folder, &["--max-steps", "30"]).fails(1, message);
    }
    // Another name and other pieces are the same text.
    folder.write("a", &text[..1000]);
    folder.write("b", &text[1000..]);
    folder
        .run(&[
            "train",
            "a",
            "b",
            "--resume",
            "m.resume",
            "--max-steps",
            "30",
        ])
        .ok();
}

#[test]
fn without_a_run_there_is_nothing_to_go_on_with() {
    let folder = Folder::with_text();
    let message = "cannot read m.resume: no such file, expected what train leaves beside a model";
    resume(&folder, &[]).fails(1, message);
    folder.train(&["text.txt", "-o", "m"]).ok();
    let whole = folder.read("m.resume");
    folder.write("m.resume", &whole[..whole.len() - 1]);
    let run = resume(&folder, &[]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr
            .starts_with("error: cannot read m.resume: not a model of this program: "),
        "{}",
        run.stderr
    );
    folder
        .run(&["train", "text.txt", "--resume", "m", "-o", "n"])
        .fails(
            2,
            "the argument '--resume <MODEL>' cannot be used with '--output <MODEL>'",
        );
}

#[test]
fn a_model_that_is_missing_damaged_or_older_is_written_anew() {
    let folder = Folder::with_text();
    let train = |out, steps| {
        folder
            .train(&["text.txt", out, "m", "--schedule", "constant", "--force"])
            .ok();
        let more = ["train", "text.txt", "--resume", "m", "--max-steps", steps];
        folder.run(&more).ok();
        folder.read("m")
    };
    let older = train("-o", "30");
    let newer = train("-o", "60");
    for old in [
        None,
        Some(b"no model".to_vec()),
        Some(newer[..100].to_vec()),
        Some(older),
    ] {
        match old {
            None => fs::remove_file(folder.path("m")).unwrap(),
            Some(bytes) => folder.write("m", bytes),
        }
        resume(&folder, &[]).ok();
        assert!(folder.read("m") == newer);
    }
}

#[test]
fn the_model_of_another_run_is_not_overwritten() {
    let folder = finished();
    folder
        .train(&["text.txt", "-o", "other", "--seed", "2"])
        .ok();
    fs::copy(folder.path("other"), folder.path("m")).unwrap();
    let message = "m holds the model of another run, expected that of the run to go on with, or \
                   none; --force overwrites it";
    resume(&folder, &["--max-steps", "30"]).fails(1, message);
    assert!(folder.read("m") == folder.read("other"));
    resume(&folder, &["--max-steps", "30", "--force"]).ok();
    assert!(folder.read("m") != folder.read("other"));
}

#[test]
fn a_new_run_overwrites_no_old_one() {
    let folder = finished();
    let message = "m.resume exists, expected --resume m to go on with that run, a new name (-o) or \
                   --force to overwrite it";
    folder.train(&["text.txt", "-o", "m"]).fails(1, message);
    fs::remove_file(folder.path("m")).unwrap();
    folder.train(&["text.txt", "-o", "m"]).fails(1, message);
    folder.train(&["text.txt", "-o", "m", "--force"]).ok();
}

#[test]
fn a_second_run_on_the_same_path_is_refused_while_the_first_lasts() {
    let folder = Folder::with_text();
    let long = [
        "train",
        "text.txt",
        "-o",
        "m",
        "--max-steps",
        "1000000",
        "--eval-every",
        "5",
    ];
    let mut first = folder
        .command(&[&long[..], &["--hidden-size", "8"]].concat())
        .spawn()
        .unwrap();
    first
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut [0; 10])
        .unwrap();
    let message =
        "cannot save m: another run saves there, expected that run to end or another path";
    folder
        .train(&["text.txt", "-o", "m", "--force"])
        .fails(1, message);
    resume(&folder, &[]).fails(1, message);
    first.kill().unwrap();
    first.wait().unwrap();
    // The lock ends with its holder; the file that it leaves bars nobody and goes at the next end.
    folder.train(&["text.txt", "-o", "m", "--force"]).ok();
    assert_eq!(folder.names(), ["m", "m.resume", "text.txt"]);
}

#[test]
fn leftovers_of_a_killed_save_are_cleaned() {
    let folder = finished();
    for name in ["m.tmp", "m.resume.tmp", "m.lock"] {
        folder.write(name, "left over");
    }
    resume(&folder, &["--max-steps", "30"]).ok();
    assert_eq!(folder.names(), ["m", "m.resume", "text.txt"]);
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
    resume(&folder, &["--max-steps", "30"]).ok();
    assert!(fs::symlink_metadata(folder.path("m")).unwrap().is_symlink());
    assert_eq!(folder.names(), ["disk", "m", "text.txt"]);
    assert_eq!(fs::read_dir(folder.path("disk")).unwrap().count(), 2);
}

/// A save fails here because a folder stands where its temporary file should be.
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
        let obstacle = folder.path("m.resume.tmp");
        while fs::create_dir(&obstacle).is_err() {}
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut warning = String::new();
        stderr.read_line(&mut warning).unwrap();
        assert_eq!(
            warning,
            "warning: cannot save m.resume: is a directory; training goes on\n"
        );
        if is_mended {
            fs::remove_dir(&obstacle).unwrap();
        }
        let unsaved = lines
            .map(|line| line.unwrap())
            .filter(|line| !line.ends_with("saved"));
        assert!(unsaved.count() > 0);
        let mut said = String::new();
        stderr.read_to_string(&mut said).unwrap();
        let code = child.wait().unwrap().code();
        if is_mended {
            assert_eq!(code, Some(0), "{said}");
            assert!(folder.read("m") == folder.read("straight"));
        } else {
            assert_eq!(code, Some(1), "{said}");
            assert!(
                said.ends_with("error: cannot save m.resume: is a directory\n"),
                "{said}"
            );
            folder.run(&["inspect", "m"]).ok();
        }
    }
}
