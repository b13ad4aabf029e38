//! What is drawn on the terminal, and when it was.

use std::io::{self, Stderr};
use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{Clear, ClearType, size};

use super::board::Board;

/// Time between two pictures.
const REDRAW: Duration = Duration::from_millis(150);
/// Most cells of a terminal to draw on. A terminal may claim four billion cells, and each takes memory.
const MOST_CELLS: u32 = 1 << 20;

/// What is drawn, and where.
pub(crate) struct Picture {
    terminal: Terminal<CrosstermBackend<Stderr>>,
    pub(crate) board: Board,
    drawn: Instant,
}

impl Picture {
    pub(super) fn new(board: Board) -> io::Result<Self> {
        Ok(Picture {
            terminal: screen()?,
            board,
            drawn: Instant::now(),
        })
    }

    /// Draws, if the last time is long enough ago.
    pub(super) fn draw_if_old(&mut self) {
        if self.drawn.elapsed() >= REDRAW {
            self.draw();
        }
    }

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
pub(super) fn can_be_drawn() -> bool {
    size().is_ok_and(|(columns, rows)| u32::from(columns) * u32::from(rows) <= MOST_CELLS)
}
