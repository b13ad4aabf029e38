//! A shell on a terminal, what is typed there, and what is shown.

use std::fs;
use std::io::Write;
use std::process::{Child, Command};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use crate::cli_support::Folder;

/// Longer than any of this takes.
const LIMIT: Duration = Duration::from_secs(90);
pub(super) const PICTURE_ON: &str = "\x1b[?1049h";
pub(super) const PICTURE_OFF: &str = "\x1b[?1049l";

/// A shell on a terminal of its own, ended when dropped.
pub(super) struct Terminal {
    pub(super) folder: Folder,
    child: Child,
    pieces: Receiver<Vec<u8>>,
    pub(super) seen: String,
}

impl Terminal {
    /// Runs a script on a terminal; `None` where none can be made. In it `run` is the program, with
    /// the terminal as its standard error, and `note NAME` writes down what `stty` says.
    pub(super) fn start(folder: Folder, script: &str) -> Option<Self> {
        let binary = env!("CARGO_BIN_EXE_rnn-cli");
        // The shell's own words about what a signal ended would stand among ours, and without a trap
        // it would end with what Ctrl-C ends.
        let script = format!(
            "exec 2>words; trap : INT; stty rows 30 cols 100; note() {{ stty -g >$1; }}\n\
             run() {{ sh -c 'echo $$ >pid; exec \"$@\" 2>/dev/tty' sh '{binary}' train \"$@\"; }}\n\
             {script}\n\
             echo $code >code; note after; printf 'THE END'\n"
        );
        folder.write("script", script);
        let (child, pieces) = folder.on_terminal(&[], "sh ./script")?;
        Some(Terminal {
            folder,
            child,
            pieces,
            seen: String::new(),
        })
    }

    /// Reads until `part` has been shown `count` times.
    #[track_caller]
    pub(super) fn wait_for(&mut self, part: &str, count: usize) {
        let started = Instant::now();
        while self.seen.matches(part).count() < count {
            let Ok(piece) = self
                .pieces
                .recv_timeout(LIMIT.saturating_sub(started.elapsed()))
            else {
                panic!("{part:?} is not shown {count} times: {:?}", self.seen);
            };
            self.seen.push_str(&String::from_utf8_lossy(&piece));
        }
    }

    /// Presses a key where that sends the signal, or else sends it.
    pub(super) fn send(&mut self, signal: &str) {
        let key = match signal {
            "INT" => b"\x03",
            "QUIT" => b"\x1c",
            "TSTP" => b"\x1a",
            _ => return self.kill(signal),
        };
        self.press(key);
    }

    pub(super) fn press(&mut self, key: &[u8]) {
        let keys = self.child.stdin.as_mut().expect("a pipe");
        keys.write_all(key).expect("the terminal takes keys");
    }

    /// Waits until the program has ended, of which nothing may be shown.
    #[track_caller]
    pub(super) fn wait_for_death(&self) {
        let pid = fs::read_to_string(self.folder.path("pid")).expect("a process");
        let started = Instant::now();
        while fs::exists(format!("/proc/{}", pid.trim())).expect("a list of processes") {
            assert!(started.elapsed() < LIMIT, "the program never ends");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends the signal to the program alone.
    pub(super) fn kill(&self, signal: &str) {
        let pid = fs::read_to_string(self.folder.path("pid")).expect("a process");
        // The process may have ended by itself.
        let _ = Command::new("kill")
            .args([&format!("-{signal}"), pid.trim()])
            .output();
    }

    /// Reads to the end and checks the terminal; how the program ended.
    #[track_caller]
    pub(super) fn end(&mut self, case: &str) -> i32 {
        self.wait_for("THE END", 1);
        let seen = self.seen.split("THE END").next().unwrap_or_default();
        let read = |name| fs::read_to_string(self.folder.path(name)).expect(name);
        assert_eq!(read("before"), read("after"), "{case}: stty differs");
        if self.folder.path("stopped").exists() {
            assert_eq!(
                read("before"),
                read("stopped"),
                "{case}: stty differs while stopped"
            );
        }
        let count = |part| seen.matches(part).count();
        assert_eq!(count(PICTURE_ON), count(PICTURE_OFF), "{case}: {seen:?}");
        assert!(
            seen.rfind("\x1b[?25l") <= seen.rfind("\x1b[?25h"),
            "{case}: no cursor"
        );
        assert_eq!(last_line(seen), "", "{case}: half a line: {seen:?}");
        assert!(!seen.contains("panicked"), "{case}: {seen:?}");
        read("code").trim().parse().expect("a code")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The terminal goes with it, and that ends what runs there.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What stands on the cursor's line of the first screen.
pub(super) fn last_line(seen: &str) -> String {
    let mut first_screen = String::new();
    for piece in seen.split(PICTURE_ON) {
        first_screen.push_str(
            piece
                .split_once(PICTURE_OFF)
                .map_or(piece, |(_, after)| after),
        );
    }
    let line = first_screen.rsplit('\n').next().unwrap_or_default();
    let line = line.rsplit("\x1b[2K").next().unwrap_or_default();
    let mut letters = line.chars();
    let mut plain = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '\x1b' => drop(letters.by_ref().find(char::is_ascii_alphabetic)),
            _ => plain.push(letter),
        }
    }
    // The terminal itself shows what was typed.
    let typed = ["^C", "^Z", "^\\"];
    let ours = typed.iter().fold(plain, |line, key| line.replace(key, ""));
    ours.trim().to_owned()
}
