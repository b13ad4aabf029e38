//! Runs the built binary as a user would, each test in a folder of its own.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod ending;

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use tempfile::TempDir;

/// Flags of a training run that takes a few milliseconds.
pub(crate) const TINY: [&str; 12] = [
    "--hidden-size",
    "16",
    "--num-layers",
    "1",
    "--max-steps",
    "20",
    "--eval-every",
    "10",
    "--batch-size",
    "4",
    "--seq-length",
    "16",
];

/// What a run wrote, and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Run {
    /// Standard output as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("standard output is UTF-8")
    }

    /// Asserts success.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Asserts that the run ended with this code and said this one line, and nothing else.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, message: &str) {
        assert_eq!(self.stderr, format!("error: {message}\n"));
        assert_eq!((self.code, self.text()), (Some(code), ""));
    }
}

/// A folder to run in.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// An empty folder, in memory where the system has such folders: flushing to a disk takes its
    /// time, which adds up where hundreds of runs do it.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Folder(folder.expect("a temporary folder"))
    }

    /// An empty folder on a disk, which takes long to save to.
    pub(crate) fn on_disk() -> Self {
        Folder(tempfile::tempdir().expect("a temporary folder"))
    }

    /// A folder with `text.txt`: a hundred lines that differ in their numbers.
    pub(crate) fn with_text() -> Self {
        let folder = Self::new();
        folder.write("text.txt", text());
        folder
    }

    /// A folder with a text and `model.safetensors`, a tiny model trained on it.
    pub(crate) fn with_model() -> Self {
        let folder = Self::with_text();
        folder.train(&["text.txt", "-o", "model.safetensors"]).ok();
        folder
    }

    /// The path of a file here.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file here.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).expect("the folder can be written");
    }

    /// Reads a file here.
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The names of all files here, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).expect("the folder can be read");
        let mut names: Vec<String> = entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }

    /// The binary with these arguments, not yet started.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rnn-cli"));
        command
            .args(args)
            .current_dir(self.0.path())
            .env("NO_COLOR", "1");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the binary with these arguments.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.run_with_input(args, b"")
    }

    /// Runs the binary with these arguments and this standard input.
    pub(crate) fn run_with_input(&self, args: &[&str], input: &[u8]) -> Run {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut stdin = child.stdin.take().expect("standard input is piped");
        // A run that fails early closes its input, which is its own good right.
        let _ = stdin.write_all(input);
        drop(stdin);
        let output = child.wait_with_output().expect("the binary ends");
        let stderr = String::from_utf8(output.stderr).expect("standard error is UTF-8");
        Run {
            code: output.status.code(),
            stdout: output.stdout,
            stderr,
        }
    }

    /// `train` with these arguments, as quickly as can be.
    pub(crate) fn train(&self, args: &[&str]) -> Run {
        self.run(&[&["train"], args, &TINY].concat())
    }

    /// A folder with a text and `m`, the model of a finished run that can be given more steps.
    pub(crate) fn finished() -> Self {
        let folder = Self::with_text();
        folder
            .train(&["text.txt", "-o", "m", "--schedule", "constant"])
            .ok();
        folder
    }

    /// `train text.txt --resume m` with these flags.
    pub(crate) fn resume(&self, flags: &[&str]) -> Run {
        self.run(&[&["train", "text.txt", "--resume", "m"], flags].concat())
    }

    /// Starts a run on `m` that lasts until it is killed, and waits for its first report.
    pub(crate) fn start_long_run(&self) -> Child {
        let run = "train text.txt -o m --max-steps 1000000 --eval-every 5 --hidden-size 8";
        let args: Vec<&str> = run.split(' ').collect();
        let mut child = self.command(&args).spawn().expect("the binary runs");
        let stdout = child.stdout.as_mut().expect("it is piped");
        stdout.read_exact(&mut [0; 10]).expect("it reports");
        child
    }

    /// Runs a command on a terminal that `script` of util-linux makes, with these flags of it; what is
    /// shown comes in pieces. `None` where none can be made.
    pub(crate) fn on_terminal(
        &self,
        flags: &[&str],
        command: &str,
    ) -> Option<(Child, Receiver<Vec<u8>>)> {
        if Command::new("script").arg("--version").output().is_err() {
            // Past the harness, which would keep it to itself.
            let _ = writeln!(
                io::stderr(),
                "SKIPPED: no terminal can be made, as there is no script (util-linux) here"
            );
            return None;
        }
        let mut child = Command::new("script")
            .args(flags)
            .args(["--quiet", "--command", command, "/dev/null"])
            .current_dir(self.0.path())
            .env("TERM", "xterm-256color")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script runs");
        let mut stdout = child.stdout.take().expect("a pipe");
        let (sender, pieces) = channel();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = stdout.read(&mut piece) {
                if sender.send(piece[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Some((child, pieces))
    }

    /// Starts the binary, reads so many bytes of its standard output, and closes the pipe.
    pub(crate) fn run_and_hang_up(&self, args: &[&str], bytes: usize) -> Run {
        let mut child = self.command(args).spawn().expect("the binary runs");
        let mut stdout = vec![0; bytes];
        let mut pipe = child.stdout.take().expect("standard output is piped");
        pipe.read_exact(&mut stdout).expect("so much is written");
        drop(pipe);
        let output = child.wait_with_output().expect("the binary ends");
        let stderr = String::from_utf8(output.stderr).expect("standard error is UTF-8");
        Run {
            code: output.status.code(),
            stdout,
            stderr,
        }
    }
}

/// A hundred lines that differ in their numbers.
pub(crate) fn text() -> String {
    (0..100)
        .map(|line| format!("line {line:02}: the quick brown fox jumps\n"))
        .collect()
}
