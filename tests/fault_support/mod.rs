//! Runs the binary where system calls fail, by a small library loaded into it, or under limits.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::cli_support::{Folder, Run};

/// The library that makes system calls fail; `None` where there is no C compiler.
pub(crate) fn shim() -> Option<&'static PathBuf> {
    static SHIM: OnceLock<Option<PathBuf>> = OnceLock::new();
    SHIM.get_or_init(|| library("shim.c")).as_ref()
}

/// The library that refuses memory; `None` where there is no C compiler.
pub(crate) fn memory_shim() -> Option<&'static PathBuf> {
    static SHIM: OnceLock<Option<PathBuf>> = OnceLock::new();
    SHIM.get_or_init(|| library("memory.c")).as_ref()
}

/// Compiles a library.
fn library(source: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fault_support"
    ));
    let library = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("fault_{source}.so"));
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-fno-builtin-malloc", "-o"])
        .args([&library, &folder.join(source)])
        .arg("-ldl")
        .stdin(Stdio::null())
        .output();
    match built {
        Ok(output) if output.status.success() => Some(library),
        Ok(output) => panic!(
            "the shim is not C: {}",
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => {
            eprintln!("SKIPPED: no faults are injected, since cc does not run: {error}");
            None
        }
    }
}

/// A call that fails.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// Its name, as the shim has it.
    pub(crate) call: &'static str,
    /// Part of the paths that count.
    pub(crate) path: &'static str,
    /// Which of the calls.
    pub(crate) at: usize,
    /// Whether all later ones fail as well.
    pub(crate) stays: bool,
}

impl Folder {
    /// Runs the binary with a call that fails; `None` if there were not so many.
    pub(crate) fn run_with_fault(&self, args: &[&str], fault: Fault) -> Option<Run> {
        let mark = self.path("mark");
        let mut command = self.command(args);
        command
            .env("LD_PRELOAD", shim()?)
            .env("FAULT_CALL", fault.call)
            .env("FAULT_PATH", fault.path)
            .env("FAULT_AT", fault.at.to_string())
            .env("FAULT_MARK", &mark);
        if fault.stays {
            command.env("FAULT_STAYS", "1");
        }
        let output = command.output().expect("the binary runs");
        let run = Run {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        };
        std::fs::remove_file(mark).ok().map(|()| run)
    }

    /// Runs the binary with a request for memory that is refused: the one numbered `at`, from 1, of
    /// those for `size` bytes or more, and if it `stays` so all after it. `None` if there were not so
    /// many.
    pub(crate) fn run_without_memory(
        &self,
        args: &[&str],
        size: usize,
        at: usize,
        stays: bool,
    ) -> Option<Run> {
        let mark = tempfile::NamedTempFile::new().expect("a temporary file");
        let mark = mark.into_temp_path();
        std::fs::remove_file(&mark).expect("it is there");
        let mut command = self.command(args);
        command
            .env("LD_PRELOAD", memory_shim()?)
            .env("FAULT_SIZE", size.to_string())
            .env("FAULT_AT", at.to_string())
            .env("FAULT_MARK", &mark)
            // Its backtrace would be longer than the error.
            .env("RUST_BACKTRACE", "0")
            .stdout(Stdio::null());
        if stays {
            command.env("FAULT_STAYS", "1");
        }
        let output = crate::cli_support::ending::end(&mut command);
        let run = Run {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        };
        std::fs::remove_file(&mark).ok().map(|()| run)
    }

    /// Runs the binary under a shell's limits, such as `ulimit -v 100000`.
    pub(crate) fn run_limited(&self, limit: &str, args: &[&str]) -> Run {
        let mut command = Command::new("sh");
        command
            .args([
                "-c",
                &format!("{limit} && exec \"$0\" \"$@\""),
                env!("CARGO_BIN_EXE_rnn-cli"),
            ])
            .args(args)
            .current_dir(self.path(""))
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        let output = command.output().expect("a shell runs");
        Run {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }
}
