//! A profile of work and span (Blumofe and Leiserson 1999): one thread runs the work as if there were
//! many, and each join notes what it would save.
//!
//! The *work* is the time of it all on one thread. The *span*, here of so many threads, is the longest
//! chain of what must come one after the other. A join saves the sum of what its sides need, less the
//! longer of the two, less the cost of a join; what a side needs is its work less what the joins inside
//! it save. Time is that of the thread's own processor clock, so that a busy machine changes nothing.
//! Every stretch of the chain counts for the innermost [`named`](super::named) region around it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What a join costs: waking a thread, and being woken. Measured with two threads on two cores.
const JOIN: f64 = 3e-6;

/// Work and span of what was run.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Seconds on one thread.
    pub work: f64,
    /// Seconds of the longest chain.
    pub span: f64,
    /// Joins of two sides that are worth it.
    pub joins: usize,
    /// The chain's seconds by the name of their region, the longest first.
    pub links: Vec<(&'static str, f64)>,
}

/// What is known of the stretch of work that runs.
struct Stretch {
    threads: usize,
    name: &'static str,
    /// When its current piece of serial work began.
    since: f64,
    links: HashMap<&'static str, f64>,
}

#[derive(Default)]
struct State {
    stretch: Option<Stretch>,
    joins: usize,
    /// The clock's own time, which is not that of the work.
    clock: f64,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Runs `f` on this thread as if it were one of so many.
pub fn profile(threads: usize, f: impl FnOnce()) -> Profile {
    let tries = 1000;
    let begin = now();
    (0..tries).for_each(|_| {
        std::hint::black_box(now());
    });
    let clock = (now() - begin) / f64::from(tries);
    STATE.with_borrow_mut(|state| {
        *state = State {
            clock,
            ..State::default()
        }
    });
    let before = now();
    let links = stretch(threads, "other", f);
    let work = now() - before;
    let joins = STATE.with_borrow(|state| state.joins);
    let mut links: Vec<_> = links.into_iter().collect();
    links.sort_by(|a, b| b.1.total_cmp(&a.1));
    Profile {
        // Each join reads the clock four times.
        work: work - 4.0 * joins as f64 * clock,
        span: links.iter().map(|link| link.1).sum(),
        joins,
        links,
    }
}

/// The threads that the profile supposes; `None` if there is none.
pub(super) fn threads() -> Option<usize> {
    STATE.with_borrow(|state| state.stretch.as_ref().map(|stretch| stretch.threads))
}

pub(super) fn named<R>(name: &'static str, f: impl FnOnce() -> R) -> R {
    let outside = switch(name);
    let result = f();
    switch(outside);
    result
}

/// Runs one side after the other and keeps the longer one's links.
pub(super) fn join(threads: [usize; 2], a: impl FnOnce(), b: impl FnOnce()) {
    let name = STATE.with_borrow(|state| state.stretch.as_ref().map_or("other", |s| s.name));
    switch(name);
    let outside = STATE.with_borrow_mut(|state| state.stretch.take());
    let a = stretch(threads[0], name, a);
    let b = stretch(threads[1], name, b);
    let sum = |links: &HashMap<_, f64>| links.values().sum::<f64>();
    let longer = if sum(&a) > sum(&b) { a } else { b };
    STATE.with_borrow_mut(|state| {
        state.joins += 1;
        state.stretch = outside;
        if let Some(stretch) = &mut state.stretch {
            for (name, seconds) in longer {
                *stretch.links.entry(name).or_default() += seconds;
            }
            *stretch.links.entry("joins").or_default() += JOIN;
            stretch.since = now();
        }
    });
}

/// Runs `f` as a chain of its own and returns the seconds of its links.
fn stretch(threads: usize, name: &'static str, f: impl FnOnce()) -> HashMap<&'static str, f64> {
    let (since, links) = (now(), HashMap::new());
    STATE.with_borrow_mut(|state| {
        state.stretch = Some(Stretch {
            threads,
            name,
            since,
            links,
        });
    });
    f();
    switch(name);
    let stretch = STATE.with_borrow_mut(|state| state.stretch.take());
    stretch.map_or_else(HashMap::new, |stretch| stretch.links)
}

/// Books the time since the last call for the current region, goes on in another, and returns the name
/// of the one before.
fn switch(name: &'static str) -> &'static str {
    let now = now();
    STATE.with_borrow_mut(|state| {
        let clock = state.clock;
        let Some(stretch) = &mut state.stretch else {
            return name;
        };
        let before = std::mem::replace(&mut stretch.name, name);
        let passed = (now - stretch.since - clock).max(0.0);
        *stretch.links.entry(before).or_default() += passed;
        stretch.since = now;
        before
    })
}

/// This thread's processor time in seconds.
fn now() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::super::{WORTH, join, named};
    use super::*;

    fn spin(seconds: f64) {
        let begin = now();
        while now() - begin < seconds {}
    }

    #[test]
    fn the_span_is_that_of_the_longer_sides() {
        let profile = profile(4, || {
            named("first", || spin(2e-3));
            join(
                [WORTH, WORTH],
                || named("short", || spin(1e-3)),
                || {
                    named("long", || spin(3e-3));
                    join([WORTH, WORTH], || spin(1e-3), || spin(1e-3));
                },
            );
        });
        assert!(profile.joins == 2 && profile.work >= 8e-3, "{profile:?}");
        assert!(
            profile.span >= 6e-3 && profile.span < profile.work,
            "{profile:?}"
        );
        let names: Vec<_> = profile.links.iter().map(|link| link.0).collect();
        assert!(names.starts_with(&["long", "first"]), "{names:?}");
        assert!(!names.contains(&"short"), "{names:?}");
    }
}
