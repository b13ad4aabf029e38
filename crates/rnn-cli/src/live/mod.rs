//! Training as a picture on the terminal: curves, speed, gradient norm, and what the model writes.
//!
//! The picture is drawn on standard error, on the terminal's second screen, and the first comes back
//! at the end as it was. Keys are not read: Ctrl-C stays the signal that it is without a picture, so
//! one piece of code saves and says how to go on. Only the echo of what is typed is turned off.

mod board;

use std::io::{self, IsTerminal, Stderr};
use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, size};
use ratatui::crossterm::{cursor, execute};

pub(crate) use board::Board;

/// Time between two pictures.
const REDRAW: Duration = Duration::from_millis(150);
/// Most cells of a terminal that is drawn on. The size is whatever the terminal says, up to four
/// thousand million cells, and each takes memory.
const MOST_CELLS: u32 = 1 << 20;
/// Time between two samples.
const SAMPLE: Duration = Duration::from_secs(5);

/// The terminal while it shows the picture; what it was comes back on drop.
pub(crate) struct Live {
    terminal: Terminal<CrosstermBackend<Stderr>>,
    /// What is drawn.
    pub(crate) board: Board,
    drawn: Instant,
    sampled: Option<Instant>,
    _echo: Echo,
}

impl Live {
    /// Takes the terminal; `None` where standard error is none, or one beyond all sizes.
    pub(crate) fn new(board: Board) -> Option<Self> {
        if !io::stderr().is_terminal() || !can_be_drawn() {
            return None;
        }
        let echo = Echo::off();
        execute!(io::stderr(), EnterAlternateScreen, cursor::Hide).ok()?;
        let terminal = Terminal::new(CrosstermBackend::new(io::stderr()));
        let Ok(terminal) = terminal else {
            restore();
            return None;
        };
        let mut live = Live {
            terminal,
            board,
            drawn: Instant::now(),
            sampled: None,
            _echo: echo,
        };
        live.draw();
        Some(live)
    }

    /// Draws again, if the last picture is old enough.
    pub(crate) fn refresh(&mut self) {
        if self.drawn.elapsed() >= REDRAW {
            self.draw();
        }
    }

    fn draw(&mut self) {
        self.drawn = Instant::now();
        let board = &self.board;
        if !can_be_drawn() {
            return;
        }
        // A terminal that has gone away takes nothing from the training.
        let _ = self.terminal.draw(|frame| board.draw(frame));
    }

    /// Whether it is time for another sample; if so, it counts as taken.
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
        restore();
    }
}

/// Whether the terminal has a size that can be drawn on.
fn can_be_drawn() -> bool {
    size().is_ok_and(|(columns, rows)| u32::from(columns) * u32::from(rows) <= MOST_CELLS)
}

fn restore() {
    let _ = execute!(io::stderr(), LeaveAlternateScreen, cursor::Show);
}

/// The terminal's settings from before the echo was turned off, set again on drop.
#[cfg(unix)]
struct Echo(Option<rustix::termios::Termios>);

#[cfg(unix)]
impl Echo {
    fn off() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let Ok(before) = tcgetattr(io::stderr()) else {
            return Echo(None);
        };
        let mut quiet = before.clone();
        // Not raw mode: signals keep coming.
        quiet
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON);
        let _ = tcsetattr(io::stderr(), OptionalActions::Now, &quiet);
        Echo(Some(before))
    }
}

#[cfg(unix)]
impl Drop for Echo {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        if let Some(before) = &self.0 {
            // What was typed into the picture is not for the shell.
            let _ = tcsetattr(io::stderr(), OptionalActions::Flush, before);
        }
    }
}

#[cfg(not(unix))]
struct Echo;

#[cfg(not(unix))]
impl Echo {
    fn off() -> Self {
        Echo
    }
}
