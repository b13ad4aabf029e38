//! Finds the strange lines of a log: learns what lines look like, then sorts others by surprise.
//!
//! The log is made up here, with lines planted in it that no rule of the others allows.
//!
//! ```sh
//! cargo run --release -p rnn --example anomalies
//! ```

use std::error::Error;
use std::io::{self, Write};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rnn::{CorpusBuilder, Model, Trainer, Unknown, recommended};

/// A line as a healthy service writes it.
fn usual(random: &mut ChaCha8Rng) -> String {
    let mut one_of = |from: &[&'static str]| from[random.random_range(0..from.len())];
    let host = one_of(&["web-1", "web-2", "db-1"]);
    let level = one_of(&["INFO", "INFO", "WARN"]);
    let verb = one_of(&["GET", "POST"]);
    let page = one_of(&["/", "/cart", "/search", "/login"]);
    let (ms, user) = (random.random_range(1..90), random.random_range(10..99));
    match random.random_range(0..3) {
        0 => format!("{host} INFO {verb} {page} 200 {ms}ms"),
        1 => format!("{host} {level} user{user} session renewed"),
        _ => format!("{host} {level} pool {ms} of 90 connections in use"),
    }
}

/// Lines that should be looked at.
const STRANGE: [&str; 5] = [
    "web-1 INFO GET /../../etc/passwd 200 3ms",
    "db-1 WARN pool -7 of 90 connections in use",
    "web-2 INFO POST /login' OR 1=1 200 12ms",
    "db-1 PANIC page 3fa1 torn",
    "web-1 WARN userroot session renewed",
];

/// A log of usual lines with strange ones at random places, and which they are.
pub(crate) fn log(lines: usize, planted: usize, seed: u64) -> (Vec<String>, Vec<usize>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut log: Vec<String> = (0..lines).map(|_| usual(&mut random)).collect();
    let mut places = Vec::new();
    while places.len() < planted {
        let place = random.random_range(0..lines);
        if !places.contains(&place) {
            log[place] = STRANGE[places.len() % STRANGE.len()].into();
            places.push(place);
        }
    }
    (log, places)
}

/// A model of lines.
pub(crate) fn learn(lines: &[String], steps: u64) -> rnn::Result<Model> {
    // Characters that only strange lines have are read as U+FFFD, which stands for the unknown.
    let mut builder = CorpusBuilder::new().records().reserve_replacement();
    builder.push_text(&lines.join("\n"))?;
    let corpus = builder.finish()?;
    let facts = corpus.facts(true);
    let mut advice = recommended(&facts);
    advice.train.records = true;
    (advice.network.hidden_size, advice.network.num_layers) = (48, 1);
    advice.train.max_steps = Some(steps);
    let advice = advice.regularised(&facts);
    Trainer::new(corpus, &[0.9, 0.1], advice.network, advice.train)?.train(2)
}

/// The places of the lines, the most surprising first, with the surprise in nats per character.
pub(crate) fn rank(model: &Model, lines: &[String]) -> rnn::Result<Vec<(usize, f64)>> {
    let mut ranked = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        let ids = model.vocabulary().encode_with(line, Unknown::Replace)?;
        let text = model.vocabulary().decode(&ids);
        ranked.push((place, model.score(&text)?.nats_per_character()));
    }
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(ranked)
}

fn main() -> Result<(), Box<dyn Error>> {
    let (yesterday, _) = log(3000, 0, 1);
    let (today, planted) = log(2000, 20, 2);
    let ranked = rank(&learn(&yesterday, 600)?, &today)?;
    let top = &ranked[..planted.len()];
    let mut out = io::stdout().lock();
    for &(place, nats) in top {
        let mark = if planted.contains(&place) { '*' } else { ' ' };
        writeln!(out, "{nats:6.3} {mark} {}", today[place])?;
    }
    let found = top.iter().filter(|(p, _)| planted.contains(p)).count();
    writeln!(out, "precision: {found} of {}", top.len())?;
    Ok(())
}
