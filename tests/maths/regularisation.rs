//! Locked dropout, DropConnect and decoupled weight decay, each against the same network with weights
//! changed by hand.

use rnn::optimizer::{OptimizerConfig, Schedule};
use rnn::{
    Bptt, CellKind, Corpus, Dropout, Id, Network, Parameters, Reduction, Streams, TrainConfig,
    Window,
};

use crate::common::{
    assert_close, assert_parameters_close, network, random_ids, run, settings, text, trainer,
};

const VOCAB: usize = 7;
const HIDDEN: usize = 12;

/// Loss and gradient of one window.
fn differentiate(
    network: &Network<f64>,
    batch_size: usize,
    [inputs, targets]: [&[Id]; 2],
    dropout: Option<Dropout>,
) -> (f64, Parameters<f64>) {
    let window = Window {
        batch_size,
        seq_length: inputs.len() / batch_size,
        horizon: None,
        reduction: Reduction::Mean,
        restart: None,
    };
    let mut bptt = Bptt::new(network.config(), window, dropout.is_some()).unwrap();
    let mut gradient = Parameters::zeros(network.config());
    let loss = bptt.forward(network.parameters(), inputs, targets, dropout);
    bptt.backward(&mut gradient);
    (loss, gradient)
}

/// With one row, a locked mask of a layer's output is a mask of the columns of the weights that read it.
#[test]
fn locked_dropout_is_a_network_without_the_dropped_columns() {
    let keep = 1.0 / (1.0 - 0.4);
    for cell in CellKind::ALL {
        let whole = network::<f64>(cell, VOCAB, HIDDEN, 2);
        let (inputs, targets) = (random_ids(VOCAB, 9, 1), random_ids(VOCAB, 9, 2));
        let dropout = Dropout::new(0.4, 3, 8).locked(true);
        let (loss, gradient) = differentiate(&whole, 1, [&inputs, &targets], Some(dropout));

        let layout = gradient.layout().clone();
        let reading = [layout.layers[1].weight_ih, layout.decoder_weight];
        // A column that is dropped has no gradient.
        let masks = reading.map(|block| {
            let rows = gradient.slice(block).chunks_exact(HIDDEN);
            let is_used = |unit: usize| rows.clone().any(|row| row[unit] != 0.0);
            let mask = (0..HIDDEN).map(|unit| if is_used(unit) { keep } else { 0.0 });
            mask.collect::<Vec<f64>>()
        });
        let dropped = masks.iter().flatten().filter(|&&kept| kept == 0.0).count();
        assert!((2..2 * HIDDEN - 2).contains(&dropped), "{cell}: {dropped}");
        let mask = |parameters: &mut Parameters<f64>| {
            for (block, mask) in reading.iter().zip(&masks) {
                for row in parameters.slice_mut(*block).chunks_exact_mut(HIDDEN) {
                    row.iter_mut().zip(mask).for_each(|(w, m)| *w *= m);
                }
            }
        };
        let mut thinned = whole.clone();
        mask(thinned.parameters_mut());
        let (expected, mut gradient_of_thinned) =
            differentiate(&thinned, 1, [&inputs, &targets], None);
        mask(&mut gradient_of_thinned);
        assert_close("loss", &[loss], &[expected], 1e-13, 1.0);
        let what = cell.name();
        assert_parameters_close(what, &gradient, &gradient_of_thinned, 1e-11, 1e-3);
    }
}

#[test]
fn rows_of_a_batch_have_masks_of_their_own_and_steps_new_ones() {
    let whole = network::<f64>(CellKind::LSTM, VOCAB, HIDDEN, 1);
    let line = random_ids(VOCAB, 9, 1);
    let pair: Vec<Id> = line.iter().flat_map(|&id| [id, id]).collect();
    let loss = |batch, ids: &[Id], step| {
        let dropout = Dropout::new(0.4, 3, step).locked(true);
        differentiate(&whole, batch, [ids, ids], Some(dropout)).0
    };
    assert_ne!(loss(1, &line, 0), loss(2, &pair, 0));
    assert_ne!(loss(1, &line, 0), loss(1, &line, 1));
}

/// One step of plain descent at rate 1, which subtracts the gradient.
fn one_step(config: TrainConfig) -> (Network<f64>, Network<f64>) {
    let shape = (CellKind::LSTM, HIDDEN, 2);
    let mut trainer = trainer::<f64>(&text(400), &[1.0], shape, config);
    let before = trainer.network().clone();
    run(&mut trainer, 1);
    (before, trainer.network().clone())
}

fn descent() -> TrainConfig {
    TrainConfig {
        optimizer: OptimizerConfig::SGD,
        learning_rate: 1.0,
        clip: rnn::optimizer::Clip::None,
        schedule: Schedule::Constant,
        ..settings(3, 10, 1)
    }
}

#[test]
fn weight_dropout_is_a_network_without_the_dropped_recurrent_weights() {
    let (probability, keep) = (0.3, 1.0 / (1.0 - 0.3));
    let (before, after) = one_step(TrainConfig {
        weight_dropout: probability,
        ..descent()
    });
    let mut gradient = before.parameters().clone();
    let (old, new) = (
        before.parameters().as_slice(),
        after.parameters().as_slice(),
    );
    let differences = gradient.as_mut_slice().iter_mut().zip(old.iter().zip(new));
    differences.for_each(|(gradient, (old, new))| *gradient = old - new);

    let layout = gradient.layout().clone();
    let (mut mask, mut dropped, mut all) = (before.parameters().clone(), 0, 0);
    mask.as_mut_slice().fill(1.0);
    for layer in &layout.layers {
        let block = layer.weight_hh;
        for (mask, &gradient) in mask.slice_mut(block).iter_mut().zip(gradient.slice(block)) {
            *mask = if gradient == 0.0 { 0.0 } else { keep };
            dropped += usize::from(gradient == 0.0);
        }
        all += block.len();
    }
    let share = dropped as f64 / all as f64;
    assert!((share - probability).abs() < 0.05, "{share} of {all}");

    let times = |parameters: &mut Parameters<f64>| {
        let pairs = parameters.as_mut_slice().iter_mut().zip(mask.as_slice());
        pairs.for_each(|(value, mask)| *value *= mask);
    };
    let mut thinned = before.clone();
    times(thinned.parameters_mut());
    let corpus = Corpus::from_text(&text(400)).unwrap();
    let streams = Streams::new(0..corpus.len(), 3, 10);
    let (mut inputs, mut targets) = (vec![0; 30], vec![0; 30]);
    let ids = corpus.ids().as_slice();
    let steps = streams.fill(ids, 0, &mut inputs, &mut targets);
    let window = [&inputs[..3 * steps], &targets[..3 * steps]];
    let (_, mut expected) = differentiate(&thinned, 3, window, None);
    times(&mut expected);
    assert_parameters_close("weight dropout", &gradient, &expected, 1e-9, 1e-3);
}

/// Biases and the weights of which a character picks a row have no decay.
#[test]
fn decay_is_for_the_weights_that_multiply() {
    let (rate, weight_decay) = (0.01, 0.4);
    let step = |optimizer| {
        one_step(TrainConfig {
            optimizer,
            learning_rate: rate,
            ..descent()
        })
    };
    let (before, plain) = step(OptimizerConfig::ADAM);
    let OptimizerConfig::AdamW {
        beta1, beta2, eps, ..
    } = OptimizerConfig::ADAMW
    else {
        panic!("it is AdamW")
    };
    let (_, decayed) = step(OptimizerConfig::AdamW {
        beta1,
        beta2,
        eps,
        weight_decay,
    });
    let multiplies = [
        "rnn.weight_hh_l0",
        "rnn.weight_ih_l1",
        "rnn.weight_hh_l1",
        "decoder.weight",
    ];
    let all = before.parameters().layout().named();
    assert_eq!(all.len(), 10);
    for named in all {
        let of = |network: &Network<f64>| network.parameters().slice(named.block).to_vec();
        let (before, plain, decayed) = (of(&before), of(&plain), of(&decayed));
        if multiplies.contains(&&*named.name) {
            let lost = |(plain, before): (&f64, &f64)| plain - rate * weight_decay * before;
            let expected: Vec<f64> = plain.iter().zip(&before).map(lost).collect();
            assert_close(&named.name, &decayed, &expected, 1e-12, 1e-3);
        } else {
            assert_eq!(decayed, plain, "{}", named.name);
        }
    }
}
