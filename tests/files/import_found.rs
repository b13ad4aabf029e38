//! Networks of PyTorch as they are found, not only as we would have them, against the logits that it
//! computes with them; and what is no such network, refused by what it is.
//!
//! `fixtures/generate_imports.py` wrote the files.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use rnn::{Model, checkpoint};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::Deserialize;

/// The characters in the order of their numbers in the files.
const CHARACTERS: &str = "zebra \nx";

fn path(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/imports");
    PathBuf::from(folder).join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(&format!("{name}.safetensors"))).unwrap()
}

#[derive(Deserialize)]
struct Expected {
    text: String,
    logits: BTreeMap<String, Vec<Vec<f64>>>,
}

fn expected() -> Expected {
    serde_json::from_slice(&std::fs::read(path("found.json")).unwrap()).unwrap()
}

/// The largest difference between a model's logits and those of PyTorch.
fn gap(model: &Model, text: &str, theirs: &[Vec<f64>]) -> f64 {
    let ids = model.vocabulary().encode(text).unwrap();
    let mut state = model.initial_state();
    let logits = model.network().forward(&ids, &mut state).unwrap();
    assert_eq!(logits.rows(), theirs.len());
    let mut gap = 0.0f64;
    for (t, theirs) in theirs.iter().enumerate() {
        for (character, theirs) in CHARACTERS.chars().zip(theirs) {
            let id = model.vocabulary().id(character).unwrap() as usize;
            gap = gap.max((f64::from(logits.row(t)[id]) - theirs).abs());
        }
    }
    gap
}

/// The file with other names for its tensors, and without those that have none, imported.
fn renamed(name: &str, rename: impl Fn(&str) -> Option<String>) -> rnn::Result<Model> {
    let bytes = bytes(name);
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let kept = file.iter();
    let kept = kept.filter_map(|(name, view)| Some((rename(name)?, view)));
    Model::from_pytorch(
        &safetensors::serialize(kept, None).unwrap(),
        Some(CHARACTERS),
    )
}

#[test]
fn networks_as_they_are_found_give_the_logits_that_pytorch_gives() {
    let expected = expected();
    assert_eq!(expected.logits.len(), 12);
    for (name, theirs) in &expected.logits {
        let model = Model::from_pytorch(&bytes(name), None)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let gap = gap(&model, &expected.text, theirs);
        println!("{name}: logits at most {gap:.1e} apart");
        assert!(gap < 1e-5, "{name}: {gap:.1e}");
        assert_eq!(Model::from_bytes(&model.to_bytes()).unwrap(), model);
    }
}

#[test]
fn tied_weights_need_no_metadata_and_no_name_of_ours() {
    let expected = expected();
    for name in ["tied", "tied_square"] {
        // Without metadata; the names say that one weight serves two modules.
        let model = renamed(name, |tensor| Some(format!("net.{tensor}"))).unwrap();
        assert!(gap(&model, &expected.text, &expected.logits[name]) < 1e-5);
    }
    // A decoder under the same name as its bias, whose shape says that it is the embedding as well.
    let model = renamed("tied", |tensor| Some(tensor.replace("embedding.", "head."))).unwrap();
    assert!(gap(&model, &expected.text, &expected.logits["tied"]) < 1e-5);
    // Without biases, and as wide as the hidden state, only a name tells which is which.
    let model = renamed("embedding_bare", |tensor| {
        Some(match tensor {
            "embedding.weight" => "z_Embed.weight".into(),
            "head.weight" => "a.weight".into(),
            other => other.into(),
        })
    });
    let theirs = &expected.logits["embedding_bare"];
    assert!(gap(&model.unwrap(), &expected.text, theirs) < 1e-5);
    let unclear = renamed("embedding_bare", |tensor| {
        Some(tensor.replace("embedding.", "a."))
    });
    assert_eq!(
        unclear.unwrap_err().to_string(),
        "not a network to import: \"a.\" or \"head.\" may be its embedding; \
         rename the one that is to \"embedding\""
    );
}

#[test]
fn networks_that_no_cell_computes_are_refused_by_name() {
    let with = |old: &str, new: &str| {
        let refused = renamed("bare", |tensor| Some(tensor.replace(old, new)));
        refused.unwrap_err().to_string()
    };
    let cases = [
        (
            "weight_ih_l1",
            "weight_ih_l0_reverse",
            "it is bidirectional (tensor \"lstm.weight_ih_l0_reverse\")",
        ),
        (
            "weight_ih_l1",
            "weight_hr_l0",
            "its LSTM has proj_size (tensor \"lstm.weight_hr_l0\")",
        ),
        (
            "weight_ih_l1",
            "weight_ci",
            "its LSTM has peepholes (tensor \"lstm.weight_ci\")",
        ),
        (
            "weight_ih_l1",
            "peephole_i",
            "its LSTM has peepholes (tensor \"lstm.peephole_i\")",
        ),
        (
            "weight_ih_l1",
            "weight_ih_l2",
            "tensor \"lstm.weight_ih_l1\" is missing",
        ),
        (
            "lstm.weight_ih_l1",
            "other.weight_ih_l0",
            "it has recurrent layers named \"lstm.\" and \"other.\"",
        ),
        (
            "weight_ih_l0",
            "weight",
            "tensor \"lstm.weight_ih_l0\" is missing",
        ),
        (
            "weight_hh_l1",
            "h0",
            "beside its recurrent layers it holds [\"head.weight\", \"lstm.h0\"], expected one",
        ),
        (
            "weight_ih_l",
            "kernel_l",
            "it has no tensor \"weight_ih_l0\" or \"weight_ih\"",
        ),
    ];
    for (old, new, expected) in cases {
        let error = with(old, new);
        assert!(error.contains(expected), "{new}: {error}");
    }
    // One bias of two is no `bias=False`.
    let one_bias = renamed("embedding", |tensor| {
        (tensor != "lstm.bias_hh_l0").then(|| tensor.to_owned())
    });
    let error = one_bias.unwrap_err().to_string();
    assert!(
        error.contains("tensor \"lstm.bias_hh_l0\" is missing"),
        "{error}"
    );
}

#[test]
fn numbers_that_no_model_may_hold_are_refused() {
    let with = |name: &str, dtype: Dtype, data: &[u8]| {
        let bytes = bytes("f64");
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let mut tensors: HashMap<_, _> = file.iter().collect();
        let shape = tensors[name].shape().to_vec();
        tensors.insert(name, TensorView::new(dtype, shape, data).unwrap());
        let changed = safetensors::serialize(tensors, None).unwrap();
        let refused = checkpoint::import(&changed, Some(CHARACTERS), false);
        refused.unwrap_err().to_string()
    };
    let error = with("head.bias", Dtype::I64, &[0; 64]);
    assert!(
        error.contains("\"head.bias\" is I64, expected F32, F64, F16 or BF16"),
        "{error}"
    );
    // A double that no single holds, and an embedding whose product is none.
    let huge = |value: f64, count: usize| -> Vec<u8> { value.to_le_bytes().repeat(count) };
    let error = with("head.bias", Dtype::F64, &huge(1e39, 8));
    assert!(
        error.contains("\"head.bias\" has 1e39 at element 0"),
        "{error}"
    );
    let error = with("embedding.weight", Dtype::F64, &huge(3e38, 16));
    assert!(error.contains("the embedding's product"), "{error}");
    let error = with("gru.weight_hh_l0", Dtype::F16, &[0, 0x7c].repeat(27));
    assert!(error.contains("inf"), "{error}");
}

#[test]
fn files_of_other_programs_are_named_with_the_way_here() {
    let starts: [(&[u8], &str); 6] = [
        (b"PK\x03\x04\0\0\x08\x08", "torch.load"),
        (b"\x80\x02\x8a\nl\xfc\x9cF", "torch.load"),
        (b"\x80\x04\x95\xd1\x20\0\0\0", "torch.load"),
        (b"\x89HDF\r\n\x1a\n", "get_weights"),
        (b"\x08\x08\x12\x07pytorch", "state_dict()"),
        (b"GGUF\x03\0\0\0", "state_dict()"),
    ];
    for (start, remedy) in starts {
        let whole = [start, &[0; 64]].concat();
        for error in [
            checkpoint::import(&whole, Some("ab"), false).unwrap_err(),
            checkpoint::read_from(&whole[..]).unwrap_err(),
        ] {
            let error = error.to_string();
            assert!(error.contains(remedy), "{error}");
            assert!(!error.contains('…'), "{error}");
        }
    }
}
