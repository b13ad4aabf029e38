//! What the flags of optimiser and schedule mean, given what stands there without them.

use rnn::optimizer::{Decay, OptimizerConfig, Schedule};

use crate::args::{OptimizationArgs, OptimizerArg, ScheduleArg};
use crate::exit::Misuse;

/// Refuses a flag of one choice where another was made.
pub(super) fn fits(flag: &str, choice: &str, is_chosen: bool, chosen: &str) -> anyhow::Result<()> {
    if is_chosen {
        return Ok(());
    }
    Err(Misuse(format!("{flag} has no effect with {chosen}; use {choice}")).into())
}

/// The update rule.
pub(super) fn optimizer(
    typed: &OptimizationArgs,
    advised: OptimizerConfig,
) -> anyhow::Result<OptimizerConfig> {
    let typed_config = match typed.optimizer {
        None => advised,
        Some(OptimizerArg::Sgd) => OptimizerConfig::SGD,
        Some(OptimizerArg::Adagrad) => OptimizerConfig::ADAGRAD,
        Some(OptimizerArg::Rmsprop) => OptimizerConfig::RMSPROP,
        Some(OptimizerArg::Adam) => OptimizerConfig::ADAM,
        Some(OptimizerArg::Adamw) => OptimizerConfig::ADAMW,
    };
    // Naming what is there already resets none of its numbers.
    let is_named = typed_config.name() == advised.name();
    let mut config = if is_named { advised } else { typed_config };
    let name = config.name();
    if let Some(value) = typed.momentum {
        match &mut config {
            OptimizerConfig::Sgd { momentum, nesterov } => {
                (*momentum, *nesterov) = (value, typed.nesterov)
            }
            _ => fits("--momentum", "--optimizer sgd", false, name)?,
        }
    }
    if let Some(value) = typed.alpha {
        match &mut config {
            OptimizerConfig::RmsProp { alpha, .. } => *alpha = value,
            _ => fits("--alpha", "--optimizer rmsprop", false, name)?,
        }
    }
    if let Some(value) = typed.weight_decay {
        match &mut config {
            OptimizerConfig::AdamW { weight_decay, .. } => *weight_decay = value,
            _ => fits("--weight-decay", "--optimizer adamw", false, name)?,
        }
    }
    Ok(config)
}

/// How the learning rate changes.
pub(super) fn schedule(typed: &OptimizationArgs, advised: Schedule) -> anyhow::Result<Schedule> {
    // The warm-up and the floor of the advised schedule suit another shape as well.
    let (warmup, floor) = match advised {
        Schedule::WarmupDecay {
            warmup_steps,
            floor,
            ..
        }
        | Schedule::Cosine {
            warmup_steps,
            floor,
        } => (warmup_steps, floor),
        _ => (100, 0.0),
    };
    let typed_schedule = match typed.schedule {
        None => advised,
        Some(ScheduleArg::Constant) => Schedule::Constant,
        Some(ScheduleArg::WarmupDecay) => Schedule::WarmupDecay {
            warmup_steps: warmup,
            decay_fraction: 0.25,
            decay: Decay::Cosine,
            floor,
        },
        Some(ScheduleArg::Exponential) => Schedule::Exponential {
            after_epoch: 10,
            rate: 0.97,
        },
        Some(ScheduleArg::Cosine) => Schedule::Cosine {
            warmup_steps: warmup,
            floor,
        },
        Some(ScheduleArg::Plateau) => Schedule::Plateau {
            factor: 0.5,
            patience: 2,
        },
    };
    let is_named = typed_schedule.name() == advised.name();
    let mut schedule = if is_named { advised } else { typed_schedule };
    let name = schedule.name();
    if let Some(steps) = typed.warmup_steps {
        match &mut schedule {
            Schedule::WarmupDecay { warmup_steps, .. } | Schedule::Cosine { warmup_steps, .. } => {
                *warmup_steps = steps
            }
            _ => fits(
                "--warmup-steps",
                "--schedule warmup-decay or cosine",
                false,
                name,
            )?,
        }
    }
    if let Some(value) = typed.learning_rate_decay {
        match &mut schedule {
            Schedule::Exponential { rate, .. } => *rate = value,
            _ => fits(
                "--learning-rate-decay",
                "--schedule exponential",
                false,
                name,
            )?,
        }
    }
    if let Some(epochs) = typed.learning_rate_decay_after {
        match &mut schedule {
            Schedule::Exponential { after_epoch, .. } => *after_epoch = epochs,
            _ => fits(
                "--learning-rate-decay-after",
                "--schedule exponential",
                false,
                name,
            )?,
        }
    }
    Ok(schedule)
}
