//! Training as a picture on the terminal: curves, speed, gradient norm, and what the model writes.
//!
//! The picture is drawn on standard error, on the terminal's second screen; at the end the first screen
//! comes back as it was. Keys are not read: Ctrl-C is the same signal as without a picture, so one piece
//! of code saves and says how to resume. Only the echo of typed keys is turned off. [`terminal`] takes
//! the terminal and gives it back, also at signals.

mod board;

use std::io::{self, IsTerminal, Stderr};
use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{Clear, ClearType, size};

use crate::signals;
use crate::terminal;
pub(crate) use board::Board;

/// Time between two pictures.
const REDRAW: Duration = Duration::from_millis(150);
/// Most cells of a terminal to draw on. A terminal may claim four billion cells, and each takes memory.
const MOST_CELLS: u32 = 1 << 20;
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
        if !io::stderr().is_terminal() || !can_be_drawn() {
            return None;
        }
        // Without a handler a signal would end the program and leave the picture on the terminal.
        let listens = signals::listen();
        if cfg!(unix) && !listens {
            return None;
        }
        let picture = Picture {
            terminal: screen().ok()?,
            board,
            drawn: Instant::now(),
        };
        terminal::show(picture).then_some(Live { sampled: None })
    }

    /// Changes what is shown, and redraws if the last picture is old enough.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Board)) {
        terminal::with_picture(|picture, is_shown| {
            change(&mut picture.board);
            if is_shown && picture.drawn.elapsed() >= REDRAW {
                picture.draw();
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

/// What is drawn, and where.
pub(crate) struct Picture {
    terminal: Terminal<CrosstermBackend<Stderr>>,
    pub(crate) board: Board,
    drawn: Instant,
}

impl Picture {
    /// Draws what has changed.
    pub(crate) fn draw(&mut self) {
        self.drawn = Instant::now();
        let board = &self.board;
        if !can_be_drawn() {
            return;
        }
        // If the terminal is gone, training continues without a picture.
        let _ = self.terminal.draw(|frame| board.draw(frame));
    }

    /// Clears the screen and draws everything.
    pub(crate) fn draw_anew(&mut self) {
        if let Ok(terminal) = screen() {
            self.terminal = terminal;
        }
        let _ = execute!(io::stderr(), Clear(ClearType::All));
        self.draw();
    }
}

fn screen() -> io::Result<Terminal<CrosstermBackend<Stderr>>> {
    Terminal::new(CrosstermBackend::new(io::stderr()))
}

/// Whether the terminal has a size that can be drawn on.
fn can_be_drawn() -> bool {
    size().is_ok_and(|(columns, rows)| u32::from(columns) * u32::from(rows) <= MOST_CELLS)
}
