//! Training as a picture on the terminal: curves, speed, gradient norm, and what the model writes.
//!
//! The picture is drawn on standard error, on the terminal's second screen; at the end the first screen
//! comes back as it was. Keys are not read: Ctrl-C is the same signal as without a picture, so one piece
//! of code saves and says how to resume. Only the echo of typed keys is turned off. [`terminal`] takes
//! the terminal and gives it back, also at signals.

mod board;
pub(crate) mod picture;

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use crate::signals;
use crate::terminal;
pub(crate) use board::Board;
use picture::Picture;

/// Time between two samples.
const SAMPLE: Duration = Duration::from_secs(5);

/// The terminal while it shows the picture; what it was comes back on drop.
pub(crate) struct Live {
    sampled: Option<Instant>,
}

impl Live {
    /// Takes the terminal. `None` if standard error is not a terminal, its size is absurd, or this
    /// program is in the background.
    pub(crate) fn new(board: Board) -> Option<Self> {
        if !io::stderr().is_terminal() || !picture::can_be_drawn() {
            return None;
        }
        // Without a handler a signal would end the program and leave the picture on the terminal.
        let listens = signals::listen();
        if cfg!(unix) && !listens {
            return None;
        }
        terminal::show(Picture::new(board).ok()?).then_some(Live { sampled: None })
    }

    /// Changes what is shown, and redraws if the last picture is old enough.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Board)) {
        terminal::with_picture(|picture, is_shown| {
            change(&mut picture.board);
            if is_shown {
                picture.draw_if_old();
            }
        });
    }

    /// Whether it is time for another sample; if so, the time starts anew.
    pub(crate) fn wants_sample(&mut self) -> bool {
        let is_due = self.sampled.is_none_or(|at| at.elapsed() >= SAMPLE);
        if is_due {
            self.sampled = Some(Instant::now());
        }
        is_due
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        terminal::take_off();
    }
}
