//! What the system knows of a terminal: settings, size, who is in the foreground, and whether a write
//! would wait. On a system without these the program does without.

#[cfg(not(unix))]
pub(super) use other::*;
#[cfg(unix)]
pub(super) use unix::*;

#[cfg(unix)]
mod unix {
    use std::io;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{getpgrp, getsid};
    use rustix::termios::{
        LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcgetpgrp,
        tcgetwinsize, tcsetattr,
    };

    /// A terminal's settings.
    pub(crate) type Settings = Termios;

    /// Turns the echo off; what the settings were.
    pub(crate) fn echo_off() -> Option<Settings> {
        let before = tcgetattr(io::stderr()).ok()?;
        let mut quiet = before.clone();
        // Not raw mode: signals keep coming.
        quiet
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON);
        tcsetattr(io::stderr(), OptionalActions::Now, &quiet).ok()?;
        Some(before)
    }

    /// Restores these settings and discards what was typed before.
    pub(crate) fn set(settings: &Settings) {
        // Not in one call, which would wait until everything written has been shown.
        let _ = tcsetattr(io::stderr(), OptionalActions::Now, settings);
        let _ = tcflush(io::stderr(), QueueSelector::IFlush);
    }

    /// Whether this program may change the terminal. The system stops one that tries in the background.
    pub(crate) fn is_foreground() -> bool {
        tcgetpgrp(io::stderr()).is_ok_and(|group| group == getpgrp())
    }

    /// Whether somebody could continue the program once it is stopped. The system stops no program that a
    /// terminal was opened for, as by `xterm -e`, and neither do we.
    pub(crate) fn can_be_stopped() -> bool {
        getsid(None).is_ok_and(|session| session != getpgrp())
    }

    /// Columns and rows.
    pub(crate) fn size() -> Option<(u16, u16)> {
        let size = tcgetwinsize(io::stderr()).ok()?;
        (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
    }

    /// Whether a write to standard error would succeed now, without waiting for a reader.
    pub(crate) fn is_ready() -> bool {
        let stderr = io::stderr();
        let mut place = [PollFd::new(&stderr, PollFlags::OUT)];
        let wait = Timespec {
            tv_sec: 0,
            tv_nsec: 200_000_000,
        };
        poll(&mut place, Some(&wait)).is_ok() && place[0].revents().contains(PollFlags::OUT)
    }

    /// Writes to standard error if that needs no waiting for a reader, nor for a thread that is in the
    /// middle of writing: the program is ending.
    pub(crate) fn write_now(bytes: &[u8]) -> bool {
        is_ready() && rustix::io::write(io::stderr(), bytes).is_ok()
    }
}

#[cfg(not(unix))]
mod other {
    use std::io::{self, Write};

    pub(crate) type Settings = ();

    pub(crate) fn echo_off() -> Option<Settings> {
        None
    }

    pub(crate) fn set((): &Settings) {}

    pub(crate) fn is_foreground() -> bool {
        true
    }

    pub(crate) fn size() -> Option<(u16, u16)> {
        ratatui::crossterm::terminal::size().ok()
    }

    pub(crate) fn is_ready() -> bool {
        true
    }

    pub(crate) fn write_now(bytes: &[u8]) -> bool {
        io::stderr().write_all(bytes).is_ok()
    }
}
