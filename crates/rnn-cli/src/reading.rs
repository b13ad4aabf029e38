//! How reading goes: a bar over the bytes of a text, once it turns out to be a long one.

use std::io::{self, Read};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::console::Console;
use crate::progress;

/// Bytes of which nobody notices that they take time.
const LONG: u64 = 1 << 24;

/// The reading of a text, which may be of several pieces.
pub(crate) struct Reading {
    bar: ProgressBar,
    console: Console,
    is_shown: bool,
}

impl Reading {
    /// The reading of so many bytes, where that is known.
    pub(crate) fn new(console: Console, size: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(size, ProgressDrawTarget::hidden());
        let template = match size {
            Some(_) => "reading  {bar:24} {bytes}/{total_bytes}  {bytes_per_sec}",
            None => "reading  {bytes}  {bytes_per_sec}",
        };
        let style = ProgressStyle::with_template(template).expect("the templates are constants");
        Reading {
            bar: bar.with_style(style),
            console,
            is_shown: false,
        }
    }

    /// `reader`, watched.
    pub(crate) fn of<R: Read>(&mut self, reader: R) -> impl Read {
        Watched {
            reader,
            reading: self,
        }
    }

    fn advance(&mut self, count: usize) {
        self.bar.inc(count as u64);
        if !self.is_shown && self.bar.position() >= LONG {
            self.is_shown = true;
            self.bar.set_draw_target(progress::target(self.console));
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

struct Watched<'a, R> {
    reader: R,
    reading: &'a mut Reading,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.reading.advance(count);
        Ok(count)
    }
}
