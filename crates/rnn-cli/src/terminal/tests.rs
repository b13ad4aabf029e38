//! What `tests/robustness/terminal.rs` cannot bring about from outside: a panic.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use crate::live::{Board, Live};

#[test]
#[ignore = "is run by the test below, on a terminal"]
fn panics_under_the_picture() {
    let _live = Live::new(Board::new("m".into())).expect("a picture");
    panic!("on purpose");
}

#[test]
fn a_panic_is_read_after_the_picture() {
    let tests = std::env::current_exe().expect("this program");
    let name = "terminal::tests::panics_under_the_picture";
    let inner = format!(
        "stty rows 30 cols 100; stty -g; '{}' {name} --exact --ignored --nocapture; stty -g",
        tests.display()
    );
    let output = Command::new("script")
        .args(["--quiet", "--command", &inner, "/dev/null"])
        .env("TERM", "xterm-256color")
        .stdin(Stdio::null())
        .output();
    let Ok(output) = output else {
        let _ = writeln!(
            io::stderr(),
            "SKIPPED: there is no script (util-linux) here"
        );
        return;
    };
    let seen = String::from_utf8_lossy(&output.stdout);
    let (before, rest) = seen.split_once("\x1b[?1049h").expect("a picture");
    let (picture, after) = rest.split_once("\x1b[?1049l").expect("its end");
    assert!(
        !picture.contains("on purpose") && after.contains("on purpose"),
        "{seen:?}"
    );
    assert!(!after.contains("\x1b[?1049l"), "twice: {seen:?}");
    assert_eq!(
        before.lines().next(),
        after.trim_end().lines().last(),
        "stty differs"
    );
}
