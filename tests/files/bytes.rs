//! Files cut short, with one bit flipped, with something before or after: none is taken for a model,
//! none for what a run goes on from.

use crate::hostile_support::{interrupted, model, refusal, refused};
use rnn::CellKind;
use rnn::checkpoint::Interrupted;

const CUT: &str = "its ";
const TOO_FEW: &str = "it has ";

#[test]
fn every_truncation_is_refused() {
    let bytes = model(CellKind::GRU).to_bytes();
    for len in 0..bytes.len() {
        let reason = if len < 8 { TOO_FEW } else { CUT };
        refused(&bytes[..len], &format!("{len} bytes"), &[reason]);
    }
    let bytes = interrupted();
    for len in 0..bytes.len() {
        assert!(
            Interrupted::from_bytes(&bytes[..len]).is_err(),
            "{len} bytes"
        );
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    for cell in CellKind::ALL {
        let mut bytes = model(cell).to_bytes();
        for bit in 0..8 * bytes.len() {
            bytes[bit / 8] ^= 1 << (bit % 8);
            refusal(&bytes);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
    let mut bytes = interrupted();
    for bit in 0..8 * bytes.len() {
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(Interrupted::from_bytes(&bytes).is_err(), "bit {bit}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn every_byte_left_out_or_doubled_is_refused() {
    let bytes = model(CellKind::RNN).to_bytes();
    for at in 0..bytes.len() {
        let (before, after) = bytes.split_at(at);
        refusal(&[before, &after[1..]].concat());
        refusal(&[before, &after[..1], after].concat());
    }
    refusal(&[&bytes[..], &bytes].concat());
}

#[test]
fn a_length_that_is_not_the_headers_is_refused() {
    let bytes = model(CellKind::LSTM).to_bytes();
    let length = u64::from_le_bytes(*bytes.first_chunk().expect("a length"));
    let cut = "its header is damaged";
    for (value, reasons) in [
        (
            0,
            &["it is not a safetensors file: its header is damaged"][..],
        ),
        (1, &["it is not a safetensors file: its header is damaged"]),
        (length - 1, &["its ", cut]),
        (length + 1, &["it is not a safetensors file: its header is"]),
        (length + 8, &["it is not a safetensors file: its header is"]),
        (
            bytes.len() as u64 - 8,
            &["it is not a safetensors file: its header is"],
        ),
        (bytes.len() as u64 - 7, &[CUT]),
        (32 << 20, &[CUT]),
        (
            (32 << 20) + 1,
            &["it is not a safetensors file: its header would have 33554433 bytes"],
        ),
        (
            1 << 63,
            &["it is not a safetensors file: its header would have 9223372036854775808"],
        ),
        (
            u64::MAX,
            &["it is not a safetensors file: its header would have 18446744073709551615"],
        ),
    ] {
        let mut forged = bytes.clone();
        forged[..8].copy_from_slice(&value.to_le_bytes());
        refused(&forged, &format!("length {value}"), reasons);
    }
}

#[test]
fn random_bytes_are_refused() {
    let mut random = 1u64;
    let mut next = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 56) as u8
    };
    for len in 0..2000 {
        let mut bytes: Vec<u8> = (0..len).map(|_| next()).collect();
        refusal(&bytes);
        if len > 16 {
            // The same behind a length that fits.
            bytes[..8].copy_from_slice(&(len as u64 / 2).to_le_bytes());
            refusal(&bytes);
        }
    }
}
