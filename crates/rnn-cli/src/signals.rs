//! Signals: while a model is trained the first Ctrl-C or SIGTERM asks to stop, and the second ends the
//! program at once. Every other ends or stops the program as it always does, once the terminal is
//! what it was.
//!
//! A thread waits for them. A handler may do next to nothing, neither set a terminal nor write a line,
//! and the training loop looks only between two steps.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::exit::ENDED_AT_ONCE;
use crate::terminal;

/// Makes a file that may not grow further (`ulimit -f`) an error of the write, as a full disk is:
/// the system's signal would end the program without a word.
pub(crate) fn survive_file_limits() {
    // Where the system grants no handler its own way remains.
    #[cfg(unix)]
    let _ = flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// Makes the end that Rust has for a program without memory, which is a crash, a failure like any
/// other. What is large is asked for and refused in our own words; this is for the few kilobytes here and
/// there, and for other people's code. The standard library has already printed the size that was refused.
pub(crate) fn fail_without_memory() {
    // Where the system grants no handler its own way remains.
    #[cfg(unix)]
    let _ = flag::register_conditional_shutdown(
        signal_hook::consts::SIGABRT,
        crate::exit::FAILED.into(),
        Arc::new(AtomicBool::new(true)),
    );
}

/// Whether the user wants to stop.
static CAME: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
/// Whether a model is trained, so that there is something to save.
static TRAINS: AtomicBool = AtomicBool::new(false);
/// Whether notes are not wanted.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Knows whether the user wants to stop.
#[derive(Clone, Debug)]
pub(crate) struct Signals(Arc<AtomicBool>);

impl Signals {
    /// Listens from now on.
    pub(crate) fn watch(quiet: bool) -> io::Result<Self> {
        QUIET.store(quiet, Ordering::SeqCst);
        let came = CAME.clone();
        if !listen() {
            for signal in [SIGINT, SIGTERM] {
                // In this order: the first signal finds the flag unset and sets it.
                flag::register_conditional_shutdown(signal, ENDED_AT_ONCE.into(), came.clone())?;
                flag::register(signal, came.clone())?;
            }
        }
        TRAINS.store(true, Ordering::SeqCst);
        Ok(Signals(came))
    }

    /// Whether a signal has asked to stop.
    pub(crate) fn asked_to_stop(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Starts the thread once; returns false if it cannot. Call it before anything is drawn.
pub(crate) fn listen() -> bool {
    terminal::guard_panics();
    #[cfg(unix)]
    return thread::start();
    #[cfg(not(unix))]
    return false;
}

#[cfg(unix)]
mod thread {
    use super::*;
    use std::io::IsTerminal;
    use std::sync::OnceLock;
    use std::sync::mpsc::channel;
    use std::thread::Builder;

    use signal_hook::consts::{
        SIGALRM, SIGCONT, SIGHUP, SIGPROF, SIGQUIT, SIGTSTP, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU,
    };
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::{emulate_default_handler, exit};

    /// What ends or stops the program beside those that ask it to, and what follows a stop.
    const OTHERS: [i32; 10] = [
        SIGALRM, SIGCONT, SIGHUP, SIGPROF, SIGQUIT, SIGTSTP, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU,
    ];
    /// Enough for drawing a picture.
    const STACK: usize = 1 << 19;

    pub(super) fn start() -> bool {
        static STARTED: OnceLock<bool> = OnceLock::new();
        *STARTED.get_or_init(|| {
            let mut wanted = vec![SIGINT, SIGTERM];
            // Elsewhere nothing has to be given back.
            if io::stderr().is_terminal() {
                wanted.extend(OTHERS.into_iter().filter(|&signal| !is_ignored(signal)));
            }
            let (sender, receiver) = channel();
            // The signals are asked for by the thread: where there is none all stays as it was.
            let serving = move || match Signals::new(wanted) {
                Ok(mut signals) => {
                    let _ = sender.send(true);
                    signals.forever().for_each(serve);
                }
                Err(_) => drop(sender.send(false)),
            };
            let thread = Builder::new().name("signals".into()).stack_size(STACK);
            thread.spawn(serving).is_ok() && receiver.recv().unwrap_or(false)
        })
    }

    fn serve(signal: i32) {
        match signal {
            SIGCONT => terminal::resume(),
            SIGTSTP => terminal::pause(|| drop(emulate_default_handler(signal))),
            SIGINT | SIGTERM if TRAINS.load(Ordering::SeqCst) => {
                if CAME.load(Ordering::SeqCst) {
                    terminal::last_word(
                        "error: ended by a second signal; progress since the last save is lost",
                    );
                    exit(ENDED_AT_ONCE.into());
                }
                if io::stderr().is_terminal() && !QUIET.load(Ordering::SeqCst) {
                    terminal::announce(
                        "saving and stopping; press Ctrl-C again to end at once without saving",
                    );
                }
                CAME.store(true, Ordering::SeqCst);
            }
            _ => {
                terminal::give_back();
                let _ = emulate_default_handler(signal);
            }
        }
    }

    /// Whether the program was started so that a signal does nothing, as by `nohup`: so it stays.
    fn is_ignored(signal: i32) -> bool {
        let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
            // Not told here. Only SIGHUP is ignored as a matter of course.
            return signal == SIGHUP;
        };
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))
            .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
    }
}
