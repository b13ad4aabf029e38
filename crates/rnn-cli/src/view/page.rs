//! The page: a frame, its style, its scripts, the numbers and the model's weights, in one file.
//!
//! The page contains the weights as they are, so it computes every signal of every unit itself and
//! writes text as the program does. It contains nothing that it can compute.

use anyhow::bail;
use rnn::insight::{Bounds, Signal};
use rnn::{CellKind, memory};
use serde_json::{Value, json};

use super::numbers::Numbers;
use crate::format::bytes;

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
/// The longest string in Chrome (V8's `String::kMaxLength`, 2^29 - 24); other browsers allow more.
const LONGEST: usize = (1 << 29) - 24;
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The page of these numbers.
///
/// # Errors
/// The numbers or the weights are longer than a browser reads, or memory runs out.
pub(crate) fn page(numbers: &Numbers<'_>) -> anyhow::Result<String> {
    let weights = numbers.model.network().parameters().as_slice();
    check("the weights take", 16 * weights.len().div_ceil(3), "")?;
    // Without `<` no text ends the element or opens a comment in it.
    let mut data = numbers.summary();
    data["cell"] = describe(numbers.traces.config().cell);
    let data = data.to_string().replace('<', "\\u003c");
    check(
        "the numbers take",
        data.len(),
        "use --characters to show less, or ",
    )?;
    let (weights, scripts) = (base64(weights)?, SCRIPTS.concat());
    let parts = [STYLE, &data, &scripts, &weights];
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let mut page = memory::room_for_text(FRAME.len() + len)?;
    for (before, part) in FRAME.split("{{}}").zip(parts.into_iter().chain([""])) {
        page.push_str(before);
        page.push_str(part);
    }
    Ok(page)
}

/// What the page needs to know of a cell beside its equations.
fn describe(cell: CellKind) -> Value {
    let signal = |signal: Signal| {
        let bounds = match signal.bounds {
            Bounds::Gate => "gate",
            Bounds::Sign => "sign",
            Bounds::None => "none",
        };
        let place = match signal.name {
            Signal::HIDDEN => json!("h"),
            Signal::MEMORY => json!("c"),
            _ => json!(signal.gate),
        };
        let about = json!({"bounds": bounds, "place": place});
        (signal.name.to_owned(), about)
    };
    let signals: serde_json::Map<_, _> = cell.signals().into_iter().map(signal).collect();
    json!({
        "about": cell.about(),
        "gates": cell.gates(),
        "recurrent_gates": cell.recurrent_gates(),
        "signals": signals,
    })
}

fn check(what: &str, len: usize, remedy: &str) -> anyhow::Result<()> {
    if len > LONGEST {
        bail!(
            "{what} {} in a page, but a browser reads at most {}; {remedy}use --json",
            bytes(len as u64),
            bytes(LONGEST as u64)
        );
    }
    Ok(())
}

/// The numbers in base64 (RFC 4648), each as four bytes, the lowest first.
fn base64(numbers: &[f32]) -> rnn::Result<String> {
    let mut text = memory::room_for_text(16 * numbers.len().div_ceil(3))?;
    let mut bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
    while let Some(first) = bytes.next() {
        let [second, third] = [bytes.next(), bytes.next()];
        let word = [0, first, second.unwrap_or(0), third.unwrap_or(0)];
        let digit =
            |at| char::from(BASE64[(u32::from_be_bytes(word) >> (18 - 6 * at)) as usize % 64]);
        text.push(digit(0));
        text.push(digit(1));
        text.push(second.map_or('=', |_| digit(2)));
        text.push(third.map_or('=', |_| digit(3)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_cannot_read_is_refused() {
        check("the weights take", LONGEST, "").unwrap();
        assert_eq!(
            check("the weights take", LONGEST + 1, "")
                .unwrap_err()
                .to_string(),
            "the weights take 536.9 MB in a page, but a browser reads at most 536.9 MB; use --json"
        );
    }

    #[test]
    fn numbers_are_written_in_base64_with_padding() {
        // Made with Python: base64.b64encode(struct.pack('<3f', 1, -2.5, 1e-3)), and its beginnings.
        let numbers = [1.0, -2.5, 1e-3];
        for (count, expected) in [
            (0, ""),
            (1, "AACAPw=="),
            (2, "AACAPwAAIMA="),
            (3, "AACAPwAAIMBvEoM6"),
        ] {
            assert_eq!(base64(&numbers[..count]).unwrap(), expected);
        }
    }
}
