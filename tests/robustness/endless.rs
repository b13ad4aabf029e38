//! What has no end, or none that memory or numbers can hold: files, standard input, vocabularies,
//! weights, samples that wait, pages.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::process::Stdio;

use crate::cli_support::ending::fails;
use crate::cli_support::{Folder, TINY};

#[test]
fn of_a_huge_file_that_is_no_model_little_is_read() {
    const TERABYTE: u64 = 1 << 40;
    let folder = Folder::with_text();
    let header = b"{\"__metadata__\":{\"rnn\":\"\"}}      ";
    let sound = [&(header.len() as u64).to_le_bytes()[..], header].concat();
    let too_long = format!(
        "it is not a safetensors file: its header would have {} bytes, expected at most 33554432",
        u64::from_le_bytes(*b"to be or")
    );
    let cases: [(&[u8], &str); 3] = [
        (
            &sound,
            "its 1099511627776 bytes are not as many as its header says: \
             it is cut short or not a safetensors file",
        ),
        (b"to be or not to be", &too_long),
        (
            &[0; 8],
            "it is not a safetensors file: its header is damaged: \
             EOF while parsing a value at line 1 column 0",
        ),
    ];
    for (start, what) in cases {
        folder.write("huge", start);
        let file = File::options().write(true).open(folder.path("huge"));
        file.expect("a file")
            .set_len(TERABYTE)
            .expect("a hole takes no room");
        let message = format!("cannot read huge: not a model of this program: {what}");
        for args in [
            &["inspect", "huge"][..],
            &["sample", "huge"],
            &["train", "text.txt", "-o", "m", "--init-from", "huge"],
        ] {
            fails(&mut folder.command(args), 1, &message);
        }
        let message = format!("cannot read huge: not a network to import: {what}");
        fails(
            &mut folder.command(&["import", "huge", "-o", "m"]),
            1,
            &message,
        );
        fs::rename(folder.path("huge"), folder.path("m.resume")).expect("the same folder");
        let message = format!("cannot read m.resume: not a model of this program: {what}");
        let resume = ["train", "text.txt", "--resume", "m"];
        fails(&mut folder.command(&resume), 1, &message);
        fs::remove_file(folder.path("m.resume")).expect("it is there");
    }
}

#[test]
fn a_standard_input_without_end_is_no_model() {
    let folder = Folder::new();
    let zeros = || Stdio::from(File::open("/dev/zero").expect("a device"));
    let what = "it is not a safetensors file: its header is damaged: \
                EOF while parsing a value at line 1 column 0";
    let message = format!("standard input: not a model of this program: {what}");
    fails(
        folder.command(&["inspect", "-"]).stdin(zeros()),
        1,
        &message,
    );
    let message = format!("standard input: not a network to import: {what}");
    fails(
        folder.command(&["import", "-", "-o", "m"]).stdin(zeros()),
        1,
        &message,
    );
    // One that says that it has no end.
    let header = br#"{"a":{"dtype":"U8","shape":[9007199254740992],"data_offsets":[0,9007199254740992]}}    "#;
    let start = [&(header.len() as u64).to_le_bytes()[..], header].concat();
    let run = folder.run_with_input(&["inspect", "-"], &start);
    run.fails(1, "cannot read standard input: out of memory");
}

#[test]
fn a_vocabulary_without_end_is_refused() {
    let folder = Folder::new();
    let fixture = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/imports/gru_2.safetensors"
    );
    let import = ["import", fixture, "-o", "m", "--vocabulary"];
    let message = "/dev/zero is not a vocabulary: it has more bytes than all characters together";
    fails(
        &mut folder.command(&[&import[..], &["/dev/zero"]].concat()),
        1,
        message,
    );
    folder.write("latin", b"abc\xe9");
    let message =
        "cannot read latin: byte 0xe9 at byte offset 3 is not valid UTF-8; use UTF-8 text";
    fails(
        &mut folder.command(&[&import[..], &["latin"]].concat()),
        1,
        message,
    );
}

#[test]
fn weights_beyond_all_numbers_are_not_saved_and_their_run_goes_on() {
    let folder = Folder::with_text();
    let wild = [
        "--learning-rate",
        "1e300",
        "--schedule",
        "constant",
        "--force",
    ];
    let train = |more: &[&str]| {
        folder.run(
            &[
                &["train", "text.txt"][..],
                more,
                &wild,
                &TINY[..4],
                &["--max-steps", "3"],
            ]
            .concat(),
        )
    };
    train(&["-o", "m"]).ok();
    folder.run(&["sample", "m"]).ok();
    folder
        .run(&["train", "text.txt", "--resume", "m", "--max-steps", "4"])
        .ok();
    // Without a held-out text the last weights are the model, and these are none.
    let what = "its weights are not finite; try a smaller learning rate";
    let run = train(&["-o", "n", "--split", "1"]);
    let last = run.stderr.lines().last();
    assert_eq!(
        (run.code, last),
        (Some(1), Some(&*format!("error: cannot save n: {what}")))
    );
    assert!(!folder.path("n").exists());
    let run = train(&["-o", "-", "--split", "1"]);
    let last = run.stderr.lines().last();
    assert_eq!(
        (run.code, last),
        (
            Some(1),
            Some(&*format!("error: cannot save standard output: {what}"))
        )
    );
    assert!(run.stdout.is_empty());
}

#[test]
fn samples_that_wait_for_others_do_not_fill_the_memory() {
    let folder = Folder::with_model();
    let many = [
        "sample",
        "model.safetensors",
        "--samples",
        "10000",
        "--length",
        "1000000",
    ];
    let run = folder.run_limited("ulimit -v 400000", &many);
    let said = "error: this needs 9999000000 bytes (10.0 GB) of memory; ";
    assert!(run.stderr.starts_with(said), "{}", run.stderr);
    assert_eq!((run.code, run.stderr.lines().count()), (Some(1), 1));
    // A stop may end them all early, so the end of memory is told when it comes.
    let stop = [&many[..], &["--stop", "never to be seen"]].concat();
    // Characters of four bytes from one unit fill it soonest.
    folder.write("wide.txt", "\u{1f600}\u{1f601}".repeat(200));
    let train = ["train", "wide.txt", "-o", "model.safetensors", "--force"];
    folder
        .run(&[&train[..], &["--hidden-size", "1"], &TINY[2..]].concat())
        .ok();
    let run = folder.run_limited("export RAYON_NUM_THREADS=2; ulimit -v 60000", &stop);
    let said = "error: not enough memory for samples that wait for earlier ones; use fewer or shorter samples";
    assert!(run.stderr.starts_with(said), "{}", run.stderr);
    assert_eq!((run.code, run.stderr.lines().count()), (Some(1), 1));
}

#[test]
fn a_view_of_more_than_memory_holds_is_an_error() {
    let folder = Folder::with_model();
    folder.write("long.txt", crate::cli_support::text().repeat(600));
    let view = [
        "view",
        "model.safetensors",
        "long.txt",
        "--characters",
        "18446744073709551615",
    ];
    for more in [&["-o", "page.html"][..], &["--json"]] {
        let run = folder.run_limited("ulimit -v 400000", &[&view[..], more].concat());
        let said = "error: this needs ";
        assert!(run.stderr.starts_with(said), "{}", run.stderr);
        assert_eq!((run.code, run.stderr.lines().count()), (Some(1), 1));
    }
    assert!(!folder.path("page.html").exists());
}
