//! `train --live`: a picture on a terminal, lines elsewhere, and the same model.
//!
//! A terminal is made by `script` of util-linux, which every Linux has; elsewhere those tests say
//! that they are skipped.
#![cfg(target_os = "linux")]

use std::io::Write;
use std::process::Child;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use crate::cli_support::{Folder, TINY};

/// Longer than any of this takes.
const LIMIT: Duration = Duration::from_secs(60);
const PICTURE_ON: &str = "\x1b[?1049h";
const PICTURE_OFF: &str = "\x1b[?1049l";

/// The binary on a terminal, ended when dropped.
struct Terminal {
    child: Child,
    pieces: Receiver<Vec<u8>>,
    /// All that has been shown.
    seen: Vec<u8>,
}

impl Terminal {
    /// `train` with these arguments on a terminal of 100 by 30; `None` where none can be made.
    fn start(folder: &Folder, args: &str) -> Option<Self> {
        let binary = env!("CARGO_BIN_EXE_rnn-cli");
        let command = format!("stty rows 30 cols 100; '{binary}' train text.txt {args}");
        let (child, pieces) = folder.on_terminal(&["--return"], &command)?;
        Some(Terminal {
            child,
            pieces,
            seen: Vec::new(),
        })
    }

    /// Reads until `part` has been shown.
    #[track_caller]
    fn wait_for(&mut self, part: &str) {
        let started = Instant::now();
        while !String::from_utf8_lossy(&self.seen).contains(part) {
            assert!(started.elapsed() < LIMIT, "{part:?} is never shown");
            self.seen
                .extend(self.pieces.recv_timeout(LIMIT).expect("something is shown"));
        }
    }

    /// Reads to the end; the exit code, and what was shown in the picture and after it.
    #[track_caller]
    fn end(mut self) -> (Option<i32>, String, String) {
        let started = Instant::now();
        while let Ok(piece) = self.pieces.recv_timeout(LIMIT) {
            self.seen.extend(piece);
            assert!(started.elapsed() < LIMIT, "the run never ends");
        }
        let code = self.child.wait().expect("an end").code();
        let seen = String::from_utf8_lossy(&self.seen);
        let (picture, after) = seen.split_once(PICTURE_OFF).expect("the picture ends");
        let picture = picture
            .split_once(PICTURE_ON)
            .expect("the picture begins")
            .1;
        (code, picture.to_owned(), after.to_owned())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The terminal goes with it, and that ends the run.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_terminal_gets_a_picture_and_then_the_lines() {
    let folder = Folder::with_text();
    let args = format!("-o m --live --seed 3 {}", TINY.join(" "));
    let Some(terminal) = Terminal::start(&folder, &args) else {
        return;
    };
    let (code, picture, after) = terminal.end();
    assert_eq!(code, Some(0), "{after}");
    for part in ["gradient norm", "sample", "Ctrl-C"] {
        assert!(picture.contains(part), "{part} in {picture:?}");
    }
    for part in [
        "step 10/20",
        "step 20/20",
        "try: rnn-cli sample m",
        "\x1b[?25h",
    ] {
        assert!(after.contains(part), "{part} in {after:?}");
    }
    // What is watched is what is not: the same model, byte for byte.
    folder.train(&["text.txt", "-o", "n", "--seed", "3"]).ok();
    assert_eq!(folder.read("m"), folder.read("n"));
}

#[test]
fn ctrl_c_under_the_picture_saves_and_says_how_to_go_on() {
    let folder = Folder::with_text();
    let args = "-o m --live --hidden-size 16 --num-layers 1 --batch-size 4 --seq-length 16 --max-steps 10000000";
    let Some(mut terminal) = Terminal::start(&folder, args) else {
        return;
    };
    // Only what changes is drawn again, so this is where the first sample gets its title.
    terminal.wait_for("at step ");
    let mut keys = terminal.child.stdin.take().expect("a pipe");
    keys.write_all(b"typed in vain")
        .expect("the terminal takes keys");
    keys.write_all(b"\x03").expect("the terminal takes keys");
    let (code, picture, after) = terminal.end();
    assert_eq!(code, Some(130), "{after}");
    assert!(!picture.contains("typed in vain"), "no echo");
    for part in ["and saved; ", "--resume m", "--live"] {
        assert!(after.contains(part), "{part} in {after:?}");
    }
    assert!(
        folder.names().contains(&"m.resume".to_owned()),
        "{:?}",
        folder.names()
    );
}

#[test]
fn a_pipe_gets_the_lines_that_it_gets_without_a_picture() {
    let folder = Folder::with_text();
    let live = folder.train(&["text.txt", "-o", "m", "--live"]).ok();
    let plain = folder.train(&["text.txt", "-o", "n"]).ok();
    // All but the speed.
    let words = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.split("  ").take(3).collect())
            .collect()
    };
    assert_eq!(words(live.text()), words(plain.text()));
    assert!(!live.text().contains('\x1b') && !live.stderr.contains('\x1b'));
    assert_eq!(folder.read("m"), folder.read("n"));
}

#[test]
fn a_long_text_is_seen_to_be_read_and_evaluated() {
    let folder = Folder::new();
    folder.write("text.txt", crate::cli_support::text().repeat(6000));
    let args = "-o m --cell rnn --hidden-size 4 --num-layers 1 --max-steps 1";
    let Some(mut terminal) = Terminal::start(&folder, args) else {
        return;
    };
    for part in [
        "reading ",
        "MiB/20.03 MiB",
        "evaluating on 1,000,000 characters",
        "try: rnn-cli sample m",
    ] {
        terminal.wait_for(part);
    }
}
