//! Line ends of other systems: CRLF, and CR alone, become the newline.
//!
//! CR alone is a line end only in a file whose first line ends so. Elsewhere it is a character, such as
//! those that draw a progress bar in a log.

use crate::Result;

/// Reads the line ends of a file, in chunks that may end inside one.
#[derive(Default)]
pub(super) struct LineEnds {
    /// Whether the chunk before ended in a CR that was not handed on.
    is_held: bool,
    /// Whether lines end in CR; `None` before the first line end of a file.
    is_cr: Option<bool>,
    has_crlf: bool,
    has_cr: bool,
}

impl LineEnds {
    /// Calls `emit` with the pieces of `text`, and whether a character was left out before each.
    pub(super) fn feed(
        &mut self,
        mut text: &str,
        mut emit: impl FnMut(&str, bool) -> Result<()>,
    ) -> Result<()> {
        if self.is_held && !text.is_empty() {
            self.is_held = false;
            self.carriage_return(text, &mut emit)?;
        }
        while let Some(at) = text.find('\r') {
            let (before, rest) = (&text[..at], &text[at + 1..]);
            self.look(before);
            emit(before, false)?;
            if rest.is_empty() {
                self.is_held = true;
                return Ok(());
            }
            self.carriage_return(rest, &mut emit)?;
            text = rest;
        }
        self.look(text);
        emit(text, false)
    }

    /// Ends a file.
    pub(super) fn end(&mut self, mut emit: impl FnMut(&str, bool) -> Result<()>) -> Result<()> {
        if std::mem::take(&mut self.is_held) {
            self.carriage_return("", &mut emit)?;
        }
        self.is_cr = None;
        Ok(())
    }

    /// What was read as a newline, by name.
    pub(super) fn found(&self) -> Option<&'static str> {
        match (self.has_crlf, self.has_cr) {
            (true, true) => Some("CRLF and CR"),
            (true, false) => Some("CRLF"),
            (false, true) => Some("CR"),
            (false, false) => None,
        }
    }

    /// Looks for the first line end.
    fn look(&mut self, text: &str) {
        if self.is_cr.is_none() && text.contains('\n') {
            self.is_cr = Some(false);
        }
    }

    /// Hands on the CR before `rest`.
    fn carriage_return(
        &mut self,
        rest: &str,
        emit: &mut impl FnMut(&str, bool) -> Result<()>,
    ) -> Result<()> {
        if rest.starts_with('\n') {
            self.has_crlf = true;
            return emit("", true);
        }
        if *self.is_cr.get_or_insert(true) {
            self.has_cr = true;
            return emit("\n", false);
        }
        emit("\r", false)
    }
}
