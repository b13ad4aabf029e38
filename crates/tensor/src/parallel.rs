//! The one rule about threads: work inside a thread pool is split over it, work outside is not.
//!
//! ```
//! let mut numbers = [1, 2, 3];
//! let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
//! pool.install(|| tensor::parallel::for_each(&mut numbers, &|number| *number *= 10));
//! assert_eq!(numbers, [10, 20, 30]);
//! # Ok::<(), rayon::ThreadPoolBuildError>(())
//! ```
//!
//! Split work so that no element's order of operations depends on where the cuts are: then no result
//! depends on how many threads there are. Nothing here allocates.

/// Threads to split work over: those of the pool that the caller runs in, or this one alone.
pub fn threads() -> usize {
    match rayon::current_thread_index() {
        Some(_) => rayon::current_num_threads(),
        None => 1,
    }
}

/// Whether there is more than one thread to split work over.
pub fn is_parallel() -> bool {
    threads() > 1
}

/// Runs both closures, side by side inside a pool.
pub fn join(a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
    join_if(true, a, b);
}

/// Runs both closures, side by side inside a pool if that is `worth` waking another thread: some ten
/// microseconds of work.
pub fn join_if(worth: bool, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
    if worth && is_parallel() {
        rayon::join(a, b);
    } else {
        a();
        b();
    }
}

/// Runs `f` on every item, side by side inside a pool.
pub fn for_each<I: Send>(items: &mut [I], f: &(impl Fn(&mut I) + Sync)) {
    match items {
        [] => {}
        [item] => f(item),
        _ => {
            let (left, right) = items.split_at_mut(items.len() / 2);
            join(|| for_each(left, f), || for_each(right, f));
        }
    }
}

/// Runs `f` once on every thread that work is split over.
///
/// # Errors
/// The first that `f` returns.
pub(crate) fn on_every_thread<E: Send>(f: impl Fn() -> Result<(), E> + Sync) -> Result<(), E> {
    if is_parallel() {
        rayon::broadcast(|_| f()).into_iter().collect()
    } else {
        f()
    }
}
