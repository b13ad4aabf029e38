//! A small benchmark harness: sides taken in turn, medians with their spread.
//!
//! A shared machine drifts by up to two times between runs, so what is compared is measured in
//! one process, one short round of each side after the other, many rounds; the ratio of two sides
//! is the median of the ratios round by round. `cargo bench -- NAME` runs the cases whose name
//! contains NAME. Without `--bench` (as `cargo test` starts it) each case runs once, unmeasured.

use std::time::Instant;

/// Seconds that one round of one side takes at least.
const ROUND: f64 = 1e-3;
/// Rounds of each side.
const ROUNDS: usize = 41;
/// Seconds after which a slow case ends with fewer rounds.
const LONGEST: f64 = 6.0;
/// Rounds of each side that a slow case has nevertheless.
const FEWEST: usize = 7;

/// What was asked for on the command line.
pub(crate) struct Bench {
    filters: Vec<String>,
    measure: bool,
}

/// One of the sides that are compared.
pub(crate) struct Side<'a> {
    /// What to call it.
    pub(crate) name: &'static str,
    /// What to measure.
    pub(crate) run: Box<dyn FnMut() + 'a>,
}

/// Seconds per run of one side, round by round.
pub(crate) struct Timing {
    /// The name of the side.
    pub(crate) name: &'static str,
    rounds: Vec<f64>,
}

impl<'a> Side<'a> {
    /// A side from its name and what it runs.
    pub(crate) fn new(name: &'static str, run: impl FnMut() + 'a) -> Self {
        Side {
            name,
            run: Box::new(run),
        }
    }
}

impl Bench {
    /// Reads the command line.
    pub(crate) fn from_args() -> Self {
        let (flags, filters): (Vec<String>, Vec<String>) = std::env::args()
            .skip(1)
            .partition(|arg| arg.starts_with("--"));
        Bench {
            filters,
            measure: flags.iter().any(|flag| flag == "--bench"),
        }
    }

    /// Whether this run measures, or only tries that everything works.
    pub(crate) fn measures(&self) -> bool {
        self.measure
    }

    /// Whether a case was asked for.
    pub(crate) fn wants(&self, case: &str) -> bool {
        self.filters.is_empty()
            || self
                .filters
                .iter()
                .any(|filter| case.contains(filter.as_str()))
    }

    /// Runs the sides of a case in turn; empty where the case was not asked for, or in a trial.
    pub(crate) fn compare(&self, case: &str, mut sides: Vec<Side<'_>>) -> Vec<Timing> {
        if !self.wants(case) {
            return Vec::new();
        }
        if !self.measure {
            for side in &mut sides {
                (side.run)();
            }
            println!("{case}: runs");
            return Vec::new();
        }
        let repeats: Vec<usize> = sides
            .iter_mut()
            .map(|side| repeats(&mut side.run))
            .collect();
        let mut timings: Vec<Timing> = sides
            .iter()
            .map(|side| Timing {
                name: side.name,
                rounds: Vec::new(),
            })
            .collect();
        let begun = Instant::now();
        for round in 0..ROUNDS {
            if round >= FEWEST && begun.elapsed().as_secs_f64() > LONGEST {
                break;
            }
            for ((side, &repeats), timing) in sides.iter_mut().zip(&repeats).zip(&mut timings) {
                // The sides before have pushed what this one uses out of the caches, unless they use it
                // too. A run of its own brings it back, so that no side pays for its neighbours; one so
                // long that it is a round by itself hardly notices.
                if repeats > 1 {
                    (side.run)();
                }
                let start = Instant::now();
                for _ in 0..repeats {
                    (side.run)();
                }
                timing
                    .rounds
                    .push(start.elapsed().as_secs_f64() / repeats as f64);
            }
        }
        timings
    }
}

/// How often to run a side so that a round takes long enough for the clock.
fn repeats(run: &mut dyn FnMut()) -> usize {
    run();
    let mut repeats = 1;
    loop {
        let start = Instant::now();
        for _ in 0..repeats {
            run();
        }
        let seconds = start.elapsed().as_secs_f64();
        if seconds > ROUND / 4.0 {
            return ((repeats as f64 * ROUND / seconds).ceil() as usize).max(1);
        }
        repeats *= 4;
    }
}

impl Timing {
    /// The median of seconds per run.
    pub(crate) fn median(&self) -> f64 {
        quantile(self.rounds.clone(), 0.5)
    }

    /// The first decile of seconds per run: what it takes when nobody disturbs.
    pub(crate) fn fast(&self) -> f64 {
        quantile(self.rounds.clone(), 0.1)
    }

    /// Half the distance between the quartiles, as a share of the median.
    pub(crate) fn spread(&self) -> f64 {
        let low = quantile(self.rounds.clone(), 0.25);
        let high = quantile(self.rounds.clone(), 0.75);
        (high - low) / 2.0 / self.median()
    }

    /// How many times faster than `other`: the median over rounds.
    pub(crate) fn speedup(&self, other: &Timing) -> f64 {
        let ratios = self
            .rounds
            .iter()
            .zip(&other.rounds)
            .map(|(own, other)| other / own);
        quantile(ratios.collect(), 0.5)
    }
}

fn quantile(mut values: Vec<f64>, q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * q).round() as usize]
}
