//! Ctrl-C and a request to end (SIGTERM): the first asks, the second ends the program at once.
//!
//! SIGHUP is left alone, so that `nohup` does what it says.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::exit::INTERRUPTED;

/// Makes a file that may not grow further (`ulimit -f`) an error of the write, as a full disk is:
/// the system's signal would end the program without a word.
pub(crate) fn survive_file_limits() {
    // Where the system grants no handler its own way remains.
    #[cfg(unix)]
    let _ = flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// Knows whether the user wants to stop.
#[derive(Clone, Debug)]
pub(crate) struct Signals(Arc<AtomicBool>);

impl Signals {
    /// Listens from now on.
    pub(crate) fn watch() -> io::Result<Self> {
        let came = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag unset and sets it.
            flag::register_conditional_shutdown(signal, INTERRUPTED.into(), came.clone())?;
            flag::register(signal, came.clone())?;
        }
        Ok(Signals(came))
    }

    /// Whether one has come.
    pub(crate) fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
