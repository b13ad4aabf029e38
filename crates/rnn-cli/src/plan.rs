//! What the flags of `train` mean together: texts, target, settings, and how to run.
//!
//! Settings that were not typed are those that the library recommends for the text. A flag that would
//! have no effect (`--momentum` with adam) is an error.

mod command;
mod contradiction;
mod update;

use std::path::PathBuf;

use rnn::checkpoint::Every;
use rnn::optimizer::Clip;
use rnn::{CellKind, Recommended, RunOptions, TextFacts, check_shares, recommended};

use crate::args::{LearnedUnknownArg, More, RunArgs, TrainArgs};
use crate::exit::misuse;
use crate::file::Source;
use crate::outputs::Files;
use crate::target::Target;
use crate::texts::Texts;
pub(crate) use contradiction::{check as check_contradictions, check_network};
use update::{optimizer, schedule};

/// The share of a text that is held out by default.
const HELD_OUT: f64 = 0.1;
/// The most characters held out. They tell models apart to a thousandth of a nat; a tenth of a gigabyte
/// would take an hour at each evaluation.
const MOST_HELD_OUT: f64 = 1e6;

/// What `train` is to do: what was typed, and what follows from it.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) args: TrainArgs,
    pub(crate) texts: Texts,
    pub(crate) target: Target,
    pub(crate) run: RunOptions,
}

impl Plan {
    /// The plan as far as it can be made without the text, for so many processors.
    ///
    /// # Errors
    /// [`Misuse`](crate::exit::Misuse) for flags that contradict each other.
    pub(crate) fn new(args: TrainArgs, processors: usize) -> anyhow::Result<Self> {
        let texts = Texts::new(&args.files)?;
        let target = match &args.resume {
            Some(path) => Target::of_run(path),
            None => Target::new(args.output.as_deref(), &texts)?,
        };
        let plan = Plan {
            run: RunOptions {
                threads: args.run.threads.unwrap_or(processors),
                time: match args.more {
                    Some(More::Time(time)) => Some(time),
                    _ => args.run.time,
                },
            },
            args,
            texts,
            target,
        };
        plan.written().check()?;
        // Check the settings before reading a long text: no text makes them valid or invalid. Those of a
        // resumed run depend on the run.
        if !plan.resumes() {
            plan.settings(recommended(&TextFacts::prose(1_000_000, 100)))?;
        }
        if let Some(shares) = &plan.args.run.split {
            check_shares(shares).map_err(misuse)?;
        }
        Ok(plan)
    }

    /// Whether to continue the run at the target.
    pub(crate) fn resumes(&self) -> bool {
        self.args.resume.is_some()
    }

    /// Whether the vocabulary has to include U+FFFD, for unknown characters.
    pub(crate) fn reserves(&self) -> bool {
        self.args.unknown == Some(LearnedUnknownArg::Replace)
    }

    /// The shares of a text of this many characters.
    pub(crate) fn split(&self, characters: usize) -> Vec<f64> {
        self.args.run.split.clone().unwrap_or_else(|| {
            let held_out = HELD_OUT.min(MOST_HELD_OUT / characters as f64);
            vec![1.0 - held_out, held_out]
        })
    }

    /// How often to save the run.
    pub(crate) fn every(&self) -> Every {
        let steps = self.args.run.checkpoint_every;
        steps.map_or_else(Every::default, Every::Steps)
    }

    /// The files that this run writes: not part of its text even if they exist.
    pub(crate) fn own_files(&self) -> Vec<PathBuf> {
        let RunArgs { metrics, plot, .. } = &self.args.run;
        let reports = metrics.iter().chain(plot).cloned();
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
        if let Some(path) = &self.args.init_from {
            files.reads(path, "the model to start from");
        }
        Ok(files)
    }

    fn written(&self) -> Files {
        let mut files = Files::default();
        for path in self.target.files() {
            files.writes(&path, "another name for the model (-o)");
        }
        let RunArgs { metrics, plot, .. } = &self.args.run;
        let metrics = (metrics, "another name for the metrics");
        for (path, remedy) in [metrics, (plot, "another name for the plot")] {
            if let Some(path) = path {
                files.writes(path, remedy);
            }
        }
        files
    }

    /// Network and batch as typed. Not the number of steps: a run that gets its steps piece by piece is the
    /// run that has them at once.
    pub(crate) fn sizes(&self, base: Recommended) -> Recommended {
        let Recommended {
            mut network,
            mut train,
        } = base;
        let (net, opt) = (&self.args.network, &self.args.optimization);
        set(&mut network.cell, net.cell);
        set(&mut network.hidden_size, net.hidden_size);
        set(&mut network.num_layers, net.num_layers);
        set(&mut train.seq_length, opt.seq_length);
        set(&mut train.batch_size, opt.batch_size);
        set(&mut train.shards, opt.shards);
        if opt.batch_size.is_none() {
            train.batch_size = train.batch_size.next_multiple_of(train.shards);
        }
        Recommended { network, train }
    }

    /// The flags laid over `base`: the recommended settings for a text, or those of a resumed run.
    ///
    /// # Errors
    /// [`Misuse`](crate::exit::Misuse) for an invalid value or flags that contradict each other.
    pub(crate) fn settings(&self, base: Recommended) -> anyhow::Result<Recommended> {
        let Recommended { network, mut train } = self.sizes(base);
        let net = &self.args.network;
        let opt = &self.args.optimization;
        let run = &self.args.run;
        set(&mut train.dropout, net.dropout);
        set(&mut train.locked_dropout, net.locked_dropout);
        set(&mut train.weight_dropout, net.weight_dropout);
        if net.forget_bias.is_some() {
            if network.cell.forget_gate().is_none() {
                let with = CellKind::ALL
                    .into_iter()
                    .filter(|cell| cell.forget_gate().is_some());
                let with: Vec<&str> = with.map(CellKind::name).collect();
                return Err(misuse(format!(
                    "--forget-bias has no effect with {}; use --cell {}",
                    network.cell,
                    with.join(" or ")
                )));
            }
            train.init.forget_bias = net.forget_bias;
        }
        let drops = net.weight_dropout.is_some_and(|share| share > 0.0);
        if drops && network.cell.recurrent_gates() == 0 {
            return Err(misuse(format!(
                "--weight-dropout has no effect with {}, which has no recurrent weights",
                network.cell
            )));
        }
        train.init.orthogonal |= net.orthogonal;

        train.records |= self.args.records;
        train.horizon = opt.horizon.or(train.horizon);
        set(&mut train.seed, opt.seed);
        let usual = train.optimizer.default_learning_rate();
        train.optimizer = optimizer(opt, train.optimizer)?;
        // A rate that was fitted for adamw suits adam.
        if train.optimizer.default_learning_rate() != usual {
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

        if run.time.is_some() {
            train.max_steps = None;
        }
        train.max_steps = run.max_steps.or(train.max_steps);
        set(&mut train.eval_every, run.eval_every);
        train.patience = match run.patience {
            Some(0) => None,
            typed => typed.or(train.patience),
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;
    use rnn::optimizer::Schedule;

    pub(super) fn plan(flags: &str) -> Plan {
        let typed = format!("rnn-cli train text {flags}");
        let cli = Cli::try_parse_from(typed.split_whitespace()).unwrap();
        let Some(Command::Train(args)) = cli.command else {
            panic!("{typed} is train")
        };
        Plan::new(*args, 1).unwrap()
    }

    #[test]
    fn of_a_long_text_a_million_characters_are_held_out() {
        let split = |flags, characters| plan(flags).split(characters);
        assert_eq!(split("", 2), [0.9, 0.1]);
        assert_eq!(split("", 10_000_000), [0.9, 0.1]);
        let long = split("", 1_000_000_000);
        assert_eq!(long, [0.999, 0.001]);
        assert_eq!(split("--split 0.8,0.2", 1_000_000_000), [0.8, 0.2]);
    }

    #[test]
    fn a_schedule_that_is_named_is_that_of_the_library() {
        for schedule in Schedule::ALL {
            let settings = plan(&format!("--schedule {schedule}"))
                .settings(recommended(&TextFacts::prose(1000, 30)));
            assert_eq!(settings.unwrap().train.schedule, schedule);
        }
    }
}
