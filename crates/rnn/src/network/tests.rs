//! How a new network starts.

use super::*;
use crate::cell::CellKind;
use crate::parameters::Layout;
use approx::assert_relative_eq;

fn config(cell: CellKind) -> NetworkConfig {
    NetworkConfig {
        cell,
        vocab_size: 5,
        hidden_size: 6,
        num_layers: 2,
    }
}

#[test]
fn uniform_weights_lie_within_the_bound_and_depend_on_the_seed() {
    let draw = |seed| Network::<f64>::new(config(CellKind::LSTM), &Init::default(), seed).unwrap();
    let bound = 1.0 / 6f64.sqrt();
    assert!(
        draw(1)
            .parameters()
            .as_slice()
            .iter()
            .all(|w| w.abs() <= bound)
    );
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}

#[test]
fn the_largest_network_is_refused_with_its_size() {
    for orthogonal in [false, true] {
        let init = Init {
            orthogonal,
            ..Init::default()
        };
        let largest = NetworkConfig {
            cell: CellKind::LSTM,
            vocab_size: 100,
            hidden_size: crate::MAX_HIDDEN_SIZE,
            num_layers: crate::MAX_LAYERS,
        };
        let wanted = 4 * Layout::count(&largest);
        match Network::<f32>::new(largest, &init, 1) {
            Err(crate::Error::TooLarge { needed, .. }) => assert!(needed >= wanted),
            other => panic!("{:?}", other.map(|network| network.config)),
        }
    }
}

#[test]
fn orthogonal_recurrent_matrices_times_their_transpose_are_the_identity() {
    let init = Init {
        orthogonal: true,
        ..Init::default()
    };
    let network = Network::<f64>::new(config(CellKind::GRU), &init, 3).unwrap();
    let (_, w) = network.tensor("rnn.weight_hh_l1").unwrap();
    for gate in w.chunks_exact(36) {
        for (i, j) in (0..36).map(|at| (at / 6, at % 6)) {
            let dot: f64 = (0..6).map(|k| gate[i * 6 + k] * gate[j * 6 + k]).sum();
            assert_relative_eq!(dot, f64::from(u8::from(i == j)), epsilon = 1e-12);
        }
    }
}

#[test]
fn the_forget_bias_is_what_was_asked_for() {
    let init = Init {
        forget_bias: Some(1.0),
        ..Init::default()
    };
    let network = Network::<f64>::new(config(CellKind::LSTM), &init, 3).unwrap();
    let (_, ih) = network.tensor("rnn.bias_ih_l0").unwrap();
    let (_, hh) = network.tensor("rnn.bias_hh_l0").unwrap();
    assert!((6..12).all(|j| ih[j] + hh[j] == 1.0));
    assert!((0..6).any(|j| ih[j] + hh[j] != 1.0));
}

#[test]
fn a_start_that_is_accepted_is_finite() {
    let values = [
        0.0,
        -0.0,
        1.0,
        1e30,
        3e38,
        1e39,
        -1e39,
        f64::MAX,
        f64::MIN,
        f64::NAN,
    ];
    let mut accepted = 0;
    for value in values {
        for scheme in [Scheme::Uniform, Scheme::Normal(value)] {
            let init = Init {
                scheme,
                orthogonal: false,
                forget_bias: Some(value),
            };
            if init.validate().is_ok() {
                let network = Network::<f32>::new(config(CellKind::LSTM), &init, 3).unwrap();
                assert!(network.parameters().is_finite(), "{init:?}");
                accepted += 1;
            }
        }
    }
    // Of the last five nothing, of 3e38 the bias alone.
    assert_eq!(accepted, 9);
}
