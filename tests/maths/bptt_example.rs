//! `examples/bptt.rs`, back-propagation through time in plain matrices, gives the gradients of the
//! crate's [`Bptt`], and those of finite differences.
#![allow(non_snake_case)]

#[path = "../../crates/rnn/examples/bptt.rs"]
#[expect(dead_code, reason = "its main function is not called")]
mod example;

use crate::common::{network, random_ids};
use rnn::{Bptt, CellKind, Id, Network, Parameters, Reduction, Window};

type Matrix = tensor::Matrix<f64>;

const VOCAB: usize = 6;
const HIDDEN: usize = 5;
const STEPS: usize = 12;

/// Rows of a parameter that belong to one gate; a bias is a column.
fn part(parameters: &Parameters<f64>, name: &str, gate: usize, rows: usize) -> Matrix {
    let named = parameters.layout().named();
    let named = named
        .iter()
        .find(|named| named.name == name)
        .expect("a parameter");
    let values = parameters.to_pytorch(named);
    let cols = named.shape().get(1).copied().unwrap_or(1);
    let values = values[gate * rows * cols..(gate + 1) * rows * cols].to_vec();
    Matrix::from_vec(rows, cols, values).expect("so many rows")
}

/// The example's parameters, of a network or of a gradient. Of two biases the example has the sum.
fn plain(parameters: &Parameters<f64>, gates: usize, is_gradient: bool) -> example::Parameters {
    let gate = |at| {
        let part = |name| part(parameters, name, at, HIDDEN);
        let (b_ih, b_hh) = (part("rnn.bias_ih_l0"), part("rnn.bias_hh_l0"));
        example::Gate {
            U: part("rnn.weight_ih_l0"),
            W: part("rnn.weight_hh_l0"),
            b: if is_gradient { b_ih } else { &b_ih + &b_hh },
        }
    };
    example::Parameters {
        gates: (0..gates).map(gate).collect(),
        V: part(parameters, "decoder.weight", 0, VOCAB),
        c: part(parameters, "decoder.bias", 0, VOCAB),
    }
}

/// Loss and gradient of a text by the crate.
fn theirs(network: &Network<f64>, text: &[Id]) -> (f64, Parameters<f64>) {
    let window = Window {
        batch_size: 1,
        seq_length: STEPS,
        horizon: None,
        reduction: Reduction::Sum,
        restart: None,
    };
    let mut bptt = Bptt::new(network.config(), window, false).expect("memory");
    let loss = bptt.forward(network.parameters(), &text[..STEPS], &text[1..], None);
    let mut gradient = Parameters::zeros(network.config());
    bptt.backward(&mut gradient);
    (loss, gradient)
}

#[test]
fn its_gradients_are_those_of_the_crate() {
    for (cell, gates) in [(CellKind::RNN, 1), (CellKind::LSTM, 4)] {
        let network: Network<f64> = network(cell, VOCAB, HIDDEN, 1);
        let text = random_ids(VOCAB, STEPS + 1, 3);
        let (loss, gradient) = theirs(&network, &text);
        let ids: Vec<usize> = text.iter().map(|&id| id as usize).collect();
        let parameters = plain(network.parameters(), gates, false);
        let (ours, mut found) = example::loss_and_gradient(&parameters, &ids);
        assert!(
            (ours - loss).abs() < 1e-10,
            "{cell}: {ours}, expected {loss}"
        );
        let mut expected = plain(&gradient, gates, true);
        for (at, (found, expected)) in example::matrices(&mut found)
            .into_iter()
            .zip(example::matrices(&mut expected))
            .enumerate()
        {
            for (a, b) in found.as_slice().iter().zip(expected.as_slice()) {
                assert!(
                    (a - b).abs() < 1e-10,
                    "{cell}, matrix {at}: {a}, expected {b}"
                );
            }
        }
    }
}

#[test]
fn its_gradients_are_those_of_finite_differences() {
    const STEP: f64 = 1e-5;
    for gates in [1, 4] {
        let mut parameters = example::initial_parameters(gates, 3, 4);
        let text = [0, 2, 1, 1, 3, 0, 2];
        let (_, mut gradient) = example::loss_and_gradient(&parameters, &text);
        let gradient = example::matrices(&mut gradient);
        for (which, expected) in gradient.iter().enumerate() {
            for at in 0..expected.as_slice().len() {
                let mut loss_at = |change: f64| {
                    example::matrices(&mut parameters)[which].as_mut_slice()[at] += change;
                    let loss = example::loss_and_gradient(&parameters, &text).0;
                    example::matrices(&mut parameters)[which].as_mut_slice()[at] -= change;
                    loss
                };
                let slope = (loss_at(STEP) - loss_at(-STEP)) / (2.0 * STEP);
                let found = expected.as_slice()[at];
                assert!(
                    (slope - found).abs() < 1e-8,
                    "{which}[{at}]: {found}, expected {slope}"
                );
            }
        }
    }
}

#[test]
fn it_learns_what_needs_a_memory() {
    let text = [0, 1, 2, 1, 3, 1];
    for (gates, epochs) in [(1, 500), (4, 1500)] {
        let mut parameters = example::initial_parameters(gates, 10, 4);
        let loss = example::train(&mut parameters, &text, epochs, 0.1);
        assert!(loss < 0.5, "{gates} gates: {loss}");
        assert_eq!(example::predict(&parameters, 0, text.len()), text);
    }
}
