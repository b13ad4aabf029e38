//! The line that the notebook prints for each epoch.

use std::fmt;

/// `Epoch 11, Loss: 3.4656`: the notebook's line.
///
/// ```
/// let line = rnn::EpochLine { epoch: 11, loss: 3.46556 };
/// assert_eq!(line.to_string(), "Epoch 11, Loss: 3.4656");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochLine {
    /// Epochs so far.
    pub epoch: u64,
    /// The loss of this one, in nats per window.
    pub loss: f64,
}

impl fmt::Display for EpochLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let &EpochLine { epoch, loss } = self;
        write!(f, "Epoch {epoch}, Loss: ")?;
        // The standard library ends up in long arithmetic for just four decimals, which takes an eighth
        // of the notebook's whole run. Counting them is exact but near a tie: the product is off by
        // less than 1e-6.
        let counted = loss * 1e4;
        let nearest = counted.round();
        let clear = (counted - nearest).abs() < 0.499_99;
        if clear && loss.is_sign_positive() && loss < 1e5 {
            let count = nearest as u64;
            write!(f, "{}.{:04}", count / 10_000, count % 10_000)
        } else {
            write!(f, "{loss:.4}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;
    use tensor::random;

    #[test]
    fn the_digits_are_those_of_the_standard_library() {
        let mut rng = random::rng(1);
        let mut losses = vec![0.0, -0.0, -1.5, f64::NAN, f64::INFINITY, 1e-300, 1e5, 1e300];
        // Ties, which go to the even digit where they are exact, and their neighbours.
        for n in 0..2000 {
            let tie = f64::from(n) / 32.0;
            losses.extend([tie, tie.next_up(), tie.next_down()]);
            let near = (f64::from(n) + 0.5) * 1e-4;
            losses.extend([near, near.next_up(), near.next_down()]);
        }
        for scale in [1.0, 10.0, 1e5, 2e5] {
            losses.extend((0..10_000).map(|_| scale * rng.random_range(0.0..1.0)));
        }
        for loss in losses {
            let line = EpochLine { epoch: 7, loss }.to_string();
            assert_eq!(line, format!("Epoch 7, Loss: {loss:.4}"));
        }
    }
}
