//! Stopping before the end.

use std::time::Duration;

use rnn::Trainer;

use crate::plan::Plan;
use crate::target::Output;

/// Saves a run of so many ranks that was stopped after `elapsed`; returns what to tell the user.
pub(super) fn stop(
    plan: &Plan,
    output: &mut Output,
    trainer: &Trainer<f32>,
    elapsed: Duration,
    ranks: usize,
) -> anyhow::Result<String> {
    let step = trainer.step_count();
    let Some(is_model) = output.stop(trainer)? else {
        return Ok(format!(
            "stopped after step {step}; nothing was written, because standard output gets the model only at the end"
        ));
    };
    let model = match (trainer.history().is_empty(), is_model) {
        (false, _) => String::new(),
        (true, true) => format!(
            "{} has the weights of that step, not evaluated yet; ",
            plan.target
        ),
        (true, false) => format!(
            "{} is not of this run, which has no evaluation yet; ",
            plan.target
        ),
    };
    let is_open = trainer.config().max_steps.is_none();
    let time = plan.run.time.filter(|_| is_open);
    let command = plan.resume_command(time.map(|time| time.saturating_sub(elapsed)));
    let start = match ranks {
        1 => String::new(),
        count => format!("mpirun -n {count} "),
    };
    Ok(format!(
        "stopped after step {step} and saved; {model}to continue, run:\n  {start}{command}"
    ))
}
