//! Rounded weights: what they are, and what they change, against a direct computation.

use crate::common::{network, random_ids};
use rnn::insight::{Rounding, largest_difference, rounded};
use rnn::{CellKind, Id, Model, Network, Scorer, State, Vocabulary};

fn model(cell: CellKind) -> (Model, Vec<Id>) {
    let vocabulary = Vocabulary::from_text("abcdefg").unwrap();
    let network = network::<f32>(cell, vocabulary.len(), 24, 2);
    (
        Model::new(vocabulary, network, None),
        random_ids(7, 2500, 3),
    )
}

#[test]
fn rounded_weights_are_the_closest_multiples() {
    let (model, _) = model(CellKind::GRU);
    let weights = model.network().parameters().as_slice();
    for digits in [-3, 0, 4, 11, 20] {
        let step = 2.0f64.powi(-digits);
        let rounded = rounded(model.network(), Some(digits)).expect("memory");
        for (&weight, &close) in weights.iter().zip(rounded.parameters().as_slice()) {
            assert_eq!((close / step).fract(), 0.0, "{close} of {step}");
            assert!(
                (close - f64::from(weight)).abs() <= step / 2.0,
                "{weight} {close}"
            );
        }
    }
    let same = rounded(model.network(), None).expect("memory");
    let pairs = weights.iter().zip(same.parameters().as_slice());
    assert!(pairs.into_iter().all(|(&a, &b)| f64::from(a) == b));
}

/// All probabilities of a text, step by step in double precision.
#[test]
fn any_number_of_digits_rounds() {
    let (model, ids) = model(CellKind::LSTM);
    let exact = rounded(model.network(), None).expect("memory");
    for digits in [149, 150, 1100, i32::MAX - 1, i32::MAX] {
        assert!(
            rounded(model.network(), Some(digits)).expect("memory") == exact,
            "{digits}"
        );
    }
    for digits in [-130, -131, -1100, i32::MIN + 1, i32::MIN] {
        let zero = rounded(model.network(), Some(digits)).expect("memory");
        assert!(zero.parameters().as_slice().iter().all(|&w| w == 0.0));
        assert_eq!(
            Rounding::within(&model, &ids[..9], 1e-9, digits).expect("memory"),
            None
        );
    }
}

fn probabilities(network: &Network<f64>, ids: &[Id]) -> Vec<Vec<f64>> {
    let mut state = State::zeros(network.config(), 1);
    let step = |&id: &Id| {
        let logits = network.forward(&[id], &mut state).expect("memory");
        let exp: Vec<f64> = logits.row(0).iter().map(|o| o.exp()).collect();
        let sum: f64 = exp.iter().sum();
        exp.iter().map(|e| e / sum).collect()
    };
    ids.iter().map(step).collect()
}

#[test]
fn the_difference_is_the_largest_of_any_probability() {
    for cell in [CellKind::RNN, CellKind::LSTM] {
        let (model, ids) = model(cell);
        for digits in [Some(5), Some(9), None] {
            let rounded = rounded(model.network(), digits).expect("memory");
            let theirs = probabilities(&rounded, &ids);
            let (mut at, mut worst) = (0, 0.0f64);
            let mut scorer = Scorer::new(&model).expect("memory");
            let read = scorer.push_with(&ids, |_, _, ours| {
                for (p, q) in ours.iter().zip(&theirs[at]) {
                    worst = worst.max((f64::from(*p) - q).abs());
                }
                at += 1;
            });
            read.unwrap();
            assert_eq!(at, 2499);
            let found = largest_difference(&model, &rounded, &ids).expect("memory");
            assert!(
                (found - worst).abs() < 1e-12,
                "{cell:?} {digits:?}: {found} {worst}"
            );
            assert_eq!(
                Rounding::measure(&model, &ids, digits).expect("memory"),
                Rounding {
                    digits,
                    change: found
                }
            );
        }
    }
    let (model, ids) = model(CellKind::LSTM);
    let exact = rounded(model.network(), None).expect("memory");
    assert_eq!(
        largest_difference(&model, &exact, &ids[..1]).expect("memory"),
        0.0
    );
    assert_eq!(
        largest_difference(&model, &exact, &[]).expect("memory"),
        0.0
    );
}

#[test]
fn digits_are_as_many_as_the_bound_needs_and_no_more() {
    let (model, ids) = model(CellKind::LSTM);
    for bound in [1e-2, 1e-3, 1e-4, 1e-5] {
        let found = Rounding::within(&model, &ids, bound, 22)
            .expect("memory")
            .unwrap();
        assert!(found.change <= bound, "{found:?}");
        let fewer = found.digits.map(|digits| digits - 2);
        let coarser = Rounding::measure(&model, &ids, fewer).expect("memory");
        assert!(coarser.change > bound, "{bound}: {found:?} {coarser:?}");
    }
    // What no rounding gives: the model's own arithmetic is not that exact.
    assert_eq!(
        Rounding::within(&model, &ids, 1e-12, 22).expect("memory"),
        None
    );
    assert_eq!(
        Rounding::within(&model, &ids, 1e-4, 3).expect("memory"),
        None
    );
}
