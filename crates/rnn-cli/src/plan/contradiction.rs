//! Where what was typed contradicts the run that is to go on with it.

use anyhow::bail;
use rnn::checkpoint::Interrupted;
use rnn::vocabulary::REPLACEMENT;
use rnn::{NetworkConfig, Recommended};
use serde_json::{Value, json};

use super::Plan;
use crate::exit::misuse;

/// Checks that `asked`, the run's settings with what was typed laid over them and fitted to the
/// text, are the run's settings still. The number of steps is another matter.
pub(crate) fn check(
    plan: &Plan,
    run: &Interrupted,
    mut asked: Recommended,
    file: &str,
) -> anyhow::Result<()> {
    asked.train.max_steps = run.config().max_steps;
    let is_bytes = run.vocabulary().is_bytes();
    let split = plan.split.as_deref().unwrap_or(run.split());
    let reserved = run.vocabulary().id(REPLACEMENT).is_some();
    // A text may have U+FFFD of its own, so that to have it contradicts nothing.
    let reserve = reserved || plan.reserve == Some(true);
    let how = |is_reserved| json!({"unknown": if is_reserved { "replace" } else { "error" }});
    let pairs = [
        (how(reserved), how(reserve)),
        (
            json!({"bytes": is_bytes}),
            json!({"bytes": is_bytes || plan.bytes}),
        ),
        (
            json!({"records": run.config().records}),
            json!({"records": asked.train.records}),
        ),
        (json!({"split": run.split()}), json!({"split": split})),
        (json!(run.network()), json!(asked.network)),
        // Before the learning rate, which follows from it.
        (
            json!({"optimizer": run.config().optimizer}),
            json!({"optimizer": asked.train.optimizer}),
        ),
        (json!(run.config()), json!(asked.train)),
    ];
    for (was, asked) in pairs {
        if let Some((name, was, asked)) = difference("", &was, &asked) {
            bail!("{name} is {was} in {file}, {asked} was asked");
        }
    }
    Ok(())
}

/// Checks that the network asked for is that of the model which training begins with.
pub(crate) fn check_network(
    model: &NetworkConfig,
    mut asked: NetworkConfig,
    file: &str,
) -> anyhow::Result<()> {
    asked.vocab_size = model.vocab_size;
    match difference("", &json!(model), &json!(asked)) {
        None => Ok(()),
        Some((name, was, asked)) => Err(misuse(format!(
            "{name} is {was} in {file}, {asked} was asked"
        ))),
    }
}

/// The first setting that differs, as a flag is spelt, and its two values.
fn difference(name: &str, was: &Value, asked: &Value) -> Option<(String, String, String)> {
    if was == asked {
        return None;
    }
    if let (Value::Object(was), Value::Object(asked)) = (was, asked)
        && (name.is_empty() || was.len() > 1)
        && was.keys().eq(asked.keys())
        && was.get("name") == asked.get("name")
    {
        return was
            .iter()
            .find_map(|(key, value)| difference(key, value, &asked[key]));
    }
    let name = match name {
        "cell" => "model".to_owned(),
        name => name.replace('_', "-"),
    };
    Some((name, shown(was), shown(asked)))
}

/// A setting as one would say it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::String(text) => text.replace('_', "-"),
        Value::Bool(is_on) => if *is_on { "on" } else { "off" }.to_owned(),
        Value::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join(","),
        Value::Object(fields) => match fields.get("name") {
            Some(name) => shown(name),
            None => {
                let parts = fields
                    .iter()
                    .map(|(key, value)| format!("{key} {}", shown(value)));
                parts.collect::<Vec<_>>().join(", ")
            }
        },
        Value::Number(number) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_told_as_flags_are_spelt() {
        let told = |was: Value, asked: Value| {
            difference("", &was, &asked).map(|(name, was, asked)| format!("{name}: {was}, {asked}"))
        };
        assert_eq!(told(json!({"a": 1}), json!({"a": 1})), None);
        for (was, asked, expected) in [
            (
                json!({"hidden_size": 128}),
                json!({"hidden_size": 256}),
                "hidden-size: 128, 256",
            ),
            (
                json!({"cell": "rnn_relu"}),
                json!({"cell": "gru"}),
                "model: rnn-relu, gru",
            ),
            (
                json!({"patience": null}),
                json!({"patience": 3}),
                "patience: not set, 3",
            ),
            (
                json!({"clip": {"norm": 5.0}}),
                json!({"clip": {"norm": 1.0}}),
                "clip: norm 5.0, norm 1.0",
            ),
            (
                json!({"clip": {"norm": 5.0}}),
                json!({"clip": "none"}),
                "clip: norm 5.0, none",
            ),
            (
                json!({"optimizer": {"name": "adam", "eps": 1}}),
                json!({"optimizer": {"name": "sgd", "momentum": 0}}),
                "optimizer: adam, sgd",
            ),
            (
                json!({"optimizer": {"name": "rmsprop", "alpha": 0.9}}),
                json!({"optimizer": {"name": "rmsprop", "alpha": 0.99}}),
                "alpha: 0.9, 0.99",
            ),
            (
                json!({"split": [0.9, 0.1]}),
                json!({"split": [0.8, 0.2]}),
                "split: 0.9,0.1, 0.8,0.2",
            ),
            (
                json!({"orthogonal": false}),
                json!({"orthogonal": true}),
                "orthogonal: off, on",
            ),
        ] {
            assert_eq!(told(was, asked).as_deref(), Some(expected));
        }
    }
}
