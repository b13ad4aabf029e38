//! Large numbers of numbers as few characters of a page: codes, deflate, and an alphabet that is
//! safe in markup.

use miniz_oxide::deflate::core::{
    CompressionStrategy, CompressorOxide, TDEFLFlush, compress_to_output,
    create_comp_flags_from_zip_params,
};

use rnn::{Result, memory};

/// Effort of the packer, 0 to 10; more takes longer and gains little.
const EFFORT: i32 = 6;
/// The largest code of an activation, so that 127 is the middle.
const MOST: f32 = 254.0;
/// Characters of [`alphabet`], whose square exceeds `2^13`.
const LETTERS: u32 = 91;

/// What a page holds of `bytes`: packed by deflate (RFC 1951), and then each 13 bits, the lowest
/// first, as two of 91 characters, high digit first; one for the last bits if they are 6 or fewer.
/// That is 6.5 bits to a character, where base64 has 6. Each `row` of so many bytes gets a code of
/// its own.
///
/// # Errors
/// Memory runs out.
pub(super) fn pack(bytes: &[u8], row: usize) -> Result<String> {
    text(&deflate(bytes, row)?)
}

/// Characters that so many bytes take when they are one row.
///
/// # Errors
/// Memory runs out.
pub(super) fn packed_size(bytes: &[u8]) -> Result<usize> {
    Ok((8 * deflate(bytes, bytes.len())?.len()).div_ceil(13) * 2)
}

/// The smaller of what deflate makes of bytes when it looks for repetitions and when it does not:
/// among numbers they are chance, and cost more than they save.
fn deflate(bytes: &[u8], row: usize) -> Result<Vec<u8>> {
    let with = |strategy: CompressionStrategy| -> Result<Vec<u8>> {
        let flags = create_comp_flags_from_zip_params(EFFORT, 0, strategy as i32);
        let (mut compressor, mut packed) = (CompressorOxide::new(flags), Vec::new());
        let mut is_full = false;
        let mut add = |bytes: &[u8], flush| {
            compress_to_output(&mut compressor, bytes, flush, |part| {
                let is_room = packed.try_reserve(part.len()).is_ok();
                if is_room {
                    packed.extend_from_slice(part);
                }
                is_full |= !is_room;
                is_room
            });
        };
        let mut rows = bytes.chunks(row.max(1)).peekable();
        while let Some(row) = rows.next() {
            let flush = match rows.peek() {
                Some(_) => TDEFLFlush::Sync,
                None => TDEFLFlush::Finish,
            };
            add(row, flush);
        }
        if bytes.is_empty() {
            add(&[], TDEFLFlush::Finish);
        }
        match is_full {
            true => Err(memory::refused(2 * packed.len() as u128)),
            false => Ok(packed),
        }
    };
    let (repeating, plain) = (
        with(CompressionStrategy::Default)?,
        with(CompressionStrategy::HuffmanOnly)?,
    );
    Ok(if plain.len() < repeating.len() {
        plain
    } else {
        repeating
    })
}

/// The visible characters of ASCII without `&`, `<` and `>`: nothing that they spell ends an element
/// or begins one.
fn alphabet() -> [char; LETTERS as usize] {
    let mut letters = ('!'..='~').filter(|letter| !matches!(letter, '&' | '<' | '>'));
    std::array::from_fn(|_| letters.next().expect("94 without 3"))
}

fn text(bytes: &[u8]) -> Result<String> {
    let letters = alphabet();
    let mut text = memory::room_for_text(bytes.len() * 16 / 13 + 2)?;
    let (mut word, mut bits) = (0u32, 0);
    for &byte in bytes {
        word |= u32::from(byte) << bits;
        bits += 8;
        if bits >= 13 {
            let value = word & 0x1fff;
            text.push(letters[(value / LETTERS) as usize]);
            text.push(letters[(value % LETTERS) as usize]);
            word >>= 13;
            bits -= 13;
        }
    }
    if bits > 6 {
        text.push(letters[(word / LETTERS) as usize]);
    }
    if bits > 0 {
        text.push(letters[(word % LETTERS) as usize]);
    }
    Ok(text)
}

/// Activations as codes: `q` from 0 to 254 stands for `low + q / 254 * (high - low)`.
pub(super) fn activations(
    values: impl Iterator<Item = f32>,
    low: f32,
    high: f32,
) -> impl Iterator<Item = u8> {
    // A value that is no number has no colour either: `as` makes it 0.
    values
        .map(move |value| ((value - low) / (high - low) * MOST).round() as u8)
        .map(|code| code.min(MOST as u8))
}

/// The low `planes` bytes of each number, first the lowest of all: bytes of one kind side by side
/// are what deflate packs well.
///
/// # Errors
/// Memory runs out.
pub(super) fn planes(numbers: &[i32], planes: usize) -> Result<Vec<u8>> {
    let mut bytes = memory::room(planes * numbers.len())?;
    for plane in 0..planes {
        bytes.extend(numbers.iter().map(|number| (number >> (8 * plane)) as u8));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of a text, by the definition and not by the script's way.
    fn bytes(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text
            .chars()
            .map(|c| alphabet().iter().position(|&l| l == c).unwrap() as u32)
            .collect();
        let mut bits = Vec::new();
        for group in digits.chunks(2) {
            let (value, count) = match group {
                [high, low] => (91 * high + low, 13),
                [low] => (*low, 6),
                _ => unreachable!(),
            };
            bits.extend((0..count).map(|bit| (value >> bit & 1) as u8));
        }
        let whole = bits.chunks_exact(8);
        whole
            .map(|byte| byte.iter().rev().fold(0, |all, bit| 2 * all + bit))
            .collect()
    }

    #[test]
    fn bytes_of_any_number_come_back_from_their_text() {
        for length in 0..60u8 {
            for seed in [1u8, 91, 255] {
                let expected: Vec<u8> = (0..length).map(|i| (i ^ 85).wrapping_mul(seed)).collect();
                assert_eq!(bytes(&text(&expected).unwrap()), expected, "{length}");
            }
        }
        assert_eq!(bytes(&text(&[255; 99]).unwrap()), [255; 99]);
    }

    #[test]
    fn a_text_is_harmless_in_a_page_and_dense() {
        let all: Vec<u8> = (0..=255).cycle().take(13_000).collect();
        let text = text(&all).unwrap();
        assert_eq!(text.len(), 16_000);
        assert!(
            text.chars()
                .all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '&'))
        );
        let packed = pack(&all, all.len()).unwrap();
        assert_eq!(
            packed_size(&all).unwrap().next_multiple_of(2),
            packed.len().next_multiple_of(2)
        );
        assert_eq!(
            miniz_oxide::inflate::decompress_to_vec(&bytes(&packed)).unwrap(),
            all
        );
    }

    #[test]
    fn rows_are_packed_each_in_a_code_of_its_own() {
        // Of two symbols each, one bit to a number; together there are eight.
        let row = |at: usize| (0..4000).map(move |i| (2 * at + (i * i / 7 + i) % 2) as u8);
        let all: Vec<u8> = (0..4).flat_map(row).collect();
        let unpacked =
            |packed: &str| miniz_oxide::inflate::decompress_to_vec(&bytes(packed)).unwrap();
        let apart = pack(&all, 4000).unwrap();
        assert_eq!(unpacked(&apart), all);
        assert_eq!(unpacked(&pack(&[], 0).unwrap()), [0u8; 0]);
        assert!(apart.len() < 4 * 4000 / 6 + 200, "{}", apart.len());
    }

    #[test]
    fn activations_keep_their_ends_and_their_middle() {
        let code = |values: &[f32], low| -> Vec<u8> {
            activations(values.iter().copied(), low, 1.0).collect()
        };
        let values = [-1.0, 0.0, 1.0, -9.0, 9.0, f32::NAN, f32::INFINITY];
        assert_eq!(code(&values, -1.0), [0, 127, 254, 0, 254, 0, 254]);
        assert_eq!(code(&[0.0, 0.5, 1.0], 0.0), [0, 127, 254]);
    }

    #[test]
    fn planes_hold_the_bytes_of_numbers_lowest_first() {
        assert_eq!(
            planes(&[0x0102_0304, -2], 3).unwrap(),
            [4, 254, 3, 255, 2, 255]
        );
    }
}
