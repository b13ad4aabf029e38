//! char-rnn's published run, on its own split: two LSTM layers of 128 units on tiny Shakespeare.
//!
//! The text is cut into 50 streams of windows of 50 characters; the last 5 % of each stream's
//! windows are held out. RMSprop at 2e-3 with alpha 0.95, times 0.97 after each epoch from the
//! tenth on, gradients clipped to ±5, 50 epochs. Published validation loss: 1.3939 nats.
//!
//! It takes minutes and needs the text (1,115,394 characters), so it runs when asked to:
//!
//! ```text
//! RNN_TEXT=tinyshakespeare.txt cargo test --release -p rnn --test maths -- char_rnn --ignored --nocapture
//! ```

use rnn::optimizer::{Clip, Optimizer, OptimizerConfig};
use rnn::{
    Bptt, CellKind, Corpus, Id, Init, Network, NetworkConfig, Parameters, Reduction, Window,
};

const BATCH: usize = 50;
const STEPS: usize = 50;
const EPOCHS: i32 = 50;

/// Window `at` of every stream, `[time, batch]`: characters from `shift` on.
fn window(corpus: &Corpus, per_stream: usize, at: usize, shift: usize) -> Vec<Id> {
    let stream = per_stream * STEPS;
    // char-rnn lets the very last target wrap round to the text's first character.
    let character =
        |t: usize, row: usize| (row * stream + at * STEPS + t + shift) % (BATCH * stream);
    (0..STEPS * BATCH)
        .map(|i| corpus.ids().get(character(i / BATCH, i % BATCH)))
        .collect()
}

#[test]
#[ignore = "takes minutes and needs RNN_TEXT=tinyshakespeare.txt"]
fn reaches_the_published_loss() {
    let path = std::env::var_os("RNN_TEXT").expect("RNN_TEXT names the text");
    let corpus = Corpus::from_path(std::path::Path::new(&path)).expect("a text");
    let per_stream = corpus.len() / (BATCH * STEPS);
    let training = (per_stream as f64 * 0.95) as usize;
    let config = NetworkConfig {
        cell: CellKind::LSTM,
        vocab_size: corpus.vocabulary().len(),
        hidden_size: 128,
        num_layers: 2,
    };
    let init = Init {
        forget_bias: Some(1.0),
        ..Init::default()
    };
    let mut network = Network::<f32>::new(config, &init, 123).expect("a network");
    let rmsprop = OptimizerConfig::RmsProp {
        alpha: 0.95,
        eps: 1e-8,
    };
    let mut optimizer = Optimizer::new(rmsprop, network.parameters().len()).expect("an optimiser");
    let mut gradient = Parameters::zeros(&config);
    let shape = Window {
        batch_size: BATCH,
        seq_length: STEPS,
        horizon: None,
        reduction: Reduction::Mean,
        restart: None,
    };
    let mut bptt = Bptt::new(&config, shape, false).expect("memory");
    let mut held_out = Bptt::new(&config, shape, false).expect("memory");
    let (mut rate, mut best) = (2e-3, f64::INFINITY);
    for epoch in 1..=EPOCHS {
        for at in 0..training {
            let (inputs, targets) = (
                window(&corpus, per_stream, at, 0),
                window(&corpus, per_stream, at, 1),
            );
            bptt.forward(network.parameters(), &inputs, &targets, None);
            gradient.clear();
            bptt.backward(&mut gradient);
            Clip::Value(5.0).apply(gradient.as_mut_slice());
            optimizer.step(
                network.parameters_mut().as_mut_slice(),
                gradient.as_slice(),
                rate,
            );
        }
        held_out.reset_state();
        let loss = (training..per_stream).map(|at| {
            let (inputs, targets) = (
                window(&corpus, per_stream, at, 0),
                window(&corpus, per_stream, at, 1),
            );
            held_out.forward(network.parameters(), &inputs, &targets, None)
        });
        let loss = loss.sum::<f64>() / (per_stream - training) as f64;
        best = best.min(loss);
        println!("epoch {epoch}: validation {loss:.4} nats, best {best:.4}");
        if epoch >= 10 {
            rate *= 0.97;
        }
    }
    assert!(
        best <= 1.3939,
        "best validation loss {best:.4}, published 1.3939"
    );
}
