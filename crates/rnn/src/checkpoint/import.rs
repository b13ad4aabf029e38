//! Networks that PyTorch trained, from the `.safetensors` of their state dict.
//!
//! `nn.RNN`, `nn.LSTM` or `nn.GRU` beside an `nn.Linear`, under any names: the recurrent layers are
//! what stands before `weight_ih_l0`, the decoder is the other `weight` and `bias`. The cell, the
//! sizes and the number of layers follow from the shapes. Without `weight_hh` it is a minGRU, which has
//! no module in PyTorch. The file has no checksum; everything else is
//! checked as in a file of ours.

use std::collections::{BTreeMap, BTreeSet};

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

use super::container::{KEY, values};
use super::header::{self, short, wrong};
use super::parts::{check_count, check_names};
use crate::cell::CellKind;
use crate::config::NetworkConfig;
use crate::error::{Error, Result};
use crate::memory;
use crate::model::Model;
use crate::network::Network;
use crate::parameters::Parameters;
use crate::vocabulary::Vocabulary;

/// The metadata entry that may hold the characters, in the order of their numbers.
const VOCABULARY: &str = "vocabulary";
/// Most names of a message.
const SHOWN: usize = 4;
/// The name that every file must have, after a prefix.
const FIRST: &str = "weight_ih_l0";

impl Model {
    /// A model from a state dict of PyTorch as `.safetensors`: an `nn.RNN`, `nn.LSTM` or `nn.GRU` and an
    /// `nn.Linear`. `characters` are those of its training, in the order of their numbers there; without
    /// them the file's metadata must hold them under `vocabulary`.
    ///
    /// # Errors
    /// [`Error::NotImportable`] saying what is wrong.
    pub fn from_pytorch(bytes: &[u8], characters: Option<&str>) -> Result<Self> {
        import(bytes, characters, false)
    }
}

/// A model from the bytes of a state dict. `characters` are those that the network was trained on, in
/// the order of their numbers there; without them the file's metadata must hold them as one string
/// under `vocabulary`. `is_relu` marks an `nn.RNN` with `nonlinearity="relu"`, which no shape shows.
///
/// # Errors
/// [`Error::NotImportable`] saying what is wrong.
pub fn import(bytes: &[u8], characters: Option<&str>, is_relu: bool) -> Result<Model> {
    read(bytes, characters, is_relu).map_err(|error| match error {
        Error::NotAModel { what } => Error::NotImportable { what },
        error => error,
    })
}

fn read(bytes: &[u8], characters: Option<&str>, is_relu: bool) -> Result<Model> {
    let metadata = header::read(bytes)?;
    let entries = metadata.metadata().as_ref();
    if entries.is_some_and(|entries| entries.contains_key(KEY)) {
        return Err(wrong(
            "it is a model of this program, which needs no import",
        ));
    }
    let own = metadata
        .metadata()
        .as_ref()
        .and_then(|entries| entries.get(VOCABULARY).cloned());
    // It may be as large as the file, and is read once more below.
    drop(metadata);
    let characters = characters.or(own.as_deref()).ok_or_else(|| {
        wrong("its metadata has no \"vocabulary\"; pass the characters (--vocabulary)")
    })?;
    let file =
        SafeTensors::deserialize(bytes).map_err(|error| header::damaged(&error, bytes.len()))?;
    let views: BTreeMap<&str, TensorView<'_>> = file.iter().collect();
    let source = Source::new(&views, is_relu)?;
    let config = source.config;
    config
        .validate()
        .map_err(|error| wrong(error.to_string()))?;
    let (symbols, size) = (characters.chars().count(), config.vocab_size);
    if symbols != size {
        return Err(wrong(format!(
            "its network has {size} characters, the vocabulary {symbols}"
        )));
    }
    let mut sorted = memory::room(symbols)?;
    sorted.extend(characters.chars());
    let characters: Vec<char> = memory::collected(sorted.iter().copied())?;
    sorted.sort_unstable();
    let vocabulary = Vocabulary::from_symbols(sorted).map_err(|error| match error {
        Error::TooLarge { .. } => error,
        error => wrong(error.to_string()),
    })?;
    check_count(&config, &file, 1)?;
    check_names(&config, &file)?;
    let parameters = source.parameters(&file, &characters, &vocabulary)?;
    let network = Network::from_parameters(config, parameters);
    Ok(Model::new(vocabulary, network, None))
}

/// The cell whose input weights have so many rows; `weight_hh` is the name of the recurrent weights,
/// which the file may lack.
fn cell_of(
    rows: usize,
    hidden: usize,
    (weight_hh, is_there): (&str, bool),
    is_relu: bool,
) -> Result<CellKind> {
    let gates = rows.checked_div(hidden).unwrap_or(0);
    let with_relu = is_relu && gates == CellKind::RNN_RELU.gates();
    let fits =
        |cell: &CellKind| cell.gates() == gates && (*cell == CellKind::RNN_RELU) == with_relu;
    let is_recurrent = |cell: &CellKind| cell.recurrent_gates() > 0;
    let mut all = CellKind::ALL.into_iter();
    if let Some(cell) = all.find(|cell| fits(cell) && is_recurrent(cell) == is_there) {
        return Ok(cell);
    }
    if !is_there {
        return Err(wrong(format!("tensor {weight_hh:?} is missing")));
    }
    let known = CellKind::ALL.into_iter().filter(is_recurrent);
    let known = known.filter(|cell| *cell != CellKind::RNN_RELU);
    let known: Vec<String> = known
        .map(|cell| format!("{} ({cell})", cell.gates()))
        .collect();
    Err(wrong(format!(
        "{FIRST:?} has {rows} rows for {hidden} hidden units; it must have {} times as many",
        known.join(" or ")
    )))
}

/// The names of a file and what its shapes say.
struct Source {
    /// What stands before `weight_ih_l0`.
    prefix: String,
    /// What stands before the decoder's `weight` and `bias`.
    decoder: String,
    config: NetworkConfig,
}

impl Source {
    fn new(views: &BTreeMap<&str, TensorView<'_>>, is_relu: bool) -> Result<Self> {
        let prefixes: Vec<&str> = views
            .keys()
            .filter_map(|name| name.strip_suffix(FIRST))
            .filter(|prefix| prefix.is_empty() || prefix.ends_with('.'))
            .collect();
        let [prefix] = prefixes[..] else {
            let found = prefixes.len();
            return Err(wrong(format!(
                "it holds {found} tensors named {FIRST:?}, expected one"
            )));
        };
        let shape = |name: &str| -> Result<[usize; 2]> {
            let view = views
                .get(name)
                .ok_or_else(|| wrong(format!("tensor {name:?} is missing")))?;
            let shape = view.shape();
            <[usize; 2]>::try_from(shape)
                .map_err(|_| wrong(format!("tensor {name:?} is {shape:?}, expected a matrix")))
        };
        let layer = |k: usize| format!("{prefix}weight_ih_l{k}");
        let num_layers = (0..)
            .take_while(|&k| views.contains_key(&layer(k)[..]))
            .count();
        let of_layers: BTreeSet<String> = (0..num_layers)
            .flat_map(|k| {
                ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
                    .map(|name| format!("{prefix}{name}_l{k}"))
            })
            .collect();
        let others: Vec<&str> = views
            .keys()
            .filter(|name| !of_layers.contains(**name))
            .copied()
            .collect();
        // In the order of names the bias comes first.
        let decoder = match others[..] {
            [bias, weight] => bias
                .strip_suffix("bias")
                .filter(|stem| weight.strip_suffix("weight") == Some(stem)),
            _ => None,
        };
        let decoder = decoder.ok_or_else(|| {
            let names: Vec<&str> = others.iter().take(SHOWN).map(|name| short(name)).collect();
            let more = match others.len() - names.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            wrong(format!(
                "beside its recurrent layers it holds {names:?}{more}, \
                 expected the weight and bias of one linear layer"
            ))
        })?;
        let [rows, vocab_size] = shape(&layer(0))?;
        let weight_hh = format!("{prefix}weight_hh_l0");
        let is_recurrent = views.contains_key(&weight_hh[..]);
        let [_, hidden_size] = match is_recurrent {
            true => shape(&weight_hh)?,
            false => shape(&format!("{decoder}weight"))?,
        };
        let cell = cell_of(rows, hidden_size, (&weight_hh, is_recurrent), is_relu)?;
        Ok(Source {
            prefix: prefix.to_owned(),
            decoder: decoder.to_owned(),
            config: NetworkConfig {
                cell,
                vocab_size,
                hidden_size,
                num_layers,
            },
        })
    }

    /// The parameters, with the characters moved to the order of `vocabulary`.
    fn parameters(
        &self,
        file: &SafeTensors<'_>,
        characters: &[char],
        vocabulary: &Vocabulary,
    ) -> Result<Parameters<f32>> {
        // By our number of a character, its number in the file.
        let mut theirs: Vec<usize> = memory::collected(0..characters.len())?;
        for (at, &character) in characters.iter().enumerate() {
            if let Some(id) = vocabulary.id(character) {
                theirs[id as usize] = at;
            }
        }
        let vocab = characters.len();
        memory::check(Parameters::<f32>::bytes(&self.config))?;
        let mut parameters = Parameters::try_zeros(&self.config)?;
        for named in parameters.layout().named() {
            let (name, is_decoder) = match named.name.strip_prefix("rnn.") {
                Some(name) => (format!("{}{name}", self.prefix), false),
                None => (named.name.replacen("decoder.", &self.decoder, 1), true),
            };
            let shape = named.shape();
            let values = values(file, &name, &shape)?;
            // A row for each character in the decoder, a column in the first layer's weights.
            let row = values.len() / vocab;
            parameters.fill_pytorch(&named, |at| {
                let at = match (is_decoder, named.transposed) {
                    (true, _) => theirs[at / row] * row + at % row,
                    (_, true) => at / vocab * vocab + theirs[at % vocab],
                    _ => at,
                };
                f32::from_le_bytes(values[at])
            });
        }
        Ok(parameters)
    }
}
