//! Settings: what `validate` accepts can be used, whatever it is.

use rnn::optimizer::{Clip, Decay, Optimizer, OptimizerConfig, Schedule};
use rnn::{CellKind, Init, NetworkConfig, Reduction, Scheme, TrainConfig};

use super::draw::Draw;

pub(super) fn schedule(draw: &mut Draw<'_>) -> Schedule {
    let warmup_steps = if draw.seldom() {
        draw.u64()
    } else {
        draw.below(5) as u64
    };
    let floor = draw.mostly(&[0.0, 0.1, 1.0]);
    match draw.below(5) {
        0 => Schedule::Constant,
        1 => Schedule::WarmupDecay {
            warmup_steps,
            decay_fraction: draw.mostly(&[0.0, 0.25, 0.5, 1.0]),
            decay: draw.one_of(&[Decay::Linear, Decay::Cosine]),
            floor,
        },
        2 => Schedule::Exponential {
            after_epoch: if draw.seldom() { draw.u64() } else { 1 },
            factor: draw.mostly(&[0.5, 0.97, 1.0]),
        },
        3 => Schedule::Cosine {
            warmup_steps,
            floor,
        },
        _ => Schedule::Plateau {
            factor: draw.mostly(&[0.5, 0.1]),
            patience: if draw.seldom() {
                draw.u64()
            } else {
                draw.below(3) as u64
            },
        },
    }
}

pub(super) fn optimizer(draw: &mut Draw<'_>) -> OptimizerConfig {
    let eps = draw.mostly(&[1e-8, 1e-16, 1e-3]);
    let (beta1, beta2) = (
        draw.mostly(&[0.9, 0.0, 0.999]),
        draw.mostly(&[0.999, 0.0, 0.9]),
    );
    match draw.below(6) {
        0 => OptimizerConfig::SGD,
        1 => OptimizerConfig::Sgd {
            momentum: draw.mostly(&[0.9, 0.5]),
            nesterov: draw.flip(),
        },
        2 => OptimizerConfig::Adagrad { eps },
        3 => OptimizerConfig::RmsProp {
            alpha: draw.mostly(&[0.99, 0.0]),
            eps,
        },
        4 => OptimizerConfig::Adam { beta1, beta2, eps },
        _ => OptimizerConfig::AdamW {
            beta1,
            beta2,
            eps,
            weight_decay: draw.mostly(&[0.01, 0.0, 1.0]),
        },
    }
}

pub(super) fn clip(draw: &mut Draw<'_>) -> Clip {
    match draw.below(3) {
        0 => Clip::None,
        1 => Clip::Norm(draw.mostly(&[5.0, 0.1])),
        _ => Clip::Value(draw.mostly(&[1.0, 0.01])),
    }
}

pub(super) fn init(draw: &mut Draw<'_>) -> Init {
    let scheme = match draw.flip() {
        true => Scheme::Normal(draw.mostly(&[0.3, 0.0, 1.0])),
        false => Scheme::Uniform,
    };
    let forget_bias = draw.flip().then(|| draw.mostly(&[1.0, 0.0, -1.0]));
    Init {
        scheme,
        orthogonal: draw.flip(),
        forget_bias,
    }
}

pub(super) fn network(draw: &mut Draw<'_>, vocab_size: usize) -> NetworkConfig {
    NetworkConfig {
        cell: draw.one_of(&CellKind::ALL),
        vocab_size,
        hidden_size: draw.size(5),
        num_layers: draw.size(3),
    }
}

pub(super) fn train(draw: &mut Draw<'_>) -> TrainConfig {
    let count = |draw: &mut Draw<'_>, most: usize| {
        if draw.seldom() {
            draw.u64()
        } else {
            1 + draw.below(most) as u64
        }
    };
    let shards = draw.one_of(&[1, 1, 1, 2, 3]);
    TrainConfig {
        records: draw.below(4) == 3,
        batch_size: draw.size(9).saturating_mul(shards),
        shards,
        seq_length: draw.size(9),
        horizon: draw.flip().then(|| draw.size(9)),
        reduction: draw.one_of(&[Reduction::Mean, Reduction::Sum]),
        freeze_recurrent_bias: draw.flip(),
        dropout: draw.mostly(&[0.0, 0.5, 0.9]),
        locked_dropout: draw.flip(),
        weight_dropout: draw.mostly(&[0.0, 0.5]),
        optimizer: optimizer(draw),
        learning_rate: draw.mostly(&[0.01, 1e-3, 1.0, 1e30]),
        schedule: schedule(draw),
        clip: clip(draw),
        max_steps: draw.flip().then(|| count(draw, 12)),
        eval_every: count(draw, 4),
        patience: draw.flip().then(|| count(draw, 3)),
        seed: draw.u64(),
        init: init(draw),
    }
}

/// Any gradient clipped and taken, and the state saved and put back.
pub(super) fn update(draw: &mut Draw<'_>) {
    let (config, clip, rate) = (optimizer(draw), clip(draw), draw.mostly(&[0.01, 1.0]));
    let mut params: Vec<f32> = (0..1 + draw.below(6))
        .map(|_| draw.mostly(&[0.5, -1.0]) as f32)
        .collect();
    let optimizer = Optimizer::<f32>::new(config, params.len());
    assert_eq!(optimizer.is_ok(), config.validate().is_ok());
    let Ok(mut optimizer) = optimizer else { return };
    if clip.validate().is_err() || !(rate.is_finite() && rate > 0.0) {
        return;
    }
    for _ in 0..1 + draw.below(4) {
        let mut grads: Vec<f32> = params
            .iter()
            .map(|_| draw.mostly(&[0.1, -2.0, 1e19, 3e38]) as f32)
            .collect();
        let norm = clip.apply(&mut grads);
        if !norm.is_finite() {
            continue;
        }
        match clip {
            Clip::Norm(limit) if limit > 1e-30 => {
                let now = Clip::None.apply(&mut grads);
                assert!(
                    now <= limit.max(1e-30) * 1.001,
                    "{clip:?} of {norm}: {grads:?}"
                );
            }
            Clip::Value(limit) => assert!(grads.iter().all(|g| g.abs() <= limit as f32)),
            _ => {}
        }
        let state: Vec<(&str, Vec<f32>)> = optimizer
            .state()
            .map(|(name, v)| (name, v.to_vec()))
            .collect();
        let state: Vec<(&str, &[f32])> = state.iter().map(|(name, v)| (*name, &v[..])).collect();
        let mut again = Optimizer::<f32>::new(config, params.len()).expect("the same settings");
        let restored = again.restore(optimizer.steps(), &state);
        restored.expect("what steps have left can be put back");
        let mut twin = params.clone();
        again.step(&mut twin, &grads, rate);
        optimizer.step(&mut params, &grads, rate);
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert!(
            bits(&twin) == bits(&params) || params.iter().any(|p| p.is_nan()),
            "{config:?}"
        );
    }
    let steps = draw.u64();
    let state: Vec<(&str, Vec<f32>)> = optimizer
        .state()
        .map(|(name, v)| (name, v.to_vec()))
        .collect();
    let state: Vec<(&str, &[f32])> = state.iter().map(|(name, v)| (*name, &v[..])).collect();
    optimizer.restore(steps, &state).expect("its own state");
    let grads = vec![0.5; params.len()];
    optimizer.step(&mut params, &grads, rate);
}
