//! Single precision against double, within a bound that follows from the number of roundings.
//!
//! `n` roundings of at most `u` each, as likely up as down, make a relative error of about
//! `u sqrt(n)`, and of more than `6 u sqrt(n)` almost never (Higham and Mary 2019); in f32
//! `u = 2^-24`. A character's influence passes through at most this many, one after the other:
//!
//! ```text
//! forward    T steps in each of L layers, each a chain of H additions and C operations of the cell
//! loss       a chain of H additions, a softmax over V
//! backward   as many as forward, each a chain of G H additions
//! weights    a sum over T B rows
//! ```
//!
//! Two things keep errors from growing on the way: default weights within `1/sqrt(H)` give each
//! recurrent matrix a norm near 1, and no cell's derivative exceeds 1. Partial sums are smaller than
//! the sum, so the error is less than the bound: a tenth of it and less on these networks.

use rnn::{Bptt, CellKind, Network, Parameters, Reduction, State, Window};
use tensor::{Scalar, random};

use crate::common::{network, random_ids};

const VOCAB: usize = 28;
const HIDDEN: usize = 64;
const STEPS: usize = 32;
const BATCH: usize = 8;
/// Operations of a cell on one unit, activations counted as their polynomials.
const CELL: usize = 40;

/// `sqrt(n)` roundings of single precision.
fn bound(cell: CellKind, num_layers: usize) -> f64 {
    let forward = num_layers * STEPS * (HIDDEN + CELL);
    let backward = num_layers * STEPS * (cell.gates() * HIDDEN + CELL);
    let roundings = forward + (HIDDEN + VOCAB + CELL) + backward + STEPS * BATCH;
    (roundings as f64).sqrt() * 2f64.powi(-24)
}

/// The loss and its gradient in one precision, both widened to double.
fn loss_and_gradient<T: Scalar>(network: &Network<f32>) -> (f64, Parameters<f64>) {
    let config = *network.config();
    let mut params = Parameters::<T>::zeros(&config);
    for (to, &from) in params
        .as_mut_slice()
        .iter_mut()
        .zip(network.parameters().as_slice())
    {
        *to = T::from_f64(f64::from(from));
    }
    let mut start = State::<T>::zeros(&config, BATCH);
    for layer in start.h.iter_mut().chain(&mut start.c) {
        let mut values = vec![0.0f32; layer.as_slice().len()];
        random::uniform(&mut random::rng(3), -0.5, 0.5, &mut values).expect("a range");
        for (to, from) in layer.as_mut_slice().iter_mut().zip(values) {
            *to = T::from_f64(f64::from(from));
        }
    }
    let window = Window {
        batch_size: BATCH,
        seq_length: STEPS,
        horizon: None,
        reduction: Reduction::Mean,
        restart: None,
    };
    let mut bptt = Bptt::new(&config, window, false).expect("memory");
    bptt.set_state(&start);
    let ids = |seed| random_ids(VOCAB, STEPS * BATCH, seed);
    let loss = bptt.forward(&params, &ids(1), &ids(2), None);
    let mut gradient = Parameters::<T>::zeros(&config);
    bptt.backward(&mut gradient);
    let mut wide = Parameters::zeros(&config);
    for (to, from) in wide.as_mut_slice().iter_mut().zip(gradient.as_slice()) {
        *to = from.to_f64();
    }
    (loss, wide)
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|x| x * x).sum::<f64>().sqrt()
}

#[test]
fn loss_and_gradients_in_single_precision_are_as_near_as_their_roundings_allow() {
    for cell in CellKind::ALL {
        for num_layers in [1, 2] {
            let network = network::<f32>(cell, VOCAB, HIDDEN, num_layers);
            let (loss, gradient) = loss_and_gradient::<f32>(&network);
            let (exact_loss, exact) = loss_and_gradient::<f64>(&network);
            let bound = bound(cell, num_layers);

            let apart = (loss - exact_loss).abs() / exact_loss;
            assert!(
                apart > 0.0,
                "{cell}, {num_layers} layers: the same loss in both"
            );
            assert!(
                apart <= bound,
                "{cell}, {num_layers} layers: loss off by {apart:e} of it, at most {bound:e}"
            );
            for named in exact.layout().named() {
                let (ours, theirs) = (gradient.slice(named.block), exact.slice(named.block));
                let gaps = ours.iter().zip(theirs).map(|(a, b)| a - b);
                let apart = norm(gaps) / norm(theirs.iter().copied());
                let name = &named.name;
                assert!(
                    apart <= bound,
                    "{cell}, {num_layers} layers: {name} off by {apart:e} of it, at most {bound:e}"
                );
            }
        }
    }
}
