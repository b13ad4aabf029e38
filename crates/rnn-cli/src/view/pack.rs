//! Small codes for large numbers of numbers, and JSON that is safe in a page.

use serde_json::Value;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// The largest code of an activation, so that 31 is the middle.
const MOST: f32 = 62.0;

/// Bytes in base64 (RFC 4648), padded.
pub(super) fn base64(bytes: impl IntoIterator<Item = u8>) -> String {
    let mut bytes = bytes.into_iter();
    let mut text = String::new();
    while let Some(first) = bytes.next() {
        let rest = [bytes.next(), bytes.next()];
        let [second, third] = rest.map(|byte| u32::from(byte.unwrap_or(0)));
        let word = u32::from(first) << 16 | second << 8 | third;
        let sextet = |at: u32| char::from(ALPHABET[(word >> at & 63) as usize]);
        text.extend([sextet(18), sextet(12)]);
        text.push(if rest[0].is_some() { sextet(6) } else { '=' });
        text.push(if rest[1].is_some() { sextet(0) } else { '=' });
    }
    text
}

/// Activations, one character of the base64 alphabet each: code `q` from 0 to 62 stands for
/// `low + q / 62 * (high - low)`. Colours need no more, and a character is a byte of the page.
pub(super) fn activations(values: impl Iterator<Item = f32>, low: f32, high: f32) -> String {
    let code = |value: f32| {
        ((value - low) / (high - low) * MOST)
            .round()
            .clamp(0.0, MOST)
    };
    // A value that is no number has no colour either: `as` makes it 0.
    values
        .map(|value| char::from(ALPHABET[code(value) as usize]))
        .collect()
}

/// JSON in ASCII without `<`, `>` and `&`: inside a page it cannot end its element, whatever the
/// strings hold, and no invisible character changes how the source reads.
pub(super) fn json(value: &Value) -> String {
    let plain = value.to_string();
    let mut safe = String::with_capacity(plain.len());
    for character in plain.chars() {
        // JSON has these inside strings only, where an escape means the same.
        if matches!(character, '<' | '>' | '&' | '\x7f') || !character.is_ascii() {
            for unit in character.encode_utf16(&mut [0; 2]) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(character);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (text, code) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.bytes()), code);
        }
        assert_eq!(base64([255, 254, 0]), "//4A");
    }

    #[test]
    fn activations_keep_their_ends_and_their_middle() {
        let values = [-1.0, 0.0, 1.0, -9.0, 9.0, f32::NAN, f32::INFINITY];
        assert_eq!(activations(values.into_iter(), -1.0, 1.0), "Af+A+A+");
        assert_eq!(activations([0.0, 0.5, 1.0].into_iter(), 0.0, 1.0), "Af+");
    }

    #[test]
    fn json_in_a_page_is_the_same_json_and_harmless() {
        let nasty = "</script><!--<script>&amp;\"'\\\0\u{7f}\u{2028}\u{202e}\u{1f600}é";
        let value = json!({ nasty: [nasty, 1.5, null] });
        let text = super::json(&value);
        assert!(
            text.is_ascii() && !text.contains(['<', '>', '&', '\0', '\x7f']),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
