//! What `train`'s flags mean, decided in one place: where from, where to, which settings, how long.
//!
//! Settings that were not typed are those that the library recommends for the text. A flag that
//! would change nothing (`--momentum` with adam) is refused: whoever typed it meant something.

mod contradiction;
mod update;

use std::num::NonZero;
use std::path::PathBuf;

use rnn::checkpoint::Every;
use rnn::optimizer::Clip;
use rnn::{Corpus, Recommended, RunOptions, recommended};

use crate::args::{LearnedUnknownArg, NetworkArgs, OptimizationArgs, RunArgs, TrainArgs};
use crate::exit::misuse;
use crate::file::Source;
use crate::outputs::Files;
use crate::target::Target;
use crate::texts::Texts;
pub(crate) use contradiction::{check as check_contradictions, check_network};
use update::{fits, optimizer, schedule};

/// The share of a text that is held out unless told otherwise.
const HELD_OUT: f64 = 0.1;
/// Characters that are held out at most. They tell models apart to a thousandth of a nat, while a
/// tenth of a gigabyte would take an hour to evaluate, again and again.
const MOST_HELD_OUT: f64 = 1e6;

/// What `train` is to do.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) texts: Texts,
    pub(crate) target: Target,
    pub(crate) force: bool,
    /// Whether to go on with the run at the target.
    pub(crate) resume: bool,
    pub(crate) bytes: bool,
    /// The model to begin with.
    pub(crate) init_from: Option<PathBuf>,
    /// Whether each line is a sequence of its own.
    pub(crate) records: bool,
    /// Whether to reserve U+FFFD for unknown characters, where that was said.
    pub(crate) reserve: Option<bool>,
    pub(crate) dry_run: bool,
    pub(crate) metrics: Option<PathBuf>,
    pub(crate) plot: Option<PathBuf>,
    pub(crate) split: Option<Vec<f64>>,
    pub(crate) max_epochs: Option<u64>,
    pub(crate) max_steps: Option<u64>,
    pub(crate) sample_every: Option<u64>,
    pub(crate) live: bool,
    pub(crate) checkpoint_every: Option<u64>,
    pub(crate) threads: Option<usize>,
    pub(crate) run: RunOptions,
    network: NetworkArgs,
    optimization: OptimizationArgs,
    eval_every: Option<u64>,
    patience: Option<u64>,
}

impl Plan {
    /// What was typed, as far as that can be told without the text.
    ///
    /// # Errors
    /// [`Misuse`](crate::exit::Misuse) for flags that contradict each other.
    pub(crate) fn new(args: TrainArgs) -> anyhow::Result<Self> {
        let TrainArgs {
            files,
            output,
            resume,
            init_from,
            force,
            bytes,
            records,
            unknown,
            dry_run,
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
            live,
            metrics,
            plot,
            checkpoint_every,
            threads,
        } = run;
        let texts = Texts::new(&files)?;
        let target = match &resume {
            Some(path) => Target::of_run(path),
            None => Target::new(output.as_deref(), &texts)?,
        };
        let plan = Plan {
            run: RunOptions {
                threads: threads.unwrap_or_else(processors),
                time,
            },
            texts,
            target,
            force,
            resume: resume.is_some(),
            bytes,
            init_from,
            records,
            reserve: unknown.map(|unknown| unknown == LearnedUnknownArg::Replace),
            dry_run,
            metrics,
            plot,
            split,
            max_epochs,
            max_steps,
            sample_every,
            live,
            checkpoint_every,
            threads,
            network,
            optimization,
            eval_every,
            patience,
        };
        plan.written().check()?;
        // No text changes whether the settings are sound, so a long one need not be read first. For
        // a run that goes on they depend on what it is.
        if !plan.resume {
            plan.settings(recommended(1_000_000, 100))?;
        }
        Corpus::from_text("ab")
            .and_then(|text| text.split(&plan.split(text.len())))
            .map_err(misuse)?;
        Ok(plan)
    }

    /// The shares of a text of so many characters.
    pub(crate) fn split(&self, characters: usize) -> Vec<f64> {
        self.split.clone().unwrap_or_else(|| {
            let held_out = HELD_OUT.min(MOST_HELD_OUT / characters as f64);
            vec![1.0 - held_out, held_out]
        })
    }

    /// How often to note where training stands.
    pub(crate) fn every(&self) -> Every {
        self.checkpoint_every
            .map_or_else(Every::default, Every::Steps)
    }

    /// The files that this run writes. Those that exist and are ours are none of its text.
    pub(crate) fn own_files(&self) -> Vec<PathBuf> {
        let reports = self.metrics.iter().chain(&self.plot).cloned();
        self.target.files().into_iter().chain(reports).collect()
    }

    /// What this run reads and writes.
    ///
    /// # Errors
    /// If a folder of texts cannot be read.
    pub(crate) fn files(&self) -> anyhow::Result<Files> {
        let mut files = self.written();
        for (text, what) in self.texts.files(&self.own_files())? {
            if let Source::File(path) = text {
                files.reads(&path, what);
            }
        }
        if let Some(path) = &self.init_from {
            files.reads(path, "the model to start from");
        }
        Ok(files)
    }

    fn written(&self) -> Files {
        let mut files = Files::default();
        for path in self.target.files() {
            files.writes(&path, "another name for the model (-o)");
        }
        if let Some(path) = &self.metrics {
            files.writes(path, "another name for the metrics");
        }
        if let Some(path) = &self.plot {
            files.writes(path, "another name for the plot");
        }
        files
    }

    /// What was typed laid over `base`: what is recommended for a text, or what a run that goes on
    /// has.
    ///
    /// # Errors
    /// [`Misuse`](crate::exit::Misuse) for a flag that does not go with the others, or a value that
    /// cannot be.
    pub(crate) fn settings(&self, base: Recommended) -> anyhow::Result<Recommended> {
        let Recommended {
            mut network,
            mut train,
        } = base;
        let (net, opt) = (&self.network, &self.optimization);
        set(&mut network.cell, net.cell);
        set(&mut network.hidden_size, net.hidden_size);
        set(&mut network.num_layers, net.num_layers);
        set(&mut train.dropout, net.dropout);
        if net.forget_bias.is_some() {
            fits(
                "--forget-bias",
                "--cell lstm",
                network.cell.signal("forget gate").is_some(),
                network.cell.name(),
            )?;
            train.init.forget_bias = net.forget_bias;
        }
        train.init.orthogonal |= net.orthogonal;

        train.records |= self.records;
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

/// Processors of this machine.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn split(flags: &str, characters: usize) -> Vec<f64> {
        let typed = format!("rnn-cli train text {flags}");
        let cli = Cli::try_parse_from(typed.split_whitespace()).unwrap();
        let Some(Command::Train(args)) = cli.command else {
            panic!("{typed} is train")
        };
        Plan::new(*args).unwrap().split(characters)
    }

    #[test]
    fn of_a_long_text_a_million_characters_are_held_out() {
        assert_eq!(split("", 2), [0.9, 0.1]);
        assert_eq!(split("", 10_000_000), [0.9, 0.1]);
        let long = split("", 1_000_000_000);
        assert_eq!(long, [0.999, 0.001]);
        assert_eq!(split("--split 0.8,0.2", 1_000_000_000), [0.8, 0.2]);
    }
}
