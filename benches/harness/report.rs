//! Where numbers go: to people as a line of text, or to a program as a line of JSON (`--json`).

use serde_json::json;
use tensor::Isa;

/// Prints measurements.
pub(crate) struct Report {
    json: bool,
}

/// Characters per second, beside what the machine can do at most.
pub(crate) struct Measurement<'a> {
    /// What was measured.
    pub(crate) case: &'a str,
    /// Threads in use.
    pub(crate) threads: usize,
    /// Characters per second: the median over rounds.
    pub(crate) rate: f64,
    /// Half the distance between the quartiles, as a share of the median.
    pub(crate) spread: f64,
    /// What that rate uses of the scarce good, in `unit`.
    pub(crate) used: f64,
    /// How much of it there is.
    pub(crate) limit: f64,
    /// GFLOP/s or GB/s.
    pub(crate) unit: &'static str,
}

impl Report {
    /// Reads the command line.
    pub(crate) fn from_args() -> Self {
        Report {
            json: std::env::args().any(|arg| arg == "--json"),
        }
    }

    /// Says what the numbers below stand on.
    pub(crate) fn header(&self) {
        if !self.json {
            println!("instruction set {}", Isa::active());
        }
    }

    /// The time of a whole run on one thread.
    pub(crate) fn milliseconds(&self, case: &str, median: f64, spread: f64) {
        if self.json {
            let line = json!({
                "case": case, "threads": 1, "unit": "ms", "median": median, "spread": spread,
            });
            println!("{line}");
        } else {
            let spread = 100.0 * spread;
            println!("{case:16} 1 thread  {median:9.3} ms ±{spread:.0}%");
        }
    }

    /// Characters per second.
    pub(crate) fn rate(&self, measurement: &Measurement<'_>) {
        let &Measurement {
            case,
            threads,
            rate,
            spread,
            used,
            limit,
            unit,
        } = measurement;
        let share = used / limit;
        if self.json {
            let line = json!({
                "case": case, "threads": threads, "unit": "chars/s", "median": rate,
                "spread": spread, "used": used, "limit": limit, "limit_unit": unit, "share": share,
            });
            println!("{line}");
        } else {
            let plural = if threads == 1 { " " } else { "s" };
            let spread = 100.0 * spread;
            println!(
                "{case:16} {threads} thread{plural} {rate:9.0} chars/s ±{spread:<2.0}% \
                 {used:6.1} {unit}: {share:.2} of {limit:.0}"
            );
        }
    }
}
