//! Values that no model can have: vocabulary, sizes, cell, settings, weights. The checksum is right
//! throughout, so it is the value that is found.

use crate::hostile_support::{File, refusal, refused, set};
use serde_json::json;

const DAMAGED: &str = "its description is damaged: ";

#[test]
fn vocabularies_that_are_none_are_refused() {
    let characters = |text: &str| json!({ "characters": text });
    for (vocabulary, reason) in [
        (
            characters("aabc"),
            "vocabulary symbol 1 is 'a' after 'a'; symbols must be distinct",
        ),
        (
            characters("abcc"),
            "vocabulary symbol 3 is 'c' after 'c'; symbols must be distinct",
        ),
        (
            characters("abdc"),
            "vocabulary symbol 3 is 'c' after 'd'; symbols must be distinct",
        ),
        (
            characters(""),
            "its vocabulary has 0 symbols, its network 4",
        ),
        (
            characters("abc"),
            "its vocabulary has 3 symbols, its network 4",
        ),
        (
            characters("abcde"),
            "its vocabulary has 5 symbols, its network 4",
        ),
        (
            json!("bytes"),
            "its vocabulary has 256 symbols, its network 4",
        ),
        (
            json!("Bytes"),
            "its description is damaged: unknown variant `Bytes`",
        ),
        (json!("characters"), DAMAGED),
        (json!({"Characters": "abcd"}), DAMAGED),
        (json!({"characters": ["a", "b", "c", "d"]}), DAMAGED),
        (json!({"characters": 4}), DAMAGED),
        (json!({"characters": "abcd", "more": 1}), DAMAGED),
        (json!(["a", "b", "c", "d"]), DAMAGED),
        (json!("abcd"), DAMAGED),
        (json!({}), DAMAGED),
        (json!(4), DAMAGED),
        (json!(null), DAMAGED),
    ] {
        let case = vocabulary.to_string();
        refused(&set("vocabulary", vocabulary), &case, &[reason]);
    }
    let all: String = ('\0'..=char::MAX).collect();
    let reason = "its vocabulary has 1112064 symbols, its network 4";
    refused(
        &set("vocabulary", json!({ "characters": all })),
        "all of Unicode",
        &[reason],
    );
}

#[test]
fn sizes_at_every_limit_are_refused() {
    let sizes = [
        0,
        1,
        2,
        3,
        4,
        5,
        17,
        255,
        32_768,
        1 << 32,
        1 << 53,
        1 << 63,
        u64::MAX,
    ];
    for (field, value, limit) in [
        ("vocab_size", 4, 1_114_112),
        ("hidden_size", 2, 32_768),
        ("num_layers", 1, 16),
    ] {
        for size in sizes.into_iter().filter(|&size| size != value) {
            let what = refusal(&set(&format!("architecture/{field}"), json!(size)));
            let reason = if size == 0 || size > limit {
                "must be between 1 and"
            } else if field == "vocab_size" {
                "its vocabulary has 4 symbols, its network"
            } else if field == "hidden_size" && size == 1 {
                "tensor \"rnn.weight_ih_l0\" is F32 [8, 4], expected F32 [4, 4]"
            } else {
                "its sizes ask for"
            };
            assert!(what.contains(reason), "{field} {size}: {what}");
        }
        for value in [
            json!(-1),
            json!(2.0),
            json!("2"),
            json!(null),
            json!([2]),
            json!(1e300),
        ] {
            let case = format!("{field} {value}");
            refused(
                &set(&format!("architecture/{field}"), value),
                &case,
                &[DAMAGED],
            );
        }
    }
}

#[test]
fn other_cells_are_refused() {
    for (cell, reason) in [
        (
            "LSTM",
            "its description is damaged: cell must be one of rnn, rnn_relu, ",
        ),
        ("", DAMAGED),
        (
            "gru",
            "tensor \"rnn.weight_ih_l0\" is F32 [8, 4], expected F32 [6, 4]",
        ),
        (
            "rnn",
            "tensor \"rnn.weight_ih_l0\" is F32 [8, 4], expected F32 [2, 4]",
        ),
    ] {
        refused(&set("architecture/cell", json!(cell)), cell, &[reason]);
    }
    let clear = "\u{1b}[2J\u{1b}[H\r\nall is well".repeat(100);
    let what = refusal(&set("architecture/cell", json!(clear)));
    assert!(what.contains("got \"\\u{1b}[2J"), "{what}");
}

#[test]
fn settings_that_no_run_can_have_had_are_refused() {
    for (field, value, reason) in [
        (
            "batch_size",
            json!(0),
            "batch size must be at least 1, got 0",
        ),
        (
            "seq_length",
            json!(0),
            "sequence length must be at least 1, got 0",
        ),
        (
            "eval_every",
            json!(0),
            "number of steps between evaluations must be at least 1, got 0",
        ),
        ("dropout", json!(1), "dropout must be in [0, 1), got 1"),
        (
            "dropout",
            json!(-0.5),
            "dropout must be in [0, 1), got -0.5",
        ),
        ("learning_rate", json!(0), "learning rate must be "),
        ("learning_rate", json!(-1), "learning rate must be "),
        ("learning_rate", json!(null), DAMAGED),
        ("seed", json!(-1), DAMAGED),
        ("optimizer", json!("Adam"), DAMAGED),
        ("schedule", json!({}), DAMAGED),
    ] {
        let path = format!("training/config/{field}");
        refused(
            &set(&path, value.clone()),
            &format!("{field} {value}"),
            &[reason],
        );
    }
    for (field, value) in [
        ("step", json!(-1)),
        ("step", json!(1.5)),
        ("learning_rate", json!("fast")),
        ("train_loss", json!([])),
    ] {
        let path = format!("training/history/1/{field}");
        refused(
            &set(&path, value.clone()),
            &format!("{field} {value}"),
            &[DAMAGED],
        );
    }
}

#[test]
fn weights_that_are_not_finite_are_refused() {
    let count = File::small().data.len() / 4;
    for (value, word) in [
        (f32::NAN, "NaN"),
        (f32::INFINITY, "inf"),
        (f32::NEG_INFINITY, "-inf"),
    ] {
        for at in 0..count {
            let mut file = File::small();
            file.data[4 * at..4 * at + 4].copy_from_slice(&value.to_le_bytes());
            refused(&file.to_bytes(), word, &["its checksum is "]);
            let what = refusal(&file.sealed());
            let (says, wants) = (
                format!(" has {word} at element "),
                ", expected finite numbers",
            );
            assert!(what.contains(&says) && what.ends_with(wants), "{what}");
        }
    }
}

#[test]
fn a_history_as_long_as_it_gets_comes_back() {
    let model = crate::hostile_support::model(rnn::CellKind::GRU);
    let mut training = model.training().expect("a story").clone();
    training.history = (0..100_000)
        .map(|step| rnn::Record {
            step: u64::MAX - step,
            train_loss: Some(-1.234_567_890_123_456_7e-100),
            validation_loss: Some(-1.234_567_890_123_456_7e-200),
            learning_rate: -1.234_567_890_123_456_7e-300,
        })
        .collect();
    let (vocabulary, network) = (model.vocabulary().clone(), model.network().clone());
    let long = rnn::Model::new(vocabulary, network, Some(training));
    let again = rnn::Model::from_bytes(&long.to_bytes()).expect("a sound file");
    assert!(again == long);
}
