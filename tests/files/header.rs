//! Headers that lie: every field of every tensor at its limits, and headers that are none. Each is
//! told from its checksum, and where the liar made that right as well, from what it says.

use crate::hostile_support::{File, forged, refused, with_header};

const CUT: &str = "its ";
const NOT_JSON: &str = "it is not a safetensors file: its header is damaged: ";

/// Numbers at every limit, beside `value` itself.
fn limits(value: &str) -> Vec<String> {
    let value: u64 = value.parse().expect("a number");
    let numbers = [
        0,
        1,
        value.wrapping_sub(1),
        value + 1,
        2 * value + 3,
        u64::from(u32::MAX),
        1 << 53,
        1 << 62,
        1 << 63,
        u64::MAX,
    ];
    let others = [
        "-1",
        "1.5",
        "1e99",
        "18446744073709551616",
        "null",
        "true",
        "\"4\"",
        "[]",
        "{}",
    ];
    let numbers = numbers.into_iter().filter(|&number| number != value);
    numbers
        .map(|number| number.to_string())
        .chain(others.map(str::to_owned))
        .collect()
}

#[test]
fn every_offset_at_every_limit_is_refused() {
    for (at, tensor) in File::small().tensors.iter().enumerate() {
        for side in [0, 1] {
            for value in limits(&tensor.offsets[side]) {
                let case = format!("{} offset {side} {value}", tensor.name);
                let reasons = [
                    "tensor \"",
                    "a tensor's shape and type ask for another number of bytes",
                    "a tensor's shape asks for more bytes",
                    "its header is ",
                    CUT,
                    NOT_JSON,
                ];
                forged(&case, &reasons, |file| {
                    file.tensors[at].offsets[side] = value.clone()
                });
            }
        }
    }
}

#[test]
fn every_dimension_at_every_limit_is_refused() {
    for (at, tensor) in File::small().tensors.iter().enumerate() {
        for dimension in 0..tensor.shape.len() {
            for value in limits(&tensor.shape[dimension]) {
                let case = format!("{} dimension {dimension} {value}", tensor.name);
                let reasons = [
                    "a tensor's shape and type ask for another number of bytes",
                    "a tensor's shape asks for more bytes",
                    NOT_JSON,
                ];
                forged(&case, &reasons, |file| {
                    file.tensors[at].shape[dimension] = value.clone()
                });
            }
        }
    }
}

#[test]
fn every_other_shape_of_the_same_size_is_refused() {
    for (at, tensor) in File::small().tensors.iter().enumerate() {
        let size: usize = tensor
            .shape
            .iter()
            .map(|n| n.parse::<usize>().expect("a number"))
            .product();
        let reversed: Vec<String> = tensor.shape.iter().rev().cloned().collect();
        let flat = vec![size.to_string()];
        let column = vec![size.to_string(), "1".into()];
        let many = [vec!["1".into(); 9_000], flat.clone()].concat();
        for shape in [flat, column, reversed, many] {
            if shape != tensor.shape {
                let expected = format!("tensor {:?} is F32 [", tensor.name);
                forged(&tensor.name, &[&expected], |file| {
                    file.tensors[at].shape = shape.clone()
                });
            }
        }
    }
}

#[test]
fn every_other_type_is_refused() {
    let other = "a tensor's shape and type ask for another number of bytes";
    for (dtype, reason) in [
        (
            "I32",
            "tensor \"decoder.weight\" is I32 [4, 2], expected F32 [4, 2]",
        ),
        (
            "U32",
            "tensor \"decoder.weight\" is U32 [4, 2], expected F32 [4, 2]",
        ),
        ("F64", other),
        ("F16", other),
        ("BF16", other),
        ("BOOL", other),
        ("f32", NOT_JSON),
        ("F32 ", NOT_JSON),
        ("", NOT_JSON),
        ("\\u001b[2J", NOT_JSON),
    ] {
        // The order in which tensors are written depends on their type, not on ours alone.
        let reasons = [reason, "its header is not written as safetensors writes it"];
        forged(dtype, &reasons, |file| {
            file.tensor("decoder.weight").dtype = dtype.into()
        });
    }
}

#[test]
fn headers_that_are_something_else_are_refused() {
    let deep = |open: &str, count: usize| format!("{{\"a\":{}", open.repeat(count));
    for header in [
        "",
        " ",
        "null",
        "4",
        "[]",
        "\"rnn\"",
        "{",
        "{}}",
        "{\"a\":1}",
        "{\"a\":{}}",
        "\u{feff}{}",
        "{\"__metadata__\":4}",
        "{\"__metadata__\":{\"rnn\":4}}",
        "{\"__metadata__\":[\"rnn\"]}",
        &deep("[", 100),
        &deep("[", 1_000_000),
        &deep("{\"a\":", 1_000_000),
    ] {
        let case: String = header.chars().take(30).collect();
        refused(&with_header(header, b""), &case, &[NOT_JSON]);
    }
    let theirs = "its metadata has no entry \"rnn\": a safetensors file of another program";
    for header in [
        "{}",
        "{\"__metadata__\":{}}",
        "{\"__metadata__\":{\"RNN\":\"\"}}",
    ] {
        refused(&with_header(header, b""), header, &[theirs]);
    }
    let two = r#"{"__metadata__":{"format":"pt","rnn":"{}"}}"#;
    refused(
        &with_header(two, b""),
        two,
        &["its metadata has more", "its header is not written"],
    );
    let mut invalid = with_header("{}      ", b"");
    invalid[12] = 0xff;
    refused(
        &invalid,
        "not UTF-8",
        &["it is not a safetensors file: its header is no UTF-8"],
    );
}

#[test]
fn white_space_and_order_are_refused() {
    let reason = ["its header is not written as safetensors writes it"];
    let bytes = File::small().to_bytes();
    let length = u64::from_le_bytes(*bytes.first_chunk().expect("a length")) as usize;
    let (header, data) = bytes[8..].split_at(length);
    let header = str::from_utf8(header).expect("UTF-8").trim_end();
    let name = "\"decoder.bias\"";
    for forged in [
        format!(" {header}"),
        format!("{header}        "),
        format!("{header}\n"),
        header.replace("F32\",", "F32\", "),
        header.replace(name, "\"\\u0064ecoder.bias\""),
    ] {
        refused(&with_header(&forged, data), &forged[..40], &reason);
    }
    forged("two tensors exchanged", &reason, |file| {
        file.tensors.swap(0, 1)
    });
}
