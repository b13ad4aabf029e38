//! Flags of optimiser and schedule, laid over what stands there without them.

use std::fmt::Display;

use rnn::optimizer::{OptimizerConfig, Schedule};

use crate::args::OptimizationArgs;
use crate::exit::misuse;

/// The update rule.
pub(super) fn optimizer(
    typed: &OptimizationArgs,
    current: OptimizerConfig,
) -> anyhow::Result<OptimizerConfig> {
    // Naming what is there already resets none of its numbers.
    let other = typed
        .optimizer
        .filter(|other| other.name() != current.name());
    let mut config = other.unwrap_or(current);
    let all = ("--optimizer", &OptimizerConfig::ALL[..]);
    for (name, value) in [
        ("momentum", typed.momentum),
        ("alpha", typed.alpha),
        ("weight decay", typed.weight_decay),
    ] {
        let flag = format!("--{}", name.replace(' ', "-"));
        set(&flag, value, &mut config, all, |config| {
            config.setting(name)
        })?;
    }
    if let (Some(_), OptimizerConfig::Sgd { nesterov, .. }) = (typed.momentum, &mut config) {
        *nesterov = typed.nesterov;
    }
    Ok(config)
}

/// How the learning rate changes.
pub(super) fn schedule(typed: &OptimizationArgs, current: Schedule) -> anyhow::Result<Schedule> {
    let other = typed
        .schedule
        .filter(|other| other.name() != current.name());
    let mut schedule = other.unwrap_or(current);
    let all = ("--schedule", &Schedule::ALL[..]);
    let steps = typed.warmup_steps;
    set("--warmup-steps", steps, &mut schedule, all, |s| match s {
        Schedule::WarmupDecay { warmup_steps, .. } | Schedule::Cosine { warmup_steps, .. } => {
            Some(warmup_steps)
        }
        _ => None,
    })?;
    let decay = typed.learning_rate_decay;
    set(
        "--learning-rate-decay",
        decay,
        &mut schedule,
        all,
        |s| match s {
            Schedule::Exponential { factor, .. } => Some(factor),
            _ => None,
        },
    )?;
    let after = typed.learning_rate_decay_after;
    set(
        "--learning-rate-decay-after",
        after,
        &mut schedule,
        all,
        |s| match s {
            Schedule::Exponential { after_epoch, .. } => Some(after_epoch),
            _ => None,
        },
    )?;
    Ok(schedule)
}

/// Sets what `setting` finds in the choice that was made to what was typed, or says which of all
/// choices have such a setting.
fn set<C: Copy + Display, V>(
    flag: &str,
    typed: Option<V>,
    chosen: &mut C,
    (choice, all): (&str, &[C]),
    setting: impl Fn(&mut C) -> Option<&mut V>,
) -> anyhow::Result<()> {
    let Some(value) = typed else { return Ok(()) };
    if let Some(place) = setting(chosen) {
        *place = value;
        return Ok(());
    }
    let has = |other: &C| setting(&mut other.clone()).is_some();
    let others: Vec<String> = all
        .iter()
        .filter(|other| has(other))
        .map(C::to_string)
        .collect();
    let others = others.join(" or ");
    Err(misuse(format!(
        "{flag} has no effect with {chosen}; use {choice} {others}"
    )))
}
