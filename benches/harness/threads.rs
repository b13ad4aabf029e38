//! How many threads a case runs on: one and two, or what `--threads=1,2,4` says.

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::limits;

/// A number of threads; more than one come with their pool.
pub(crate) struct Threads {
    /// How many.
    pub(crate) count: usize,
    pool: Option<ThreadPool>,
    peak: f64,
}

impl Threads {
    /// Reads the command line.
    pub(crate) fn from_args() -> Vec<Self> {
        let asked =
            std::env::args().find_map(|arg| Some(arg.strip_prefix("--threads=")?.to_owned()));
        let counts = asked.as_deref().unwrap_or("1,2").split(',');
        let counts = counts.map(|count| count.parse().expect("--threads=1,2 takes numbers"));
        counts.map(Self::new).collect()
    }

    fn new(count: usize) -> Self {
        let pool = || ThreadPoolBuilder::new().num_threads(count).build();
        Threads {
            count,
            pool: (count > 1).then(|| pool().expect("the system gives threads")),
            peak: 0.0,
        }
    }

    /// Runs `f` on these threads.
    pub(crate) fn run(&self, f: impl FnOnce() + Send) {
        match &self.pool {
            Some(pool) => pool.install(f),
            None => f(),
        }
    }

    /// GFLOP/s of fused multiply-adds of all these threads at once: the most seen so far, as a busy
    /// machine shows less than it has.
    pub(crate) fn peak(&mut self) -> f64 {
        let now: f64 = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.count)
                .map(|_| scope.spawn(limits::multiply_add_peak::<f32>))
                .collect();
            let each = threads.into_iter().map(|thread| thread.join());
            each.map(|peak| peak.expect("a number")).sum()
        });
        self.peak = self.peak.max(now);
        self.peak
    }
}
