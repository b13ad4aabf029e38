//! How a run ended: one line on standard error and an exit code.
//!
//! 0 done; 1 failed, for a reason that lies in files or numbers; 2 misused, so that no file could
//! make the command line right; 130 interrupted, with everything saved; 3 ended at once by a second
//! Ctrl-C or SIGTERM, without saving. That last is no shell's code for a signal (130, 137, 143), which
//! would tell of something else: what it stands for is that of the two signals the second won. A
//! reader of standard output that goes away (`| head -1`) has had what it wanted: that ends the run
//! quietly, with 0.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use anyhow::Context;

use crate::format::visible;

/// A command line that cannot be meant.
#[derive(Debug)]
pub(crate) struct Misuse(pub(crate) String);

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misuse {}

/// Ended by Ctrl-C, or asked to end, with all that was to be said said.
#[derive(Debug)]
pub(crate) struct Interrupted;

/// The exit code of what failed.
pub(crate) const FAILED: u8 = 1;
/// The exit code of what was interrupted.
pub(crate) const INTERRUPTED: u8 = 130;
/// The exit code of what a second signal ended before it was saved.
pub(crate) const ENDED_AT_ONCE: u8 = 3;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// A [`Misuse`] in the words of another error.
pub(crate) fn misuse(error: impl fmt::Display) -> anyhow::Error {
    Misuse(error.to_string()).into()
}

/// Says how a command ended; the exit code.
pub(crate) fn code(result: anyhow::Result<()>) -> u8 {
    let Err(error) = result else {
        return 0;
    };
    if is_broken_pipe(&error) {
        return 0;
    }
    if error.is::<Interrupted>() {
        return INTERRUPTED;
    }
    complain(&one_line(&error));
    if error.is::<Misuse>() { 2 } else { FAILED }
}

/// Says why a command line is none; or writes the help that was asked for.
pub(crate) fn refuse(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let printed = error.print().context("cannot write standard output");
        return ExitCode::from(code(printed));
    }
    complain(&clap_line(&error.render().to_string()));
    ExitCode::from(2)
}

fn complain(line: &str) {
    // There is nobody to tell where standard error is closed.
    let _ = writeln!(io::stderr(), "error: {}", visible(line, ""));
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |error: &io::Error| error.kind() == ErrorKind::BrokenPipe;
    error
        .chain()
        .any(|cause| match cause.downcast_ref::<rnn::Error>() {
            Some(rnn::Error::Io(error)) => broken(error),
            _ => cause.downcast_ref::<io::Error>().is_some_and(broken),
        })
}

/// An error and its causes, outermost first.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    let causes: Vec<String> = error
        .chain()
        .map(|cause| plain(&cause.to_string()))
        .collect();
    causes.join(": ").replace(['\n', '\r'], " ")
}

/// The system's words for its errors, without number and capital.
fn plain(message: &str) -> String {
    let Some((before, rest)) = message.split_once(" (os error ") else {
        return message.to_owned();
    };
    let rest = rest.split_once(')').map_or("", |(_, rest)| rest);
    let (context, words) = before.split_at(before.rfind(": ").map_or(0, |at| at + 2));
    let words = match words {
        "No such file or directory" => "no such file".to_owned(),
        _ => lower_first(words),
    };
    format!("{context}{words}{rest}")
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(characters).collect()
    })
}

/// One line of the several that clap writes; the usage and the pointer to `--help` are left out.
fn clap_line(rendered: &str) -> String {
    let mut line = String::new();
    for part in rendered.lines().map(str::trim) {
        if part.starts_with("Usage:") || part.starts_with("For more information") {
            break;
        }
        let part = part
            .trim_start_matches("error: ")
            .trim_start_matches("tip: ");
        if part.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push_str(if line.ends_with(':') { " " } else { "; " });
        }
        line.push_str(part);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_errors_lose_their_number() {
        let error = io::Error::from_raw_os_error(2);
        assert_eq!(plain(&error.to_string()), "no such file");
        assert_eq!(
            plain(&format!("cannot read x: {error}")),
            "cannot read x: no such file"
        );
        let error: anyhow::Error = io::Error::from_raw_os_error(21).into();
        assert_eq!(
            one_line(&error.context("cannot read a\nb")),
            "cannot read a b: is a directory"
        );
    }

    #[test]
    fn a_closed_pipe_is_found_below_its_context() {
        let broken = || io::Error::from(ErrorKind::BrokenPipe);
        assert!(is_broken_pipe(&anyhow::Error::from(broken())));
        let wrapped: anyhow::Result<()> = Err(rnn::Error::from(broken())).context("sampling");
        assert!(is_broken_pipe(&wrapped.unwrap_err()));
        assert!(!is_broken_pipe(&misuse("a broken pipe")));
    }

    #[test]
    fn several_lines_of_clap_become_one() {
        let rendered = "error: unexpected argument '--hiden' found\n\n  tip: a similar argument exists: '--hidden'\n\n\
                        Usage: rnn-cli demo\n\nFor more information, try '--help'.\n";
        assert_eq!(
            clap_line(rendered),
            "unexpected argument '--hiden' found; a similar argument exists: '--hidden'"
        );
        let rendered =
            "error: the following required arguments were not provided:\n  <FILE>\n\nUsage: x\n";
        assert_eq!(
            clap_line(rendered),
            "the following required arguments were not provided: <FILE>"
        );
    }
}
