//! Sequences of calls of the library, as bytes decide them: in any order, with any values that the types
//! allow. Conditions that a function's documentation says it panics on are kept; anything else that
//! panics is wrong, and so is a difference between two ways to the same result.

mod draw;
mod files;
mod insight;
mod reading;
mod settings;
mod texts;
mod training;

use rnn::{
    CellKind, Corpus, Init, Model, Network, NetworkConfig, Trainer, Vocabulary, recommended,
};

use draw::Draw;

/// Calls of one input at most, so that none takes long.
const MOST_CALLS: usize = 16;

/// What calls leave for those that follow.
struct World {
    corpus: Corpus,
    model: Model,
    trainer: Trainer<f32>,
}

/// A sequence of calls.
pub fn calls(data: &[u8]) {
    let vocabulary = Vocabulary::from_text("anna bob\n").expect("characters");
    let config = NetworkConfig {
        cell: CellKind::LSTM,
        vocab_size: vocabulary.len(),
        hidden_size: 3,
        num_layers: 1,
    };
    let network = Network::new(config, &Init::default(), 1).expect("sizes");
    let corpus = Corpus::from_text("anna\nbob\nann\nbo\n").expect("a text");
    let mut train = recommended(&corpus.facts(false)).train;
    (train.batch_size, train.seq_length) = (2, 3);
    (train.max_steps, train.eval_every) = (None, 2);
    let config = NetworkConfig {
        vocab_size: corpus.vocabulary().len(),
        ..config
    };
    let trainer = Trainer::new(corpus.clone(), &[0.7, 0.3], config, train);
    let mut world = World {
        corpus,
        model: Model::new(vocabulary, network, None),
        trainer: trainer.expect("settings"),
    };
    let mut draw = Draw(data);
    for _ in 0..MOST_CALLS {
        if draw.is_empty() {
            return;
        }
        call(&mut draw, &mut world);
    }
}

fn call(draw: &mut Draw<'_>, world: &mut World) {
    match draw.below(23) {
        0 | 1 => texts::build(draw, world),
        2 => texts::cut(draw, world),
        3 => texts::records(draw, world),
        4 => texts::vocabulary(draw),
        5 | 6 => settings::update(draw),
        7 | 8 => training::begin(draw, world),
        9..=11 => training::go_on(draw, world),
        12 => training::set_steps(draw, world),
        13 => training::window(draw),
        14 => training::check_gradient(draw),
        15 => reading::take_model(draw, world),
        16 => reading::score(draw, &world.model),
        17 => reading::step(draw, &world.model),
        18 => reading::sample(draw, &world.model),
        19 => insight::trace(draw, &world.model),
        20 => insight::weights(&world.model),
        21 => files::save(draw, world),
        _ => files::keep(draw, world),
    }
}
