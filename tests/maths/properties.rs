//! What holds for every model and text, tried on many of them: files, scores, batches,
//! permutations, draws, interruptions.

use std::ops::ControlFlow;

use proptest::collection::vec;
use proptest::prelude::*;
use rnn::checkpoint::Interrupted;
use rnn::{
    BatchSampler, CellKind, Corpus, Error, Id, Model, Network, NetworkConfig, Parameters, Record,
    RunOptions, SampleOptions, Scorer, State, Trainer, Training, Vocabulary,
};
use tensor::random;

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        ..ProptestConfig::default()
    }
}

/// Any architecture, small.
fn architecture(vocab_size: usize) -> impl Strategy<Value = NetworkConfig> {
    (0..4_usize, 1..9_usize, 1..4_usize).prop_map(move |(cell, hidden_size, num_layers)| {
        NetworkConfig {
            cell: CellKind::ALL[cell],
            vocab_size,
            hidden_size,
            num_layers,
        }
    })
}

/// A network with weights from a normal distribution as wide as `spread`.
fn network(config: NetworkConfig, spread: f64, seed: u64) -> Network<f32> {
    let mut parameters = Parameters::zeros(&config);
    let drawn = random::normal(
        &mut random::rng(seed),
        0.0,
        spread,
        parameters.as_mut_slice(),
    );
    drawn.expect("a spread");
    Network::from_parameters(config, parameters)
}

/// The first characters from `a` on.
fn letters(count: usize) -> Vocabulary {
    Vocabulary::from_symbols(('a'..).take(count).collect()).expect("letters")
}

/// A model of so many letters, and ids that it may read. Its weights are small enough that no state
/// of a rectifier outgrows all numbers within a few hundred characters.
fn model_and_ids(most: usize) -> impl Strategy<Value = (Model, Vec<Id>)> {
    let size = 2..9_usize;
    let parts = size.prop_flat_map(move |size| {
        (
            architecture(size),
            any::<u64>(),
            vec(0..size as Id, 2..most),
        )
    });
    parts.prop_map(|(config, seed, ids)| {
        (
            Model::new(
                letters(config.vocab_size),
                network(config, 0.25, seed),
                None,
            ),
            ids,
        )
    })
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_model_comes_back_from_its_file_bit_for_bit(
        symbols in proptest::collection::btree_set(any::<char>(), 1..12),
        shape in architecture(0),
        seed in any::<u64>(),
        special in vec((any::<prop::sample::Index>(), any::<f32>()), 0..20),
        losses in vec((any::<u64>(), any::<f64>(), any::<f64>()), 0..4),
    ) {
        let vocabulary = Vocabulary::from_symbols(symbols.into_iter().collect()).expect("sound parts");
        let config = NetworkConfig { vocab_size: vocabulary.len(), ..shape };
        let mut network = network(config, 1.0, seed);
        let weights = network.parameters_mut().as_mut_slice();
        for (at, value) in special.into_iter().filter(|(_, value)| value.is_finite()) {
            weights[at.index(weights.len())] = value;
        }
        let told = |loss: f64| Some(loss).filter(|loss| loss.is_finite());
        let history = losses.into_iter().map(|(step, train, validation)| Record {
            step,
            train_loss: told(train),
            validation_loss: told(validation),
            learning_rate: 1e-3,
        });
        let training = Training {
            config: crate::common::settings(2, 3, 4),
            best_step: Some(seed),
            history: history.collect(),
        };
        let model = Model::new(vocabulary, network, Some(training));
        let bytes = model.to_bytes();
        let again = Model::from_bytes(&bytes).expect("sound parts");
        prop_assert_eq!(
            bits(again.network().parameters().as_slice()),
            bits(model.network().parameters().as_slice())
        );
        prop_assert!(again == model && again.to_bytes() == bytes);
    }

    #[test]
    fn a_score_does_not_depend_on_how_its_text_is_cut(
        (model, ids) in model_and_ids(700),
        cuts in vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut whole = Scorer::new(&model).expect("memory");
        // A rectifier may overflow over so long a text; then too the cut makes no difference.
        let told = |read: rnn::Result<()>| read.map_err(|error| error.to_string());
        let read = told(whole.push(&ids));
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(ids.len())).collect();
        cuts.extend([0, ids.len()]);
        cuts.sort_unstable();
        let mut pieces = Scorer::new(&model).expect("memory");
        let each = cuts.windows(2).map(|cut| pieces.push(&ids[cut[0]..cut[1]]));
        prop_assert_eq!(read, told(each.collect()));
        prop_assert_eq!(whole.score().nats.to_bits(), pieces.score().nats.to_bits());
        prop_assert_eq!(whole.score().characters, pieces.score().characters);
    }

    #[test]
    fn a_row_of_a_batch_is_what_it_is_alone(
        (model, ids) in model_and_ids(60),
        rows in 1..7_usize,
        seed in any::<u64>(),
    ) {
        let (network, vocab) = (model.network(), model.vocabulary().len());
        let steps = ids.len() / rows;
        let mut together = State::zeros(network.config(), rows);
        let logits = network.forward(&ids[..steps * rows], &mut together).expect("memory");
        for row in 0..rows {
            let alone: Vec<Id> = (0..steps).map(|t| ids[t * rows + row]).collect();
            let mut state = State::zeros(network.config(), 1);
            let expected = network.forward(&alone, &mut state).expect("memory");
            for t in 0..steps {
                prop_assert_eq!(bits(logits.row(t * rows + row)), bits(expected.row(t)));
            }
            for (all, one) in together.h.iter().zip(&state.h) {
                prop_assert_eq!(bits(all.row(row)), bits(one.row(0)));
            }
        }
        // And of samples: the first of many is what one would be.
        let options = SampleOptions { seed, top_k: Some(vocab - 1), ..SampleOptions::default() };
        let mut many = BatchSampler::new(&model, &ids, rows, &options).expect("sound parts");
        let mut one = BatchSampler::new(&model, &ids, 1, &options).expect("sound parts");
        for _ in 0..20 {
            prop_assert_eq!(many.next_characters().unwrap()[0], one.next_characters().unwrap()[0]);
        }
    }

    #[test]
    fn other_numbers_for_the_same_characters_permute_the_weights_alone(
        (model, ids) in model_and_ids(200),
        keys in vec(any::<u32>(), 9),
    ) {
        let (config, vocab) = (*model.network().config(), model.vocabulary().len());
        let mut order: Vec<usize> = (0..vocab).collect();
        order.sort_by_key(|&id| keys[id]);
        // `order[new]` is the id that is now `new`.
        let mut parameters = Parameters::zeros(&config);
        for named in parameters.layout().named() {
            let old = model.network().parameters().to_pytorch(&named);
            let shape = named.shape();
            let cols = shape.get(1).copied().unwrap_or(1);
            let from = |at: usize| match named.name.as_str() {
                "rnn.weight_ih_l0" => at / cols * cols + order[at % cols],
                "decoder.weight" | "decoder.bias" => order[at / cols] * cols + at % cols,
                _ => at,
            };
            let new: Vec<f32> = (0..old.len()).map(|at| old[from(at)]).collect();
            parameters.set_pytorch(&named, &new);
        }
        let permuted = Model::new(letters(vocab), Network::from_parameters(config, parameters), None);
        let renumbered: Vec<Id> = ids
            .iter()
            .map(|&id| order.iter().position(|&old| old == id as usize).expect("a permutation") as Id)
            .collect();
        let score = |model: &Model, ids: &[Id]| {
            let mut scorer = Scorer::new(model).expect("memory");
            scorer.push(ids).expect("small weights");
            scorer.score().nats
        };
        let (was, is) = (score(&model, &ids), score(&permuted, &renumbered));
        // Sums over the vocabulary run in another order.
        prop_assert!((was - is).abs() <= 1e-5 * was.abs().max(1.0), "{} and {}", was, is);
    }

    #[test]
    fn what_top_k_and_top_p_exclude_is_never_drawn(
        (model, ids) in model_and_ids(20),
        seed in any::<u64>(),
        top_k in proptest::option::of(1..10_usize),
        top_p in proptest::option::of(0.01..=1.0_f64),
        temperature in prop_oneof![Just(1.0), 0.05..4.0_f64],
    ) {
        let options = SampleOptions { temperature, top_k, top_p, seed };
        let mut sampler = BatchSampler::new(&model, &ids, 2, &options).expect("sound parts");
        let mut texts = [ids.clone(), ids];
        for _ in 0..10 {
            let drawn = sampler.next_characters().unwrap().to_vec();
            for (text, id) in texts.iter_mut().zip(drawn) {
                let mut state = State::zeros(model.network().config(), 1);
                let logits = model.network().forward(text, &mut state).expect("memory");
                let logits = logits.row(text.len() - 1);
                let chosen = logits[id as usize];
                let above = logits.iter().filter(|&&logit| logit > chosen);
                let weight = |logit: f32| (f64::from(logit - chosen) / temperature).exp();
                let total: f64 = logits.iter().map(|&logit| weight(logit)).sum();
                let share: f64 = above.clone().map(|&logit| weight(logit)).sum::<f64>() / total;
                prop_assert!(above.count() < top_k.unwrap_or(usize::MAX));
                prop_assert!(share < top_p.unwrap_or(2.0) + 1e-5, "{} of {:?}", share, options);
                text.push(id);
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn a_run_resumed_at_any_step_is_the_run_that_was_never_interrupted(
        shape in architecture(0),
        stops in vec(0..30_u64, 1..4),
        dropout in prop_oneof![Just(0.0), 0.1..0.8_f64],
        (batch_size, seq_length, eval_every) in (1..6_usize, 1..12_usize, 1..9_u64),
        seed in any::<u64>(),
    ) {
        let corpus = || Corpus::from_text(&crate::common::text(300)).expect("a text");
        let config = NetworkConfig { vocab_size: corpus().vocabulary().len(), ..shape };
        let mut settings = crate::common::settings(batch_size, seq_length, 30);
        (settings.dropout, settings.eval_every, settings.seed) = (dropout, eval_every, seed);
        let split = [0.8, 0.2];
        let mut straight = Trainer::<f32>::new(corpus(), &split, config, settings).expect("sound parts");
        run_to(&mut straight, u64::MAX).expect("sound parts");
        let mut broken = Trainer::<f32>::new(corpus(), &split, config, settings).expect("sound parts");
        for stop in stops {
            run_to(&mut broken, stop).expect("sound parts");
            let file = broken.interrupt().into_bytes();
            broken = {
                let run = Interrupted::from_bytes(&file).expect("a sound file");
                Trainer::resume(corpus(), run).expect("the same text")
            };
        }
        run_to(&mut broken, u64::MAX).expect("sound parts");
        prop_assert!(broken.best_model().to_bytes() == straight.best_model().to_bytes());
        prop_assert!(broken.interrupt().into_bytes() == straight.interrupt().into_bytes());
    }
}

/// Trains to the end, or until this step is done.
fn run_to(trainer: &mut Trainer<f32>, stop: u64) -> Result<(), Error> {
    if trainer.step_count() >= stop {
        return Ok(());
    }
    let outcome = trainer.run(&RunOptions::default(), |trainer, _| {
        let is_done = trainer.step_count() >= stop;
        Ok::<_, Error>(if is_done {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    });
    outcome.map(drop)
}
