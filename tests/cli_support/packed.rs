//! What the page of `view` holds, unpacked as its script does it.
#![allow(dead_code, reason = "one test file uses it")]

use serde_json::Value;

/// What an element of a page holds: deflated, 13 bits to two of 91 visible characters.
pub(crate) fn packed(page: &[u8], id: &str) -> Vec<u8> {
    let page = std::str::from_utf8(page).expect("UTF-8");
    let start = format!("<script type=\"text/plain\" id=\"{id}\">");
    let (_, rest) = page.split_once(&start).expect("the element");
    let text = rest.split_once("</script>").expect("an end").0;
    let digit = |letter: &u8| {
        assert!((b'!'..=b'~').contains(letter), "{letter}");
        u32::from(letter - b'!') - b"&<>".iter().filter(|&out| out < letter).count() as u32
    };
    let (mut word, mut bits, mut bytes) = (0u32, 0, Vec::new());
    for group in text.as_bytes().chunks(2) {
        let (value, count) = match group {
            [high, low] => (91 * digit(high) + digit(low), 13),
            [low, ..] => (digit(low), 6),
            [] => unreachable!(),
        };
        word |= value << bits;
        bits += count;
        while bits >= 8 {
            bytes.push(word as u8);
            word >>= 8;
            bits -= 8;
        }
    }
    miniz_oxide::inflate::decompress_to_vec(&bytes).expect("deflate")
}

/// The data in a page.
pub(crate) fn data(page: &[u8]) -> Value {
    serde_json::from_slice(&packed(page, "data")).expect("JSON")
}
