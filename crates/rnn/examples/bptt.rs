//! Backpropagation through time, in plain matrices: the step from `notebook.rs` to the crate's `bptt`.
//!
//! The names are the notebook's. What it leaves out is here: `dh_next`, the gradient that flows from
//! step t+1 back to step t, in an Elman network and in an LSTM. The crate computes the same numbers,
//! for many sequences at a time and with fused loops; `tests/maths/bptt_example.rs` compares them.
//!
//! ```sh
//! cargo run -p rnn --example bptt
//! ```
#![allow(non_snake_case)] // U, W, V and dU, dW, dV are the notebook's names

use tensor::{random, reduce};

type Matrix = tensor::Matrix<f64>;

/// One affine map of input and state, `U x + W h_prev + b`: the whole of an Elman network's hidden
/// layer, or one of the four gates of an LSTM.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) U: Matrix, // [hidden, input]
    pub(crate) W: Matrix, // [hidden, hidden]
    pub(crate) b: Matrix, // [hidden, 1]
}

impl Gate {
    fn raw(&self, x: &Matrix, h_prev: &Matrix) -> Matrix {
        &(&self.U.matmul(x) + &self.W.matmul(h_prev)) + &self.b
    }

    /// Adds the gradients of one step, given that of `raw`; returns that of `h_prev`.
    fn backward(&self, gradient: &mut Gate, draw: &Matrix, x: &Matrix, h_prev: &Matrix) -> Matrix {
        gradient.U += &draw.matmul_nt(x);
        gradient.W += &draw.matmul_nt(h_prev);
        gradient.b += draw;
        self.W.matmul_tn(draw)
    }
}

/// One gate makes an Elman network, four (i, f, g, o) an LSTM. Gradients have the same type.
#[derive(Clone)]
pub(crate) struct Parameters {
    pub(crate) gates: Vec<Gate>,
    pub(crate) V: Matrix, // [output, hidden]
    pub(crate) c: Matrix, // [output, 1]
}

/// What the backward pass needs of each step. `memory` is an LSTM's; its gates are `activations`.
struct Step {
    x: Matrix,
    h_prev: Matrix,
    memory_prev: Matrix,
    activations: Vec<Matrix>,
    memory: Matrix,
    h: Matrix,
    y_hat: Matrix,
}

/// Elman 1990: h = tanh(U x + W h_prev + b).
///
/// LSTM (Hochreiter and Schmidhuber 1997, Gers et al. 2000): memory = f * memory_prev + i * g and
/// h = o * tanh(memory), where i, f and o go through a sigmoid and g through tanh.
fn forward(p: &Parameters, input: usize, h_prev: &Matrix, memory_prev: &Matrix) -> Step {
    let mut x = Matrix::zeros(p.V.rows(), 1);
    x[(input, 0)] = 1.0;
    let mut raw: Vec<Matrix> = p.gates.iter().map(|gate| gate.raw(&x, h_prev)).collect();
    let (h, memory, activations) = if raw.len() == 1 {
        (raw.remove(0).tanh(), memory_prev.clone(), Vec::new())
    } else {
        let (o, g) = (raw.remove(3).sigmoid(), raw.remove(2).tanh());
        let (f, i) = (raw.remove(1).sigmoid(), raw.remove(0).sigmoid());
        let memory = &times(&f, memory_prev) + &times(&i, &g);
        (times(&o, &memory.clone().tanh()), memory, vec![i, f, g, o])
    };
    let exp_o = (&p.V.matmul(&h) + &p.c).exp();
    let y_hat = &exp_o * (1.0 / exp_o.sum());
    Step {
        x,
        h_prev: h_prev.clone(),
        memory_prev: memory_prev.clone(),
        activations,
        memory,
        h,
        y_hat,
    }
}

/// The loss of a text in nats, summed over its characters, and its gradient (Werbos 1990).
pub(crate) fn loss_and_gradient(p: &Parameters, text: &[usize]) -> (f64, Parameters) {
    let zero = Matrix::zeros(p.V.cols(), 1);
    let mut steps: Vec<Step> = Vec::new();
    let mut loss = 0.0;
    for (&input, &target) in text.iter().zip(&text[1..]) {
        let last = steps.last();
        let (h_prev, memory_prev) = last.map_or((&zero, &zero), |step| (&step.h, &step.memory));
        let step = forward(p, input, h_prev, memory_prev);
        loss -= step.y_hat[(target, 0)].ln();
        steps.push(step);
    }

    let mut gradient = zeros_like(p);
    // What flows back from step t+1: nothing from behind the end.
    let mut dh_next = zero.clone();
    let mut dmemory_next = zero;
    for (step, &target) in steps.iter().zip(&text[1..]).rev() {
        let mut do_ = step.y_hat.clone();
        do_[(target, 0)] -= 1.0;
        gradient.V += &do_.matmul_nt(&step.h);
        gradient.c += &do_;
        // The notebook stops at the first term.
        let dh = &p.V.matmul_tn(&do_) + &dh_next;

        let draws = match &step.activations[..] {
            [i, f, g, o] => {
                let tanh_memory = step.memory.clone().tanh();
                let slope = one_minus_square(&tanh_memory);
                let dmemory = &times(&times(&dh, o), &slope) + &dmemory_next;
                let di = times(&times(&dmemory, g), &sigmoid_slope(i));
                let df = times(&times(&dmemory, &step.memory_prev), &sigmoid_slope(f));
                let dg = times(&times(&dmemory, i), &one_minus_square(g));
                let do_gate = times(&times(&dh, &tanh_memory), &sigmoid_slope(o));
                dmemory_next = times(&dmemory, f);
                vec![di, df, dg, do_gate]
            }
            _ => vec![times(&dh, &one_minus_square(&step.h))],
        };
        dh_next.fill(0.0);
        for ((gate, sum), draw) in p.gates.iter().zip(&mut gradient.gates).zip(&draws) {
            dh_next += &gate.backward(sum, draw, &step.x, &step.h_prev);
        }
    }
    (loss, gradient)
}

/// Element by element.
fn times(a: &Matrix, b: &Matrix) -> Matrix {
    let mut product = a.clone();
    product.mul_assign_elements(b);
    product
}

/// tanh' by its value.
fn one_minus_square(h: &Matrix) -> Matrix {
    let mut slope = h.clone();
    slope.map_in_place(|h| 1.0 - h * h);
    slope
}

/// The sigmoid's derivative by its value.
fn sigmoid_slope(s: &Matrix) -> Matrix {
    let mut slope = s.clone();
    slope.map_in_place(|s| s * (1.0 - s));
    slope
}

fn zeros_like(p: &Parameters) -> Parameters {
    let mut zeros = p.clone();
    for matrix in matrices(&mut zeros) {
        matrix.fill(0.0);
    }
    zeros
}

pub(crate) fn matrices(p: &mut Parameters) -> Vec<&mut Matrix> {
    let gates = p.gates.iter_mut();
    let mut all: Vec<&mut Matrix> = gates
        .flat_map(|gate| [&mut gate.U, &mut gate.W, &mut gate.b])
        .collect();
    all.extend([&mut p.V, &mut p.c]);
    all
}

/// Small random weights and zero biases, as in the notebook.
pub(crate) fn initial_parameters(gates: usize, hidden: usize, symbols: usize) -> Parameters {
    let gate = || Gate {
        U: Matrix::zeros(hidden, symbols),
        W: Matrix::zeros(hidden, hidden),
        b: Matrix::zeros(hidden, 1),
    };
    let mut p = Parameters {
        gates: (0..gates).map(|_| gate()).collect(),
        V: Matrix::zeros(symbols, hidden),
        c: Matrix::zeros(symbols, 1),
    };
    let mut rng = random::rng(0);
    let weights = matrices(&mut p)
        .into_iter()
        .filter(|matrix| matrix.cols() > 1);
    for matrix in weights {
        random::normal(&mut rng, 0.0, 0.1, matrix.as_mut_slice()).expect("0.1 is a deviation");
    }
    p
}

/// From the first character on, always the likeliest next one.
pub(crate) fn predict(p: &Parameters, first: usize, count: usize) -> Vec<usize> {
    let mut h = Matrix::zeros(p.V.cols(), 1);
    let mut memory = h.clone();
    let mut text = vec![first];
    while text.len() < count {
        let step = forward(p, text[text.len() - 1], &h, &memory);
        text.push(reduce::argmax(step.y_hat.as_slice()));
        (h, memory) = (step.h, step.memory);
    }
    text
}

/// Learns a text by plain gradient descent.
pub(crate) fn train(p: &mut Parameters, text: &[usize], epochs: usize, rate: f64) -> f64 {
    let mut last = 0.0;
    for _ in 0..epochs {
        let (loss, mut gradient) = loss_and_gradient(p, text);
        for (matrix, gradient) in matrices(p).into_iter().zip(matrices(&mut gradient)) {
            *matrix -= &(&*gradient * rate);
        }
        last = loss;
    }
    last
}

fn main() {
    // After each a, what comes next depends on what came before it.
    let text = "banana bandana";
    let symbols: Vec<char> = "abdn ".chars().collect();
    let number = |c| {
        symbols
            .iter()
            .position(|&s| s == c)
            .expect("a character of the text")
    };
    let ids: Vec<usize> = text.chars().map(number).collect();
    for (name, gates, epochs) in [("Elman", 1, 400), ("LSTM", 4, 1200)] {
        let mut p = initial_parameters(gates, 12, symbols.len());
        let loss = train(&mut p, &ids, epochs, 0.1);
        let spelled = predict(&p, ids[0], ids.len());
        let spelled: String = spelled.into_iter().map(|id| symbols[id]).collect();
        println!("{name:5}  loss {loss:.4} after {epochs} epochs: {spelled}");
    }
}
