//! Networks whose weights are finite and whose numbers are not: one error for all who run them.

use rnn::{CellKind, Model, Network, SampleOptions, Vocabulary, insight};

use crate::agreement::{assert_one_reason, network, set};
use crate::cli_support::Folder;

const OVERFLOW: &str = ": its weights are too large; use a model whose training did not diverge";

/// Networks whose weights are finite, as those of a file are, and whose states or logits are not;
/// with the characters that each reads until then.
fn overflowing(vocab: usize) -> Vec<(&'static str, Network<f32>, u64)> {
    let one = |_| 1.0;
    let double = |at| if at == 0 || at == 3 { 2.0 } else { 0.0 };
    let mut at_once = network(CellKind::LSTM, vocab, 1);
    at_once.parameters_mut().as_mut_slice().fill(f32::MAX);
    // 1, 3, 7 …: 2^n - 1 after n characters.
    let mut later = network(CellKind::RNN_RELU, vocab, 1);
    set(&mut later, "rnn.weight_ih_l0", one);
    set(&mut later, "rnn.weight_hh_l0", double);
    // The same below a layer that makes 0 of it, so that no logit shows it.
    let mut below = network(CellKind::RNN_RELU, vocab, 2);
    set(&mut below, "rnn.weight_ih_l0", one);
    set(&mut below, "rnn.weight_hh_l0", double);
    set(&mut below, "rnn.weight_ih_l1", |_| -1.0);
    // States between -1 and 1, infinite logits.
    let mut logits = network(CellKind::RNN, vocab, 1);
    set(&mut logits, "rnn.weight_ih_l0", |_| 10.0);
    set(&mut logits, "decoder.weight", |_| 3e38);
    // Of two finite logits one is further below the other than a number can say.
    let mut apart = network(CellKind::GRU, vocab, 1);
    set(&mut apart, "decoder.bias", |at| {
        if at == 1 { -3e38 } else { 3e38 }
    });
    vec![
        ("at once", at_once, 1),
        ("later", later, 127),
        ("below", below, 127),
        ("logits", logits, 1),
        ("apart", apart, 1),
    ]
}

#[test]
fn of_a_network_that_overflows_every_command_and_function_says_so() {
    let folder = Folder::with_text();
    let text = String::from_utf8(folder.read("text.txt")).unwrap();
    let vocabulary = Vocabulary::from_text(&text).unwrap();
    folder.write("two.txt", "li");
    for (name, network, characters) in overflowing(vocabulary.len()) {
        let model = Model::new(vocabulary.clone(), network, None);
        model.save(folder.path(name)).expect("finite weights");
        let plural = if characters == 1 { "" } else { "s" };
        let expected =
            format!("the network's states overflow after {characters} character{plural}{OVERFLOW}");
        let found = assert_one_reason(&folder, name, "text.txt");
        assert_eq!(found.as_ref(), Some(&expected), "{name}");
        if characters == 1 {
            let found = assert_one_reason(&folder, name, "two.txt");
            assert_eq!(found.as_ref(), Some(&expected), "{name}");
        }
        // Not before there is something wrong: what was written until then is text.
        let run = folder.run(&["sample", name, "-n", "1000", "--prime", "line"]);
        assert!(
            run.code == Some(1) && run.stderr.contains(OVERFLOW),
            "{run:?}"
        );
        let written = run.text().chars().count() as u64;
        assert_eq!(written, if characters == 1 { 0 } else { characters });
        folder.run(&["inspect", name]).ok();

        let ids = model.vocabulary().encode(&text).unwrap();
        let greedy = SampleOptions::greedy();
        let mut state = model.initial_state();
        let steps = text.chars().map(|c| model.step(c, &mut state));
        let step = steps
            .enumerate()
            .find_map(|(at, step)| Some((at, step.err()?)));
        let errors = [
            model.score(&text).err(),
            model.sample(&text, &greedy).err(),
            model.sample_batch(&text, 3, &greedy).err(),
            insight::surprises(&model, &ids, 1).err(),
            insight::Traces::read(model.network(), &ids).err(),
        ];
        for error in errors {
            assert_eq!(error.expect("an overflow").to_string(), expected, "{name}");
        }
        let (at, error) = step.expect("an overflow");
        assert_eq!(at as u64 + 1, characters, "{name}: {error}");
        // The iterator ends with the error, and the state of a failed step is that before.
        let mut sampler = match model.sample("l", &greedy) {
            Ok(sampler) => sampler,
            Err(error) => {
                assert_eq!((error.to_string(), characters), (expected, 1));
                continue;
            }
        };
        let written = sampler.by_ref().take_while(Result::is_ok).count() as u64;
        assert_eq!((written, sampler.next().is_none()), (characters - 1, true));
        assert!(
            state
                .h
                .iter()
                .all(|h| h.as_slice().iter().all(|h| h.is_finite()))
        );
    }
}

#[test]
fn a_sample_of_a_run_that_diverges_ends_no_run() {
    let folder = Folder::with_text();
    let train = [
        "text.txt",
        "-o",
        "m",
        "--cell",
        "rnn-relu",
        "--optimizer",
        "sgd",
    ];
    let rate = [
        "--learning-rate",
        "1e10",
        "--clip",
        "0",
        "--sample-every",
        "1",
    ];
    let run = folder.train(&[&train[..], &rate].concat());
    let said = run
        .text()
        .matches("(the network's states overflow after ")
        .count();
    assert!(said > 1, "{run:?}");
    // What ends it is that its losses stay what they are.
    assert!(
        run.code == Some(1) && run.stderr.contains("error: training diverged at step"),
        "{run:?}"
    );
}
