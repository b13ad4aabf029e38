//! Stopping before the end, and the command that goes on.

use std::fmt::Write;
use std::time::Duration;

use rnn::Trainer;

use crate::plan::Plan;
use crate::shell;
use crate::target::Output;

/// Saves a run that was stopped after `elapsed`; returns what to tell the user.
pub(super) fn stop(
    plan: &Plan,
    output: &mut Output,
    trainer: &Trainer<f32>,
    elapsed: Duration,
) -> anyhow::Result<String> {
    let step = trainer.step_count();
    if !output.stop(trainer)? {
        return Ok(format!(
            "stopped after step {step}; nothing was written, because standard output gets the model only at the end"
        ));
    }
    let command = command(plan, trainer.config().max_steps.is_none(), elapsed);
    Ok(format!(
        "stopped after step {step} and saved; to continue, run:\n  {command}"
    ))
}

/// The command that goes on with a run; `is_open` if its steps still depend on the time.
fn command(plan: &Plan, is_open: bool, elapsed: Duration) -> String {
    let mut text = String::from("rnn-cli train");
    for path in plan.texts.paths() {
        let _ = write!(text, " {}", shell::path(path));
    }
    let _ = write!(text, " --resume {}", shell::path(plan.target.path()));
    if let Some(time) = plan.run.time.filter(|_| is_open) {
        // A time of 0 is none.
        let left = time.saturating_sub(elapsed).as_secs_f64().ceil().max(1.0);
        let _ = write!(text, " --time {left}s");
    }
    for (flag, path) in [("--metrics", &plan.metrics), ("--plot", &plan.plot)] {
        if let Some(path) = path {
            let _ = write!(text, " {flag} {}", shell::path(path));
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
