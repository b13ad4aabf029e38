//! What goes to the terminal beside results: notes, hints, details, all on standard error.

use std::io::{self, BufWriter, IsTerminal, Write};

use crate::format::visible;
use crate::terminal;

/// How much to say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
}

impl Console {
    /// Something that was not asked for but done.
    pub(crate) fn note(self, text: &str) {
        self.say(!self.quiet, &format!("note: {text}"));
    }

    /// Something that went wrong and does not end the work. It is said to the quiet as well.
    pub(crate) fn warn(self, text: &str) {
        self.say(true, &format!("warning: {text}"));
    }

    /// What to do next.
    pub(crate) fn hint(self, text: &str) {
        self.say(!self.quiet, text);
    }

    /// For those who asked for more.
    pub(crate) fn detail(self, text: &str) {
        self.say(self.verbose, text);
    }

    fn say(self, wanted: bool, text: &str) {
        if wanted {
            // Nobody reads a closed standard error; the work goes on.
            let _ = terminal::write(|| writeln!(io::stderr(), "{}", visible(text, "\n")));
        }
    }
}

/// Standard output, named in its errors.
struct Stdout(io::Stdout);

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(named)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(named)
    }
}

fn named(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::Interrupted {
        return error;
    }
    io::Error::new(
        error.kind(),
        format!("cannot write standard output: {error}"),
    )
}

/// Standard output as it comes, for lines that are flushed one by one.
pub(crate) fn unbuffered_stdout() -> Box<dyn Write + Send> {
    Box::new(Stdout(io::stdout()))
}

/// Standard output: by lines on a terminal, in blocks elsewhere. Flush it at the end, since a drop
/// hides errors.
pub(crate) fn stdout() -> Box<dyn Write + Send> {
    let stdout = io::stdout();
    if stdout.is_terminal() {
        Box::new(Stdout(stdout))
    } else {
        Box::new(BufWriter::new(Stdout(stdout)))
    }
}
