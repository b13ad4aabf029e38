//! Flags that contradict the run which they are to continue.

use anyhow::bail;
use rnn::checkpoint::Interrupted;
use rnn::{NetworkConfig, REPLACEMENT, Recommended};
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
    let split = plan.args.run.split.as_deref().unwrap_or(run.split());
    let reserved = run.vocabulary().id(REPLACEMENT).is_some();
    // A text may have U+FFFD of its own, so that to have it contradicts nothing.
    let reserve = reserved || plan.reserves();
    let how = |is_reserved| json!({"unknown": if is_reserved { "replace" } else { "error" }});
    let pairs = [
        (how(reserved), how(reserve)),
        (
            json!({"bytes": is_bytes}),
            json!({"bytes": is_bytes || plan.args.bytes}),
        ),
        (
            json!({"records": run.config().records}),
            json!({"records": asked.train.records}),
        ),
        // As text, since the flag takes a value: there is no "no --locked-dropout".
        (
            json!({"locked_dropout": run.config().locked_dropout.to_string()}),
            json!({"locked_dropout": asked.train.locked_dropout.to_string()}),
        ),
        (
            json!({"weight_dropout": run.config().weight_dropout}),
            json!({"weight_dropout": asked.train.weight_dropout}),
        ),
        (
            json!({"shards": run.config().shards}),
            json!({"shards": asked.train.shards}),
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
            let (has, passed) = told(&name, was, asked);
            bail!("{file} has {has}; to change it, start a new run (you passed {passed})");
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
    let (model, asked) = (json!(model), json!(asked));
    match difference("", &model, &asked) {
        None => Ok(()),
        Some((name, was, asked)) => {
            let (has, passed) = told(&name, was, asked);
            Err(misuse(format!(
                "{file} has {has}, which --init-from keeps (you passed {passed})"
            )))
        }
    }
}

/// A setting of a run and another value of it, as one would type them: the second without its flag
/// where that is the same.
fn told(name: &str, was: &Value, asked: &Value) -> (String, String) {
    let (was, asked) = (typed(name, was), typed(name, asked));
    let flag = was.split(' ').next().unwrap_or_default();
    let value = asked.strip_prefix(&format!("{flag} ")).map(str::to_owned);
    (was, value.unwrap_or(asked))
}

/// A setting as it is typed: `--hidden-size 16`, `--orthogonal`, `no --patience`.
fn typed(name: &str, value: &Value) -> String {
    match (name, value) {
        (_, Value::Null | Value::Bool(false)) => format!("no --{name}"),
        (_, Value::Bool(true)) => format!("--{name}"),
        ("clip", Value::Object(limit)) => match (limit.get("norm"), limit.get("value")) {
            (Some(norm), _) => format!("--clip {norm}"),
            (_, Some(size)) => format!("--clip-value {size}"),
            _ => format!("--clip {}", shown(value)),
        },
        ("clip", Value::String(_)) => "--clip 0".to_owned(),
        ("rate", value) => format!("--learning-rate-decay {}", shown(value)),
        ("after-epoch", value) => format!("--learning-rate-decay-after {}", shown(value)),
        (name, value) => format!("--{name} {}", shown(value)),
    }
}

/// The first setting that differs, with hyphens as in flags, and its two values.
fn difference<'v>(
    name: &str,
    was: &'v Value,
    asked: &'v Value,
) -> Option<(String, &'v Value, &'v Value)> {
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
    Some((name.replace('_', "-"), was, asked))
}

/// A value as it is typed; of a choice with settings its name.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join(","),
        Value::Object(fields) if fields.contains_key("name") => shown(&fields["name"]),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_told_as_it_is_typed() {
        let first = |was: &Value, asked: &Value| {
            difference("", was, asked).map(|(name, was, asked)| told(&name, was, asked))
        };
        assert_eq!(first(&json!({"a": 1}), &json!({"a": 1})), None);
        for (was, asked, has, passed) in [
            (
                json!({"hidden_size": 128}),
                json!({"hidden_size": 256}),
                "--hidden-size 128",
                "256",
            ),
            (
                json!({"cell": "rnn_relu"}),
                json!({"cell": "gru"}),
                "--cell rnn_relu",
                "gru",
            ),
            (
                json!({"patience": null}),
                json!({"patience": 3}),
                "no --patience",
                "--patience 3",
            ),
            (
                json!({"clip": {"norm": 5.0}}),
                json!({"clip": {"norm": 1.0}}),
                "--clip 5.0",
                "1.0",
            ),
            (
                json!({"clip": {"norm": 5.0}}),
                json!({"clip": {"value": 5.0}}),
                "--clip 5.0",
                "--clip-value 5.0",
            ),
            (
                json!({"clip": {"norm": 5.0}}),
                json!({"clip": "none"}),
                "--clip 5.0",
                "0",
            ),
            (
                json!({"optimizer": {"name": "adam", "eps": 1}}),
                json!({"optimizer": {"name": "sgd", "momentum": 0}}),
                "--optimizer adam",
                "sgd",
            ),
            (
                json!({"optimizer": {"name": "rmsprop", "alpha": 0.9}}),
                json!({"optimizer": {"name": "rmsprop", "alpha": 0.99}}),
                "--alpha 0.9",
                "0.99",
            ),
            (
                json!({"schedule": {"name": "exponential", "after_epoch": 10, "rate": 0.97}}),
                json!({"schedule": {"name": "exponential", "after_epoch": 10, "rate": 0.9}}),
                "--learning-rate-decay 0.97",
                "0.9",
            ),
            (
                json!({"split": [0.9, 0.1]}),
                json!({"split": [0.8, 0.2]}),
                "--split 0.9,0.1",
                "0.8,0.2",
            ),
            (
                json!({"orthogonal": false}),
                json!({"orthogonal": true}),
                "no --orthogonal",
                "--orthogonal",
            ),
        ] {
            let found = first(&was, &asked);
            assert_eq!(found, Some((has.to_owned(), passed.to_owned())));
        }
    }
}
