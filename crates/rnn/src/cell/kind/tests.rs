//! The table of cells, and cells that are not in it.

use super::*;
use crate::{Init, Model, Network, NetworkConfig, Vocabulary};

/// The notebook's cell under another name, or under its own.
struct Mine<const NEW: bool>;

impl<const NEW: bool> Cell for Mine<NEW> {
    const NAME: &'static str = if NEW { "mine" } else { "rnn" };
    const ABOUT: &'static str = "The notebook's cell";
    const COLUMNS: usize = 1;
    const INPUT: &'static [Part] = elman::Tanh::INPUT;
    const RECURRENT: Option<&'static Part> = elman::Tanh::RECURRENT;

    fn forward<T: Scalar>(step: Forward<'_, T>) {
        elman::Tanh::forward(step);
    }

    fn backward<T: Scalar>(step: Backward<'_, T>) {
        elman::Tanh::backward(step);
    }
}

#[test]
fn a_cell_of_ones_own_is_none_of_ours_and_no_file_is_made_that_cannot_be_read() {
    let cell = CellKind::of::<Mine<true>>();
    assert!(!CellKind::ALL.contains(&cell));
    let vocabulary = Vocabulary::from_text("ab").unwrap();
    let config = NetworkConfig {
        cell,
        vocab_size: 2,
        hidden_size: 3,
        num_layers: 1,
    };
    let network = Network::new(config, &Init::default(), 1).unwrap();
    let as_ours = NetworkConfig {
        cell: CellKind::RNN,
        ..config
    };
    let ours = Network::from_parameters(as_ours, network.parameters().clone());
    let [model, ours] =
        [network, ours].map(|network| Model::new(vocabulary.clone(), network, None));
    assert_eq!(model.score("abba").unwrap(), ours.score("abba").unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    let error = format!("{:?}", model.save(&path).unwrap_err());
    assert!(error.contains("cell must be one of rnn, "), "{error}");
    assert!(!path.exists());
}

/// A cell whose forget gate sees the input alone.
struct Forgets;

impl Cell for Forgets {
    const NAME: &'static str = "forgets";
    const ABOUT: &'static str = "The notebook's cell without its past";
    const COLUMNS: usize = 1;
    const INPUT: &'static [Part] = elman::Tanh::INPUT;
    const RECURRENT: Option<&'static Part> = None;
    const FORGET_GATE: Option<usize> = Some(0);

    fn forward<T: Scalar>(step: Forward<'_, T>) {
        elman::Tanh::forward(step);
    }

    fn backward<T: Scalar>(step: Backward<'_, T>) {
        elman::Tanh::backward(step);
    }
}

#[test]
fn a_forget_gate_without_recurrent_weights_is_opened_by_its_one_bias() {
    let config = NetworkConfig {
        cell: CellKind::of::<Forgets>(),
        vocab_size: 2,
        hidden_size: 3,
        num_layers: 1,
    };
    let init = Init {
        forget_bias: Some(1.5),
        ..Init::default()
    };
    let network = Network::<f64>::new(config, &init, 1).unwrap();
    let (shape, bias) = network.tensor("rnn.bias_ih_l0").unwrap();
    assert_eq!((&shape[..], &bias[..]), (&[3][..], &[1.5; 3][..]));
    assert!(network.tensor("rnn.bias_hh_l0").is_none());
}

#[test]
#[should_panic(expected = "a cell of this crate has that name")]
fn a_name_that_is_taken_is_refused() {
    CellKind::of::<Mine<false>>();
}

#[test]
fn every_column_is_written_and_every_signal_has_its_own() {
    for cell in CellKind::ALL {
        let parts = cell.input_parts().iter().chain(cell.recurrent_part());
        let mut columns: Vec<usize> = parts.flat_map(|part| part.columns.clone()).collect();
        columns.sort_unstable();
        columns.dedup();
        assert_eq!(
            columns,
            (0..cell.block_width()).collect::<Vec<_>>(),
            "{cell}"
        );
        let mut of_signals: Vec<usize> = cell.signals().iter().filter_map(|s| s.column).collect();
        let count = of_signals.len();
        of_signals.sort_unstable();
        of_signals.dedup();
        assert_eq!(of_signals.len(), count, "{cell}");
        assert!(of_signals.iter().all(|&at| at < cell.block_width()));
        assert!(cell.signals().iter().all(|s| s.gate < cell.gates()));
    }
}
