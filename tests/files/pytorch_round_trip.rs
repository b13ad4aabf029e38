//! Models in PyTorch and PyTorch's networks here, with PyTorch itself: the same logits.
//!
//! `RNN_PYTHON` names a Python that has torch and safetensors, else `python3` is asked. Where there
//! is none the test says that it is skipped; `import.rs` holds what PyTorch once computed.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use rnn::{CellKind, Init, Model, Network, NetworkConfig, Vocabulary, checkpoint};

const TEXT: &str = "the rain in spain stays mainly in the plain, and is wet\n";
/// The characters in the order of a program that did not sort them.
const CHARACTERS: &str = "the raisplymnd,w\n";
/// How far logits may be apart: single precision, sums in another order.
const TOLERANCE: f64 = 1e-5;

fn python() -> Command {
    Command::new(std::env::var_os("RNN_PYTHON").unwrap_or_else(|| "python3".into()))
}

fn has_pytorch() -> bool {
    let asked = python()
        .args(["-c", "import torch, safetensors"])
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

/// What PyTorch computes over the text, for each model in `folder` by its name: with the model, and with
/// the network that PyTorch saves beside it, whose columns are in the order of [`CHARACTERS`].
fn logits(folder: &Path) -> BTreeMap<String, [Vec<Vec<f64>>; 2]> {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/round_trip.py"
    );
    let mut child = python()
        .arg(script)
        .arg(folder)
        .arg(CHARACTERS)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(TEXT.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The largest difference between the logits of `model` over the text and `theirs`, whose columns are
/// those of `characters`.
fn gap(model: &Model, theirs: &[Vec<f64>], characters: &[char]) -> f64 {
    let ids = model.vocabulary().encode(TEXT).unwrap();
    let ours = model
        .network()
        .forward(&ids, &mut model.initial_state())
        .expect("memory");
    assert_eq!(ours.rows(), theirs.len());
    let mut gap = 0.0f64;
    for (row, theirs) in theirs.iter().enumerate() {
        assert_eq!(theirs.len(), characters.len());
        for (&character, theirs) in characters.iter().zip(theirs) {
            let id = model.vocabulary().id(character).unwrap() as usize;
            gap = gap.max((f64::from(ours.row(row)[id]) - theirs).abs());
        }
    }
    gap
}

#[test]
fn models_go_to_pytorch_and_come_from_it() {
    if !has_pytorch() {
        let told = "SKIPPED: no torch and safetensors here, RNN_PYTHON may name a Python with both";
        let _ = writeln!(io::stderr(), "{told}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let vocabulary = Vocabulary::from_text(TEXT).unwrap();
    let mut models = Vec::new();
    // PyTorch has no minGRU.
    let known = CellKind::ALL.into_iter();
    for cell in known.filter(|cell| cell.recurrent_gates() > 0) {
        for num_layers in [1, 2] {
            let config = NetworkConfig {
                cell,
                vocab_size: vocabulary.len(),
                hidden_size: 20,
                num_layers,
            };
            let network = Network::new(config, &Init::default(), 4).unwrap();
            let model = Model::new(vocabulary.clone(), network, None);
            let name = format!("{cell}_{num_layers}");
            model
                .save(folder.path().join(format!("{name}.ours")))
                .unwrap();
            models.push((name, model));
        }
    }
    let found = logits(folder.path());
    assert_eq!(found.len(), models.len());
    let characters: Vec<char> = CHARACTERS.chars().collect();
    let mut worst = 0.0f64;
    for (name, model) in &models {
        let [of_ours, of_theirs] = &found[name];
        let there = gap(model, of_ours, vocabulary.symbols());
        let bytes = std::fs::read(folder.path().join(format!("{name}.theirs"))).unwrap();
        let imported = checkpoint::import(&bytes, None, name.starts_with("rnn_relu")).unwrap();
        let here = gap(&imported, of_theirs, &characters);
        assert!(
            there < TOLERANCE && here < TOLERANCE,
            "{name}: {there} there, {here} here"
        );
        worst = worst.max(there).max(here);
    }
    println!("logits at most {worst:.1e} apart");
}
