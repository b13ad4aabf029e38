//! Training on lines that have nothing to do with each other.

use std::ops::ControlFlow;

use rnn::{
    Bptt, CellKind, Corpus, CorpusBuilder, Error, Event, Id, Init, Model, Network, NetworkConfig,
    Parameters, Recommended, Records, Reduction, RunOptions, Score, Trainer, Window, recommended,
};

pub(crate) fn corpus(text: &str) -> Corpus {
    let mut builder = CorpusBuilder::new().records();
    builder.push_text(text).unwrap();
    builder.finish().unwrap()
}

pub(crate) fn advice(corpus: &Corpus, batch_size: usize) -> Recommended {
    let mut advice = recommended(&corpus.facts(true));
    (advice.network.hidden_size, advice.network.num_layers) = (12, 2);
    (advice.train.records, advice.train.batch_size) = (true, batch_size);
    (advice.train.seq_length, advice.train.dropout) = (4, 0.0);
    advice.train.weight_dropout = 0.0;
    (advice.train.max_steps, advice.train.eval_every) = (Some(1), 1);
    advice
}

pub(crate) fn run(
    corpus: Corpus,
    advice: Recommended,
    threads: usize,
) -> (Trainer<f32>, Vec<Event>) {
    let mut trainer = Trainer::new(corpus, &[0.5, 0.5], advice.network, advice.train).unwrap();
    let mut events = Vec::new();
    let options = RunOptions {
        threads,
        ..RunOptions::default()
    };
    trainer
        .run(&options, |_, event| {
            events.push(event);
            Ok::<_, Error>(ControlFlow::Continue(()))
        })
        .unwrap();
    (trainer, events)
}

/// Names of lengths from 1 to 11, each letter after the one before it.
pub(crate) fn names(count: usize) -> String {
    let name = |n: usize| {
        let first = n % 13;
        let letters = (first..=first + n * 7 % 11).map(|letter| char::from(b'a' + letter as u8));
        letters.chain(['\n']).collect::<String>()
    };
    (0..count).map(name).collect()
}

/// The sum of the surprise of lines, each scored for itself.
fn alone<'t>(model: &Model, lines: impl Iterator<Item = &'t str>) -> Score {
    let mut sum = Score::default();
    for line in lines {
        let score = model.score(&format!("{line}\n")).unwrap();
        sum.nats += score.nats;
        sum.characters += score.characters;
    }
    sum
}

#[test]
fn held_out_losses_are_those_of_each_line_scored_for_itself() {
    for cell in CellKind::ALL {
        // Among them lines that rows share, which warm up in them.
        let long = (0..6).map(|at| "abcabdabe".repeat(70 + at) + "\n");
        let text = names(300) + &long.collect::<String>();
        let corpus = corpus(&text);
        let mut advice = advice(&corpus, 2);
        (advice.network.cell, advice.train.max_steps) = (cell, Some(20));
        let shares = [0.2, 0.4, 0.4];
        let mut trainer =
            Trainer::<f32>::new(corpus.clone(), &shares, advice.network, advice.train).unwrap();
        trainer
            .run(&RunOptions::default(), |_, _| {
                Ok::<_, Error>(ControlFlow::Continue(()))
            })
            .unwrap();
        let ids = corpus.ids().as_slice();
        let split = Records::of(&corpus).unwrap();
        let split = split.split(ids, &shares, advice.train.seed).unwrap();
        let model = trainer.best_model();
        let validation = trainer.best().unwrap().1;
        let test = trainer.test_loss(2).unwrap().unwrap();
        for (part, found) in [(split.validation, validation), (split.test, test)] {
            let from = |&start: &usize| text[start..].lines().next().unwrap();
            let alone = alone(&model, part.starts().iter().map(from));
            assert_eq!(alone.characters as usize, part.characters(ids));
            let alone = alone.nats_per_character();
            assert!((alone - found).abs() < 1e-4, "{cell}: {alone} and {found}");
        }
    }
}

#[test]
fn lines_that_share_a_row_do_not_see_each_other() {
    for (cell, horizon) in CellKind::ALL
        .into_iter()
        .zip([None, Some(1), Some(3)].iter().cycle())
    {
        let text = "a\nabababababab\nb\n\nab\n".repeat(2);
        let corpus = corpus(&text);
        // The whole epoch is one window of one row.
        let mut advice = advice(&corpus, 8);
        (advice.network.cell, advice.train.horizon) = (cell, *horizon);
        advice.train.seq_length = 64;
        let mut trainer = Trainer::new(corpus, &[1.0], advice.network, advice.train).unwrap();
        let alone = alone(&trainer.current_model(), text.lines());
        let mut loss = None;
        trainer
            .run(&RunOptions::default(), |_, event| {
                if let Event::Step(step) = event {
                    assert_eq!(step.characters, text.len() as u64);
                    loss = Some(step.loss);
                }
                Ok::<_, Error>(ControlFlow::Continue(()))
            })
            .unwrap();
        let (alone, found) = (alone.nats_per_character(), loss.unwrap());
        assert!((alone - found).abs() < 1e-6, "{cell}: {alone} and {found}");
    }
}

#[test]
fn gradients_of_lines_in_one_row_are_the_sum_of_those_alone() {
    let lines: [&[Id]; 4] = [&[0, 1, 2, 3], &[0, 2], &[0], &[0, 3, 3]];
    for cell in CellKind::ALL {
        for horizon in [None, Some(1), Some(2)] {
            let config = NetworkConfig {
                cell,
                vocab_size: 4,
                hidden_size: 5,
                num_layers: 2,
            };
            let network = Network::<f64>::new(config, &Init::default(), 4).unwrap();
            let gradient = |lines: &[&[Id]]| {
                let inputs = lines.concat();
                let mut targets = inputs[1..].to_vec();
                targets.push(0);
                let window = Window {
                    batch_size: 1,
                    seq_length: inputs.len(),
                    horizon,
                    reduction: Reduction::Sum,
                    restart: Some(0),
                };
                let mut bptt = Bptt::new(&config, window, false).unwrap();
                let mut gradient = Parameters::zeros(&config);
                bptt.forward(network.parameters(), &inputs, &targets, None);
                bptt.backward(&mut gradient);
                gradient.as_slice().to_vec()
            };
            let together = gradient(&lines);
            let mut sum = vec![0.0; together.len()];
            for line in lines {
                let alone = gradient(&[line]);
                sum.iter_mut().zip(alone).for_each(|(sum, x)| *sum += x);
            }
            for (sum, found) in sum.iter().zip(&together) {
                assert!((sum - found).abs() < 1e-12, "{cell}, {horizon:?}");
            }
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bytes_and_learns() {
    let corpus = corpus(&names(300));
    let mut advice = advice(&corpus, 40);
    (advice.train.max_steps, advice.train.eval_every) = (Some(400), 200);
    advice.train.dropout = 0.1;
    let (one, _) = run(corpus.clone(), advice, 1);
    let (three, _) = run(corpus, advice, 3);
    assert!(one.best_model().to_bytes() == three.best_model().to_bytes());
    assert!(one.epoch() > 2);
    let losses: Vec<f64> = one
        .history()
        .iter()
        .map(|r| r.validation_loss.unwrap())
        .collect();
    assert!(losses[1] < losses[0] && losses[1] < 1.9, "{losses:?}");
}

#[test]
fn a_list_too_short_for_the_batch_shrinks_it() {
    let corpus = corpus(&names(30));
    let advice = advice(&corpus, 64);
    let trainer: Trainer<f32> =
        Trainer::new(corpus, &[0.5, 0.5], advice.network, advice.train).unwrap();
    let learned = trainer.lengths().0;
    assert_eq!(trainer.config().batch_size, learned / 4);
    let note = format!(
        "training text of {learned} characters is short for a batch of 64 windows of 4: using {} of 4",
        learned / 4
    );
    assert_eq!(trainer.notes(), [note]);
}
