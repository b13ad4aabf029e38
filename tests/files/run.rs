//! Runs to go on with that no run can have left: every number of one at its limits, with a checksum
//! that is right. Reading, going on and taking steps end in an error or a result, never in a panic.

use std::ops::ControlFlow;

use crate::hostile_support::{File, TEXT, interrupted};
use rnn::checkpoint::Interrupted;
use rnn::{Corpus, Error, RunOptions, Trainer};
use serde_json::{Value, json};

/// Paths of all values that hold no others, as JSON pointers.
fn leaves(path: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| leaves(&format!("{path}/{name}"), value, found)),
        Value::Array(values) if !values.is_empty() => values
            .iter()
            .enumerate()
            .for_each(|(at, value)| leaves(&format!("{path}/{at}"), value, found)),
        _ => found.push(path.to_owned()),
    }
}

/// Goes on with a forged run for some steps; how far it came.
fn go_on(bytes: &[u8]) -> Result<u64, Error> {
    let run = Interrupted::from_bytes(bytes)?;
    let corpus = Corpus::from_text(TEXT)?;
    let mut trainer = Trainer::resume(corpus, run)?;
    let mut events = 0;
    trainer.run(&RunOptions::default(), |_, _| {
        events += 1;
        Ok::<_, Error>(if events < 12 {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        })
    })?;
    trainer.best_model().to_bytes();
    Ok(trainer.step_count())
}

#[test]
fn every_number_of_a_run_at_every_limit_ends_in_words_or_steps() {
    let file = File::of(&interrupted());
    assert!(go_on(&file.clone().sealed()).is_ok());
    let description = Value::Object(file.description.clone());
    let mut paths = Vec::new();
    leaves("", &description, &mut paths);
    let limits = [
        json!(0),
        json!(1),
        json!(2),
        json!(7),
        json!(u32::MAX),
        json!(u64::from(u32::MAX) + 1),
        json!(1u64 << 53),
        json!(1u64 << 62),
        json!(u64::MAX - 1),
        json!(u64::MAX),
        json!(-1),
        json!(0.5),
        json!(1e-300),
        json!(1e300),
        json!(f64::MAX),
        json!(null),
        json!(""),
        json!([]),
        json!({}),
        json!(true),
        json!(false),
        json!("adam"),
        json!([0, 0]),
    ];
    let (mut refused, mut went_on) = (0, 0);
    for path in &paths {
        for value in &limits {
            let mut all = description.clone();
            *all.pointer_mut(path).expect("a path") = value.clone();
            let mut forged = file.clone();
            forged.description = all.as_object().expect("an object").clone();
            match go_on(&forged.sealed()) {
                Ok(_) => went_on += 1,
                Err(error) => {
                    refused += 1;
                    assert!(!error.to_string().is_empty(), "{path} {value}");
                }
            }
        }
    }
    println!(
        "{} values, {refused} forgeries refused, {went_on} harmless",
        paths.len()
    );
    assert!(paths.len() > 40 && refused > went_on);
}

#[test]
fn a_run_that_claims_to_learn_records_ends_in_words_or_steps() {
    let mut file = File::of(&interrupted());
    file.description["config"]["records"] = json!(true);
    let window = file.description["progress"]["window"].clone();
    for value in [
        window,
        json!(0),
        json!(1),
        json!(1u64 << 53),
        json!(u64::MAX),
    ] {
        file.description["progress"]["window"] = value;
        // The text has one line, so there is nothing to hold out.
        let error = go_on(&file.clone().sealed()).expect_err("no such run");
        assert!(!error.to_string().is_empty());
    }
}
