//! A proof by numbers that the calculus is right: back-propagation against central differences.
//!
//! ```text
//! dL/dw  ~  (L(w + e) - L(w - e)) / 2e,     with an error of order e^2
//! ```

use crate::bptt::{Bptt, Window};
use crate::cell::CellKind;
use crate::config::{Init, NetworkConfig};
use crate::dropout::{Dropout, check_dropout};
use crate::error::Result;
use crate::loss::Reduction;
use crate::network::Network;
use crate::parameters::Parameters;
use crate::state::State;
use crate::vocabulary::Id;
use rand::RngExt;
use tensor::random;

/// A small random case to check.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// The cell.
    pub cell: CellKind,
    /// Number of layers.
    pub num_layers: usize,
    /// Dropout, with one fixed mask.
    pub dropout: f64,
    /// Draws sizes, weights, characters and the state at the start.
    pub seed: u64,
}

/// The gradient of one parameter compared with finite differences.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// The parameter's PyTorch name.
    pub name: String,
    /// Its PyTorch shape.
    pub shape: Vec<usize>,
    /// Root mean square of its gradient.
    pub gradient: f64,
    /// Largest difference between the two gradients, over the larger of the difference
    /// quotient's size and 1e-3.
    pub worst: f64,
}

/// Step of the differences: the cube root of f64's precision, where truncation and rounding balance.
const EPSILON: f64 = 6e-6;

/// Computes every element of the gradient of a small random network by backpropagation and by finite
/// differences, in f64.
///
/// # Errors
/// If the number of layers or the dropout is out of range.
///
/// ```
/// use rnn::gradient_check::{Case, check};
///
/// let rows = check(&Case { cell: rnn::CellKind::GRU, num_layers: 2, dropout: 0.0, seed: 1 })?;
/// assert!(rows.iter().all(|row| row.worst < 1e-6));
/// # Ok::<(), rnn::Error>(())
/// ```
pub fn check(case: &Case) -> Result<Vec<Row>> {
    differences(case, None)
}

/// The same for sequences that start anew before each input `restart`.
fn differences(case: &Case, restart: Option<Id>) -> Result<Vec<Row>> {
    check_dropout("dropout", case.dropout)?;
    let mut rng = random::rng(case.seed);
    let mut size = |low: usize, high: usize| rng.random_range(low..=high);
    let (vocab_size, hidden_size, steps, batch_size) =
        (size(3, 7), size(2, 6), size(3, 6), size(1, 3));
    let config = NetworkConfig {
        cell: case.cell,
        vocab_size,
        hidden_size,
        num_layers: case.num_layers,
    };
    let mut params = Network::<f64>::new(config, &Init::default(), case.seed)?
        .parameters()
        .clone();
    random::uniform(&mut rng, -0.6, 0.6, params.as_mut_slice()).expect("a range");
    let mut state = State::zeros(&config, batch_size);
    for layer in state.h.iter_mut().chain(&mut state.c) {
        random::normal(&mut rng, 0.0, 0.5, layer.as_mut_slice())
            .expect("0.5 is a standard deviation");
    }
    let mut ids = || {
        (0..steps * batch_size)
            .map(|_| rng.random_range(0..vocab_size as Id))
            .collect::<Vec<_>>()
    };
    let (inputs, targets) = (ids(), ids());
    let window = Window {
        batch_size,
        seq_length: steps,
        horizon: None,
        reduction: Reduction::Mean,
        restart,
    };
    let mut bptt = Bptt::new(&config, window, case.dropout > 0.0)?;
    let dropout = (case.dropout > 0.0).then(|| Dropout::new(case.dropout, case.seed, 1));
    let mut loss = |params: &Parameters<f64>, gradient: Option<&mut Parameters<f64>>| {
        bptt.set_state(&state);
        let loss = bptt.forward(params, &inputs, &targets, dropout);
        if let Some(gradient) = gradient {
            bptt.backward(gradient);
        }
        loss
    };
    let mut gradient = Parameters::zeros(&config);
    loss(&params, Some(&mut gradient));
    let mut rows = Vec::new();
    for named in params.layout().named() {
        let (mut worst, mut squares) = (0.0f64, 0.0);
        for at in named.block.offset..named.block.offset + named.block.len() {
            let kept = params.as_slice()[at];
            let mut at_offset = |by: f64| {
                params.as_mut_slice()[at] = kept + by;
                loss(&params, None)
            };
            let quotient = (at_offset(EPSILON) - at_offset(-EPSILON)) / (2.0 * EPSILON);
            params.as_mut_slice()[at] = kept;
            let exact = gradient.as_slice()[at];
            let error = (exact - quotient).abs() / quotient.abs().max(1e-3);
            // What is no number agrees with nothing, though `max` would pass over it.
            worst = worst.max(if error.is_nan() { f64::INFINITY } else { error });
            squares += exact * exact;
        }
        let gradient = libm::sqrt(squares / named.block.len() as f64);
        rows.push(Row {
            shape: named.shape(),
            name: named.name,
            gradient,
            worst,
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropout_of_everything_is_refused() {
        for dropout in [1.0, -0.5, 1e300, f64::INFINITY, f64::NAN] {
            let (cell, num_layers, seed) = (CellKind::GRU, 1, 1);
            let case = Case {
                cell,
                num_layers,
                dropout,
                seed,
            };
            let error = check(&case).unwrap_err().to_string();
            assert!(
                error.starts_with("dropout must be in [0, 1), got "),
                "{error}"
            );
        }
    }

    #[test]
    fn every_cell_agrees_with_differences_with_and_without_dropout() {
        for cell in CellKind::ALL {
            for (num_layers, dropout, seed) in [(1, 0.0, 1), (1, 0.4, 2), (2, 0.0, 3), (3, 0.3, 4)]
            {
                let case = Case {
                    cell,
                    num_layers,
                    dropout,
                    seed,
                };
                for restart in [None, Some(0), Some(1)] {
                    for row in differences(&case, restart).unwrap() {
                        assert!(row.worst < 1e-6, "{case:?}, restart {restart:?}: {row:?}");
                    }
                }
            }
        }
    }
}
