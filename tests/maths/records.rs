//! Training on lines that have nothing to do with each other.

use std::ops::ControlFlow;

use rnn::{
    CellKind, Corpus, CorpusBuilder, Error, Event, Recommended, RunOptions, Scorer, Trainer,
    recommended,
};

fn corpus(text: &str) -> Corpus {
    let mut builder = CorpusBuilder::new().records();
    builder.push_text(text).unwrap();
    builder.finish().unwrap()
}

fn advice(corpus: &Corpus, batch_size: usize) -> Recommended {
    let mut advice = recommended(corpus.len(), corpus.vocabulary().len());
    (advice.network.hidden_size, advice.network.num_layers) = (12, 2);
    (advice.train.records, advice.train.batch_size) = (true, batch_size);
    (advice.train.seq_length, advice.train.dropout) = (4, 0.0);
    (advice.train.max_steps, advice.train.eval_every) = (Some(1), 1);
    advice
}

fn run(corpus: Corpus, advice: Recommended, threads: usize) -> (Trainer<f32>, Vec<Event>) {
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
fn names(count: usize) -> String {
    let name = |n: usize| {
        let first = n % 13;
        let letters = (first..=first + n * 7 % 11).map(|letter| char::from(b'a' + letter as u8));
        letters.chain(['\n']).collect::<String>()
    };
    (0..count).map(name).collect()
}

#[test]
fn the_held_out_loss_is_that_of_each_line_scored_for_itself() {
    for cell in CellKind::ALL {
        // Only one line: whichever half it falls into, the halves are the same text.
        let line = "abcabdabe\n";
        let corpus = corpus(&line.repeat(6));
        let mut advice = advice(&corpus, 2);
        advice.network.cell = cell;
        let (trainer, _) = run(corpus, advice, 1);
        let model = trainer.current_model();
        let mut scorer = Scorer::new(&model).expect("memory");
        let ids = model.vocabulary().encode(&format!("\n{line}")).unwrap();
        scorer.push(&ids).unwrap();
        let alone = scorer.score().nats_per_character();
        let found = trainer.history()[0].validation_loss.unwrap();
        assert!((alone - found).abs() < 1e-6, "{cell}: {alone} and {found}");
    }
}

#[test]
fn padding_changes_no_loss() {
    // One long line and short ones in one batch: the mean is over real characters alone.
    let text = "a\nabababababab\nb\nab\n";
    let corpus = corpus(&text.repeat(2));
    let mut advice = advice(&corpus, 8);
    advice.train.seq_length = 64;
    let mut trainer = Trainer::new(corpus, &[1.0], advice.network, advice.train).unwrap();
    let model = trainer.current_model();
    let mut expected = rnn::Score::default();
    for line in text.lines() {
        let score = model.score(&format!("\n{line}\n")).unwrap();
        expected.nats += score.nats;
        expected.characters += score.characters;
    }
    let mut loss = None;
    trainer
        .run(&RunOptions::default(), |_, event| {
            if let Event::Step(step) = event {
                assert_eq!(step.characters, text.len() as u64 * 2);
                loss = Some(step.loss);
            }
            Ok::<_, Error>(ControlFlow::Continue(()))
        })
        .unwrap();
    let (alone, found) = (expected.nats_per_character(), loss.unwrap());
    assert!((alone - found).abs() < 1e-6, "{alone} and {found}");
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
fn a_batch_is_no_larger_than_there_are_lines() {
    let corpus = corpus("anna\nbob\ncarl\ndora\n");
    let advice = advice(&corpus, 64);
    let trainer: Trainer<f32> =
        Trainer::new(corpus, &[0.5, 0.5], advice.network, advice.train).unwrap();
    assert_eq!(trainer.config().batch_size, 2);
    assert_eq!(
        trainer.notes(),
        ["2 training lines are fewer than the batch of 64; using a batch of 2"]
    );
}
