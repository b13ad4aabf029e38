//! How training goes: a bar on a terminal, or a picture; a line for each evaluation everywhere.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use rnn::{Record, Step};

use crate::console::Console;
use crate::format::{duration, loss, thousands, visible};
use crate::live::{Board, Live};
use crate::signals;
use crate::terminal::{self, Bar};

/// Time between two updates of the bar.
const REDRAW: Duration = Duration::from_millis(100);
/// Most that a bar is drawn, whoever asks.
const DRAWS_PER_SECOND: u8 = 20;

/// Watches a training run.
pub(crate) struct Progress {
    bar: ProgressBar,
    console: Console,
    lines: Box<dyn Write + Send>,
    started: Instant,
    drawn: Instant,
    characters: u64,
    /// Steps taken before this process took over.
    first: u64,
    step: u64,
    max_steps: Option<u64>,
    time: Option<Duration>,
    live: Option<Live>,
    /// What was said while the picture was shown, for when it is gone.
    kept: Vec<Kept>,
}

/// Something to be said later.
enum Kept {
    Line(String),
    Note(String),
    Warning(String),
}

impl Progress {
    /// A run from step `first` to `max_steps`, or for `time` while the steps are not known, whose
    /// lines go to `lines`.
    pub(crate) fn new(
        console: Console,
        lines: Box<dyn Write + Send>,
        first: u64,
        max_steps: Option<u64>,
        time: Option<Duration>,
    ) -> Self {
        let bar = ProgressBar::with_draw_target(max_steps, target(console));
        bar.set_style(style(max_steps.is_some()));
        let now = Instant::now();
        Progress {
            bar,
            console,
            lines,
            started: now,
            drawn: now,
            characters: 0,
            first,
            step: first,
            max_steps,
            time,
            live: None,
            kept: Vec::new(),
        }
    }

    /// Shows a picture in place of the bar, if standard error is a terminal.
    pub(crate) fn show_live(&mut self, title: String) {
        if !self.console.quiet {
            self.live = Live::new(Board::new(visible(&title, "")));
        }
        if self.live.is_some() {
            self.bar.set_draw_target(ProgressDrawTarget::hidden());
        }
    }

    /// Whether the picture is due for another sample.
    pub(crate) fn wants_sample(&mut self) -> bool {
        self.live.as_mut().is_some_and(Live::wants_sample)
    }

    /// What the model writes by now, for the picture.
    pub(crate) fn sample(&mut self, text: String) {
        if let Some(live) = &mut self.live {
            live.change(|board| board.sample(visible(&text, "\n\t")));
        }
    }

    /// The number of steps is known now.
    pub(crate) fn fix_steps(&mut self, max_steps: u64, why: &str) {
        self.max_steps = Some(max_steps);
        self.bar.set_length(max_steps);
        self.bar.set_style(style(true));
        self.note(why);
    }

    /// Step number `number` was taken.
    pub(crate) fn step(&mut self, number: u64, step: &Step) {
        self.step = number;
        self.characters += step.characters;
        if let Some(mut live) = self.live.take() {
            let speed = format!("{}{}", self.speed(), self.time_left());
            live.change(|board| board.step(number, step, self.max_steps, speed));
            self.live = Some(live);
            return;
        }
        if self.bar.is_hidden() || self.drawn.elapsed() < REDRAW {
            return;
        }
        self.drawn = Instant::now();
        self.bar.set_position(number);
        self.bar.set_message(format!(
            "loss {:.3}  {}{}",
            step.loss,
            self.speed(),
            self.time_left()
        ));
    }

    /// The model will now be evaluated on so many characters, which may take its time.
    pub(crate) fn evaluates(&mut self, characters: usize) {
        self.bar.set_position(self.step);
        self.bar.set_message(format!(
            "evaluating on {} characters",
            thousands(characters as u64)
        ));
        // Nothing else is drawn until it is done.
        self.bar.force_draw();
    }

    /// The model was evaluated, and saved where it was the best so far.
    pub(crate) fn evaluated(&mut self, record: &Record, is_saved: bool) -> io::Result<()> {
        self.bar.set_message("");
        if self.console.quiet {
            return Ok(());
        }
        let width = self.max_steps.map_or(1, |steps| steps.to_string().len());
        let mut line = format!("step {:>width$}", record.step);
        if let Some(steps) = self.max_steps {
            line.push_str(&format!("/{steps}"));
        }
        for (name, nats) in [
            ("train", record.train_loss),
            ("validation", record.validation_loss),
        ] {
            if let Some(nats) = nats {
                line.push_str(&format!("  {name} {}", loss(nats)));
            }
        }
        line.push_str(&format!(
            " per character  {}{}",
            self.speed(),
            self.time_left()
        ));
        if is_saved {
            line.push_str("  saved");
        }
        if let Some(live) = &mut self.live {
            live.change(|board| board.evaluated(record));
        }
        self.line(&line)
    }

    /// Writes a line, or several, that are results.
    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        if let Some(live) = &mut self.live {
            live.change(|board| board.line(&visible(line, "\n\t")));
            self.kept.push(Kept::Line(line.to_owned()));
            return Ok(());
        }
        let Self { bar, lines, .. } = self;
        // What the model writes is among them, as it has learned it from a stranger's text.
        let line = visible(line, "\n\t");
        let mut write = || {
            writeln!(lines, "{line}")?;
            lines.flush()
        };
        bar.suspend(|| terminal::write(&mut write))
    }

    /// Writes a note.
    pub(crate) fn note(&mut self, text: &str) {
        self.say(text, Kept::Note, Console::note);
    }

    /// Writes a warning.
    pub(crate) fn warn(&mut self, text: &str) {
        self.say(text, Kept::Warning, Console::warn);
    }

    fn say(&mut self, text: &str, kept: fn(String) -> Kept, write: fn(Console, &str)) {
        if let Some(live) = &mut self.live {
            live.change(|board| board.line(&visible(text, "\n")));
            self.kept.push(kept(text.to_owned()));
            return;
        }
        self.bar.suspend(|| write(self.console, text));
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Takes the bar or the picture away, and says what was said under the picture.
    ///
    /// # Errors
    /// If the lines cannot be written.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.bar.finish_and_clear();
        self.live = None;
        for kept in std::mem::take(&mut self.kept) {
            match kept {
                Kept::Line(line) => self.line(&line)?,
                Kept::Note(text) => self.note(&text),
                Kept::Warning(text) => self.warn(&text),
            }
        }
        Ok(())
    }

    /// Characters and time so far.
    pub(crate) fn summary(&self) -> String {
        format!("{} in {}", self.speed(), duration(self.started.elapsed()))
    }

    fn speed(&self) -> String {
        let seconds = self.started.elapsed().as_secs_f64().max(1e-9);
        format!(
            "{} chars/s",
            thousands((self.characters as f64 / seconds) as u64)
        )
    }

    fn time_left(&self) -> String {
        let elapsed = self.started.elapsed();
        let left = match (self.max_steps, self.time) {
            (Some(steps), _) if self.step > self.first => {
                let done = (self.step - self.first) as f64;
                let share = steps.saturating_sub(self.step) as f64 / done;
                Duration::try_from_secs_f64(elapsed.as_secs_f64() * share).ok()
            }
            (None, Some(time)) => Some(time.saturating_sub(elapsed)),
            _ => None,
        };
        left.filter(|left| !left.is_zero())
            .map_or_else(String::new, |left| format!("  {} left", duration(left)))
    }
}

fn style(has_end: bool) -> ProgressStyle {
    let template = if has_end {
        "{bar:24} {pos}/{len}  {msg}"
    } else {
        "{pos} steps  {msg}"
    };
    ProgressStyle::with_template(template).expect("the templates are constants")
}

/// A bar over the characters of a text.
pub(crate) fn characters(console: Console, count: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(count), target(console));
    let style = ProgressStyle::with_template("{bar:24} {percent}%  {speed} chars/s  {eta} left")
        .expect("the template is a constant");
    let speed = |state: &ProgressState, out: &mut dyn fmt::Write| {
        // Where this fails the bar lacks its speed, no more.
        let _ = out.write_str(&thousands(state.per_sec() as u64));
    };
    bar.with_style(style.with_key("speed", speed))
}

/// Where bars go: to a terminal, for those who want to hear.
pub(crate) fn target(console: Console) -> ProgressDrawTarget {
    if io::stderr().is_terminal() && !console.quiet {
        signals::listen();
        ProgressDrawTarget::term_like_with_hz(Box::<Bar>::default(), DRAWS_PER_SECOND)
    } else {
        ProgressDrawTarget::hidden()
    }
}
