//! Models of lines read and write each line as if it were alone.

use rnn::insight::{self, Memory, Traces};
use rnn::{
    AdaptiveScorer, CellKind, Corpus, CorpusBuilder, Error, Id, Model, SampleOptions, Scorer,
    Session,
};

use crate::records::{advice, corpus, names, run};

/// A model of short lines, and the same network as one of a running text.
fn model_and_twin(cell: CellKind) -> (Model, Model) {
    let corpus = corpus(&names(60));
    let mut advice = advice(&corpus, 2);
    (advice.network.cell, advice.train.max_steps) = (cell, Some(40));
    let (trainer, _) = run(corpus, advice, 1);
    let model = trainer.current_model();
    let twin = Model::new(model.vocabulary().clone(), model.network().clone(), None);
    (model, twin)
}

#[test]
fn a_model_of_lines_reads_each_as_if_it_were_alone() {
    for cell in CellKind::ALL {
        let (model, twin) = model_and_twin(cell);
        let text = "abc\nklm\n\ndefg\n";
        let ids = model.vocabulary().encode(text).unwrap();
        let newline = model.line_end().unwrap();
        let lines = || ids.split_inclusive(|&id| id == newline);
        let with_start = |line: &[Id]| [&[newline], line].concat();

        let mut expected = Vec::new();
        for line in lines() {
            let mut scorer = Scorer::new(&twin).unwrap();
            let read = scorer.push_with(&with_start(line), |_, nats, _| expected.push(nats));
            read.unwrap();
        }
        let sum: f64 = expected.iter().sum();
        for text in [text, text.trim_end()] {
            let score = model.score(text).unwrap();
            assert_eq!(score.characters, 14, "{cell}");
            assert!((score.nats - sum).abs() < 1e-9, "{cell}");
        }
        for mut scorer in
            [&model, &twin.clone().by_line().unwrap()].map(|m| Scorer::new(m).unwrap())
        {
            for _ in 0..2 {
                let mut nats = Vec::new();
                for piece in ids.chunks(5) {
                    scorer.push_with(piece, |_, x, _| nats.push(x)).unwrap();
                }
                assert_eq!(nats, expected, "{cell}");
                scorer.reset();
            }
        }
        let surprises = insight::surprises(&model, &ids, 1).unwrap();
        assert!(
            surprises
                .iter()
                .map(|s| s.nats)
                .eq(expected.iter().copied())
        );
        let fast = model.score_corpus(&corpus_of(&model, text)).unwrap();
        assert!(fast.characters == 14 && (fast.nats - sum).abs() < 1e-4);
        let mut adaptive = AdaptiveScorer::new(&model).unwrap();
        let mut adapted = Vec::new();
        let read = adaptive.read(ids.iter().copied(), |_, nats| {
            adapted.push(nats);
            Ok::<_, Error>(())
        });
        read.unwrap();
        assert_eq!(adapted, expected, "{cell}: fewer than a segment");

        let traces = model.traces(&ids).unwrap();
        let mut at = 0;
        for line in lines() {
            let alone = Traces::read(twin.network(), &with_start(line)).unwrap();
            for signal in traces.signals() {
                for layer in 0..2 {
                    let together = traces.layer(layer, signal.name);
                    let alone = alone.layer(layer, signal.name);
                    // The end of a line begins the next.
                    let (end, after) = (line.len() - 1, alone.row(0));
                    for t in 0..end {
                        assert_eq!(together.row(at + t), alone.row(t + 1), "{cell}");
                    }
                    assert_eq!(together.row(at + end), after, "{cell}");
                }
            }
            at += line.len();
        }
        let memory = Memory::measure(model.network(), &ids, &traces, 8, 100).unwrap();
        let norms = &memory.layers[0].hidden;
        assert!(
            norms[1] > 0.0 && norms[6..].iter().all(|&norm| norm == 0.0),
            "{norms:?}"
        );

        let mut fresh = model.initial_state();
        let first = model.step('\n', &mut fresh).unwrap();
        let mut used = fresh.clone();
        model.step('a', &mut used).unwrap();
        assert_eq!(model.step('\n', &mut used).unwrap(), first, "{cell}");
    }
}

/// A text as a corpus of the model's characters.
fn corpus_of(model: &Model, text: &str) -> Corpus {
    let vocabulary = model.vocabulary().clone();
    let mut builder = CorpusBuilder::with_vocabulary(vocabulary, Default::default()).records();
    builder.push_text(text).unwrap();
    builder.finish().unwrap()
}

#[test]
fn a_model_of_lines_writes_each_as_if_it_were_the_first() {
    for cell in CellKind::ALL {
        let (model, twin) = model_and_twin(cell);
        let write = |model: &Model, prime: &str, seed| -> String {
            let options = SampleOptions {
                seed,
                ..SampleOptions::default()
            };
            let written = model.sample(prime, &options).unwrap().take(300);
            written.collect::<rnn::Result<_>>().unwrap()
        };
        for seed in 0..5 {
            let all = write(&model, "", seed);
            let first = all.split_inclusive('\n').next().unwrap();
            assert!(write(&twin, "\n", seed).starts_with(first), "{cell}");
            assert_eq!(
                write(&model, "abc\nde\na", seed),
                write(&model, "a", seed),
                "{cell}"
            );
        }
        // All lines of the likeliest characters are the same.
        let written = model
            .sample("", &SampleOptions::greedy())
            .unwrap()
            .take(200);
        let written: String = written.collect::<rnn::Result<_>>().unwrap();
        let lines: Vec<&str> = written.split_inclusive('\n').collect();
        assert!(
            lines[..lines.len() - 1]
                .iter()
                .all(|line| *line == lines[0]),
            "{cell}: {lines:?}"
        );
    }
}

#[test]
fn sessions_of_lines_start_anew_at_each() {
    for cell in CellKind::ALL {
        let (model, twin) = model_and_twin(cell);
        let encode = |text: &str| model.vocabulary().encode(text).unwrap();
        let assert_has_read = |session: &Session, text: &str| {
            let line = text.rsplit('\n').next().unwrap();
            let mut alone = Session::new(&twin).unwrap();
            alone.read(&encode(&format!("\n{line}"))).unwrap();
            assert_eq!(session.state(), alone.state(), "{cell}: {text:?}");
            assert_eq!(session.logits().unwrap(), alone.logits().unwrap());
        };
        let texts = ["", "a", "abc\nde\na", "abc\n"].map(str::to_owned);
        let mut sessions = texts.map(|text| {
            let mut session = Session::new(&model).unwrap();
            session.read(&encode(&text)).unwrap();
            (session, text)
        });
        for next in ["abea", "b\nc\n", "\nbbb", "\n\n\n\n", "deab"] {
            let read = sessions.iter_mut().zip(encode(next));
            Session::step_all(read.map(|((session, _), id)| (session, id))).unwrap();
            for ((session, text), character) in sessions.iter_mut().zip(next.chars()) {
                text.push(character);
                assert_has_read(session, text);
                // A stored state goes on in the middle of its line.
                *session = Session::from_state(&model, session.state().clone()).unwrap();
                assert_has_read(session, text);
            }
        }
        let by_line = Session::new(&twin.clone().by_line().unwrap()).unwrap();
        assert_has_read(&by_line, "");
        // The model that it was made of reads on as before.
        let mut one_text = Session::new(&twin).unwrap();
        one_text.read(&encode("abc\n")).unwrap();
        assert_ne!(one_text.state(), by_line.state());
    }
}
