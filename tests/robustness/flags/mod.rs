//! Random combinations of all flags of all commands that take any, with plausible and extreme values,
//! on tiny texts and models, each with a time limit.
//!
//! Which flags there are, and which of them choose among names, is read from `--help`, so a new flag
//! takes part; [`values`] says what else to give them, and a test tells of a flag that it forgets.
//! A run fails the test if it hangs, crashes, ends otherwise than documented, leaves a file that it
//! should not, or changes one. `SEED` and `CASES` choose other runs than those of every day.

mod case;
mod ending;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::cli_support::Folder;
use case::{COMMANDS, Flag, Random, draw, flags};

/// The number that a variable holds.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// Runs so many combinations, half of them of `train`.
#[track_caller]
fn try_out(cases: u64) {
    let (seed, cases) = (number("SEED", 1), number("CASES", cases));
    let all: Vec<(&str, Vec<Flag>)> = COMMANDS.iter().map(|&name| (name, flags(name))).collect();
    let next = AtomicU64::new(0);
    let failures = Mutex::new(Vec::new());
    let counts = Mutex::new(BTreeMap::<(&str, String), u32>::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let case = next.fetch_add(1, Ordering::Relaxed);
                    if case >= cases {
                        break;
                    }
                    // Each from a seed of its own, so that one can be repeated alone.
                    let mut random = Random::new(seed.wrapping_mul(1 << 32).wrapping_add(case));
                    let at = random.below(2 * all.len() as u64) as usize;
                    let (command, flags) = &all[at.saturating_sub(all.len())];
                    let args = draw(command, flags, &mut random);
                    let outcome = ending::check(&args);
                    let kind = outcome
                        .as_ref()
                        .map_or("failed".into(), |code| code.to_string());
                    *counts.lock().unwrap().entry((command, kind)).or_default() += 1;
                    if let Err(why) = outcome {
                        let failure = format!("SEED={seed}, case {case}: {args:?}\n  {why}");
                        // At once, since thousands take their time.
                        let _ = writeln!(io::stderr(), "{failure}");
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let (failures, counts) = (failures.into_inner().unwrap(), counts.into_inner().unwrap());
    let _ = writeln!(io::stderr(), "SEED={seed} CASES={cases}: {counts:?}");
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
    // What is refused all the time finds nothing.
    for &command in &COMMANDS {
        let of = |kind: &str| {
            counts
                .get(&(command, kind.to_owned()))
                .copied()
                .unwrap_or(0)
        };
        let all: u32 = counts
            .iter()
            .filter(|((name, _), _)| *name == command)
            .map(|(_, count)| count)
            .sum();
        let worked = of("0") + of("130");
        assert!(
            4 * worked >= all,
            "{command}: {worked} of {all} did anything"
        );
    }
}

#[test]
fn some_hundred_combinations_end_as_documented() {
    try_out(300);
}

#[test]
#[ignore = "takes some ten minutes"]
fn thousands_of_combinations_end_as_documented() {
    try_out(12_000);
}

#[test]
fn every_flag_takes_part() {
    let mut known = BTreeSet::new();
    for command in COMMANDS {
        for flag in flags(command) {
            if flag.takes_value && flag.choices.is_empty() {
                assert!(
                    values::of(command, &flag.name).is_some(),
                    "{command} --{} has no values to be tried out with: add them to tests/robustness/flags/values.rs",
                    flag.name
                );
            }
            known.insert((command, flag.name));
        }
    }
    for (command, name) in values::named() {
        assert!(
            known.contains(&(command, name.to_owned())),
            "{command} has no --{name} any more"
        );
    }
    // What is run is all that there is, but for what writes scripts and manuals.
    let help = String::from_utf8(Folder::new().run(&["--help"]).ok().stdout).expect("UTF-8");
    let list = help.split("Commands:").nth(1).expect("a list");
    let list = list.split("Options:").next().expect("its end");
    let names = list
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next());
    let others = ["completions", "man", "help"];
    let names: BTreeSet<&str> = names.filter(|name| !others.contains(name)).collect();
    assert_eq!(names, BTreeSet::from(COMMANDS));
}
