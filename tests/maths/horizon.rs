//! How far back a gradient flows, against two slow and independent computations.
//!
//! With a horizon of `k` the loss at step `t` sends its gradient through the steps `t-k+1 ..= t`.
//! For an Elman network [`naive`] writes that down with plain loops. For every cell and depth the
//! same number comes from whole windows: read up to step `t-k+1`, take that state, run back-
//! propagation over the `k` steps that follow with all targets but the last ignored, and add up.

use rnn::{
    Bptt, CellKind, Dropout, IGNORE, Id, Network, NetworkConfig, Parameters, Reduction, State,
    Window,
};

use crate::common::{assert_parameters_close, network, random_ids};

const STEPS: usize = 6;
const BATCH: usize = 3;
const VOCAB: usize = 5;
const HIDDEN: usize = 4;

fn window(horizon: Option<usize>) -> Window {
    Window {
        batch_size: BATCH,
        seq_length: STEPS,
        horizon,
        reduction: Reduction::Sum,
        restart: None,
    }
}

fn batch() -> (Vec<Id>, Vec<Id>) {
    let ids = |seed| random_ids(VOCAB, STEPS * BATCH, seed);
    (ids(1), ids(2))
}

/// A state that is not zero: the one after a few characters.
fn some_state(network: &Network<f64>) -> State<f64> {
    let mut state = State::zeros(network.config(), BATCH);
    network
        .forward(&random_ids(VOCAB, 4 * BATCH, 3), &mut state)
        .expect("memory");
    state
}

/// The gradient of one window.
fn gradient(
    network: &Network<f64>,
    window: Window,
    start: &State<f64>,
    (inputs, targets): (&[Id], &[Id]),
    dropout: Option<Dropout>,
) -> Parameters<f64> {
    let mut bptt = Bptt::new(network.config(), window, dropout.is_some()).expect("memory");
    bptt.set_state(start);
    bptt.forward(network.parameters(), inputs, targets, dropout);
    let mut gradient = Parameters::zeros(network.config());
    bptt.backward(&mut gradient);
    gradient
}

/// Truncated back-propagation through an Elman network of one layer, as one would first write it:
/// for each sequence and each loss, its own walk back of `horizon` steps.
fn naive(
    network: &Network<f64>,
    horizon: usize,
    start: &State<f64>,
    (inputs, targets): (&[Id], &[Id]),
) -> Parameters<f64> {
    let get = |name: &str| network.tensor(name).expect("a parameter").1;
    let (u, w, v) = (
        get("rnn.weight_ih_l0"),
        get("rnn.weight_hh_l0"),
        get("decoder.weight"),
    );
    let (b_ih, b_hh, c) = (
        get("rnn.bias_ih_l0"),
        get("rnn.bias_hh_l0"),
        get("decoder.bias"),
    );
    let (mut du, mut dw, mut dv) = (vec![0.0; u.len()], vec![0.0; w.len()], vec![0.0; v.len()]);
    let (mut db, mut dc) = (vec![0.0; HIDDEN], vec![0.0; VOCAB]);
    for row in 0..BATCH {
        let input = |t: usize| inputs[t * BATCH + row] as usize;
        let mut h = vec![start.h[0].row(row).to_vec()]; // h[t] is the state before step t
        for t in 0..STEPS {
            let a = |i: usize| {
                let recurrent: f64 = (0..HIDDEN).map(|j| w[i * HIDDEN + j] * h[t][j]).sum();
                u[i * VOCAB + input(t)] + b_ih[i] + recurrent + b_hh[i]
            };
            let next = (0..HIDDEN).map(|i| a(i).tanh()).collect();
            h.push(next);
        }
        for t in 0..STEPS {
            let logit = |k: usize| {
                c[k] + (0..HIDDEN)
                    .map(|j| v[k * HIDDEN + j] * h[t + 1][j])
                    .sum::<f64>()
            };
            let sum: f64 = (0..VOCAB).map(|k| logit(k).exp()).sum();
            let mut dh = vec![0.0; HIDDEN];
            for k in 0..VOCAB {
                let hit = f64::from(u8::from(targets[t * BATCH + row] as usize == k));
                let d_o = logit(k).exp() / sum - hit;
                dc[k] += d_o;
                for j in 0..HIDDEN {
                    dv[k * HIDDEN + j] += d_o * h[t + 1][j];
                    dh[j] += d_o * v[k * HIDDEN + j];
                }
            }
            for s in ((t + 1).saturating_sub(horizon)..=t).rev() {
                let mut dh_prev = vec![0.0; HIDDEN];
                for i in 0..HIDDEN {
                    let da = dh[i] * (1.0 - h[s + 1][i] * h[s + 1][i]);
                    db[i] += da;
                    du[i * VOCAB + input(s)] += da;
                    for j in 0..HIDDEN {
                        dw[i * HIDDEN + j] += da * h[s][j];
                        dh_prev[j] += da * w[i * HIDDEN + j];
                    }
                }
                dh = dh_prev;
            }
        }
    }
    let mut gradient = Parameters::zeros(network.config());
    let values = [du, dw, db.clone(), db, dv, dc];
    for (named, values) in gradient.layout().named().iter().zip(values) {
        gradient.set_pytorch(named, &values);
    }
    gradient
}

#[test]
fn an_elman_networks_gradient_is_that_of_plain_loops_at_every_horizon() {
    let network = network::<f64>(CellKind::RNN, VOCAB, HIDDEN, 1);
    let (start, (inputs, targets)) = (some_state(&network), batch());
    let batch = (&inputs[..], &targets[..]);
    let mut seen: Vec<Parameters<f64>> = Vec::new();
    for horizon in 1..=STEPS + 1 {
        let ours = gradient(&network, window(Some(horizon)), &start, batch, None);
        let slow = naive(&network, horizon, &start, batch);
        let what = format!("horizon {horizon}");
        assert_parameters_close(&what, &ours, &slow, 1e-11, 1e-3);
        if horizon <= STEPS {
            assert!(!seen.contains(&ours), "{what} changes nothing");
            seen.push(ours);
        }
    }
}

/// Rows of step `t` of a `[time, batch]` sequence up to step `end`.
fn steps(ids: &[Id], steps: std::ops::Range<usize>) -> &[Id] {
    &ids[steps.start * BATCH..steps.end * BATCH]
}

#[test]
fn every_cells_gradient_is_the_sum_of_windows_of_one_loss_each() {
    for cell in CellKind::ALL {
        for layers in 1..=3 {
            let network = network::<f64>(cell, VOCAB, HIDDEN, layers);
            let (start, (inputs, targets)) = (some_state(&network), batch());
            for horizon in 1..=STEPS {
                let mut sum = Parameters::zeros(network.config());
                for t in 0..STEPS {
                    let first = (t + 1).saturating_sub(horizon);
                    let mut state = start.clone();
                    network
                        .forward(steps(&inputs, 0..first), &mut state)
                        .expect("memory");
                    let mut alone = steps(&targets, first..t + 1).to_vec();
                    let count = alone.len();
                    alone[..count - BATCH].fill(IGNORE);
                    let batch = (steps(&inputs, first..t + 1), &alone[..]);
                    let part = gradient(&network, window(None), &state, batch, None);
                    for (to, from) in sum.as_mut_slice().iter_mut().zip(part.as_slice()) {
                        *to += from;
                    }
                }
                let batch = (&inputs[..], &targets[..]);
                let ours = gradient(&network, window(Some(horizon)), &start, batch, None);
                let what = format!("{cell}, {layers} layers, horizon {horizon}");
                assert_parameters_close(&what, &ours, &sum, 1e-11, 1e-3);
            }
        }
    }
}

#[test]
fn losses_within_the_horizon_are_not_cut_with_dropout_either() {
    let dropout = Some(Dropout::new(0.4, 5, 9));
    for cell in CellKind::ALL {
        let network = network::<f64>(cell, VOCAB, HIDDEN, 2);
        let (start, (inputs, mut targets)) = (some_state(&network), batch());
        for horizon in 1..STEPS {
            targets[horizon * BATCH..].fill(IGNORE);
            let batch = (&inputs[..], &targets[..]);
            let whole = gradient(&network, window(None), &start, batch, dropout);
            let cut = gradient(&network, window(Some(horizon)), &start, batch, dropout);
            let what = format!("{cell}, horizon {horizon}");
            assert_parameters_close(&what, &cut, &whole, 1e-11, 1e-3);
            targets = crate::common::random_ids(VOCAB, STEPS * BATCH, 2);
        }
    }
}

#[test]
fn a_window_no_longer_than_the_horizon_has_the_whole_gradient_after_longer_ones() {
    for cell in CellKind::ALL {
        let network = network::<f64>(cell, VOCAB, HIDDEN, 2);
        let (start, (inputs, targets)) = (some_state(&network), batch());
        let horizon = STEPS - 1;
        let short = (steps(&inputs, 0..horizon), steps(&targets, 0..horizon));
        let whole = gradient(&network, window(None), &start, short, None);

        let mut bptt = Bptt::new(network.config(), window(Some(horizon)), false).expect("memory");
        bptt.forward(network.parameters(), &inputs, &targets, None);
        bptt.backward(&mut Parameters::zeros(network.config()));
        bptt.set_state(&start);
        bptt.forward(network.parameters(), short.0, short.1, None);
        let mut ours = Parameters::zeros(network.config());
        bptt.backward(&mut ours);
        assert_parameters_close(cell.name(), &ours, &whole, 1e-11, 1e-3);
    }
}

#[test]
fn the_table_of_names_is_in_the_order_that_plain_loops_use() {
    let config = NetworkConfig {
        cell: CellKind::RNN,
        vocab_size: VOCAB,
        hidden_size: HIDDEN,
        num_layers: 1,
    };
    let names: Vec<String> = rnn::Layout::new(&config)
        .named()
        .into_iter()
        .map(|named| named.name)
        .collect();
    let order = [
        "rnn.weight_ih_l0",
        "rnn.weight_hh_l0",
        "rnn.bias_ih_l0",
        "rnn.bias_hh_l0",
        "decoder.weight",
        "decoder.bias",
    ];
    assert_eq!(names, order);
}
