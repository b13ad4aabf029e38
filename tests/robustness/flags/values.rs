//! What flags are given: what people give them, and the ends of what they take.

/// A whole number of at least 1 that is small, or so large that only arithmetic can be wrong with it.
const COUNTS: &[&str] = &[
    "1",
    "2",
    "3",
    "5",
    "16",
    "4294967296",
    "9007199254740993",
    "18446744073709551615",
];
/// Sizes of what is held in memory: small, or beyond any.
const SIZES: &[&str] = &[
    "1",
    "2",
    "5",
    "16",
    "33",
    "1000000000000",
    "18446744073709551615",
];
/// Numbers of layers, each of which costs time.
const LAYERS: &[&str] = &["1", "2", "3", "1000000000000", "18446744073709551615"];
const SEEDS: &[&str] = &["0", "1", "42", "18446744073709551615"];
const POSITIVE: &[&str] = &[
    "0.001",
    "0.01",
    "1",
    "5",
    "5e-324",
    "1e-30",
    "1e30",
    "1.7976931348623157e308",
];
const NOT_NEGATIVE: &[&str] = &[
    "0",
    "-0.0",
    "0.1",
    "1",
    "5",
    "5e-324",
    "1e30",
    "1.7976931348623157e308",
];
const SHARES: &[&str] = &["0", "0.1", "0.5", "0.9", "1e-300", "0.9999999999999999"];
const PROBABILITIES: &[&str] = &["1", "0.9", "0.5", "1e-300", "5e-324", "0.9999999999999999"];
const TIMES: &[&str] = &[
    "0.01s",
    "0.3s",
    "1s",
    "1m",
    "1h30m",
    "1d",
    "0.000000001s",
    "10000000000000000000s",
    "18446744073709549568s",
];
const SPLITS: &[&str] = &[
    "0.9,0.1",
    "1",
    "0.8,0.1,0.1",
    "0.5,0.5",
    "0.05,0.95",
    "1,0",
    "0.999999999999,0.000000000001",
    "1e-300,1",
];
const TEXTS: &[&str] = &[
    "",
    "a",
    "line",
    "line 1",
    "\n",
    "-x",
    "--",
    "\u{1f600}",
    "\u{fffd}",
    "aaaaaaaaaaaaaaaaaaaa",
    "$HOME '\"\\",
];
const NEW: &[&str] = &[
    "new",
    "new.safetensors",
    "with space",
    "-",
    "m",
    "old",
    "missing/new",
];
const UNKNOWN_FILES: &[&str] = &["letters.txt", "text.txt", "tiny.txt"];

/// By command (`*` for all) and flag.
const TABLE: &[(&str, &str, &[&str])] = &[
    ("train", "output", NEW),
    (
        "train",
        "resume",
        &[
            "old",
            "old.resume",
            "open",
            "open.resume",
            "cosine",
            "records",
            "m",
        ],
    ),
    ("train", "init-from", &["m", "r", "b", "old"]),
    ("train", "hidden-size", SIZES),
    ("train", "num-layers", LAYERS),
    ("train", "dropout", SHARES),
    ("train", "weight-dropout", SHARES),
    ("train", "locked-dropout", &["true", "false"]),
    (
        "train",
        "forget-bias",
        &["1", "0", "-5", "1e38", "-1.7976931348623157e308"],
    ),
    ("train", "seq-length", SIZES),
    ("train", "horizon", COUNTS),
    ("train", "batch-size", SIZES),
    ("train", "shards", COUNTS),
    ("train", "learning-rate", POSITIVE),
    ("train", "momentum", SHARES),
    ("train", "alpha", SHARES),
    ("train", "weight-decay", NOT_NEGATIVE),
    (
        "train",
        "warmup-steps",
        &["0", "1", "2", "100", "18446744073709551615"],
    ),
    ("train", "learning-rate-decay", PROBABILITIES),
    ("train", "learning-rate-decay-after", COUNTS),
    ("train", "clip", NOT_NEGATIVE),
    ("train", "clip-value", POSITIVE),
    ("train", "seed", SEEDS),
    ("train", "max-epochs", &["1", "2", "18446744073709551615"]),
    (
        "train",
        "max-steps",
        &["1", "2", "20", "100", "18446744073709551615"],
    ),
    ("train", "time", TIMES),
    (
        "train",
        "more",
        &["1", "20", "0.3s", "0", "-1", "18446744073709551615"],
    ),
    ("train", "split", SPLITS),
    ("train", "eval-every", COUNTS),
    ("train", "patience", COUNTS),
    ("train", "sample-every", COUNTS),
    ("train", "metrics", &["new.jsonl", "-m"]),
    ("train", "plot", &["new.svg", "p.svg"]),
    ("train", "checkpoint-every", COUNTS),
    ("train", "threads", &["1", "2", "3", "64"]),
    (
        "sample",
        "length",
        &["1", "5", "300", "18446744073709551615"],
    ),
    ("sample", "temperature", NOT_NEGATIVE),
    ("sample", "top-k", COUNTS),
    ("sample", "top-p", PROBABILITIES),
    ("sample", "prime", TEXTS),
    ("sample", "stop", TEXTS),
    ("sample", "samples", SIZES),
    ("sample", "seed", SEEDS),
    ("sample", "threads", &["1", "2", "64"]),
    ("score", "threads", &["1", "2", "64"]),
    ("import", "vocabulary", UNKNOWN_FILES),
    ("import", "output", NEW),
    (
        "view",
        "output",
        &["new.html", "-", "with space", "m.html", "missing/new"],
    ),
    ("view", "characters", SIZES),
    ("check", "num-layers", LAYERS),
    ("check", "dropout", SHARES),
    ("check", "seed", SEEDS),
    (
        "demo",
        "text",
        &[
            "hello",
            "ab",
            "aa",
            "a",
            "",
            "abracadabra",
            "\u{1f600}\u{301}x",
            "a\nb\tc",
        ],
    ),
    ("demo", "hidden", SIZES),
    ("demo", "epochs", &["1", "2", "100", "18446744073709551615"]),
    ("demo", "learning-rate", POSITIVE),
    ("demo", "seed", SEEDS),
];

/// The values of a flag that does not choose among names.
pub(super) fn of(command: &str, flag: &str) -> Option<&'static [&'static str]> {
    TABLE
        .iter()
        .find(|(name, known, _)| (*name, *known) == (command, flag))
        .map(|(_, _, values)| *values)
}

/// All flags that have values here.
pub(super) fn named() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.iter().map(|&(command, flag, _)| (command, flag))
}

/// What stands before the flags.
pub(super) fn positional(command: &str) -> &'static [&'static [&'static str]] {
    match command {
        "train" => &[
            &["text.txt"],
            &["text.txt"],
            &["text.txt"],
            &["odd.txt"],
            &["tiny.txt"],
            &["bytes.bin"],
            &["folder"],
            &["text.txt", "odd.txt"],
            &["-"],
        ],
        "sample" | "inspect" => &[&["m"], &["r"], &["b"], &["-"], &["old.resume"]],
        "score" => &[
            &["m", "text.txt"],
            &["m", "text.txt"],
            &["r", "text.txt", "odd.txt"],
            &["b", "bytes.bin"],
            &["m", "-"],
            &["m", "tiny.txt"],
        ],
        "view" => &[
            &["m", "text.txt"],
            &["r", "text.txt"],
            &["b", "bytes.bin"],
            &["m", "-"],
            &["m", "tiny.txt"],
        ],
        "import" => &[&["lstm"], &["lstm"], &["gru"], &["-"], &["m"]],
        _ => &[&[]],
    }
}
