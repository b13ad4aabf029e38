//! What `train`'s flags mean, decided in one place: where from, where to, which settings, how long.
//!
//! Settings that were not typed are those that the library recommends for the text. A flag that
//! would change nothing (`--momentum` with adam) is refused: whoever typed it meant something.

use std::num::NonZero;
use std::time::Duration;

use rnn::optimizer::{Clip, Decay, OptimizerConfig, Schedule};
use rnn::{CellKind, Corpus, Recommended, RunOptions, recommended};

use crate::args::{NetworkArgs, OptimizationArgs, OptimizerArg, RunArgs, ScheduleArg, TrainArgs};
use crate::exit::{Misuse, misuse};
use crate::file::{Source, Target};

/// What `train` is to do.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) source: Source,
    pub(crate) target: Target,
    pub(crate) force: bool,
    pub(crate) bytes: bool,
    pub(crate) split: Vec<f64>,
    pub(crate) max_epochs: Option<u64>,
    pub(crate) sample_every: Option<u64>,
    pub(crate) run: RunOptions,
    network: NetworkArgs,
    optimization: OptimizationArgs,
    max_steps: Option<u64>,
    eval_every: Option<u64>,
    patience: Option<u64>,
}

impl Plan {
    /// What was typed, as far as that can be told without the text.
    ///
    /// # Errors
    /// [`Misuse`] for flags that contradict each other.
    pub(crate) fn new(args: TrainArgs) -> anyhow::Result<Self> {
        let TrainArgs {
            file,
            output,
            force,
            bytes,
            network,
            optimization,
            run,
        } = args;
        let RunArgs {
            max_epochs,
            max_steps,
            time,
            split,
            eval_every,
            patience,
            sample_every,
            threads,
        } = run;
        let source = Source::new(&file);
        let target = Target::new(output.as_deref(), &source)?;
        let plan = Plan {
            run: RunOptions {
                threads: threads.unwrap_or_else(processors),
                time,
            },
            source,
            target,
            force,
            bytes,
            split,
            max_epochs,
            sample_every,
            network,
            optimization,
            max_steps,
            eval_every,
            patience,
        };
        // No text changes whether the settings are sound, so a long one need not be read first.
        plan.settings(1_000_000, 100)?;
        Corpus::from_text("ab")
            .and_then(|text| text.split(&plan.split))
            .map_err(misuse)?;
        Ok(plan)
    }

    /// How long the run may take, where that was asked for.
    pub(crate) fn time(&self) -> Option<Duration> {
        self.run.time
    }

    /// The settings for a text of so many characters, so many of them distinct.
    ///
    /// # Errors
    /// [`Misuse`] for a flag that does not go with the others, or a value that cannot be.
    pub(crate) fn settings(
        &self,
        characters: usize,
        vocab_size: usize,
    ) -> anyhow::Result<Recommended> {
        let Recommended {
            mut network,
            mut train,
        } = recommended(characters, vocab_size);
        let (net, opt) = (&self.network, &self.optimization);
        set(&mut network.cell, net.model.map(CellKind::from));
        set(&mut network.hidden_size, net.hidden_size);
        set(&mut network.num_layers, net.num_layers);
        set(&mut train.dropout, net.dropout);
        if net.forget_bias.is_some() {
            fits(
                "--forget-bias",
                "--model lstm",
                network.cell == CellKind::Lstm,
                network.cell.name(),
            )?;
            train.init.forget_bias = net.forget_bias;
        }
        train.init.orthogonal |= net.orthogonal;

        set(&mut train.seq_length, opt.seq_length);
        set(&mut train.batch_size, opt.batch_size);
        train.horizon = opt.horizon.or(train.horizon);
        set(&mut train.seed, opt.seed);
        let advised = train.optimizer.name();
        train.optimizer = optimizer(opt, train.optimizer)?;
        if train.optimizer.name() != advised {
            train.learning_rate = train.optimizer.default_learning_rate();
        }
        set(&mut train.learning_rate, opt.learning_rate);
        train.schedule = schedule(opt, train.schedule)?;
        train.clip = match (opt.clip, opt.clip_value) {
            (Some(0.0), _) => Clip::None,
            (Some(norm), _) => Clip::Norm(norm),
            (None, Some(size)) => Clip::Value(size),
            (None, None) => train.clip,
        };

        if self.run.time.is_some() {
            train.max_steps = None;
        }
        train.max_steps = self.max_steps.or(train.max_steps);
        set(&mut train.eval_every, self.eval_every);
        train.patience = self.patience.or(train.patience);
        network.validate().map_err(misuse)?;
        train.validate().map_err(misuse)?;
        Ok(Recommended { network, train })
    }
}

fn set<T>(setting: &mut T, typed: Option<T>) {
    if let Some(value) = typed {
        *setting = value;
    }
}

/// Refuses a flag of one choice where another was made.
fn fits(flag: &str, choice: &str, is_chosen: bool, chosen: &str) -> anyhow::Result<()> {
    if is_chosen {
        return Ok(());
    }
    Err(Misuse(format!(
        "{flag} does nothing for {chosen}, expected {choice}"
    ))
    .into())
}

fn optimizer(
    typed: &OptimizationArgs,
    advised: OptimizerConfig,
) -> anyhow::Result<OptimizerConfig> {
    let mut config = match typed.optimizer {
        None => advised,
        Some(OptimizerArg::Sgd) => OptimizerConfig::SGD,
        Some(OptimizerArg::Adagrad) => OptimizerConfig::ADAGRAD,
        Some(OptimizerArg::Rmsprop) => OptimizerConfig::RMSPROP,
        Some(OptimizerArg::Adam) => OptimizerConfig::ADAM,
        Some(OptimizerArg::Adamw) => OptimizerConfig::ADAMW,
    };
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

fn schedule(typed: &OptimizationArgs, advised: Schedule) -> anyhow::Result<Schedule> {
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
    let mut schedule = match typed.schedule {
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

/// Processors of this machine.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}
