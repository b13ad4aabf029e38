//! Descriptions that are not written as we write them: another version, a wrong checksum, fields
//! too many or too few, JSON that is deep or none.

use crate::hostile_support::{File, redescribed, refused, set};
use serde_json::json;

const DAMAGED: &str = "its description is damaged: ";

#[test]
fn what_is_not_forged_is_accepted() {
    let read = rnn::Model::from_bytes(&redescribed(|_| {})).expect("a sound file");
    assert_eq!(read, crate::hostile_support::model(rnn::CellKind::LSTM));
}

#[test]
fn other_versions_are_refused() {
    for version in [
        "0",
        "2",
        "1.0",
        "-1",
        "\"1\"",
        "null",
        "[1]",
        "18446744073709551615",
        "true",
    ] {
        let value = serde_json::from_str(version).expect("JSON");
        let reason = format!("its format is version {version}, expected 1");
        refused(&set("format", value), version, &[&reason]);
    }
    let without = redescribed(|description| drop(description.remove("format")));
    refused(
        &without,
        "no version",
        &["its description has no format version"],
    );
}

#[test]
fn a_checksum_that_is_wrong_or_none_is_refused() {
    for (value, reason) in [
        (
            json!("0000000000000000"),
            "its checksum is \"0000000000000000\", but its content gives",
        ),
        (json!(""), "its checksum is \"\", but its content gives"),
        (json!(0), "its checksum is no plain text"),
        (json!(null), "its checksum is no plain text"),
        (json!("\n"), "its checksum is no plain text"),
    ] {
        let mut file = File::small();
        file.description.insert("checksum".into(), value.clone());
        refused(&file.to_bytes(), &value.to_string(), &[reason]);
    }
    let mut file = File::small();
    let right = file.description["checksum"]
        .as_str()
        .expect("text")
        .to_uppercase();
    file.description.insert("checksum".into(), json!(right));
    refused(&file.to_bytes(), "capitals", &["its checksum is "]);
    file.description.remove("checksum");
    refused(
        &file.to_bytes(),
        "no checksum",
        &["its description has no checksum"],
    );
}

#[test]
fn fields_too_many_or_too_few_are_refused() {
    for field in ["architecture", "training", "vocabulary"] {
        let forged = redescribed(|description| drop(description.remove(field)));
        // Serde takes a missing option for none, so a file without its story is one without a story.
        if field == "training" {
            assert!(
                rnn::Model::from_bytes(&forged)
                    .expect("a sound file")
                    .training()
                    .is_none()
            );
        } else {
            let reason = format!("{DAMAGED}missing field `{field}`");
            refused(&forged, field, &[&reason]);
        }
    }
    let surplus = redescribed(|description| drop(description.insert("surplus".into(), json!(1))));
    refused(
        &surplus,
        "surplus",
        &["its description is damaged: unknown field `surplus`"],
    );
    let many = redescribed(|description| {
        description.extend((0..40).map(|at| (format!("field {at}"), json!(at))));
    });
    refused(
        &many,
        "many",
        &["its description has 45 fields, expected at most 32"],
    );
}

#[test]
fn deep_json_is_refused() {
    for depth in [100, 127, 128, 1000, 1_000_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let description = File::small().description();
            let at = description.find("\"training\":").expect("a field") + 11;
            let end = description.find(",\"vocabulary\"").expect("a field");
            let text = format!("{}{deep}{}", &description[..at], &description[end..]);
            let header = json!({"__metadata__": {"rnn": text}}).to_string();
            // No tensors: the description is read first, then its checksum is looked at.
            let bytes = crate::hostile_support::with_header(&header, b"");
            refused(
                &bytes,
                &format!("{depth} {open}"),
                &["its checksum is ", DAMAGED],
            );
        }
    }
}

#[test]
fn a_description_that_is_something_else_is_refused() {
    for text in [
        "",
        "null",
        "4",
        "[]",
        "{",
        "{}}",
        "{\"format\":1,\"format\":1}",
        "{ \"format\":1}",
    ] {
        let header = json!({"__metadata__": {"rnn": text}}).to_string();
        let reasons = [
            DAMAGED,
            "its description is not written as this program writes it",
        ];
        refused(
            &crate::hostile_support::with_header(&header, b""),
            text,
            &reasons,
        );
    }
    let header = r#"{"__metadata__":{"rnn":"{}"}}"#;
    let reason = "its description has no format version";
    refused(
        &crate::hostile_support::with_header(header, b""),
        header,
        &[reason],
    );
}
