//! Threads: how many, and a pool of them.

use std::num::NonZero;

use rayon::ThreadPoolBuilder;
use rnn::Error;

/// Multiply-adds that two threads do sooner than one.
const WORTH_SHARING: usize = 1 << 20;

/// Number of processors of this machine.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Runs `work` on so many threads. If the user did not say: one for each processor, or one alone if that
/// many multiply-adds at a time are not worth waking another.
pub(crate) fn run(
    threads: Option<usize>,
    at_a_time: usize,
    work: impl FnOnce() -> anyhow::Result<()> + Send,
) -> anyhow::Result<()> {
    let threads = threads.unwrap_or_else(|| match at_a_time < WORTH_SHARING {
        true => 1,
        false => processors(),
    });
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
