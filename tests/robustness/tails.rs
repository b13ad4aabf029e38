//! Ends of files that a power cut has left as zeros, as anything else, or not at all: of one file of a
//! run, and of several at once.

use crate::cli_support::{Folder, TINY};
use crate::snapshot;

/// The files of a run.
const FILES: [&str; 4] = ["m", "m.resume", "log", "curve.svg"];

/// What is done to the end of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Damage {
    Missing,
    Zeroed,
    Garbage,
}

fn train(flags: &[&'static str]) -> Vec<&'static str> {
    let start = [
        "train",
        "text.txt",
        "--metrics",
        "log",
        "--plot",
        "curve.svg",
    ];
    [&start[..], flags].concat()
}

/// A folder with a run of 20 steps, and what it is after 40.
fn folder() -> (Folder, Vec<Vec<u8>>) {
    let folder = Folder::with_text();
    folder
        .run(&[&train(&["-o", "m", "--schedule", "constant"])[..], &TINY].concat())
        .ok();
    let before = FILES.map(|name| folder.read(name));
    folder
        .run(&train(&["--resume", "m", "--max-steps", "40"]))
        .ok();
    let after = FILES.map(|name| folder.read(name)).to_vec();
    for (name, content) in FILES.iter().zip(before) {
        folder.write(name, content);
    }
    (folder, after)
}

/// A file whose last part, from `at` on, is damaged.
fn damaged(content: &[u8], at: usize, damage: Damage) -> Vec<u8> {
    let (whole, tail) = content.split_at(at);
    let garbage = (0..tail.len()).map(|at| (at * 151 + 7) as u8);
    match damage {
        Damage::Missing => whole.to_vec(),
        Damage::Zeroed => [whole, &vec![0; tail.len()]].concat(),
        Damage::Garbage => whole.iter().copied().chain(garbage).collect(),
    }
}

/// The steps of metrics, each line of which must be whole.
fn steps(metrics: &[u8]) -> Vec<u64> {
    let text = std::str::from_utf8(metrics).expect("UTF-8");
    assert!(text.ends_with('\n'));
    let step = |line| {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        line["step"].as_u64().expect("a number")
    };
    text.lines().map(step).collect()
}

/// Goes on with the run, some of whose files are damaged from these places on.
fn check(folder: &Folder, after: &[Vec<u8>], damages: &[(usize, usize, Damage)]) {
    let sound = snapshot::of(&folder.path(""));
    for &(file, at, damage) in damages {
        let content = folder.read(FILES[file]);
        folder.write(FILES[file], damaged(&content, at, damage));
    }
    let before = snapshot::of(&folder.path(""));
    let run = folder.run(&train(&["--resume", "m", "--max-steps", "40"]));
    if damages.iter().any(|&(file, ..)| FILES[file] == "m.resume") {
        assert_eq!(run.code, Some(1), "{damages:?}: {run:?}");
        assert!(
            run.stderr.starts_with("error: cannot read m.resume: "),
            "{run:?}"
        );
        assert!(snapshot::of(&folder.path("")) == before, "{damages:?}");
    } else if run.code == Some(1) {
        // So little is left that it could be somebody else's file; then it stays as it is.
        let is_short =
            |&(_, at, damage): &(usize, usize, Damage)| at < 64 && damage != Damage::Zeroed;
        assert!(damages.iter().any(is_short), "{damages:?}: {run:?}");
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
        assert!(snapshot::lost(&before, &snapshot::of(&folder.path("")), &[]).is_empty());
    } else {
        assert_eq!(run.code, Some(0), "{damages:?}: {run:?}");
        for (name, content) in FILES.iter().zip(after) {
            let is_same = match *name {
                "log" => steps(&folder.read(name)) == steps(content),
                name => folder.read(name) == *content,
            };
            assert!(is_same, "{damages:?}: {name} differs: {run:?}");
        }
        // What is not nothing was put aside.
        let copy = folder.path(".log.damaged-1");
        if run.stderr.contains("log is damaged") {
            let log = before.get(std::path::Path::new("log"));
            let kept = std::fs::read(&copy).expect("a copy");
            assert_eq!(log, Some(&snapshot::Entry::File(kept)));
            std::fs::remove_file(copy).expect("it is there");
        } else {
            assert!(!copy.exists());
        }
    }
    for (path, entry) in &sound {
        if let snapshot::Entry::File(content) = entry {
            folder.write(path.to_str().expect("a name of ours"), content);
        }
    }
}

#[test]
fn damaged_ends_of_one_file_and_of_several_lose_nothing() {
    let (folder, after) = folder();
    let all = [Damage::Missing, Damage::Zeroed, Damage::Garbage];
    let mut cases = 0;
    let places = |name: &str| {
        let len = folder.read(name).len();
        [0, 1, 8, 9, 30, 100, len / 2, len - 1].map(|at| at.min(len - 1))
    };
    for (file, name) in FILES.iter().enumerate() {
        for damage in all {
            for at in places(name) {
                check(&folder, &after, &[(file, at, damage)]);
                cases += 1;
            }
        }
    }
    for (one, other) in [(0, 2), (0, 3), (2, 3), (0, 1), (1, 2)] {
        for damage in all {
            for (at, there) in places(FILES[one])
                .into_iter()
                .zip(places(FILES[other]).into_iter().rev())
            {
                check(
                    &folder,
                    &after,
                    &[(one, at, damage), (other, there, Damage::Zeroed)],
                );
                cases += 1;
            }
        }
    }
    println!("{cases} cases");
}

#[test]
fn a_zeroed_or_empty_lock_bars_nobody() {
    let (folder, _) = folder();
    for content in [&b""[..], &[0; 50], &[0; 4096]] {
        folder.write("m.lock", content);
        folder.run(&train(&["--resume", "m"])).ok();
    }
}
