//! Every large request of a command refused in turn, alone or with all that follow.
//!
//! Rust ends the program where a request is refused, unless it was made by a function that can fail.
//! Ours are made so from a few kilobytes on; those below, and those inside other crates, are not. What
//! such a one leads to is no crash either: the program fails with the standard library's own words. Which
//! commands come to that, and where, stands in [`OTHERS`]: the tests here refuse every single request of
//! 64 KiB or more. Requests from 4 KiB on are for `-- --ignored`, where only crashes are errors.

use std::collections::BTreeMap;

use super::{End, Start, commands, end};

/// Requests that the tests refuse are at least so large.
const LARGE: usize = 64 << 10;
/// Commands in which other crates ask for that much, and whose: what they fail with is not ours to say.
const OTHERS: [(&str, &str); 1] = [("view", "serde_json, which holds the numbers")];

/// Refuses requests of at least so many bytes in turn, each or, the further the rarer, some. Returns how
/// the runs of each command ended.
fn refuse(size: usize, is_each: bool) -> BTreeMap<(&'static str, End), usize> {
    let start = Start::new();
    let mut ends = BTreeMap::new();
    for (name, args) in commands() {
        for stays in [false, true] {
            let mut at = 1;
            loop {
                let folder = start.folder(name);
                let Some(run) = folder.run_without_memory(&args, size, at, stays) else {
                    break;
                };
                let case = format!("{name}, request {at}{}", if stays { " and on" } else { "" });
                let end = end(&run, &case);
                if end == End::Untold {
                    let words = run.stderr.lines().find(|line| line.starts_with("memory"));
                    println!("{case}: {}", words.unwrap_or_default());
                }
                *ends.entry((name, end)).or_insert(0) += 1;
                start.check_files(&folder, &case);
                at += if is_each { 1 } else { 1 + at / 3 };
            }
        }
    }
    for ((name, end), count) in &ends {
        println!("{name:<18} {end:?} {count}");
    }
    ends
}

#[test]
fn every_large_request_that_is_refused_is_told() {
    if crate::fault_support::memory_shim().is_none() {
        return;
    }
    let ends = refuse(LARGE, false);
    for (name, end) in ends.keys().filter(|(_, end)| *end == End::Untold) {
        assert!(
            OTHERS.iter().any(|(command, _)| command == name),
            "{name} ended {end:?}"
        );
    }
    for name in ["train", "sample", "score", "view", "inspect", "demo"] {
        assert!(
            ends.contains_key(&(name, End::Told)),
            "{name} was refused nothing"
        );
    }
}

#[test]
#[ignore = "minutes"]
fn no_request_that_is_refused_is_a_crash() {
    if crate::fault_support::memory_shim().is_some() {
        refuse(LARGE, true);
        refuse(4 << 10, true);
    }
}
