//! How far a step can be shared out: its work and its span, as if there were many threads.
//!
//! One thread takes the step twice. Once as it would alone: that is the work. Once cut up as for so many
//! threads: at every join it notes, by its own processor clock, what the two sides took; all but the longer
//! one would be saved if there were a second thread. What is left is the span: the time of the longest
//! chain of what must come one after the other, with 3 microseconds a join. Work divided by span is the
//! most times that so many threads can be faster. The links are the stretches of that chain by name, the
//! longest first: they say what to cut next.

use tensor::parallel::span::{Profile, profile};

/// The threads that `--span=16` supposes, if it was given.
pub(crate) fn threads() -> Option<usize> {
    let asked = std::env::args().find_map(|arg| Some(arg.strip_prefix("--span=")?.to_owned()))?;
    Some(asked.parse().expect("--span=16 takes a number"))
}

/// Profiles steps and prints the median of several by their span.
pub(crate) fn report(case: &str, threads: usize, mut run: impl FnMut(u64)) {
    const TRIES: usize = 7;
    /// Steps of a try, so that what a run does before its first step counts for little.
    const STEPS: u64 = 8;
    let mut run = || run(STEPS);
    let mut both: Vec<[Profile; 2]> = (0..TRIES)
        .map(|_| [profile(1, &mut run), profile(threads, &mut run)])
        .collect();
    both.sort_by(|a, b| a[0].work.total_cmp(&b[0].work));
    let each = 1e3 / STEPS as f64;
    let work = both[TRIES / 2][0].work;
    both.sort_by(|a, b| a[1].span.total_cmp(&b[1].span));
    let [_, profile] = &both[TRIES / 2];
    println!(
        "{case:18} work {:7.2} ms, span {:6.2} ms with {threads} threads, parallelism {:5.1}, {} joins",
        work * each,
        profile.span * each,
        work / profile.span,
        profile.joins as u64 / STEPS
    );
    for (name, seconds) in profile.links.iter().take(5) {
        let share = 100.0 * seconds / profile.span;
        println!("{:18} {:7.2} ms {share:3.0} %  {name}", "", seconds * each);
    }
}
