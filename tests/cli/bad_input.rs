//! Bad input of every kind: one clear line, exit code 1, and nothing left behind.

use std::fs;

use crate::cli_support::{Folder, TINY};

const EMPTY: &str = "the text is empty; use at least 2 characters";
const REPEATED: &str = "the text has only the character 'a'; use at least 2 distinct characters";

/// Trains on a text with this content, which must fail and leave no model.
#[track_caller]
fn refuses(content: &[u8], message: &str) {
    let folder = Folder::new();
    folder.write("t.txt", content);
    folder.train(&["t.txt", "-o", "m"]).fails(1, message);
    assert_eq!(folder.names(), ["t.txt"]);
}

/// Trains on a text with this content, which must work, and returns the notes.
#[track_caller]
fn accepts(content: &[u8]) -> (Folder, Vec<String>) {
    let folder = Folder::new();
    folder.write("t.txt", content);
    let run = folder.train(&["t.txt", "-o", "m"]).ok();
    let notes = run
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("note: "));
    let notes = notes.map(str::to_owned).collect();
    folder.run(&["sample", "m", "-n", "5"]).ok();
    (folder, notes)
}

#[test]
fn a_file_that_is_not_there() {
    let folder = Folder::new();
    folder
        .train(&["nowhere.txt"])
        .fails(1, "cannot read nowhere.txt: no such file");
    folder
        .run(&["sample", "nowhere"])
        .fails(1, "cannot read nowhere: no such file");
    assert!(folder.names().is_empty());
}

#[test]
fn a_folder_without_a_file() {
    let folder = Folder::new();
    fs::create_dir(folder.path("texts")).unwrap();
    folder.train(&["texts"]).fails(1, "texts contains no files");
    let message = "cannot read texts: not a model of this program: it is a folder, not a file";
    folder.run(&["inspect", "texts"]).fails(1, message);
}

#[test]
fn texts_with_nothing_to_learn() {
    refuses(b"", &format!("cannot use t.txt: {EMPTY}"));
    refuses(b"a", &format!("cannot use t.txt: {REPEATED}"));
    refuses(&[b'a'; 5000], &format!("cannot use t.txt: {REPEATED}"));
    refuses(b"\xef\xbb\xbf", &format!("cannot use t.txt: {EMPTY}"));
    let args = [&["train", "-", "-o", "m"], TINY.as_slice()].concat();
    Folder::new()
        .run_with_input(&args, b"")
        .fails(1, &format!("cannot use standard input: {EMPTY}"));
}

#[test]
fn a_short_text_shrinks_the_batch_then_the_window() {
    let fitted = |content: &str| accepts(content.as_bytes()).1[0].clone();
    let short = |n, fit| {
        format!(
            "training text of {n} characters is short for a batch of 4 windows of 16: using {fit}"
        )
    };
    assert_eq!(fitted(&"abcde".repeat(10)), short(45, "2 of 16"));
    assert_eq!(fitted("abcabc"), short(6, "1 of 5"));
    assert_eq!(fitted("ab"), short(2, "1 of 1"));
}

#[test]
fn too_little_to_learn_from_says_how_much_is_needed() {
    let folder = Folder::new();
    folder.write("t.txt", "abcabcabca");
    let message = "cannot use t.txt: the training text has 1 characters; use at least 2";
    folder
        .train(&["t.txt", "--split", "0.1,0.9"])
        .fails(1, message);
}

#[test]
fn invalid_utf8_is_told_with_its_offset() {
    let wrong = |byte, offset| {
        format!(
            "cannot read t.txt: byte 0x{byte} at byte offset {offset} is not valid UTF-8; use UTF-8 text, or train on bytes (--bytes)"
        )
    };
    refuses(b"abc\xff\xfedef", &wrong("ff", 3));
    refuses(b"abcabc caf\xc3", &wrong("c3", 10));
    let folder = Folder::new();
    folder.write("t.txt", b"abc\xff\xfedef");
    folder.train(&["t.txt", "-o", "m", "--bytes"]).ok();
}

#[test]
fn nul_and_crlf_are_learned_as_they_are() {
    let (folder, _) = accepts("one\r\ntwo\0three\r\n".repeat(20).as_bytes());
    let shown = folder.run(&["inspect", "m"]).ok();
    assert!(
        shown.text().contains("characters: \\0\\n\\rehn"),
        "{}",
        shown.text()
    );
}

#[test]
fn a_leading_byte_order_mark_is_dropped_saying_so() {
    let plain = "hello sea, hello shore\n".repeat(20);
    let (with_bom, notes) = accepts(format!("\u{feff}{plain}").as_bytes());
    assert_eq!(notes, ["ignored the byte order mark of the text"]);
    let (without, notes) = accepts(plain.as_bytes());
    assert!(notes.is_empty());
    assert_eq!(with_bom.read("m"), without.read("m"));
}

#[test]
fn a_prime_with_an_unknown_character_names_close_ones() {
    let folder = Folder::with_model();
    let message = "--prime: character 'é' (U+00E9) at character offset 1 is not in the vocabulary; similar: 'e', 'x', 'w', 'u', 't'";
    folder
        .run(&["sample", "model.safetensors", "--prime", "hé"])
        .fails(1, message);
}

#[test]
fn files_that_are_no_models() {
    let folder = Folder::with_model();
    let model = folder.read("model.safetensors");
    folder.write("half", &model[..model.len() / 2]);
    folder.write("damaged", {
        let mut bytes = model.clone();
        *bytes.last_mut().unwrap() ^= 1;
        bytes
    });
    folder.write("empty", "");
    // A header of 61 bytes, one tensor of one number, no metadata.
    let mut theirs = 61u64.to_le_bytes().to_vec();
    theirs.extend(br#"{"weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  "#);
    theirs.extend([0; 4]);
    folder.write("theirs", theirs);
    for name in ["half", "damaged", "empty", "theirs", "text.txt"] {
        for command in ["sample", "inspect"] {
            let run = folder.run(&[command, name]);
            let start = format!("error: cannot read {name}: not a model of this program: ");
            assert!(
                run.stderr.starts_with(&start) && run.stderr.lines().count() == 1,
                "{run:?}"
            );
            assert_eq!((run.code, run.text()), (Some(1), ""), "{name}");
        }
    }
}

#[test]
fn a_place_where_no_model_can_go() {
    let folder = Folder::with_text();
    let train = |target: &str, message: &str| {
        folder
            .run(&["train", "text.txt", "-o", target])
            .fails(1, message);
        assert_eq!(folder.names(), ["text.txt"]);
    };
    train(
        "missing/m",
        "cannot save missing/m: the folder missing does not exist",
    );
    train("text.txt/m", "cannot save text.txt/m: not a directory");
    train(".", "cannot save .: it is a folder, not a file");
}

/// Root may write anywhere a file system allows, so for root the kernel's own folder serves.
#[test]
fn a_folder_that_is_read_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::with_text();
    let locked = folder.path("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
    let is_root = fs::write(locked.join("probe"), "").is_ok();
    let target = if is_root { "/proc/m" } else { "locked/m" };
    let run = folder.run(&["train", "text.txt", "-o", target]);
    let reasons = [
        "no such file",
        "permission denied",
        "operation not permitted",
    ];
    let expected = reasons.map(|reason| format!("error: cannot save {target}: {reason}\n"));
    assert!(expected.contains(&run.stderr), "{run:?}");
    assert_eq!((run.code, run.text()), (Some(1), ""));
}

#[test]
fn a_run_that_diverges_says_what_helps() {
    let folder = Folder::with_text();
    let flags = [
        "--learning-rate",
        "1e38",
        "--clip",
        "0",
        "--optimizer",
        "sgd",
        "--max-steps",
        "200",
    ];
    let sizes = [
        "--cell",
        "rnn-relu",
        "--hidden-size",
        "16",
        "--schedule",
        "constant",
    ];
    let run = folder.run(&[&["train", "text.txt"], flags.as_slice(), &sizes].concat());
    assert_eq!(run.code, Some(1), "{run:?}");
    let last = run.stderr.lines().last().unwrap();
    assert!(
        last.starts_with("error: training diverged at step ") && last.contains("--clip"),
        "{last:?}"
    );
    assert!(run.stderr.contains("note: skipped step "), "{}", run.stderr);
}

#[test]
fn sizes_beyond_memory_are_refused_before_anything_is_allocated() {
    let folder = Folder::with_model();
    for args in [
        &[
            "train",
            "text.txt",
            "-o",
            "m",
            "--hidden-size",
            "32768",
            "--num-layers",
            "16",
        ][..],
        &["sample", "model.safetensors", "--samples", "1000000000000"],
    ] {
        let run = folder.run(args);
        assert_eq!((run.code, run.text()), (Some(1), ""), "{}", run.stderr);
        let (needed, available) = run
            .stderr
            .split_once(" GB) of memory; ")
            .expect("two figures");
        assert!(needed.starts_with("error: this needs "), "{needed}");
        assert!(available.contains(" available") || available.contains("than the system gives"));
    }
    assert_eq!(
        folder.names(),
        ["model.safetensors", "model.safetensors.resume", "text.txt"]
    );
}

/// A limit on the address space shows every allocation that nobody asked about first.
#[cfg(target_os = "linux")]
#[test]
fn a_limit_on_memory_gives_an_error_and_never_an_abort() {
    let folder = Folder::with_text();
    let binary = env!("CARGO_BIN_EXE_rnn-cli");
    let mut codes = std::collections::BTreeSet::new();
    for kilobytes in [16_000, 30_000, 60_000, 100_000, 150_000, 200_000, 300_000] {
        let command = format!(
            "ulimit -v {kilobytes}; exec '{binary}' train text.txt -o m --hidden-size 400 \
             --max-steps 1 --threads 2 --force"
        );
        let mut shell = std::process::Command::new("sh");
        let run = shell
            .args(["-c", &command])
            .current_dir(folder.path("."))
            .output();
        let run = run.expect("sh runs");
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        let code = run
            .status
            .code()
            .unwrap_or_else(|| panic!("{kilobytes} kB: {said}"));
        assert!(code < 2, "{kilobytes} kB: {said}");
        codes.insert(code);
    }
    assert_eq!(codes, [0, 1].into());
}
