//! The page: a frame, its style, its scripts and the data, in one file.
//!
//! What the data hold beside the summary depends on the size allowed. First come the hidden states
//! of all units. Then the weights, if they fit: with them the page writes text, and computes any
//! gate by itself. If they do not, the other signals of the units that follow a property best take
//! the room that is left.

use std::fmt::Write;

use rnn::insight::Signal;
use serde_json::{Value, json};

use super::numbers::Numbers;
use super::pack;
use crate::format::{bytes, thousands};

const FRAME: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const SCRIPTS: [&str; 9] = [
    include_str!("base.js"),
    include_str!("chart.js"),
    include_str!("loss.js"),
    include_str!("text.js"),
    include_str!("network.js"),
    include_str!("neurons.js"),
    include_str!("memory.js"),
    include_str!("letters.js"),
    include_str!("write.js"),
];
/// Digits of the numbers in a page.
const DIGITS: usize = 6;
/// Bytes of an activation's record beside its codes.
const RECORD: usize = 64;

/// The page of at most about `most` bytes, and what was left out of it to get there.
pub(crate) fn page(numbers: &Numbers<'_>, most: usize) -> (String, Vec<String>) {
    let mut data = numbers.summary(DIGITS);
    let rest = frame(&data).len();
    let (activations, weights, notes) = fill(numbers, most.saturating_sub(rest));
    data["activations"] = activations;
    data["weights"] = weights;
    data["notes"] = json!(notes);
    (frame(&data), notes)
}

fn frame(data: &Value) -> String {
    let scripts = SCRIPTS.concat();
    let parts = [STYLE, &pack::json(data), &scripts];
    let mut page = String::new();
    for (before, part) in FRAME.split("{{}}").zip(parts.into_iter().chain([""])) {
        page.push_str(before);
        page.push_str(part);
    }
    page
}

/// What fits into so many bytes: activations, weights, and words on what does not.
fn fill(numbers: &Numbers<'_>, room: usize) -> (Value, Value, Vec<String>) {
    let (config, units) = (numbers.traces.config(), ranked_units(numbers));
    let each = numbers.ids.len() + RECORD;
    let mut notes = Vec::new();
    let all_fit = units.len() * each <= room;
    let weights = numbers.model.network().parameters().as_slice();
    let weights_size = weights.len() * 16 / 3 + RECORD;
    let weights_fit = all_fit && units.len() * each + weights_size <= room;
    // Where not even the hidden states fit, the best units still have all their signals shown.
    let signals = numbers.traces.signals();
    let shown = if all_fit {
        units.len()
    } else {
        room / each * 3 / 4
    };
    let left = room.saturating_sub(shown * each);
    let detailed = match signals.len() - 1 {
        0 => 0,
        _ if weights_fit => 0,
        others => (left / (others * each)).min(shown),
    };
    if !all_fit {
        notes.push(format!(
            "the page holds {} of {} units, those that follow a property best; --max-size {:.0} holds all",
            thousands(shown as u64),
            thousands(units.len() as u64),
            ((units.len() * each) as f64 / 1e6 + 1.0).ceil(),
        ));
    }
    if !weights_fit {
        let size = (units.len() * each + weights_size) as f64 / 1e6 + 1.0;
        let mut note = format!(
            "the weights, {}, are not in the page, so it cannot write text; --max-size {:.0} has room for them",
            bytes(4 * weights.len() as u64),
            size.ceil()
        );
        if signals.len() > 1 {
            let _ = write!(
                note,
                "; gates are shown for {} units",
                thousands(detailed as u64)
            );
        }
        notes.push(note);
    }
    let record = |signal: Signal, (layer, unit): (usize, usize)| {
        let values = || numbers.traces.unit(layer, signal, unit);
        let bound = if is_bounded(signal, config.cell) {
            1.0
        } else {
            let largest = |most: f32, value: f32| most.max(value.abs());
            values()
                .filter(|v| v.is_finite())
                .fold(f32::MIN_POSITIVE, largest)
        };
        let low = if signal.is_gate() { 0.0 } else { -bound };
        json!([
            layer,
            unit,
            signal.name(),
            bound,
            pack::activations(values(), low, bound)
        ])
    };
    let hidden = units[..shown]
        .iter()
        .map(|&unit| record(Signal::Hidden, unit));
    let others = units[..detailed]
        .iter()
        .flat_map(|&unit| signals[1..].iter().map(move |&signal| record(signal, unit)));
    let activations = hidden.chain(others).collect();
    let weights = if weights_fit {
        json!(pack::base64(
            weights.iter().flat_map(|weight| weight.to_le_bytes())
        ))
    } else {
        Value::Null
    };
    (activations, weights, notes)
}

/// Whether a signal lies in (-1, 1) or (0, 1) by its nature.
fn is_bounded(signal: Signal, cell: rnn::CellKind) -> bool {
    match signal {
        Signal::Hidden => cell != rnn::CellKind::RnnRelu,
        Signal::Cell => false,
        _ => true,
    }
}

/// Every unit as layer and number, first the one that follows some property most closely.
fn ranked_units(numbers: &Numbers<'_>) -> Vec<(usize, usize)> {
    let config = numbers.traces.config();
    let units = (0..config.num_layers).flat_map(|k| (0..config.hidden_size).map(move |u| (k, u)));
    let mut best = vec![0.0f64; config.num_layers * config.hidden_size];
    for follow in numbers
        .follows
        .iter()
        .filter(|f| f.signal == Signal::Hidden)
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
