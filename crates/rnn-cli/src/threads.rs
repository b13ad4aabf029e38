//! Threads: how many, and a pool of them.

use std::num::NonZero;

use rayon::ThreadPoolBuilder;
use rnn::Error;

/// Number of processors of this machine.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Runs `work` on so many threads; one for each processor if the user did not say.
pub(crate) fn run(
    threads: Option<usize>,
    work: impl FnOnce() -> anyhow::Result<()> + Send,
) -> anyhow::Result<()> {
    let threads = threads.unwrap_or_else(processors);
    if threads == 1 {
        return work();
    }
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Error::Threads {
        threads,
        why: error.to_string(),
    })?;
    pool.install(work)
}
