//! The one rule about threads: work outside a thread pool is done here and now; inside one it is shared
//! out over the pool's threads, and each side of a [`join`] has its share of them.
//!
//! ```
//! use tensor::parallel;
//!
//! let mut numbers = vec![1.0; 1 << 20];
//! let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
//! pool.install(|| {
//!     parallel::in_parts(&mut numbers[..], 16, 1, &|part: &mut [f64]| part.fill(2.0));
//! });
//! assert!(numbers.iter().all(|&number| number == 2.0));
//! # Ok::<(), rayon::ThreadPoolBuildError>(())
//! ```
//!
//! Work is counted in multiply-adds of a product; what is worth less than [`WORTH`] is not shared. Split
//! work so that no element's order of operations depends on where the cuts are: then no result depends
//! on how many threads there are. Nothing here allocates.

#[cfg(feature = "span")]
pub mod span;

use std::cell::Cell;
use std::ops::Range;

/// Multiply-adds that take some microseconds, as long as waking another thread does.
pub const WORTH: usize = 1 << 19;

thread_local! {
    /// Threads that the work of this one may be shared out over; 0 for all of the pool.
    static SHARE: Cell<usize> = const { Cell::new(0) };
}

/// Threads to share work out over: in a pool all of them, in one side of a [`join`] as many as that side
/// has, anywhere else this one alone.
pub fn threads() -> usize {
    #[cfg(feature = "span")]
    if let Some(threads) = span::threads() {
        return threads;
    }
    match (rayon::current_thread_index(), SHARE.get()) {
        (None, _) => 1,
        (Some(_), 0) => rayon::current_num_threads(),
        (Some(_), share) => share,
    }
}

/// Runs both closures, of so much `work` each, side by side if there are threads and it is worth it.
pub fn join(work: [usize; 2], a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
    let threads = threads();
    if threads < 2 || work[0].min(work[1]) < WORTH {
        a();
        b();
        return;
    }
    let part = work[0] as f64 / (work[0] as f64 + work[1] as f64);
    let left = ((threads as f64 * part).round() as usize).clamp(1, threads - 1);
    #[cfg(feature = "span")]
    if span::threads().is_some() {
        return span::join([left, threads - left], a, b);
    }
    rayon::join(|| with_share(left, a), || with_share(threads - left, b));
}

/// Runs `f` with so many threads as its share.
fn with_share<R>(share: usize, f: impl FnOnce() -> R) -> R {
    /// Also after a panic, which the pool may pass on.
    struct Restore(usize);
    impl Drop for Restore {
        fn drop(&mut self) {
            SHARE.set(self.0);
        }
    }
    let _restore = Restore(SHARE.replace(share));
    f()
}

/// How many of `items`, whose `work` together is this much, one side of a [`join`] should get; `None` if
/// they are better not shared out.
pub fn cut(items: usize, work: usize) -> Option<usize> {
    let threads = threads();
    if threads < 2 || items < 2 || work / 2 < WORTH {
        return None;
    }
    let left = threads.div_ceil(2) as f64 / threads as f64;
    Some(((items as f64 * left).round() as usize).clamp(1, items - 1))
}

/// Something that can be cut in two.
pub trait Parts: Sized + Send {
    /// Number of elements.
    fn length(&self) -> usize;
    /// The first `middle` elements and the rest.
    fn cut(self, middle: usize) -> (Self, Self);
}

impl<T: Sync> Parts for &[T] {
    fn length(&self) -> usize {
        self.len()
    }

    fn cut(self, middle: usize) -> (Self, Self) {
        self.split_at(middle)
    }
}

impl<T: Send> Parts for &mut [T] {
    fn length(&self) -> usize {
        self.len()
    }

    fn cut(self, middle: usize) -> (Self, Self) {
        self.split_at_mut(middle)
    }
}

/// The places of elements, beside the elements.
impl Parts for Range<usize> {
    fn length(&self) -> usize {
        self.len()
    }

    fn cut(self, middle: usize) -> (Self, Self) {
        let border = self.start + middle;
        (self.start..border, border..self.end)
    }
}

/// Pairs nest, so `((params, grads), (first, second))` is cut in one go.
impl<A: Parts, B: Parts> Parts for (A, B) {
    fn length(&self) -> usize {
        self.0.length()
    }

    fn cut(self, middle: usize) -> (Self, Self) {
        let (left_a, right_a) = self.0.cut(middle);
        let (left_b, right_b) = self.1.cut(middle);
        ((left_a, left_b), (right_a, right_b))
    }
}

/// The rows of a matrix of so many columns.
#[derive(Debug)]
pub struct Rows<'a, T>(pub &'a mut [T], pub usize);

impl<T: Send> Parts for Rows<'_, T> {
    fn length(&self) -> usize {
        self.0.len() / self.1.max(1)
    }

    fn cut(self, middle: usize) -> (Self, Self) {
        let (above, below) = self.0.split_at_mut(middle * self.1);
        (Rows(above, self.1), Rows(below, self.1))
    }
}

/// Calls `f` on all of `parts`, piece by piece: one for each thread, unless they are not worth it. An
/// element is `each` multiply-adds of work, and cuts fall on multiples of `unit` elements.
pub fn in_parts<P: Parts>(parts: P, each: usize, unit: usize, f: &(impl Fn(P) + Sync)) {
    let work = |parts: &P| parts.length().saturating_mul(each);
    match cut(parts.length().div_ceil(unit), work(&parts)) {
        None => f(parts),
        Some(middle) => {
            let (left, right) = parts.cut(middle * unit);
            join(
                [work(&left), work(&right)],
                || in_parts(left, each, unit, f),
                || in_parts(right, each, unit, f),
            );
        }
    }
}

/// Runs `f` as a link of the chain that a profile of the span calls by this name.
#[inline]
pub fn named<R>(name: &'static str, f: impl FnOnce() -> R) -> R {
    #[cfg(feature = "span")]
    if span::threads().is_some() {
        return span::named(name, f);
    }
    let _ = name;
    f()
}

/// Runs `f` once on every thread of the pool.
///
/// # Errors
/// The first that `f` returns.
pub(crate) fn on_every_thread<E: Send>(f: impl Fn() -> Result<(), E> + Sync) -> Result<(), E> {
    if threads() > 1 {
        rayon::broadcast(|_| f()).into_iter().collect()
    } else {
        f()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn each_side_has_threads_in_proportion_to_its_work() {
        assert_eq!((threads(), cut(100, usize::MAX)), (1, None));
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(6)
            .build()
            .unwrap();
        let seen = Mutex::new(Vec::new());
        let see = |side| seen.lock().unwrap().push((side, threads()));
        pool.install(|| {
            join([4 * WORTH, 2 * WORTH], || see('a'), || see('b'));
            join([100 * WORTH, WORTH], || see('c'), || see('d'));
            join([100 * WORTH, WORTH - 1], || see('e'), || see('f'));
            see('g');
        });
        let mut seen = seen.into_inner().unwrap();
        seen.sort();
        let wanted = [
            ('a', 4),
            ('b', 2),
            ('c', 5),
            ('d', 1),
            ('e', 6),
            ('f', 6),
            ('g', 6),
        ];
        assert_eq!(seen, wanted);
    }

    #[test]
    fn parts_are_as_many_as_threads_and_of_nearly_one_length() {
        for threads in 1..=7 {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            for (length, unit) in [(1 << 16, 1), (1 << 16, 100), (3, 1), (0, 1)] {
                let parts = Mutex::new(Vec::new());
                let mut numbers = vec![0u8; length];
                pool.install(|| {
                    in_parts(&mut numbers[..], WORTH, unit, &|part: &mut [u8]| {
                        part.iter_mut().for_each(|number| *number += 1);
                        parts.lock().unwrap().push(part.len());
                    });
                });
                assert!(numbers.iter().all(|&number| number == 1));
                let parts = parts.into_inner().unwrap();
                assert_eq!(parts.len(), threads.min(length.max(1)));
                let (least, most) = (parts.iter().min().unwrap(), parts.iter().max().unwrap());
                assert!(most - least <= 2 * unit, "{parts:?}");
            }
        }
    }
}
