//! Networks that PyTorch trained and saved, against the logits that it computes with them.
//!
//! `fixtures/generate_imports.py` wrote the files.

use std::path::PathBuf;

use rnn::{Id, Model, checkpoint};
use serde_json::Value;

const CELLS: [&str; 4] = ["rnn", "rnn_relu", "lstm", "gru"];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/imports")
        .join(name)
}

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(path("logits.json")).unwrap()).unwrap()
}

fn import(cell: &str, layers: usize, characters: Option<&str>) -> rnn::Result<Model> {
    let bytes = std::fs::read(path(&format!("{cell}_{layers}.safetensors"))).unwrap();
    checkpoint::import(&bytes, characters, cell == "rnn_relu")
}

#[test]
fn every_cell_gives_the_logits_that_pytorch_gives() {
    let expected = expected();
    let (theirs, text) = (
        expected["characters"].as_str().unwrap(),
        expected["text"].as_str().unwrap(),
    );
    for cell in CELLS {
        for layers in [1, 2] {
            // The file of one layer says its characters itself.
            let model = import(cell, layers, (layers == 2).then_some(theirs)).unwrap();
            assert_eq!(model.network().config().cell.name(), cell);
            assert_eq!(model.network().config().num_layers, layers);
            let ids = model.vocabulary().encode(text).unwrap();
            let mut state = model.initial_state();
            let logits = model.network().forward(&ids, &mut state).expect("memory");
            let rows = expected["logits"][format!("{cell}_{layers}")]
                .as_array()
                .unwrap();
            assert_eq!(rows.len(), logits.rows());
            for (t, row) in rows.iter().enumerate() {
                for (character, value) in theirs.chars().zip(row.as_array().unwrap()) {
                    let id = model.vocabulary().id(character).unwrap() as usize;
                    let (ours, value) = (logits.row(t)[id], value.as_f64().unwrap());
                    assert!(
                        (f64::from(ours) - value).abs() < 1e-5,
                        "{cell} {layers} step {t} {character:?}: {ours} and {value}"
                    );
                }
            }
            let again = Model::from_bytes(&model.to_bytes()).unwrap();
            assert_eq!(again, model);
        }
    }
}

#[test]
fn stepping_is_reading_the_text_at_once() {
    let model = import("lstm", 1, None).unwrap();
    let text = "zebra bear";
    let ids: Vec<Id> = model.vocabulary().encode(text).unwrap();
    let at_once = model
        .network()
        .forward(&ids, &mut model.initial_state())
        .expect("memory");
    let mut state = model.initial_state();
    for (t, character) in text.chars().enumerate() {
        let stepped = model.step(character, &mut state).unwrap();
        let mut row = at_once.row(t).to_vec();
        tensor::activation::softmax_in_place(&mut row);
        assert_eq!(stepped, row, "step {t}");
    }
    let before = state.clone();
    let error = model.step('q', &mut state).unwrap_err().to_string();
    assert!(error.starts_with("character 'q' (U+0071)"), "{error}");
    assert_eq!(state, before);
}

#[test]
fn files_that_are_no_such_network_are_refused() {
    let characters = expected()["characters"].as_str().unwrap().to_owned();
    let wrong = |cell, layers, characters: Option<&str>| {
        import(cell, layers, characters).unwrap_err().to_string()
    };
    assert_eq!(
        wrong("gru", 2, None),
        "not a network to import: its metadata has no \"vocabulary\"; pass the characters (--vocabulary)"
    );
    assert_eq!(
        wrong("gru", 2, Some("abc")),
        "not a network to import: its network has 8 characters, the vocabulary 3"
    );
    assert!(wrong("gru", 2, Some("aabcdefg")).contains("symbols must be distinct"));
    let bytes = std::fs::read(path("lstm_2.safetensors")).unwrap();
    // Every name changed in turn: something is missing, or there is too much.
    for at in 8..bytes.len() {
        if bytes[at..].starts_with(b"memory.") || bytes[at..].starts_with(b"head.") {
            let mut bytes = bytes.clone();
            bytes[at] = b'X';
            assert!(checkpoint::import(&bytes, Some(&characters), false).is_err());
        }
    }
    // An LSTM without its recurrent weights is no other cell, and nothing in a file is passed over.
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let changed = |names: &dyn Fn(&str) -> Option<String>| {
        let kept = tensors
            .iter()
            .filter_map(|(name, view)| Some((names(name)?, view)));
        let bytes = safetensors::serialize(kept, None).unwrap();
        let refused = checkpoint::import(&bytes, Some(&characters), false).unwrap_err();
        refused.to_string()
    };
    let without = |name: &str| (!name.contains("weight_hh_l0")).then(|| name.to_owned());
    let error = changed(&without);
    assert!(error.contains("weight_hh_l0\" is missing"), "{error}");
    let bare = |name: &str| match name {
        "memory.weight_ih_l0" => None,
        "memory.weight_ih_l1" => Some("memory.weight_ih_l0".to_owned()),
        other => (!other.contains("_hh_") && !other.contains("_ih_")).then(|| other.to_owned()),
    };
    let error = changed(&bare);
    assert!(error.contains("weight_hh_l0\" is missing"), "{error}");
    // The shapes of four gates for three, by cutting what the header says.
    for cut in [0, 7, 8, 100, bytes.len() - 1] {
        assert!(checkpoint::import(&bytes[..cut], Some(&characters), false).is_err());
    }
    let mut infinite = bytes.clone();
    let end = infinite.len();
    infinite[end - 4..].copy_from_slice(&f32::INFINITY.to_le_bytes());
    let error = checkpoint::import(&infinite, Some(&characters), false).unwrap_err();
    assert!(error.to_string().contains("inf"), "{error}");
}

#[test]
fn a_larger_vocabulary_changes_nothing_for_the_characters_that_were_known() {
    let model = import("gru", 1, None).unwrap();
    let larger = rnn::Vocabulary::from_text("zebra \nxAq~").unwrap();
    let network = model.network_for(&larger, 3).unwrap();
    let text = "zebra\nbear";
    let old = model
        .network()
        .forward(
            &model.vocabulary().encode(text).unwrap(),
            &mut model.initial_state(),
        )
        .expect("memory");
    let grown = Model::new(larger, network, None);
    let new = grown
        .network()
        .forward(
            &grown.vocabulary().encode(text).unwrap(),
            &mut grown.initial_state(),
        )
        .expect("memory");
    for t in 0..text.len() {
        for (id, &symbol) in model.vocabulary().symbols().iter().enumerate() {
            let there = grown.vocabulary().id(symbol).unwrap() as usize;
            assert_eq!(old.row(t)[id], new.row(t)[there]);
        }
    }
    let random = new.row(0)[grown.vocabulary().id('q').unwrap() as usize];
    assert!(random != 0.0);
}

#[test]
fn recurrent_layers_have_any_prefix_or_none() {
    let folder = path("../pytorch");
    let bytes = std::fs::read(folder.join("logits.json")).unwrap();
    let expected: Value = serde_json::from_slice(&bytes).unwrap();
    let ids: Vec<Id> = serde_json::from_value(expected["ids"].clone()).unwrap();
    let cases = expected["cases"].as_object().unwrap();
    assert_eq!(cases.len(), 8);
    for (name, case) in cases {
        let bytes = std::fs::read(folder.join(format!("{name}.safetensors"))).unwrap();
        let model = Model::from_pytorch(&bytes, expected["vocabulary"].as_str()).unwrap();
        let logits = model
            .network()
            .forward(&ids, &mut model.initial_state())
            .expect("memory");
        let theirs: Vec<Vec<f64>> = serde_json::from_value(case["logits"].clone()).unwrap();
        for (ours, theirs) in logits.as_slice().iter().zip(theirs.iter().flatten()) {
            assert!(
                (f64::from(*ours) - theirs).abs() < 1e-5,
                "{name}: {ours} and {theirs}"
            );
        }
    }
}

#[test]
fn a_mingru_comes_back_and_brings_nothing_that_it_has_no_place_for() {
    let vocabulary = rnn::Vocabulary::from_text("abc").unwrap();
    let config = rnn::NetworkConfig {
        cell: rnn::CellKind::MIN_GRU,
        vocab_size: 3,
        hidden_size: 4,
        num_layers: 2,
    };
    let network = rnn::Network::new(config, &rnn::Init::default(), 1).unwrap();
    let bytes = Model::new(vocabulary, network.clone(), None).to_bytes();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let import = |tensors| {
        let bytes = safetensors::serialize(tensors, None).unwrap();
        checkpoint::import(&bytes, Some("abc"), false)
    };
    let tensors: Vec<_> = file.iter().collect();
    let imported = import(tensors.clone()).unwrap();
    assert_eq!(imported.network(), &network);
    let bias = file.tensor("rnn.bias_ih_l0").unwrap();
    let more = [tensors, vec![("rnn.bias_hh_l0", bias)]].concat();
    let error = import(more).unwrap_err().to_string();
    assert_eq!(
        error,
        "not a network to import: tensor \"rnn.weight_hh_l0\" is missing"
    );
}
