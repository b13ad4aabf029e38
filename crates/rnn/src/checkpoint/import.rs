//! Networks that PyTorch trained, from the `.safetensors` of their state dict.
//!
//! The modules may have any names. What they are follows from the ends of their tensors' names and from
//! the shapes:
//!
//! | in the state dict | becomes |
//! |---|---|
//! | `weight_ih_l0` … of an `nn.RNN`, `nn.LSTM` or `nn.GRU` | the layers |
//! | `weight_ih` … of cells, or of several modules with numbered names (`lstm1`, `rnns.0`) | a layer each |
//! | one `weight` with a `bias`, or the only one | the decoder |
//! | another `weight` `E`, or the same where it is tied | an embedding: the input weights are `W E^T` |
//! | no biases | biases that are zero |
//!
//! Without `weight_hh` it is a minGRU, which has no module in PyTorch. The file has no checksum;
//! everything else is checked as in a file of ours.

mod modules;
mod symbols;
mod tensors;

use safetensors::SafeTensors;
use tensor::{MatrixView, MatrixViewMut, matmul_nt};

use super::container::KEY;
use super::header::{self, wrong};
use crate::cell::CellKind;
use crate::config::NetworkConfig;
use crate::error::{Error, Result};
use crate::memory;
use crate::model::Model;
use crate::network::Network;
use crate::parameters::{Layout, Named, Parameters};
use crate::vocabulary::Vocabulary;
use modules::Modules;
use tensors::Tensors;

/// The metadata entry that may hold the characters, in the order of their numbers.
const VOCABULARY: &str = "vocabulary";
/// What the names of the decoder's parameters begin with.
const DECODER: &str = "decoder.";

impl Model {
    /// A model from a state dict of PyTorch as `.safetensors`: an `nn.RNN`, `nn.LSTM` or `nn.GRU`, or cells
    /// of these, and an `nn.Linear`, with an `nn.Embedding` before them or without. `characters` are those
    /// of its training, in the order of their numbers there: as a text, one a line, or as JSON, a list or
    /// a table (`stoi`, `itos`). Without them the file's metadata must hold them under `vocabulary`.
    ///
    /// # Errors
    /// [`Error::NotImportable`] saying what is wrong.
    pub fn from_pytorch(bytes: &[u8], characters: Option<&str>) -> Result<Self> {
        import(bytes, characters, false)
    }
}

/// As [`Model::from_pytorch`]. `is_relu` marks an `nn.RNN` with `nonlinearity="relu"`, which no shape
/// shows.
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
    let own = entries.and_then(|entries| entries.get(VOCABULARY).cloned());
    let is_there = |name: &String| metadata.info(name).is_some();
    let shared = entries.into_iter().flatten();
    let shared = shared.filter(|(name, kept)| is_there(kept) && !is_there(name));
    let shared = shared.map(|(name, kept)| (name.clone(), kept.clone()));
    let shared = shared.collect();
    // It may be as large as the file, and is read once more below.
    drop(metadata);
    let characters = characters.or(own.as_deref()).ok_or_else(|| {
        wrong("its metadata has no \"vocabulary\"; pass the characters (--vocabulary)")
    })?;
    let file =
        SafeTensors::deserialize(bytes).map_err(|error| header::damaged(&error, bytes.len()))?;
    let tensors = Tensors::new(&file, shared);
    let modules = Modules::find(&tensors)?;
    let config = config_of(&tensors, &modules, is_relu)?;
    config
        .validate()
        .map_err(|error| wrong(error.to_string()))?;
    let characters = symbols::in_order(characters, config.vocab_size)?;
    let mut sorted = memory::collected(characters.iter().copied())?;
    sorted.sort_unstable();
    let vocabulary = Vocabulary::from_symbols(sorted).map_err(|error| match error {
        Error::TooLarge { .. } => error,
        error => wrong(error.to_string()),
    })?;
    // By our number of a character, its number in the file.
    let mut theirs: Vec<usize> = memory::collected(0..characters.len())?;
    for (at, &character) in characters.iter().enumerate() {
        if let Some(id) = vocabulary.id(character) {
            theirs[id as usize] = at;
        }
    }
    let parameters = parameters(&tensors, &modules, &config, &theirs)?;
    let network = Network::from_parameters(config, parameters);
    Ok(Model::new(vocabulary, network, None))
}

/// The cell and the sizes, by the shapes.
fn config_of(tensors: &Tensors<'_>, modules: &Modules, is_relu: bool) -> Result<NetworkConfig> {
    let first = &modules.layers[0];
    let weight_ih = first.name("weight_ih");
    let weight_hh = first.name("weight_hh");
    let [rows, _] = tensors.matrix(&weight_ih)?;
    let is_recurrent = modules.is_recurrent(tensors);
    let [vocab_size, decoded] = tensors.matrix(&modules.decoder_weight)?;
    let hidden_size = match is_recurrent {
        true => tensors.matrix(&weight_hh)?[1],
        false => decoded,
    };
    let recurrent = (&weight_hh[..], is_recurrent);
    Ok(NetworkConfig {
        cell: cell_of(&weight_ih, rows, hidden_size, recurrent, is_relu)?,
        vocab_size,
        hidden_size,
        num_layers: modules.layers.len(),
    })
}

/// The cell whose input weights `weight_ih` have so many rows; `weight_hh` is the name of the recurrent weights,
/// which the file may lack.
fn cell_of(
    weight_ih: &str,
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
        "{weight_ih:?} has {rows} rows for {hidden} hidden units; it must have {} times as many",
        known.join(" or ")
    )))
}

/// The parameters, with the characters moved to the order of the vocabulary, by whose ids `theirs` has
/// their numbers in the file.
fn parameters(
    tensors: &Tensors<'_>,
    modules: &Modules,
    config: &NetworkConfig,
    theirs: &[usize],
) -> Result<Parameters<f32>> {
    let [_, inputs] = tensors.matrix(&modules.layers[0].name("weight_ih"))?;
    let from = |named: &Named| source(tensors, modules, named);
    // What the tensor of a parameter must be.
    let shape = |named: &Named| match (named.transposed, &modules.embedding) {
        (true, Some(_)) => vec![named.block.cols, inputs],
        _ => named.shape(),
    };
    let all = Layout::new(config).named();
    for named in &all {
        if let Some(name) = from(named) {
            tensors.check(&name, &shape(named))?;
        }
    }
    if let Some(embedding) = &modules.embedding {
        tensors.check(embedding, &[config.vocab_size, inputs])?;
    }
    // Beside the parameters those of the largest as f64, and what it is a product of.
    let largest = all.iter().map(|named| named.block.len() as u128).max();
    let work = memory::bytes::<f64>(largest.unwrap_or(0).saturating_mul(3));
    memory::check(Parameters::<f32>::bytes(config).saturating_add(work))?;
    let mut parameters = Parameters::try_zeros(config)?;
    for named in all {
        let Some(name) = from(&named) else {
            continue;
        };
        let mut values = tensors.numbers(&name, &shape(&named))?;
        if let (true, Some(embedding)) = (named.transposed, &modules.embedding) {
            values = embedded(tensors, embedding, &values, &named, inputs)?;
        }
        // A row for each character in the decoder, a column in the first layer's weights.
        let vocab = config.vocab_size;
        let row = values.len() / vocab;
        let is_decoder = named.name.starts_with(DECODER);
        parameters.fill_pytorch(&named, |at| {
            let at = match (is_decoder, named.transposed) {
                (true, _) => theirs[at / row] * row + at % row,
                (_, true) => at / vocab * vocab + theirs[at % vocab],
                _ => at,
            };
            values[at] as f32
        });
    }
    Ok(parameters)
}

/// The tensor that holds a parameter; `None` for a bias of a module that has none.
fn source(tensors: &Tensors<'_>, modules: &Modules, named: &Named) -> Option<String> {
    match &named.name[..] {
        "decoder.weight" => Some(modules.decoder_weight.clone()),
        "decoder.bias" => modules.decoder_bias.clone(),
        name => {
            let (what, layer) = name.strip_prefix("rnn.")?.rsplit_once("_l")?;
            let layer = &modules.layers[layer.parse::<usize>().ok()?];
            let has_bias = ["bias_ih", "bias_hh"].map(|bias| tensors.contains(&layer.name(bias)));
            (!named.bias || has_bias != [false; 2]).then(|| layer.name(what))
        }
    }
}

/// Input weights for characters, `[G*H, V]`, from those for the `inputs` numbers of an embedding: `W E^T`,
/// rounded once.
fn embedded(
    tensors: &Tensors<'_>,
    embedding: &str,
    weights: &[f64],
    named: &Named,
    inputs: usize,
) -> Result<Vec<f64>> {
    let (vocab, gates) = (named.block.rows, named.block.cols);
    let vectors = tensors.numbers(embedding, &[vocab, inputs])?;
    let mut product = memory::zeros(memory::product(&[gates, vocab]))?;
    memory::ready_for_products::<f64>()?;
    matmul_nt(
        MatrixView::new(weights, gates, inputs),
        MatrixView::new(&vectors, vocab, inputs),
        MatrixViewMut::new(&mut product, gates, vocab),
    );
    tensors::check_finite("the embedding's product with the input weights", &product)?;
    Ok(product)
}
