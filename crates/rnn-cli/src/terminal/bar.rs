//! Where a bar is drawn: on standard error, in one piece, and known to whoever gives the terminal back.

use std::io;
use std::sync::{Mutex, PoisonError};

use indicatif::TermLike;

use super::{draw_bar, system};

const CLEAR: &str = "\r\x1b[2K";

/// The place of a bar: what is drawn is kept until it is flushed.
#[derive(Debug, Default)]
pub(crate) struct Bar(Mutex<String>);

impl Bar {
    fn push(&self, text: &str) -> io::Result<()> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_str(text);
        Ok(())
    }

    /// Moves the cursor `count` places; `letter` says where to.
    fn go(&self, count: usize, letter: char) -> io::Result<()> {
        match count {
            0 => Ok(()),
            _ => self.push(&format!("\x1b[{count}{letter}")),
        }
    }
}

impl TermLike for Bar {
    fn width(&self) -> u16 {
        system::size().map_or(80, |size| size.0)
    }

    fn height(&self) -> u16 {
        system::size().map_or(24, |size| size.1)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.go(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.go(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.go(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.go(n, 'D')
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.push(s)?;
        self.push("\n")
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        self.push(s)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.push(CLEAR)
    }

    fn flush(&self) -> io::Result<()> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = std::mem::take(&mut *kept);
        if text.is_empty() {
            return Ok(());
        }
        draw_bar(text.as_bytes(), stays(&text))
    }
}

/// Whether something is left on the cursor's line.
fn stays(text: &str) -> bool {
    let line = text.rsplit('\n').next().unwrap_or(text);
    let line = line.rsplit(CLEAR).next().unwrap_or(line);
    line.chars().any(|letter| !letter.is_whitespace())
}
