//! Writes samples: several are drawn at once and shown in order, the first as it comes.

use std::borrow::Cow;
use std::collections::TryReserveError;
use std::io::{self, IsTerminal, Write};

use anyhow::Context;
use rnn::{BatchSampler, Error, Layout, Model, SampleOptions, Vocabulary, memory};

use crate::args::SampleArgs;
use crate::console::{self, Console};
use crate::file;
use crate::threads;

/// Lines that a model of lines writes by default.
const LINES: usize = 10;

/// Runs `sample`.
pub(crate) fn run(args: &SampleArgs, console: Console) -> anyhow::Result<()> {
    let model = file::load_for(&args.model, args.records)?;
    let by_line = model.line_end().is_some();
    let count = args.samples.unwrap_or(if by_line { LINES } else { 1 });
    // A single text reads each weight once, from afar.
    let at_a_time = Layout::count(model.network().config()).saturating_mul(count.max(2) as u128);
    let at_a_time = usize::try_from(at_a_time).unwrap_or(usize::MAX);
    threads::run(args.threads, at_a_time, || {
        sample(args, &model, count, console)
    })
}

fn sample(args: &SampleArgs, model: &Model, count: usize, console: Console) -> anyhow::Result<()> {
    let by_line = model.line_end().is_some();
    let vocabulary = model.vocabulary();
    let (prime, shown) = match &args.prime {
        Some(prime) => (
            vocabulary
                .encode_with(&line_ends(prime, vocabulary), args.unknown.into())
                .context("--prime")?,
            prime.as_bytes(),
        ),
        // A text starts after a newline. Nobody typed it, so it is not shown.
        None => (vocabulary.id('\n').into_iter().collect(), [].as_slice()),
    };
    let options = SampleOptions {
        temperature: if args.greedy { 0.0 } else { args.temperature },
        top_k: args.top_k,
        top_p: args.top_p,
        seed: args.seed,
    };
    let widest = vocabulary
        .symbols()
        .iter()
        .map(|symbol| symbol.len_utf8())
        .max();
    let line_end = by_line.then_some("\n");
    let stops = args.stop.as_deref().into_iter().chain(line_end);
    let stops: Vec<&[u8]> = stops
        .map(str::as_bytes)
        .filter(|stop| !stop.is_empty())
        .collect();
    if stops.is_empty() {
        // Each waits in memory until those before it are written.
        let waiting = (count as u128 - 1) * args.length as u128;
        memory::check(waiting * widest.unwrap_or(1) as u128)?;
    }
    let failed = || format!("cannot sample {}", args.model.display());
    let sampler = BatchSampler::new(model, &prime, count, &options);
    let mut sampler = sampler.map_err(|error| match error {
        Error::Overflow { .. } => anyhow::Error::from(error).context(failed()),
        error => error.into(),
    })?;
    let mut samples: Vec<Sample> = memory::room(count)?;
    samples.extend((0..count).map(|_| Sample::new(shown, &stops)));
    let mut out = console::stdout();
    // On a terminal the text appears as it is written.
    let is_shown = io::stdout().is_terminal();
    let mut current = 0;
    for _ in 0..args.length {
        let ids = sampler.next_characters().with_context(failed)?;
        for (sample, &id) in samples.iter_mut().zip(ids) {
            sample
                .push(symbol(model, id, &mut [0; 4]))
                .context("not enough memory for samples that wait for earlier ones; use fewer or shorter samples")?;
        }
        current = write_finished(&mut samples, current, &mut out)?;
        if current == samples.len() {
            break;
        }
        samples[current].write_ready(&mut out)?;
        if is_shown {
            out.flush()?;
        }
    }
    samples.iter_mut().for_each(Sample::finish);
    write_finished(&mut samples, current, &mut out)?;
    out.flush()?;
    console.detail(&format!(
        "seed {}; another seed writes another text",
        args.seed
    ));
    Ok(())
}

/// The line ends of `prime` as the model knows them.
fn line_ends<'a>(prime: &'a str, vocabulary: &Vocabulary) -> Cow<'a, str> {
    match vocabulary.is_bytes() || vocabulary.id('\r').is_some() || !prime.contains("\r\n") {
        true => prime.into(),
        false => prime.replace("\r\n", "\n").into(),
    }
}

/// The bytes of a symbol: UTF-8, or the byte that it is.
fn symbol<'b>(model: &Model, id: rnn::Id, buffer: &'b mut [u8; 4]) -> &'b [u8] {
    let symbol = model.vocabulary().symbol(id);
    if model.vocabulary().is_bytes() {
        buffer[0] = symbol as u8;
        return &buffer[..1];
    }
    symbol.encode_utf8(buffer).as_bytes()
}

/// Writes the samples from `current` on that have ended; returns the first that has not.
fn write_finished(
    samples: &mut [Sample],
    mut current: usize,
    out: &mut impl Write,
) -> io::Result<usize> {
    while let Some(sample) = samples.get_mut(current).filter(|sample| sample.is_finished) {
        sample.write_ready(out)?;
        if sample.last != Some(b'\n') {
            out.write_all(b"\n")?;
        }
        current += 1;
    }
    Ok(current)
}

/// A sample in progress: what may be shown, and what may be the beginning of its end.
struct Sample<'a> {
    stops: &'a [&'a [u8]],
    ready: Vec<u8>,
    held: Vec<u8>,
    last: Option<u8>,
    is_finished: bool,
}

impl<'a> Sample<'a> {
    fn new(prime: &[u8], stops: &'a [&'a [u8]]) -> Self {
        Sample {
            stops,
            ready: prime.to_vec(),
            held: Vec::new(),
            last: None,
            is_finished: false,
        }
    }

    /// Appends a character, unless the sample has ended.
    ///
    /// # Errors
    /// If memory runs out.
    fn push(&mut self, character: &[u8]) -> Result<(), TryReserveError> {
        if self.is_finished {
            return Ok(());
        }
        self.ready.try_reserve(self.held.len() + character.len())?;
        if self.stops.is_empty() {
            self.ready.extend_from_slice(character);
            return Ok(());
        }
        self.held.extend_from_slice(character);
        // Hold back the longest end that a stop begins with; the rest can be shown.
        let begins = |rest: &[u8], stop: &[u8]| rest.starts_with(stop) || stop.starts_with(rest);
        let from = (0..=self.held.len())
            .find(|&at| self.stops.iter().any(|stop| begins(&self.held[at..], stop)));
        self.ready.extend(self.held.drain(..from.unwrap_or(0)));
        if self.stops.iter().any(|stop| self.held.starts_with(stop)) {
            self.held.clear();
            self.is_finished = true;
        }
        Ok(())
    }

    /// Ends the sample where it is.
    fn finish(&mut self) {
        self.ready.append(&mut self.held);
        self.is_finished = true;
    }

    fn write_ready(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.last = self.ready.last().copied().or(self.last);
        out.write_all(&self.ready)?;
        self.ready.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(characters: &str, stop: &str) -> (String, bool) {
        let stops: Vec<&[u8]> = stop.split_terminator('|').map(str::as_bytes).collect();
        let mut sample = Sample::new(b">", &stops);
        for character in characters.chars() {
            let mut buffer = [0; 4];
            let character = character.encode_utf8(&mut buffer).as_bytes();
            sample.push(character).unwrap();
        }
        let is_stopped = sample.is_finished;
        sample.finish();
        (String::from_utf8(sample.ready).unwrap(), is_stopped)
    }

    #[test]
    fn a_sample_ends_before_its_stop_and_only_there() {
        assert_eq!(sample("one two", ""), (">one two".into(), false));
        assert_eq!(sample("one two", " t"), (">one".into(), true));
        assert_eq!(sample("aab aaab", "aaab"), (">aab ".into(), true));
        assert_eq!(sample("ababac", "abac"), (">ab".into(), true));
        assert_eq!(sample("aab c", "abb|b"), (">aa".into(), true));
        assert_eq!(sample("abb c", "abb|c"), (">".into(), true));
        assert_eq!(
            sample("ends with en", "end."),
            (">ends with en".into(), false)
        );
    }

    #[test]
    fn what_may_become_the_stop_is_held_back() {
        let mut sample = Sample::new(b"", &[b"--"]);
        sample.push(b"a").unwrap();
        sample.push(b"-").unwrap();
        assert_eq!(sample.ready, b"a");
        sample.push(b"b").unwrap();
        assert_eq!(sample.ready, b"a-b");
    }
}
