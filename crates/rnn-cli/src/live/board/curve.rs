//! A curve of any length in bounded memory.

/// Points of a curve before neighbours are joined.
pub(super) const MOST_POINTS: usize = 512;

/// A curve whose neighbouring points are joined to their mean as it grows.
#[derive(Debug, Default)]
pub(super) struct Curve {
    pub(super) points: Vec<(f64, f64)>,
    /// Values to a point, and those of the next point so far: their sum and number.
    per_point: u32,
    sum: f64,
    count: u32,
}

impl Curve {
    pub(super) fn push(&mut self, x: u64, y: f64) {
        if !y.is_finite() {
            return;
        }
        self.sum += y;
        self.count += 1;
        if self.count < self.per_point {
            return;
        }
        self.points
            .push((x as f64, self.sum / f64::from(self.count)));
        (self.sum, self.count) = (0.0, 0);
        if self.points.len() == MOST_POINTS {
            let joined = self.points.chunks_exact(2);
            self.points = joined
                .map(|two| (two[1].0, (two[0].1 + two[1].1) / 2.0))
                .collect();
            self.per_point = 2 * self.per_point.max(1);
        }
    }
}
