//! Stopping before the end, and the command that goes on.

use std::fmt::Write;
use std::time::Duration;

use rnn::Trainer;

use crate::plan::Plan;
use crate::target::Output;

/// Saves a run that was stopped after `elapsed`; returns what to tell the user.
pub(super) fn stop(
    plan: &Plan,
    output: &mut Output,
    trainer: &Trainer<f32>,
    elapsed: Duration,
) -> anyhow::Result<String> {
    let step = trainer.step_count();
    let Output::File(keeper) = output else {
        return Ok(format!(
            "stopped after step {step}; nothing was written, since standard output takes the model \
             at the end"
        ));
    };
    keeper.stop(trainer)?;
    let command = command(plan, trainer.config().max_steps.is_none(), elapsed);
    Ok(format!(
        "stopped after step {step} and saved; this goes on:\n  {command}"
    ))
}

/// The command that goes on with a run; `is_open` if its steps still depend on the time.
fn command(plan: &Plan, is_open: bool, elapsed: Duration) -> String {
    let mut text = String::from("rnn-cli train");
    for path in plan.texts.paths() {
        text.push(' ');
        text.push_str(&quoted(&path));
    }
    let _ = write!(text, " --resume {}", quoted(&plan.target.to_string()));
    if let Some(time) = plan.run.time.filter(|_| is_open) {
        // A time of 0 is none.
        let left = time.saturating_sub(elapsed).as_secs_f64().ceil().max(1.0);
        let _ = write!(text, " --time {left}s");
    }
    for (flag, path) in [("--metrics", &plan.metrics), ("--plot", &plan.plot)] {
        if let Some(path) = path {
            let _ = write!(text, " {flag} {}", quoted(&path.display().to_string()));
        }
    }
    let numbers = [
        ("--checkpoint-every", plan.checkpoint_every),
        ("--sample-every", plan.sample_every),
        ("--threads", plan.threads.map(|threads| threads as u64)),
    ];
    for (flag, value) in numbers {
        if let Some(value) = value {
            let _ = write!(text, " {flag} {value}");
        }
    }
    if plan.live {
        text.push_str(" --live");
    }
    text
}

/// A path as a shell takes it, and no flag.
fn quoted(path: &str) -> String {
    if path.len() > 1 && path.starts_with('-') {
        return quoted(&format!("./{path}"));
    }
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    if !path.is_empty() && path.chars().all(is_plain) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_where_a_shell_would_take_them_apart() {
        for (path, expected) in [
            ("a/b-1.txt", "a/b-1.txt"),
            ("über.txt", "über.txt"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
            ("", "''"),
            ("-", "-"),
            ("-x y", "'./-x y'"),
        ] {
            assert_eq!(quoted(path), expected);
        }
    }
}
