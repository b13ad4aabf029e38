//! The page: a frame, its style, its scripts and the data, in one file.
//!
//! What the data hold beside the summary depends on the size allowed. First come the weights, in
//! [as many digits as fit](Weights): with them the page writes text, and computes every signal of
//! every unit by itself. The hidden states of the units that follow a property best take the room
//! that is left, so that they are there at once. Where the weights do not fit, all the room is for
//! activations: hidden states, and every signal of the best units.

use anyhow::bail;
use rnn::insight::{Bounds, Signal};
use rnn::memory;
use serde_json::{Value, json};

use super::numbers::{Detail, Numbers, significant};
use super::pack;
use super::weights::Weights;
use crate::format::{bytes, thousands};

const FRAME: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const SCRIPTS: [&str; 10] = [
    include_str!("base.js"),
    include_str!("chart.js"),
    include_str!("loss.js"),
    include_str!("text.js"),
    include_str!("network.js"),
    include_str!("neurons.js"),
    include_str!("memory.js"),
    include_str!("letters.js"),
    include_str!("write.js"),
    include_str!("start.js"),
];
/// Digits of the size that colours are scaled to.
const DIGITS: usize = 6;
/// Characters for the list of what is where, and for what estimates miss.
const SPARE: usize = 12_000;
/// The longest text that Chrome makes of anything (V8's `String::kMaxLength`, 2^29 - 24); other
/// browsers take longer ones.
const MOST_TEXT: usize = (1 << 29) - 24;

/// The page of at most about `most` bytes, and what was left out of it to get there.
///
/// # Errors
/// What must be in the page is more than a browser reads, or memory runs out.
pub(crate) fn page(numbers: &Numbers<'_>, most: usize) -> anyhow::Result<(String, Vec<String>)> {
    let mut data = numbers.summary(Detail::Page);
    data["bounds"] = bounds(numbers);
    let size = data.to_string().len();
    if size + SPARE > MOST_TEXT {
        let fewer = numbers.ids.len() as u128 * MOST_TEXT as u128 / size as u128;
        bail!(
            "the numbers of {} characters take {}, but a browser reads {} at most; use --characters below {}",
            thousands(numbers.ids.len() as u64),
            bytes(size as u64),
            bytes(MOST_TEXT as u64),
            thousands(fewer as u64),
        );
    }
    let rest = frame(&data, "", "")?.len() + SPARE;
    let room = most.saturating_sub(rest);
    let weights = Weights::fit(numbers.model, &numbers.ids, room.min(MOST_TEXT))?;
    let left = room - weights.as_ref().map_or(0, |weights| weights.text.len());
    let left = left.min(MOST_TEXT);
    let stored = Stored::fill(numbers, left, weights.is_some())?;
    let notes = notes(numbers, weights.as_ref(), &stored);
    data["activations"] = json!(stored.places);
    data["weights"] = weights.as_ref().map_or(Value::Null, Weights::describe);
    data["notes"] = json!(notes);
    let text = weights.map_or_else(String::new, |weights| weights.text);
    Ok((frame(&data, &text, &stored.text)?, notes))
}

fn frame(data: &Value, weights: &str, activations: &str) -> rnn::Result<String> {
    let scripts = SCRIPTS.concat();
    let data = data.to_string();
    let data = pack::pack(data.as_bytes(), data.len())?;
    let parts = [STYLE, &data, &scripts, activations, weights];
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let mut page = memory::room_for_text(FRAME.len() + len)?;
    for (before, part) in FRAME.split("{{}}").zip(parts.into_iter().chain([""])) {
        page.push_str(before);
        page.push_str(part);
    }
    Ok(page)
}

/// Activations in the page: codes, `length` for each of `places`, which are layer, unit, and the
/// signal's place among the cell's.
#[derive(Default)]
struct Stored {
    places: Vec<[usize; 3]>,
    codes: Vec<u8>,
    /// The codes, packed.
    text: String,
    /// Units whose hidden state is there, units of which all signals are, and the characters that
    /// the hidden states of all would take.
    shown: usize,
    detailed: usize,
    full_size: usize,
}

impl Stored {
    /// What fits into so many characters; hidden states alone `if_computed` by the page.
    fn fill(numbers: &Numbers<'_>, room: usize, if_computed: bool) -> rnn::Result<Self> {
        let (units, mut stored) = (ranked_units(numbers), Stored::default());
        let codes = |signal, unit| codes(numbers, signal, unit);
        let hidden = numbers.traces.signals()[0];
        let sizes: Vec<usize> = units
            .iter()
            .map(|&unit| pack::packed_size(&codes(hidden, unit)))
            .collect::<rnn::Result<_>>()?;
        stored.full_size = sizes.iter().sum();
        // Together they take a little more than apart.
        let (all, room) = (room, room / 20 * 19);
        // Where not even the hidden states fit, the best units still have all their signals shown.
        let others = &numbers.traces.signals()[1..];
        let has_details = !others.is_empty() && !if_computed;
        let for_hidden = if has_details && stored.full_size > room {
            room / 4 * 3
        } else {
            room
        };
        let mut taken = 0;
        for (&(layer, unit), size) in units.iter().zip(&sizes) {
            if taken + size > for_hidden {
                break;
            }
            taken += size;
            stored.places.push([layer, unit, 0]);
            stored.codes.extend(codes(hidden, (layer, unit)));
        }
        for &(layer, unit) in units[..stored.places.len()].iter().filter(|_| has_details) {
            let all: Vec<u8> = others
                .iter()
                .flat_map(|&signal| codes(signal, (layer, unit)))
                .collect();
            taken += pack::packed_size(&all)?;
            if taken > room {
                break;
            }
            stored
                .places
                .extend((1..=others.len()).map(|signal| [layer, unit, signal]));
            stored.codes.extend(all);
        }
        stored.cut(numbers.ids.len(), all)?;
        Ok(stored)
    }

    /// Leaves out the last until the rest fits, should it take more than was reckoned.
    fn cut(&mut self, length: usize, room: usize) -> rnn::Result<()> {
        self.text = pack::pack(&self.codes, length)?;
        while self.text.len() > room && !self.places.is_empty() {
            let each = (self.text.len() / self.places.len()).max(1);
            let surplus = (self.text.len() - room).div_ceil(each);
            self.places
                .truncate(self.places.len().saturating_sub(surplus));
            self.codes.truncate(self.places.len() * length);
            self.text = pack::pack(&self.codes, length)?;
        }
        let last = self.places.iter().map(|place| place[2]).max().unwrap_or(0);
        let count = |signal| {
            self.places
                .iter()
                .filter(|place| place[2] == signal)
                .count()
        };
        self.shown = count(0);
        self.detailed = if last == 0 { 0 } else { count(last) };
        Ok(())
    }
}

/// Words on what is not in the page.
fn notes(numbers: &Numbers<'_>, weights: Option<&Weights>, stored: &Stored) -> Vec<String> {
    let parameters = numbers.model.network().parameters().len() as u64;
    let wanted = Weights::close_size(numbers.model) + 1_000_000;
    let megabytes = |characters: usize| (characters as f64 / 1e6).ceil();
    match weights {
        Some(weights) if weights.are_close() => Vec::new(),
        Some(weights) => vec![format!(
            "the weights are rounded to fit the page, so probabilities differ by up to {}; use --max-size {:.0} for more digits",
            significant(weights.rounding.change, 2),
            megabytes(wanted),
        )],
        None => {
            let units = ranked_units(numbers).len();
            let mut notes = Vec::new();
            if stored.shown < units {
                notes.push(format!(
                    "the page shows the {} of {} units that follow a property best; use --max-size {:.0} for all",
                    thousands(stored.shown as u64),
                    thousands(units as u64),
                    megabytes(stored.full_size + 1_000_000),
                ));
            }
            let mut note = format!(
                "the weights ({}) do not fit, so the page cannot write text; use --max-size {:.0} to include them",
                bytes(4 * parameters),
                megabytes(wanted),
            );
            if numbers.traces.signals().len() > 1 {
                note += &format!(
                    "; gates are shown for {} units",
                    thousands(stored.detailed as u64)
                );
            }
            notes.push(note);
            notes
        }
    }
}

/// A signal of a unit as codes.
fn codes(numbers: &Numbers<'_>, signal: Signal, (layer, unit): (usize, usize)) -> Vec<u8> {
    let values = || numbers.traces.unit(layer, signal.name, unit);
    let bound = match signal.bounds {
        Bounds::None => largest(values()) as f32,
        _ => 1.0,
    };
    let low = if signal.is_gate() { 0.0 } else { -bound };
    pack::activations(values(), low, bound).collect()
}

/// For each signal without bounds, by its name, the largest size of each unit of each layer, to
/// which its colours are scaled.
fn bounds(numbers: &Numbers<'_>) -> Value {
    let config = numbers.traces.config();
    let free = numbers
        .traces
        .signals()
        .iter()
        .filter(|signal| signal.bounds == Bounds::None);
    let of = |signal: Signal, layer| -> Vec<f64> {
        let units = 0..config.hidden_size;
        units
            .map(|unit| largest(numbers.traces.unit(layer, signal.name, unit)))
            .collect()
    };
    free.map(|&signal| {
        let layers: Vec<_> = (0..config.num_layers)
            .map(|layer| of(signal, layer))
            .collect();
        (signal.name.to_owned(), json!(layers))
    })
    .collect()
}

/// The largest finite size, rounded as the page has it, and above zero.
fn largest(values: impl Iterator<Item = f32>) -> f64 {
    let finite = values.filter(|value| value.is_finite());
    let largest = finite.fold(f32::MIN_POSITIVE, |most, value| most.max(value.abs()));
    significant(f64::from(largest), DIGITS)
}

/// Every unit as layer and number, first the one that follows some property most closely.
fn ranked_units(numbers: &Numbers<'_>) -> Vec<(usize, usize)> {
    let config = numbers.traces.config();
    let units = (0..config.num_layers).flat_map(|k| (0..config.hidden_size).map(move |u| (k, u)));
    let mut best = vec![0.0f64; config.num_layers * config.hidden_size];
    for follow in numbers
        .follows
        .iter()
        .filter(|f| f.signal.name == Signal::HIDDEN)
    {
        let first = follow.layer * config.hidden_size;
        for (best, r) in best[first..].iter_mut().zip(&follow.r) {
            *best = best.max(r.unwrap_or(0.0).abs());
        }
    }
    let mut units: Vec<(usize, usize)> = units.collect();
    let of = |&(layer, unit): &(usize, usize)| best[layer * config.hidden_size + unit];
    units.sort_by(|a, b| of(b).total_cmp(&of(a)).then(a.cmp(b)));
    units
}
