//! What a network holds and how far it remembers, against the equations and finite differences.
//!
//! The reference is a network written out here unit by unit, on vectors of f64 and PyTorch's names,
//! in which any state can be nudged on its way.

use crate::common::{network, random_ids};
use approx::assert_relative_eq;
use rnn::insight::{Memory, Signal, Traces};
use rnn::{CellKind, Id, Network};

const VOCAB: usize = 5;
const HIDDEN: usize = 4;

/// A change of one state: the hidden state, or the memory, of a unit of a layer after a step.
#[derive(Clone, Copy)]
struct Nudge {
    step: usize,
    layer: usize,
    unit: usize,
    is_memory: bool,
    by: f64,
}

/// What a layer holds after a step: hidden state, memory, and the gates in PyTorch's order.
#[derive(Clone, Default)]
struct Held {
    h: Vec<f64>,
    c: Vec<f64>,
    gates: Vec<Vec<f64>>,
}

fn affine(network: &Network<f64>, weight: &str, bias: &str, x: &[f64]) -> Vec<f64> {
    let (shape, w) = network.tensor(weight).expect("a weight");
    let (_, b) = network.tensor(bias).expect("a bias");
    (0..shape[0])
        .map(|i| {
            b[i] + (0..shape[1])
                .map(|j| w[i * shape[1] + j] * x[j])
                .sum::<f64>()
        })
        .collect()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// One step of one layer, straight from the equations.
fn step(cell: CellKind, a_x: &[f64], a_h: &[f64], before: &Held, nudge: Option<Nudge>) -> Held {
    let gate = |g: usize, j: usize| a_x[g * HIDDEN + j] + a_h[g * HIDDEN + j];
    let mut held = Held {
        gates: vec![vec![0.0; HIDDEN]; cell.gates()],
        ..Held::default()
    };
    for j in 0..HIDDEN {
        let nudge = nudge.filter(|nudge| nudge.unit == j);
        let by = |is_memory| {
            nudge
                .filter(|n| n.is_memory == is_memory)
                .map_or(0.0, |n| n.by)
        };
        let h = match cell.name() {
            "rnn" => gate(0, j).tanh(),
            "rnn_relu" => gate(0, j).max(0.0),
            "lstm" => {
                let (i, f, o) = (
                    sigmoid(gate(0, j)),
                    sigmoid(gate(1, j)),
                    sigmoid(gate(3, j)),
                );
                let g = gate(2, j).tanh();
                let c = f * before.c[j] + i * g + by(true);
                held.c.push(c);
                for (kept, value) in held.gates.iter_mut().zip([i, f, g, o]) {
                    kept[j] = value;
                }
                o * c.tanh()
            }
            "gru" => {
                let (r, z) = (sigmoid(gate(0, j)), sigmoid(gate(1, j)));
                let n = (a_x[2 * HIDDEN + j] + r * a_h[2 * HIDDEN + j]).tanh();
                for (kept, value) in held.gates.iter_mut().zip([r, z, n]) {
                    kept[j] = value;
                }
                (1.0 - z) * n + z * before.h[j]
            }
            "mingru" => {
                let (z, a) = (sigmoid(a_x[j]), a_x[HIDDEN + j]);
                let g = if a >= 0.0 { a + 0.5 } else { sigmoid(a) };
                for (kept, value) in held.gates.iter_mut().zip([z, g]) {
                    kept[j] = value;
                }
                (1.0 - z) * before.h[j] + z * g
            }
            other => panic!("no equations of {other}"),
        };
        held.h.push(h + by(false));
    }
    held
}

/// Everything held after every step, `[time][layer]`, and the loss of the last prediction.
fn reference(network: &Network<f64>, ids: &[Id], nudge: Option<Nudge>) -> (Vec<Vec<Held>>, f64) {
    let config = network.config();
    let start = Held {
        h: vec![0.0; HIDDEN],
        c: vec![0.0; HIDDEN],
        gates: vec![],
    };
    let mut now = vec![start; config.num_layers];
    let mut all = Vec::new();
    for (t, &id) in ids[..ids.len() - 1].iter().enumerate() {
        let mut x = vec![0.0; VOCAB];
        x[id as usize] = 1.0;
        for (k, held) in now.iter_mut().enumerate() {
            let a_x = affine(
                network,
                &format!("rnn.weight_ih_l{k}"),
                &format!("rnn.bias_ih_l{k}"),
                &x,
            );
            let a_h = match config.cell.recurrent_gates() {
                0 => Vec::new(),
                _ => affine(
                    network,
                    &format!("rnn.weight_hh_l{k}"),
                    &format!("rnn.bias_hh_l{k}"),
                    &held.h,
                ),
            };
            *held = step(
                config.cell,
                &a_x,
                &a_h,
                held,
                nudge.filter(|n| (n.step, n.layer) == (t, k)),
            );
            x = held.h.clone();
        }
        all.push(now.clone());
    }
    let logits = affine(
        network,
        "decoder.weight",
        "decoder.bias",
        &now[config.num_layers - 1].h,
    );
    let sum: f64 = logits.iter().map(|o| o.exp()).sum();
    (all, sum.ln() - logits[ids[ids.len() - 1] as usize])
}

#[test]
fn traces_are_the_states_and_gates_of_the_equations() {
    let ids = random_ids(VOCAB, 12, 3);
    for (cell, layers) in CellKind::ALL
        .into_iter()
        .flat_map(|cell| [(cell, 1), (cell, 3)])
    {
        let network = network::<f64>(cell, VOCAB, HIDDEN, layers);
        let traces = Traces::read(&network, &ids[..11]).unwrap();
        let (held, _) = reference(&network, &ids, None);
        for &Signal {
            name: signal,
            gate: place,
            ..
        } in traces.signals()
        {
            for (t, layer, unit) in (0..11 * layers * HIDDEN)
                .map(|at| (at / HIDDEN / layers, at / HIDDEN % layers, at % HIDDEN))
            {
                let held = &held[t][layer];
                let expected = match signal {
                    Signal::HIDDEN => held.h[unit],
                    Signal::MEMORY => held.c[unit],
                    _ => held.gates[place][unit],
                };
                assert_relative_eq!(
                    traces.layer(layer, signal).row(t)[unit],
                    expected,
                    epsilon = 1e-12
                );
                let by_unit = traces.unit(layer, signal, unit).nth(t);
                assert_eq!(by_unit, Some(traces.layer(layer, signal).row(t)[unit]));
            }
        }
    }
}

#[test]
fn a_long_text_is_traced_as_if_in_one_piece() {
    let ids = random_ids(VOCAB, 700, 4);
    let network = network::<f32>(CellKind::LSTM, VOCAB, HIDDEN, 2);
    let (all, some) = (
        Traces::read(&network, &ids).unwrap(),
        Traces::read(&network, &ids[..300]).unwrap(),
    );
    for Signal { name: signal, .. } in CellKind::LSTM.signals() {
        for t in 0..300 {
            assert_eq!(all.layer(1, signal).row(t), some.layer(1, signal).row(t));
        }
    }
    assert_eq!(Traces::read(&network, &[]).unwrap().len(), 0);
}

/// The norm of the gradient of the last loss with respect to a state, by central differences.
fn norm_by_differences(
    network: &Network<f64>,
    ids: &[Id],
    lag: usize,
    layer: usize,
    is_memory: bool,
) -> f64 {
    const EPSILON: f64 = 6e-6;
    let loss = |unit, by| {
        let step = ids.len() - 2 - lag;
        reference(
            network,
            ids,
            Some(Nudge {
                step,
                layer,
                unit,
                is_memory,
                by,
            }),
        )
        .1
    };
    let square = |unit| ((loss(unit, EPSILON) - loss(unit, -EPSILON)) / (2.0 * EPSILON)).powi(2);
    (0..HIDDEN).map(square).sum::<f64>().sqrt()
}

#[test]
fn memory_is_the_norm_of_the_gradient_by_differences() {
    let ids = random_ids(VOCAB, 13, 5);
    const MAX_LAG: usize = 6;
    for (cell, layers) in CellKind::ALL
        .into_iter()
        .flat_map(|cell| [(cell, 1), (cell, 2)])
    {
        let network = network::<f64>(cell, VOCAB, HIDDEN, layers);
        let traces = Traces::read(&network, &ids).expect("memory");
        let memory = Memory::measure(&network, &ids, &traces, MAX_LAG, 1000).expect("memory");
        assert_eq!(memory.samples, 6); // losses of the steps 6 to 11
        for (layer, norms) in memory.layers.iter().enumerate() {
            for lag in 0..=MAX_LAG {
                let mean = |is_memory| {
                    let ends = 8..=13;
                    let norm = |end: usize| {
                        norm_by_differences(&network, &ids[..end], lag, layer, is_memory)
                    };
                    ends.map(norm).sum::<f64>() / 6.0
                };
                assert_relative_eq!(
                    norms.hidden[lag],
                    mean(false),
                    max_relative = 1e-6,
                    epsilon = 1e-9
                );
                if cell == CellKind::LSTM {
                    assert_relative_eq!(
                        norms.cell[lag],
                        mean(true),
                        max_relative = 1e-6,
                        epsilon = 1e-9
                    );
                } else {
                    assert!(norms.cell.is_empty());
                }
            }
        }
    }
}

#[test]
fn memory_of_a_short_text_goes_back_as_far_as_the_text() {
    let network = network::<f64>(CellKind::GRU, VOCAB, HIDDEN, 1);
    for (length, lags, samples) in [(0, 0, 0), (1, 0, 0), (2, 1, 1), (5, 4, 1), (40, 11, 7)] {
        let ids = random_ids(VOCAB, length, 6);
        let memory = Memory::measure(
            &network,
            &ids,
            &Traces::read(&network, &ids).expect("memory"),
            10,
            7,
        )
        .expect("memory");
        assert_eq!(
            (memory.layers[0].hidden.len(), memory.samples),
            (lags, samples),
            "{length}"
        );
    }
}
