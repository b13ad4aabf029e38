//! The terminal while the program has something on it, and how it is given back: at the end, at an
//! error, at a panic, at a signal.
//!
//! A bar stands on the line of the cursor. A picture stands on the second screen, without cursor and
//! echo. Whoever draws or writes a line holds [`drawing`]. Whoever ends the program waits for that, so
//! that nothing is left half written, but not for long: a terminal that accepts nothing (Ctrl-S) must
//! not keep the program from ending. What to undo is stored apart, so that it can be undone without the
//! lock.
//!
//! SIGKILL, SIGSTOP and a crash of the process (SIGABRT, SIGSEGV) leave no time for any of this.
#![cfg_attr(
    not(unix),
    allow(dead_code, reason = "signals are waited for on Unix alone")
)]

mod bar;
mod system;
#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, Once, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::live::picture::Picture;
use system::{Settings, is_foreground};

pub(crate) use bar::Bar;

/// How long the end of the program waits for a drawing.
const PATIENCE: Duration = Duration::from_secs(1);
const PICTURE_ON: &[u8] = b"\x1b[?1049h\x1b[?25l";
const PICTURE_OFF: &[u8] = b"\x1b[?1049l\x1b[?25h";
const LINE_OFF: &[u8] = b"\r\x1b[2K";

/// What stands on the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Nothing,
    Bar,
    Picture,
    /// Nothing, but a picture waits until the program is in the foreground again.
    Away,
}

#[derive(Debug)]
struct State {
    shown: Shown,
    /// The settings from before the picture.
    before: Option<Settings>,
}

/// Held for instants, never while anything is written.
static STATE: Mutex<State> = Mutex::new(State {
    shown: Shown::Nothing,
    before: None,
});
/// Held while something is drawn.
static DRAWING: Mutex<Option<Picture>> = Mutex::new(None);

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to draw, and the picture, if there is one.
fn drawing() -> MutexGuard<'static, Option<Picture>> {
    DRAWING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same, for those who cannot wait.
fn drawing_soon() -> Option<MutexGuard<'static, Option<Picture>>> {
    let start = Instant::now();
    loop {
        match DRAWING.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(error)) => return Some(error.into_inner()),
            Err(TryLockError::WouldBlock) if start.elapsed() > PATIENCE => return None,
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Makes panics give the terminal back before they say what they have to say.
pub(crate) fn guard_panics() {
    static GUARDED: Once = Once::new();
    GUARDED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
        }));
    });
}

/// Writes lines, of which no signal leaves a half.
pub(crate) fn write<R>(lines: impl FnOnce() -> R) -> R {
    let _drawing = drawing();
    lines()
}

/// Shows a picture on the terminal; false if that fails.
pub(crate) fn show(picture: Picture) -> bool {
    let mut drawing = drawing();
    let is_shown = is_foreground() && enter();
    if is_shown {
        drawing.insert(picture).draw();
    }
    is_shown
}

/// Calls `work` with the picture, if there is one, and whether it is shown. Shows it again first if it was
/// away and may come back.
pub(crate) fn with_picture(work: impl FnOnce(&mut Picture, bool)) {
    let mut drawing = drawing();
    let Some(picture) = drawing.as_mut() else {
        return;
    };
    come_back(picture);
    let is_shown = state().shown == Shown::Picture;
    work(picture, is_shown);
}

/// Takes the picture away for good.
pub(crate) fn take_off() {
    let mut drawing = drawing();
    undo(Shown::Nothing, |bytes| {
        io::stderr().write_all(bytes).is_ok()
    });
    *drawing = None;
}

/// Gives the terminal back as it was, for good.
pub(crate) fn give_back() {
    // Without the lock a half-drawn line may remain, which is better than never ending.
    let _drawing = drawing_soon();
    undo(Shown::Nothing, system::write_now);
}

/// Writes something above whatever is drawn, unless the terminal accepts nothing now.
pub(crate) fn announce(line: &str) {
    let Some(mut drawing) = drawing_soon() else {
        return;
    };
    if let Some(picture) = drawing.as_mut() {
        picture.board.line(line);
        if state().shown == Shown::Picture && system::is_ready() {
            picture.draw();
        }
        return;
    }
    undo(Shown::Nothing, system::write_now);
    system::write_now(format!("note: {line}\n").as_bytes());
}

/// Gives the terminal back and says a last word.
pub(crate) fn last_word(line: &str) {
    give_back();
    system::write_now(format!("{line}\n").as_bytes());
}

/// Stops the program by `stop` (Ctrl-Z), with the terminal as it was, until it is continued.
#[cfg(unix)]
pub(crate) fn pause(stop: impl FnOnce()) {
    if !system::can_be_stopped() {
        return;
    }
    // Held throughout, or else the picture would be back before the program is stopped.
    let mut drawing = drawing_soon();
    let away = match state().shown {
        Shown::Picture | Shown::Away => Shown::Away,
        Shown::Bar | Shown::Nothing => Shown::Nothing,
    };
    undo(away, system::write_now);
    stop();
    if let Some(picture) = drawing.as_mut().and_then(|drawing| drawing.as_mut()) {
        come_back(picture);
    }
}

/// After the program was continued: by `fg`, or by `bg`, which leaves the terminal to others.
#[cfg(unix)]
pub(crate) fn resume() {
    let mut drawing = drawing();
    let Some(picture) = drawing.as_mut() else {
        return;
    };
    let shown = state().shown;
    match shown {
        // It was stopped by a signal that cannot be caught, so the picture was never taken off.
        Shown::Picture if is_foreground() && system::is_ready() => {
            let _ = system::echo_off();
            picture.draw_anew();
        }
        Shown::Picture => state().shown = Shown::Away,
        _ => come_back(picture),
    }
}

/// Shows a picture again that was away, if the program is in the foreground.
fn come_back(picture: &mut Picture) {
    if state().shown == Shown::Away && is_foreground() && enter() {
        picture.draw_anew();
    }
}

/// Switches to the second screen, if the terminal can. Stores first what to undo.
fn enter() -> bool {
    let before = system::echo_off();
    let was = std::mem::replace(
        &mut *state(),
        State {
            shown: Shown::Picture,
            before: before.clone(),
        },
    );
    let is_taken = system::write_now(PICTURE_ON);
    if !is_taken {
        before.iter().for_each(system::set);
        *state() = was;
    }
    is_taken
}

/// Takes off whatever is shown, by `write`; from now on that is `then`.
fn undo(then: Shown, write: impl Fn(&[u8]) -> bool) {
    let State { shown, before } = std::mem::replace(
        &mut *state(),
        State {
            shown: then,
            before: None,
        },
    );
    match shown {
        Shown::Nothing | Shown::Away => {}
        Shown::Bar => {
            write(LINE_OFF);
        }
        Shown::Picture => {
            write(PICTURE_OFF);
            if let Some(before) = before.filter(|_| is_foreground()) {
                system::set(&before);
            }
        }
    }
}

/// Writes a piece of a bar, which from then on stands on the cursor's line, or no longer does.
fn draw_bar(bytes: &[u8], stays: bool) -> io::Result<()> {
    let _drawing = drawing();
    let mut stderr = io::stderr();
    state().shown = if stays { Shown::Bar } else { Shown::Nothing };
    stderr.write_all(bytes)?;
    stderr.flush()
}
