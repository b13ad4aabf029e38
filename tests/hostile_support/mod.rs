//! A model's file taken apart, so that each part can be forged, with the right checksum or without.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::hash::Hasher;
use std::ops::ControlFlow;

use rnn::optimizer::Schedule;
use rnn::{
    CellKind, Corpus, Error, Init, Model, Network, NetworkConfig, Record, RunOptions, TrainConfig,
    Trainer, Training, Vocabulary, recommended,
};
use serde_json::{Map, Value, json};
use twox_hash::XxHash3_64;

/// A tensor as the header has it. Numbers are text, so that they can be none.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) dtype: String,
    pub(crate) shape: Vec<String>,
    pub(crate) offsets: [String; 2],
}

/// A file: header and data.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// The one metadata entry.
    pub(crate) key: String,
    /// What it says; kept sorted.
    pub(crate) description: Map<String, Value>,
    pub(crate) tensors: Vec<Tensor>,
    pub(crate) data: Vec<u8>,
}

/// A model of four characters and two hidden units that has been evaluated twice.
pub(crate) fn model(cell: CellKind) -> Model {
    let vocabulary = Vocabulary::from_text("a\u{0}é𝄞").expect("characters");
    let config = NetworkConfig {
        cell,
        vocab_size: vocabulary.len(),
        hidden_size: 2,
        num_layers: 1,
    };
    let network = Network::new(config, &Init::default(), 9).expect("small sizes");
    let record = |step, loss| Record {
        step,
        train_loss: Some(loss),
        validation_loss: None,
        learning_rate: 0.125,
    };
    let training = Training {
        config: TrainConfig::default(),
        best_step: Some(1),
        history: vec![record(1, 1.5), record(2, 1.25)],
    };
    Model::new(vocabulary, network, Some(training))
}

/// The text of [`interrupted`].
pub(crate) const TEXT: &str = "to be or not to be";

/// What a run of three steps would go on from.
pub(crate) fn interrupted() -> Vec<u8> {
    let corpus = Corpus::from_text(TEXT).expect("a text");
    let mut advice = recommended(&corpus.facts(false));
    (advice.network.hidden_size, advice.network.num_layers) = (2, 1);
    (advice.train.max_steps, advice.train.eval_every) = (Some(40), 2);
    advice.train.schedule = Schedule::Plateau {
        factor: 0.5,
        patience: 1,
    };
    advice.train.patience = Some(3);
    (advice.train.batch_size, advice.train.seq_length) = (2, 3);
    let mut trainer = Trainer::<f32>::new(corpus, &[0.7, 0.3], advice.network, advice.train)
        .expect("settings that go together");
    trainer
        .run(&RunOptions::default(), |trainer, _| {
            Ok::<_, Error>(if trainer.step_count() < 3 {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            })
        })
        .expect("three steps");
    trainer.interrupt().into_bytes()
}

impl File {
    /// The parts of a file.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let (length, rest) = bytes.split_first_chunk().expect("a length");
        let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
        let header: Map<String, Value> = serde_json::from_slice(header).expect("a header");
        let text = |value: &Value| value.to_string();
        let mut tensors: Vec<Tensor> = header
            .iter()
            .filter(|(name, _)| *name != "__metadata__")
            .map(|(name, info)| Tensor {
                name: name.clone(),
                dtype: info["dtype"].as_str().expect("a type").into(),
                shape: info["shape"]
                    .as_array()
                    .expect("a shape")
                    .iter()
                    .map(text)
                    .collect(),
                offsets: [0, 1].map(|at| info["data_offsets"][at].to_string()),
            })
            .collect();
        tensors.sort_by_key(|tensor| tensor.range().expect("offsets").start);
        let description = header["__metadata__"]["rnn"]
            .as_str()
            .expect("a description");
        let file = File {
            key: "rnn".into(),
            description: serde_json::from_str(description).expect("JSON"),
            tensors,
            data: data.to_vec(),
        };
        assert!(file.to_bytes() == bytes, "a file comes together as it was");
        file
    }

    /// The file of a small LSTM.
    pub(crate) fn small() -> Self {
        File::of(&model(CellKind::LSTM).to_bytes())
    }

    /// The description as it stands in the header.
    pub(crate) fn description(&self) -> String {
        Value::Object(self.description.clone()).to_string()
    }

    /// Puts the parts together.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let metadata = json!({ self.key.clone(): self.description() });
        let mut header = format!("{{\"__metadata__\":{metadata}");
        for tensor in &self.tensors {
            let Tensor {
                name,
                dtype,
                shape,
                offsets: [begin, end],
            } = tensor;
            let (name, shape) = (Value::from(name.as_str()), shape.join(","));
            header.push_str(&format!(
                ",{name}:{{\"dtype\":\"{dtype}\",\"shape\":[{shape}],\"data_offsets\":[{begin},{end}]}}"
            ));
        }
        header.push('}');
        with_header(&header, &self.data)
    }

    /// The same with a checksum that is right, as far as the offsets point into the data.
    pub(crate) fn sealed(mut self) -> Vec<u8> {
        self.description.remove("checksum");
        let mut hasher = XxHash3_64::new();
        let mut part = |bytes: &[u8]| {
            hasher.write(&(bytes.len() as u64).to_le_bytes());
            hasher.write(bytes);
        };
        let mut tensors: Vec<&Tensor> = self.tensors.iter().collect();
        tensors.sort_by_key(|tensor| &tensor.name);
        tensors.dedup_by_key(|tensor| &tensor.name);
        for tensor in tensors {
            part(tensor.name.as_bytes());
            part(format!("{} [{}]", tensor.dtype, tensor.shape.join(", ")).as_bytes());
            let data = tensor.range().and_then(|range| self.data.get(range));
            part(data.unwrap_or_default());
        }
        part(self.description().as_bytes());
        let checksum = format!("{:016x}", hasher.finish());
        self.description.insert("checksum".into(), checksum.into());
        self.to_bytes()
    }

    /// The tensor of this name.
    pub(crate) fn tensor(&mut self, name: &str) -> &mut Tensor {
        let found = self.tensors.iter_mut().find(|tensor| tensor.name == name);
        found.unwrap_or_else(|| panic!("no tensor {name}"))
    }
}

impl Tensor {
    fn range(&self) -> Option<std::ops::Range<usize>> {
        let [begin, end] = &self.offsets;
        Some(begin.parse().ok()?..end.parse().ok()?)
    }
}

/// A file with this header, padded as it must be, and this data.
pub(crate) fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
    let len = header.len().next_multiple_of(8);
    let mut bytes = (len as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(8 + len, b' ');
    bytes.extend(data);
    bytes
}

/// Why these bytes are no model: one line that is not too long and steers no terminal.
#[track_caller]
pub(crate) fn refusal(bytes: &[u8]) -> String {
    let error = match Model::from_bytes(bytes) {
        Ok(_) => panic!("a forged file was taken for a model"),
        Err(error) => error,
    };
    let Error::NotAModel { what } = error else {
        panic!("not the error for files: {error}")
    };
    assert!(
        (10..400).contains(&what.len()),
        "{} bytes: {what}",
        what.len()
    );
    assert!(!what.contains(char::is_control), "{what:?}");
    what
}

/// Asserts that these bytes are refused for a reason that begins with one of these.
#[track_caller]
pub(crate) fn refused(bytes: &[u8], case: &str, reasons: &[&str]) {
    let what = refusal(bytes);
    assert!(
        reasons.iter().any(|reason| what.starts_with(reason)),
        "{case}: {what}"
    );
}

/// What a checksum that is wrong is told by.
pub(crate) const DAMAGED: &str = "its checksum is ";

/// Forges one thing in the header, twice: with the old checksum and with one that is right.
#[track_caller]
pub(crate) fn forged(case: &str, reasons: &[&str], forge: impl Fn(&mut File)) {
    let mut file = File::small();
    forge(&mut file);
    refused(&file.to_bytes(), case, &[reasons, &[DAMAGED]].concat());
    refused(&file.sealed(), &format!("{case}, sealed"), reasons);
}

/// Changes one thing in the description, with a checksum that is right.
pub(crate) fn redescribed(forge: impl FnOnce(&mut Map<String, Value>)) -> Vec<u8> {
    let mut file = File::small();
    forge(&mut file.description);
    file.sealed()
}

/// Sets the value of the description at a path such as `training/config/seed`.
pub(crate) fn set(path: &str, value: Value) -> Vec<u8> {
    redescribed(|description| {
        let mut all = Value::Object(std::mem::take(description));
        *all.pointer_mut(&format!("/{path}")).expect(path) = value;
        *description = all.as_object().expect("an object").clone();
    })
}
