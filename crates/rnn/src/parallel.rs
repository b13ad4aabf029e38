//! The one rule about threads: work inside a thread pool is split over it, work outside is not.
//!
//! `tensor` keeps to the same rule. Nothing here depends on how many threads there are, so neither
//! does any result.

use tensor::Scalar;

use crate::error::Result;
use crate::memory;

/// Whether the calling thread belongs to a pool of more than one.
pub(crate) fn is_parallel() -> bool {
    rayon::current_thread_index().is_some() && rayon::current_num_threads() > 1
}

/// Runs both closures, side by side inside a pool if that is `worth` waking another thread: some ten
/// microseconds of work.
pub(crate) fn join_if(worth: bool, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
    if worth {
        join(a, b);
    } else {
        a();
        b();
    }
}

/// Runs both closures, side by side inside a pool.
pub(crate) fn join(a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
    if is_parallel() {
        rayon::join(a, b);
    } else {
        a();
        b();
    }
}

/// Takes the memory that products work in, on this thread and on all of its pool.
///
/// # Errors
/// [`Error::TooLarge`](crate::Error::TooLarge) where there is none.
pub(crate) fn prepare<T: Scalar>() -> Result<()> {
    let is_ready = || tensor::try_reserve_for_products::<T>().map_err(memory::refused_by);
    match rayon::current_thread_index() {
        Some(_) => rayon::broadcast(|_| is_ready()).into_iter().collect(),
        None => is_ready(),
    }
}

/// Runs `f` on every item, side by side inside a pool. Allocates nothing.
pub(crate) fn for_each<I: Send>(items: &mut [I], f: &(impl Fn(&mut I) + Sync)) {
    match items {
        [] => {}
        [item] => f(item),
        _ => {
            let (left, right) = items.split_at_mut(items.len() / 2);
            join(|| for_each(left, f), || for_each(right, f));
        }
    }
}
