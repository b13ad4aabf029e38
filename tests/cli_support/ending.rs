//! Commands that may not wait for ever, and how they end.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Far longer than any of these take; for what would wait for ever.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs a command that may not wait for ever.
#[track_caller]
pub(crate) fn end(command: &mut Command) -> Output {
    let mut child = command.spawn().expect("the binary runs");
    let start = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if start.elapsed() > LIMIT {
            child.kill().expect("it runs still");
            panic!("it waits for ever");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().expect("it has ended")
}

/// Asserts how a command ends, and all that it says.
#[track_caller]
pub(crate) fn fails(command: &mut Command, code: i32, message: &str) {
    let output = end(command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, format!("error: {message}\n"));
    assert_eq!(output.status.code(), Some(code));
}
