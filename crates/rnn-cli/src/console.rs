//! What goes to the terminal beside results: notes, hints, details, all on standard error.

use std::io::{self, BufWriter, IsTerminal, Write};

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
            let _ = writeln!(io::stderr(), "{text}");
        }
    }
}

/// Standard output: by lines on a terminal, in blocks elsewhere. Flush it at the end, since a drop
/// hides errors.
pub(crate) fn stdout() -> Box<dyn Write + Send> {
    let stdout = io::stdout();
    if stdout.is_terminal() {
        Box::new(stdout)
    } else {
        Box::new(BufWriter::new(stdout))
    }
}
