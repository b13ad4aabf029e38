//! Reading and writing text with a model: each way to a probability gives the same one.

use rnn::{
    BatchSampler, Error, Id, Model, Network, Result, SampleOptions, Sampler, Scorer, State,
    Vocabulary,
};
use tensor::activation;

use super::World;
use super::draw::Draw;
use super::settings;

/// Another model: of the run, of new weights, or of more characters.
pub(super) fn take_model(draw: &mut Draw<'_>, world: &mut World) {
    match draw.below(4) {
        0 => world.model = world.trainer.best_model(),
        1 => world.model = world.trainer.current_model(),
        2 => {
            let vocabulary = world.corpus.vocabulary().clone();
            if let Ok(network) = world.model.network_for(&vocabulary, draw.u64()) {
                world.model = Model::new(vocabulary, network, None);
            }
        }
        _ => {
            let vocabulary = match draw.below(4) {
                0 => Vocabulary::bytes(),
                1 => Vocabulary::from_text("x").expect("one character"),
                _ => world.corpus.vocabulary().clone(),
            };
            let (config, init) = (
                settings::network(draw, vocabulary.len()),
                settings::init(draw),
            );
            let is_sound = config.validate().is_ok() && init.validate().is_ok();
            let network = Network::new(config, &init, draw.u64());
            assert_eq!(network.is_ok(), is_sound, "{config:?} {init:?}");
            if let Ok(network) = network {
                world.model = Model::new(vocabulary, network, None);
            }
        }
    }
}

/// A result whose only error is that the states overflow, as those of wild weights may.
pub(super) fn overflow_or<T>(result: Result<T>) -> Result<T> {
    if let Err(error) = &result {
        assert!(matches!(error, Error::Overflow { .. }), "{error}");
    }
    result
}

/// Equal bits, or both no number.
fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

fn close(a: f32, b: f32) -> bool {
    a == b || (a - b).abs() < 1e-6 || (a.is_nan() && b.is_nan())
}

/// A text scored whole and in pieces.
pub(super) fn score(draw: &mut Draw<'_>, model: &Model) {
    // As a running text: lines start anew, which the sums here do not know.
    let model = &Model::new(model.vocabulary().clone(), model.network().clone(), None);
    let vocab_size = model.vocabulary().len();
    let ids = draw.ids(vocab_size, 40);
    let mut scorer = Scorer::new(model).expect("memory");
    let read = overflow_or(scorer.push(&ids));
    let whole = scorer.score();
    let told_of = whole.characters as usize;
    assert!(read.is_err() || told_of == ids.len().saturating_sub(1));
    let mut sum = 0.0;
    for _ in 0..2 {
        scorer.reset();
        let (mut rest, mut told) = (&ids[..], Vec::<Id>::new());
        sum = 0.0;
        while !rest.is_empty() {
            let (piece, after) =
                rest.split_at(draw.below(rest.len() + 1).max(usize::from(draw.is_empty())));
            let cut = scorer.push_with(piece, |id, nats, probabilities| {
                let surprise = -libm::log(f64::from(probabilities[id as usize]));
                let is_near = (surprise - nats).abs() < 1e-3 * nats.max(1.0);
                // Of what is all but impossible a probability in f32 tells nothing.
                assert!(is_near || nats.is_nan() || nats > 60.0, "{surprise} {nats}");
                assert_eq!(probabilities.len(), vocab_size);
                told.push(id);
                sum += nats;
            });
            rest = after;
            if overflow_or(cut).is_err() {
                assert!(read.is_err());
                break;
            }
        }
        assert_eq!(told, ids.get(1..).unwrap_or(&[])[..told_of]);
        let cut = scorer.score();
        assert!(
            same(cut.nats, whole.nats) && cut.characters == whole.characters,
            "{cut:?} {whole:?}"
        );
    }
    assert!(same(sum, whole.nats), "{sum} {whole:?}");
    let means = [
        whole.nats_per_character(),
        whole.bits_per_character(),
        whole.perplexity(),
    ];
    assert!(
        means.iter().all(|mean| mean.is_nan() || *mean >= 0.0),
        "{means:?}"
    );
    let text = model.vocabulary().decode(&ids);
    if !model.vocabulary().is_bytes() {
        let score = overflow_or(model.score(&text));
        assert_eq!(score.is_err(), read.is_err());
        assert!(score.is_err() || score.is_ok_and(|score| same(score.nats, whole.nats)));
    }
}

/// Characters one by one, beside the scorer and the network.
pub(super) fn step(draw: &mut Draw<'_>, model: &Model) {
    // As a running text: lines start anew, which the sums here do not know.
    let model = &Model::new(model.vocabulary().clone(), model.network().clone(), None);
    let vocabulary = model.vocabulary();
    let ids: Vec<Id> = draw
        .ids(vocabulary.len(), 12)
        .into_iter()
        .filter(|&id| id < 128)
        .collect();
    let mut state = model.initial_state();
    let mut scorer = Scorer::new(model).expect("memory");
    let mut other = State::zeros(model.network().config(), 1);
    let mut expected: Option<Vec<f32>> = None;
    for &id in &ids {
        let mut read = None;
        let pushed = scorer.push_with(&[id], |_, _, probabilities| {
            read = Some(probabilities.to_vec())
        });
        if overflow_or(pushed).is_err() {
            return;
        }
        assert_eq!(expected.is_some(), read.is_some());
        for (a, b) in expected.iter().flatten().zip(read.iter().flatten()) {
            assert!(close(*a, *b), "{a} {b}");
        }
        let kept = state.clone();
        let Ok(next) = overflow_or(model.step(vocabulary.symbol(id), &mut state)) else {
            // The scorer finds out with the next character.
            return;
        };
        let mut twin = kept.clone();
        let again = model
            .step(vocabulary.symbol(id), &mut twin)
            .expect("its own character");
        assert!(next.iter().zip(&again).all(|(a, b)| close(*a, *b)));
        let mut logits = model.network().forward(&[id], &mut other).expect("memory");
        activation::softmax_rows(logits.view_mut());
        assert!(next.iter().zip(logits.row(0)).all(|(a, b)| close(*a, *b)));
        let sum: f32 = next.iter().sum();
        assert!((sum - 1.0).abs() < 1e-4 || sum.is_nan(), "{sum}");
        expected = Some(next);
    }
    let before = state.clone();
    let lacks = draw.character();
    if let Err(error) = model.step(lacks, &mut state) {
        assert!(matches!(error, Error::Overflow { .. }) || vocabulary.id(lacks).is_none());
        let values = |state: &State<f32>| -> Vec<u32> {
            let layers = state.h.iter().chain(&state.c);
            layers
                .flat_map(|layer| layer.as_slice().iter().map(|x| x.to_bits()))
                .collect()
        };
        assert_eq!(values(&before), values(&state));
    }
    // Nothing read leaves the state as it is.
    let twin = other.clone();
    let none = model.network().forward(&[], &mut other).expect("memory");
    assert_eq!(none.rows(), 0);
    let same = |a: &State<f32>, b: &State<f32>| {
        let values = a.h.iter().chain(&a.c).zip(b.h.iter().chain(&b.c));
        values.into_iter().all(|(a, b)| {
            a.as_slice()
                .iter()
                .zip(b.as_slice())
                .all(|(a, b)| close(*a, *b))
        })
    };
    assert!(same(&twin, &other), "{twin:?} {other:?}");
}

/// Samples with any options.
pub(super) fn sample(draw: &mut Draw<'_>, model: &Model) {
    let options = SampleOptions {
        temperature: draw.mostly(&[1.0, 0.0, 0.5, 1e-300, 1e300]),
        top_k: draw.flip().then(|| draw.size(5)),
        top_p: draw.flip().then(|| draw.mostly(&[1.0, 0.9, 0.5, 1e-9])),
        seed: draw.u64(),
    };
    let vocab_size = model.vocabulary().len();
    let (prime, samples) = (draw.ids(vocab_size, 9), draw.size(4));
    let sampler = BatchSampler::new(model, &prime, samples, &options);
    let is_sound = options.validate().is_ok() && (1..=4).contains(&samples);
    if matches!(sampler, Err(Error::Overflow { .. })) {
        return;
    }
    assert_eq!(sampler.is_ok(), is_sound, "{options:?}, {samples} samples");
    let Ok(mut batch) = sampler else { return };
    let mut one = Sampler::new(model, &prime, &options).expect("the same options");
    for id in one.ids().take(1 + draw.below(6)) {
        let Ok(drawn) = overflow_or(batch.next_characters()) else {
            // One of the others may have been first.
            return;
        };
        let id = id.expect("the same character");
        assert!(drawn.len() == samples && drawn.iter().all(|&id| (id as usize) < vocab_size));
        assert_eq!(drawn[0], id);
    }
}
