//! Commands that a run tells its user.

use std::time::Duration;

use rnn::Trainer;

use super::Plan;
use crate::args::RunArgs;
use crate::shell;

impl Plan {
    /// The command that resumes this run, with the `time` that is left if it has a limit.
    pub(crate) fn resume_command(&self, time: Option<Duration>) -> String {
        // Name every flag, so that a new one cannot be forgotten. These are saved with the run:
        let RunArgs {
            max_epochs: _,
            max_steps: _,
            split: _,
            eval_every: _,
            patience: _,
            // and these have to be typed again.
            time: _,
            sample_every,
            live,
            metrics,
            plot,
            checkpoint_every,
            threads,
        } = &self.args.run;
        let number = |count: &u64| count.to_string();
        // A time of 0 is none.
        let seconds = |left: Duration| format!("{}s", left.as_secs_f64().ceil().max(1.0));
        let flags = [
            ("--resume", Some(shell::path(self.target.path()))),
            ("--time", time.map(seconds)),
            ("--metrics", metrics.as_ref().map(shell::path)),
            ("--plot", plot.as_ref().map(shell::path)),
            ("--checkpoint-every", checkpoint_every.as_ref().map(number)),
            ("--sample-every", sample_every.as_ref().map(number)),
            ("--threads", threads.map(|count| count.to_string())),
            ("--live", live.then(String::new)),
        ];
        let texts = self.texts.paths().map(shell::path);
        let flags = flags.into_iter().filter_map(|(flag, value)| {
            value.map(|value| format!("{flag} {value}").trim_end().to_owned())
        });
        let words: Vec<String> = texts.chain(flags).collect();
        format!("rnn-cli train {}", words.join(" "))
    }

    /// The flags that `--time` stands for: all that it chose and that was not typed.
    pub(crate) fn same_again(&self, trainer: &Trainer<f32>, max_steps: u64) -> String {
        let (network, mut train) = (trainer.network().config(), *trainer.config());
        let weight_decay = train.optimizer.setting("weight decay").map(|decay| *decay);
        let (net, opt) = (&self.args.network, &self.args.optimization);
        let decay = opt.weight_decay.is_some() || opt.optimizer.is_some();
        let chosen = [
            (
                "num-layers",
                net.num_layers.is_some(),
                network.num_layers as f64,
            ),
            (
                "hidden-size",
                net.hidden_size.is_some(),
                network.hidden_size as f64,
            ),
            ("dropout", net.dropout.is_some(), train.dropout),
            (
                "weight-dropout",
                net.weight_dropout.is_some(),
                train.weight_dropout,
            ),
            (
                "learning-rate",
                opt.learning_rate.is_some(),
                train.learning_rate,
            ),
            ("weight-decay", decay, weight_decay.unwrap_or_default()),
            (
                "eval-every",
                self.args.run.eval_every.is_some(),
                train.eval_every as f64,
            ),
            ("max-steps", false, max_steps as f64),
        ];
        let untyped = chosen.iter().filter(|(_, is_typed, _)| !is_typed);
        let flags: Vec<String> = untyped
            .map(|(flag, _, value)| format!("--{flag} {value}"))
            .collect();
        flags.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::plan;
    use crate::args::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_command_that_continues_a_run_has_every_run_flag_but_those_saved_with_it() {
        let saved = ["max-epochs", "max-steps", "split", "eval-every", "patience"];
        let program = Cli::command();
        let train = program.find_subcommand("train").unwrap();
        let is_run = |flag: &&clap::Arg| flag.get_help_heading() == Some("Run");
        let mut count = 0;
        for flag in train.get_arguments().filter(is_run) {
            let name = flag.get_long().unwrap();
            let kind = flag.get_value_names().map(|names| names[0].as_str());
            let value = match kind {
                _ if !flag.get_action().takes_values() => "",
                Some("TIME") => "90s",
                Some("SHARES") => "0.8,0.2",
                _ => "7",
            };
            let typed = format!("--{name} {value}");
            let plan = plan(&typed);
            let command = plan.resume_command(plan.run.time);
            let is_there = command.contains(typed.trim_end());
            assert_eq!(is_there, !saved.contains(&name), "{command}");
            count += 1;
        }
        assert!(count > saved.len(), "{count} run flags");
    }
}
