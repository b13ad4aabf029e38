//! What a file holds comes back, and what is wrong with one is said.

use std::ops::ControlFlow;

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

use super::*;
use crate::Error;
use crate::cell::CellKind;
use crate::config::{Init, NetworkConfig};
use crate::corpus::Corpus;
use crate::model::{Model, Training};
use crate::network::Network;
use crate::trainer::{Record, RunOptions, Trainer, recommended};
use crate::vocabulary::Vocabulary;

fn model(cell: CellKind) -> Model {
    let vocabulary = Vocabulary::from_text("a\u{0}é\"\\𝄞\n").unwrap();
    let config = NetworkConfig {
        cell,
        vocab_size: vocabulary.len(),
        hidden_size: 3,
        num_layers: 2,
    };
    let network = Network::new(config, &Init::default(), 9).unwrap();
    let history = vec![
        Record {
            step: 1,
            train_loss: Some(0.1 + 0.2),
            validation_loss: Some(1e-300),
            learning_rate: 1.0 / 3.0,
        },
        Record {
            step: u64::MAX,
            train_loss: None,
            validation_loss: None,
            learning_rate: 5e-324,
        },
    ];
    let config = crate::TrainConfig::default();
    Model::new(
        vocabulary,
        network,
        Some(Training {
            config,
            best_step: Some(1),
            history,
        }),
    )
}

#[test]
fn a_model_comes_back_as_it_was_and_gives_the_same_bytes_again() {
    for cell in CellKind::ALL {
        let model = model(cell);
        let bytes = model.to_bytes();
        let again = Model::from_bytes(&bytes).unwrap();
        assert_eq!(again, model, "{cell}");
        assert_eq!(again.to_bytes(), bytes, "{cell}");
    }
}

#[test]
fn files_hold_pytorch_names_and_shapes() {
    let bytes = model(CellKind::LSTM).to_bytes();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("rnn.weight_ih_l0").unwrap().shape(), [12, 7]);
    assert_eq!(file.tensor("rnn.weight_ih_l1").unwrap().shape(), [12, 3]);
    assert_eq!(file.tensor("rnn.bias_hh_l1").unwrap().shape(), [12]);
    assert_eq!(file.tensor("decoder.weight").unwrap().shape(), [7, 3]);
}

#[test]
fn weights_that_are_not_finite_are_not_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    model(CellKind::GRU).save(&path).unwrap();
    let old = std::fs::read(&path).unwrap();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let sound = model(CellKind::GRU);
        let mut parameters = sound.network().parameters().clone();
        parameters.as_mut_slice()[7] = value;
        let network = Network::from_parameters(*sound.network().config(), parameters);
        let wild = Model::new(sound.vocabulary().clone(), network, None);
        let error = wild.save(&path).unwrap_err();
        assert!(matches!(error, Error::Save { .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), old);
    }
}

#[test]
fn other_files_are_named_for_what_they_are() {
    let message = |bytes: &[u8]| Model::from_bytes(bytes).unwrap_err().to_string();
    assert!(message(b"").contains("0 bytes"), "{}", message(b""));
    assert!(
        message(b"To be, or not to be: that is the question").contains("not a safetensors file")
    );
    let view = TensorView::new(Dtype::F32, vec![1], &[0; 4]).unwrap();
    let foreign = serialize([("weight", view)], None).unwrap();
    assert!(
        message(&foreign).contains("another program"),
        "{}",
        message(&foreign)
    );
}

#[test]
fn a_save_replaces_the_file_and_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    save(&path, b"old").unwrap();
    save(&path, b"new").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(matches!(
        save(&folder.path().join("no/m"), b""),
        Err(Error::Save { .. })
    ));
    assert!(matches!(
        check_target(folder.path()),
        Err(Error::Save { .. })
    ));
}

#[cfg(unix)]
#[test]
fn a_save_through_a_symbolic_link_changes_its_target() {
    let folder = tempfile::tempdir().unwrap();
    let (target, link) = (folder.path().join("target"), folder.path().join("link"));
    std::os::unix::fs::symlink("target", &link).unwrap();
    for content in ["first", "second"] {
        save(&link, content.as_bytes()).unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), content);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}

#[test]
fn what_a_message_quotes_of_a_file_is_visible() {
    let hidden = "a\u{202e}\u{2066}\u{200b}\u{2028}\u{e0041}\u{1b}z";
    let said = header::wrong(format!("unknown field `{hidden}`")).to_string();
    let expected = r"unknown field `a\u{202e}\u{2066}\u{200b}\u{2028}\u{e0041}\u{1b}z`";
    assert!(said.ends_with(expected), "{said}");
    // A message has an end, however long what it quotes.
    let said = header::wrong("\u{202e}".repeat(10_000)).to_string();
    assert!(said.chars().count() < 400, "{said}");
}

#[test]
fn what_going_on_needs_can_be_discarded_twice_and_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    let corpus = Corpus::from_text(&"anna ".repeat(20)).unwrap();
    let mut advice = recommended(&corpus.facts(false));
    (advice.network.hidden_size, advice.train.seq_length) = (3, 8);
    // Its last evaluation is one that a longer run would not have.
    (advice.train.max_steps, advice.train.eval_every) = (Some(3), 2);
    let mut trainer = Trainer::new(corpus, &[1.0], advice.network, advice.train).unwrap();
    let mut keeper = Keeper::new(&path, Every::Steps(1)).unwrap();
    keeper.discard().unwrap();
    let run = trainer.run(&RunOptions::default(), |trainer, event| {
        keeper.follow(trainer, &event)?;
        Ok::<_, Error>(ControlFlow::Continue(()))
    });
    run.unwrap();
    keeper.stop(&trainer).unwrap();
    assert!(resume_path(&path).exists());
    for _ in 0..2 {
        keeper.discard().unwrap();
        assert!(!resume_path(&path).exists());
    }
    keeper.stop(&trainer).unwrap();
    assert_eq!(keeper.load().unwrap().unwrap().step_count(), 3);
}
