//! What a terminal takes from the system: settings, size, who is in the foreground, and writing
//! without waiting. Where the system knows none of it the program does without.

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

    /// Gives the terminal these settings, and nobody what was typed before.
    pub(crate) fn set(settings: &Settings) {
        // Not in one call, which would wait until all that was written has been shown.
        let _ = tcsetattr(io::stderr(), OptionalActions::Now, settings);
        let _ = tcflush(io::stderr(), QueueSelector::IFlush);
    }

    /// Whether the terminal is this program's to change. The system stops who tries in the background.
    pub(crate) fn is_foreground() -> bool {
        tcgetpgrp(io::stderr()).is_ok_and(|group| group == getpgrp())
    }

    /// Whether somebody is there to go on with the program once it is stopped. The system stops none
    /// that a terminal was opened for, as by `xterm -e`, and nor do we.
    pub(crate) fn can_be_stopped() -> bool {
        getsid(None).is_ok_and(|session| session != getpgrp())
    }

    /// Columns and rows.
    pub(crate) fn size() -> Option<(u16, u16)> {
        let size = tcgetwinsize(io::stderr()).ok()?;
        (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
    }

    /// Whether standard error takes something now, without waiting for a reader.
    pub(crate) fn is_ready() -> bool {
        let stderr = io::stderr();
        let mut place = [PollFd::new(&stderr, PollFlags::OUT)];
        let wait = Timespec {
            tv_sec: 0,
            tv_nsec: 200_000_000,
        };
        poll(&mut place, Some(&wait)).is_ok() && place[0].revents().contains(PollFlags::OUT)
    }

    /// Writes to standard error if that can be done without waiting for a reader. Whoever is ending
    /// waits for nobody, not even for a thread that is in the middle of writing.
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
