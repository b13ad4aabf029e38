//! Which module of a network each tensor of its state dict belongs to, by names and shapes.

use std::collections::{BTreeMap, BTreeSet};

use super::tensors::Tensors;
use crate::checkpoint::header::{short, wrong};
use crate::error::Result;

/// Most names of a message.
const SHOWN: usize = 4;
/// The tensors of a recurrent layer, the first of which each has.
const OF_LAYER: [&str; 4] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];
/// Names that others have given to an LSTM's weights from its memory to its gates.
const PEEPHOLES: [&str; 9] = [
    "weight_ci",
    "weight_cf",
    "weight_co",
    "w_ci",
    "w_cf",
    "w_co",
    "wci",
    "wcf",
    "wco",
];

/// The names of the tensors that make a network.
#[derive(Debug)]
pub(super) struct Modules {
    /// The recurrent layers, from the bottom.
    pub(super) layers: Vec<Layer>,
    /// The weight of the embedding, if there is one.
    pub(super) embedding: Option<String>,
    pub(super) decoder_weight: String,
    /// `None` where the linear layer has `bias=False`.
    pub(super) decoder_bias: Option<String>,
}

/// What stands around `weight_ih` and the like in the names of a layer.
#[derive(Debug)]
pub(super) struct Layer {
    prefix: String,
    /// `_l0` and so on, nothing for an `nn.LSTMCell`.
    suffix: String,
}

impl Layer {
    /// The name of the layer's `weight_ih`, `weight_hh`, `bias_ih` or `bias_hh`.
    pub(super) fn name(&self, what: &str) -> String {
        format!("{}{what}{}", self.prefix, self.suffix)
    }
}

impl Modules {
    /// Whether any layer has a tensor that only cells with recurrent weights have.
    pub(super) fn is_recurrent(&self, tensors: &Tensors<'_>) -> bool {
        let mut layers = self.layers.iter();
        layers.any(|layer| {
            ["weight_hh", "bias_hh"]
                .iter()
                .any(|part| tensors.contains(&layer.name(part)))
        })
    }

    /// # Errors
    /// The tensors are not those of one network that reads forwards, or there are others.
    pub(super) fn find(tensors: &Tensors<'_>) -> Result<Self> {
        refuse(tensors)?;
        let layers = layers(tensors)?;
        let named = |layer: &Layer| OF_LAYER.map(|part| layer.name(part));
        let claimed: BTreeSet<String> = layers.iter().flat_map(named).collect();
        let others: Vec<&str> = tensors
            .names()
            .filter(|name| !claimed.contains(*name))
            .collect();
        let (embedding, decoder, bias) = beside(tensors, &layers[0], &others)?;
        Ok(Modules {
            layers,
            embedding: embedding.map(|stem| format!("{stem}weight")),
            decoder_weight: format!("{decoder}weight"),
            decoder_bias: bias.map(|stem| format!("{stem}bias")),
        })
    }
}

/// Refuses, by what they are, networks that no cell here computes.
fn refuse(tensors: &Tensors<'_>) -> Result<()> {
    for name in tensors.names() {
        let (_, last) = split(name);
        let lower = last.to_ascii_lowercase();
        let what = if last.ends_with("_reverse") && last.contains("_l") {
            "it is bidirectional"
        } else if last.starts_with("weight_hr") {
            "its LSTM has proj_size"
        } else if lower.contains("peephole") || PEEPHOLES.contains(&&lower[..]) {
            "its LSTM has peepholes"
        } else {
            continue;
        };
        let name = short(name);
        return Err(wrong(format!(
            "{what} (tensor {name:?}), which no cell of this program computes"
        )));
    }
    Ok(())
}

/// A name up to its last dot, that among it, and the rest.
fn split(name: &str) -> (&str, &str) {
    name.split_at(name.rfind('.').map_or(0, |dot| dot + 1))
}

/// The recurrent layers in their order: those of one module by the numbers that end their names, those of
/// several modules by the numbers in what stands before.
fn layers(tensors: &Tensors<'_>) -> Result<Vec<Layer>> {
    let mut modules: BTreeMap<&str, BTreeSet<Option<usize>>> = BTreeMap::new();
    for name in tensors.names() {
        let (prefix, last) = split(name);
        let Some(suffix) = last.strip_prefix(OF_LAYER[0]) else {
            continue;
        };
        let number = suffix
            .strip_prefix("_l")
            .and_then(|number| number.parse().ok());
        if suffix.is_empty() || number.is_some_and(|number: usize| suffix == format!("_l{number}"))
        {
            modules.entry(prefix).or_default().insert(number);
        }
    }
    let mut ordered: Vec<(Vec<u64>, &str)> = Vec::new();
    let mut stem = None;
    for &prefix in modules.keys() {
        let (letters, numbers) = numbered(prefix);
        if *stem.get_or_insert_with(|| letters.clone()) != letters {
            let (first, prefix) = (short(ordered[0].1), short(prefix));
            return Err(wrong(format!(
                "it has recurrent layers named {first:?} and {prefix:?}; \
                 several modules must have one name with different numbers"
            )));
        }
        ordered.push((numbers, prefix));
    }
    ordered.sort();
    let mut layers = Vec::new();
    for (_, prefix) in ordered {
        for (at, number) in modules[prefix].iter().enumerate() {
            let suffix = match number {
                None => String::new(),
                Some(number) if *number == at => format!("_l{number}"),
                Some(_) => {
                    let missing = format!("{prefix}{}_l{at}", OF_LAYER[0]);
                    return Err(wrong(format!("tensor {:?} is missing", short(&missing))));
                }
            };
            let prefix = prefix.to_owned();
            layers.push(Layer { prefix, suffix });
        }
    }
    if layers.is_empty() {
        return Err(wrong(
            "it has no tensor \"weight_ih_l0\" or \"weight_ih\", so no nn.RNN, nn.LSTM or nn.GRU",
        ));
    }
    Ok(layers)
}

/// A name without its numbers, and the numbers.
fn numbered(name: &str) -> (String, Vec<u64>) {
    let numbers = name.split(|c: char| !c.is_ascii_digit());
    let numbers = numbers.filter_map(|digits| digits.parse().ok()).collect();
    let letters = name.chars().filter(|c| !c.is_ascii_digit()).collect();
    (letters, numbers)
}

/// What stands before the `weight` of the embedding, if there is one, the `weight` of the decoder and its
/// `bias`, if there is one.
type Beside<'a> = (Option<&'a str>, &'a str, Option<&'a str>);

/// The embedding and the decoder among the tensors beside the recurrent layers, of which `first` reads
/// the input.
fn beside<'a>(tensors: &Tensors<'_>, first: &Layer, others: &[&'a str]) -> Result<Beside<'a>> {
    let stems = |part: &str| -> Vec<&'a str> {
        let named = others.iter().filter(|name| split(name).1 == part);
        named.map(|name| split(name).0).collect()
    };
    let (weights, biases) = (stems("weight"), stems("bias"));
    let unexpected = || {
        let names: Vec<&str> = others.iter().take(SHOWN).map(|name| short(name)).collect();
        let more = match others.len() - names.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        wrong(format!(
            "beside its recurrent layers it holds {names:?}{more}, \
             expected one linear layer and at most one embedding"
        ))
    };
    if weights.len() + biases.len() != others.len() {
        return Err(unexpected());
    }
    let [_, inputs] = tensors.matrix(&first.name("weight_ih"))?;
    let cols = |stem: &str| {
        tensors
            .matrix(&format!("{stem}weight"))
            .map(|[_, cols]| cols)
    };
    match (&weights[..], &biases[..]) {
        // A weight that stands for both, or characters that the layers read themselves.
        (&[one], &([] | [_])) => {
            let bias = biases.first().copied();
            let [vocab_size, hidden_size] = tensors.matrix(&format!("{one}weight"))?;
            let has_shared_name = bias.is_some_and(|bias| bias != one);
            let is_tied = inputs == hidden_size && (has_shared_name || inputs != vocab_size);
            if has_shared_name && !is_tied {
                return Err(unexpected());
            }
            Ok((is_tied.then_some(one), one, bias))
        }
        (&[one, other], &[bias]) if bias == one => Ok((Some(other), one, Some(bias))),
        (&[one, other], &[bias]) if bias == other => Ok((Some(one), other, Some(bias))),
        (&[one, other], &[]) => {
            let [_, hidden] = tensors.matrix(&first.name("weight_hh"))?;
            let fits = |(embedding, decoder): (&str, &str)| -> Result<bool> {
                Ok(cols(embedding)? == inputs && cols(decoder)? == hidden)
            };
            let orders = [(one, other), (other, one)];
            let [is_first, is_second] = [fits(orders[0])?, fits(orders[1])?];
            let embeds = |stem: &str| stem.to_ascii_lowercase().contains("emb");
            let place = match (is_first, is_second) {
                (true, false) => 0,
                (false, true) => 1,
                (true, true) if embeds(one) != embeds(other) => usize::from(embeds(other)),
                (true, true) => {
                    return Err(wrong(format!(
                        "{one:?} or {other:?} may be its embedding; \
                         rename the one that is to \"embedding\""
                    )));
                }
                (false, false) => return Err(unexpected()),
            };
            let (embedding, decoder) = orders[place];
            Ok((Some(embedding), decoder, None))
        }
        _ => Err(unexpected()),
    }
}
