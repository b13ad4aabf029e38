//! Drawing command lines.

use std::collections::BTreeMap;

use super::values;
use crate::cli_support::Folder;

/// The commands that are run; half of the runs are of the first.
pub(super) const COMMANDS: [&str; 8] = [
    "train", "sample", "score", "view", "inspect", "import", "check", "demo",
];

/// Pairs of flags of which the second goes where both are drawn, by command.
const CONFLICTS: &[(&str, &str, &[&str])] = &[
    ("train", "resume", &["output", "init-from", "dry-run"]),
    (
        "train",
        "init-from",
        &[
            "orthogonal",
            "forget-bias",
            "cell",
            "hidden-size",
            "num-layers",
            "bytes",
            "unknown",
        ],
    ),
    ("train", "bytes", &["unknown"]),
    ("train", "more", &["max-epochs", "max-steps", "time"]),
    ("train", "time", &["max-epochs", "max-steps"]),
    ("train", "max-epochs", &["max-steps"]),
    ("train", "clip-value", &["clip"]),
    ("sample", "greedy", &["temperature", "top-k", "top-p"]),
    ("score", "per-line", &["per-char"]),
    ("view", "json", &["output", "force"]),
];

/// What a flag needs beside it.
const NEEDS: &[(&str, &str, &[&str])] = &[
    ("nesterov", "momentum", &["0.9", "0.5"]),
    ("momentum", "optimizer", &["sgd"]),
    ("alpha", "optimizer", &["rmsprop"]),
    ("weight-decay", "optimizer", &["adamw"]),
    ("warmup-steps", "schedule", &["cosine", "warmup-decay"]),
    ("learning-rate-decay", "schedule", &["exponential"]),
    ("learning-rate-decay-after", "schedule", &["exponential"]),
    ("forget-bias", "cell", &["lstm"]),
];

/// What a run that goes on may be given.
const OF_A_RESUMED_RUN: [&str; 13] = [
    "resume",
    "more",
    "force",
    "quiet",
    "verbose",
    "max-steps",
    "time",
    "sample-every",
    "live",
    "metrics",
    "plot",
    "checkpoint-every",
    "threads",
];

/// What keeps a training short where nothing else is drawn.
const SMALL: [(&str, &str); 5] = [
    ("hidden-size", "8"),
    ("num-layers", "1"),
    ("batch-size", "4"),
    ("seq-length", "16"),
    ("eval-every", "10"),
];

/// Random numbers, the same in every release: Steele, Lea and Flood's SplitMix.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Random(seed)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len() as u64) as usize]
    }
}

/// A flag as `--help` tells of it.
#[derive(Debug)]
pub(super) struct Flag {
    pub(super) name: String,
    pub(super) takes_value: bool,
    /// The names among which it chooses, if it does.
    pub(super) choices: Vec<String>,
}

/// All flags of a command but `--help`.
pub(super) fn flags(command: &str) -> Vec<Flag> {
    let help = Folder::new().run(&[command, "--help"]).ok();
    let mut flags: Vec<Flag> = Vec::new();
    let mut lists = false;
    for line in help.text().lines().map(str::trim) {
        let long = line
            .split(' ')
            .take(2)
            .find_map(|word| word.strip_prefix("--"));
        if line.starts_with('-')
            && !line.starts_with("- ")
            && let Some(name) = long
        {
            lists = false;
            flags.push(Flag {
                name: name.to_owned(),
                takes_value: line.contains('<'),
                choices: Vec::new(),
            });
        } else if line == "Possible values:" {
            lists = true;
        } else if lists
            && let (Some(choice), Some(flag)) = (line.strip_prefix("- "), flags.last_mut())
        {
            let name = choice.split([':', ' ']).next().unwrap_or(choice);
            flag.choices.push(name.to_owned());
        }
    }
    flags.retain(|flag| flag.name != "help");
    assert!(!flags.is_empty(), "{command} tells of no flag");
    flags
}

/// A command line: most of the time one that can be meant.
pub(super) fn draw(command: &str, flags: &[Flag], random: &mut Random) -> Vec<String> {
    let share = *random.one(&[&5, &15, &40]);
    let mut drawn = BTreeMap::<&str, Option<String>>::new();
    for flag in flags {
        let is_needed = command == "import" && flag.name == "output";
        if !is_needed && random.below(100) >= share {
            continue;
        }
        let value = flag.takes_value.then(|| match flag.choices.as_slice() {
            [] => {
                let values = values::of(command, &flag.name);
                let values = values.unwrap_or_else(|| panic!("--{} has no values", flag.name));
                // The ends of a range are drawn less often, or next to nothing would run.
                let plausible = values.len().div_ceil(2);
                let end = if random.below(4) == 0 {
                    values.len()
                } else {
                    plausible
                };
                values[random.below(end as u64) as usize].to_owned()
            }
            names => names[random.below(names.len() as u64) as usize].clone(),
        });
        drawn.insert(&flag.name, value);
    }
    let mut place = random.one(values::positional(command));
    if random.below(10) > 0 {
        make_valid(command, &mut drawn, random);
        if command == "train" {
            place = fit_text(place, &mut drawn);
        }
    }
    let mut args = vec![command.to_owned()];
    for (name, value) in drawn {
        args.push(match value {
            Some(value) => format!("--{name}={value}"),
            None => format!("--{name}"),
        });
    }
    args.extend(place.iter().map(|&path| path.to_owned()));
    args
}

/// Takes away what contradicts, adds what is needed, and keeps training short.
fn make_valid(command: &str, drawn: &mut BTreeMap<&str, Option<String>>, random: &mut Random) {
    if drawn.contains_key("resume") {
        drawn.retain(|name, _| OF_A_RESUMED_RUN.contains(name));
    }
    if !drawn.contains_key("resume") {
        drawn.remove("more");
    }
    for (of, flag, others) in CONFLICTS {
        if *of == command && drawn.contains_key(flag) {
            drawn.retain(|name, _| !others.contains(name));
        }
    }
    if drawn.contains_key("quiet") {
        drawn.remove("verbose");
    }
    if command != "train" || drawn.contains_key("resume") {
        return;
    }
    for (flag, other, values) in NEEDS {
        if drawn.contains_key(flag) {
            drawn.insert(other, Some(random.one(values).to_owned()));
        }
    }
    // Two of those may ask for different choices of a third.
    let is = |drawn: &BTreeMap<&str, Option<String>>, flag: &str, value: &str| {
        drawn.get(flag).and_then(Option::as_deref) == Some(value)
    };
    for (flag, other, values) in NEEDS.iter().rev() {
        if drawn.contains_key(flag) && !values.iter().any(|value| is(drawn, other, value)) {
            drawn.remove(flag);
        }
    }
    let begins = drawn.contains_key("init-from");
    for (flag, value) in SMALL {
        if !(begins && ["hidden-size", "num-layers"].contains(&flag)) {
            drawn.entry(flag).or_insert_with(|| Some(value.to_owned()));
        }
    }
    if !["max-steps", "max-epochs", "time"]
        .iter()
        .any(|flag| drawn.contains_key(flag))
    {
        drawn.insert("max-steps", Some("20".to_owned()));
    }
}

/// Makes text and flags go together; the text.
fn fit_text<'a>(place: &'a [&'a str], drawn: &mut BTreeMap<&str, Option<String>>) -> &'a [&'a str] {
    let resumed = drawn.get("resume").cloned().flatten();
    if let Some(run) = resumed {
        let is_fixed = ["max-steps", "more"]
            .iter()
            .any(|flag| drawn.contains_key(flag));
        if run.starts_with("open") && !is_fixed {
            drawn
                .entry("time")
                .or_insert_with(|| Some("0.3s".to_owned()));
        }
        return &["text.txt"];
    }
    if place.len() > 1 || place[0] == "-" {
        drawn
            .entry("output")
            .or_insert_with(|| Some("new".to_owned()));
    }
    if place[0] == "bytes.bin" {
        drawn.retain(|name, _| !["records", "unknown", "init-from"].contains(name));
        drawn.insert("bytes", None);
    }
    place
}
