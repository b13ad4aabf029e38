//! The notebook, cell by cell: a network of eight hidden units learns to spell one word.
//!
//! Read it beside `notebook.py`, the same in numpy. Each "In \[n\]" below is the cell of that number,
//! with its names, its order and its printed lines. Vectors are columns, as there. What Rust changes:
//! the weights are not global, so the functions take them as `parameters`; `np.dot(A, B)` is
//! `A.matmul(&B)`, `np.dot(A.T, B)` is `A.matmul_tn(&B)` and `np.dot(A, B.T)` is `A.matmul_nt(&B)`.
//!
//! ```sh
//! cargo run -p rnn --example notebook          # seed 0
//! cargo run -p rnn --example notebook -- 7     # other initial weights
//! ```
#![allow(non_snake_case)] // U, W, V and dU, dW, dV are the notebook's names

// In [19]: what we compute with
use std::io::{self, Write};
use std::process::ExitCode;

use tensor::{random, reduce};

type Matrix = tensor::Matrix<f64>;

// In [20]: sample data: "hello"
const INDEX_TO_CHAR: [char; 4] = ['h', 'e', 'l', 'o'];
const TEXT: &str = "hello";

fn char_to_index(character: char) -> usize {
    let found = INDEX_TO_CHAR.iter().position(|&c| c == character);
    found.expect("a character of the sample data")
}

// In [21]: sizes
const INPUT_SIZE: usize = INDEX_TO_CHAR.len();
const HIDDEN_SIZE: usize = 8;
const OUTPUT_SIZE: usize = INDEX_TO_CHAR.len();

// In [22]: small random weights and zero biases
#[derive(Clone)]
pub(crate) struct Parameters {
    pub(crate) U: Matrix, // [hidden, input]
    pub(crate) W: Matrix, // [hidden, hidden]
    pub(crate) V: Matrix, // [output, hidden]
    pub(crate) b: Matrix, // [hidden, 1], hidden bias (the notebook's remarks on b and c are swapped)
    pub(crate) c: Matrix, // [output, 1], output bias
}

pub(crate) fn initial_parameters(seed: u64) -> Parameters {
    let mut rng = random::rng(seed);
    let mut randn = |rows, cols| {
        let mut matrix = Matrix::zeros(rows, cols);
        random::normal(&mut rng, 0.0, 0.1, matrix.as_mut_slice()).expect("0.1 is a deviation");
        matrix
    };
    Parameters {
        U: randn(HIDDEN_SIZE, INPUT_SIZE),
        W: randn(HIDDEN_SIZE, HIDDEN_SIZE),
        V: randn(OUTPUT_SIZE, HIDDEN_SIZE),
        b: Matrix::zeros(HIDDEN_SIZE, 1),
        c: Matrix::zeros(OUTPUT_SIZE, 1),
    }
}

// In [23]: h = tanh(U x + W h_prev + b), y_hat = softmax(V h + c)
pub(crate) fn forward_pass(
    parameters: &Parameters,
    input_index: usize,
    h_prev: &Matrix,
) -> (Matrix, Matrix, Matrix) {
    let Parameters { U, W, V, b, c } = parameters;
    let mut x = Matrix::zeros(INPUT_SIZE, 1);
    x[(input_index, 0)] = 1.0;

    let h = (&(&U.matmul(&x) + &W.matmul(h_prev)) + b).tanh();
    let o = &V.matmul(&h) + c;
    let exp_o = o.exp();
    let y_hat = &exp_o * (1.0 / exp_o.sum());

    (y_hat, h, x)
}

// In [24]: the surprise, in nats, at the character that came
pub(crate) fn cross_entropy_loss(y_hat: &Matrix, target_index: usize) -> f64 {
    -y_hat[(target_index, 0)].ln()
}

// In [25]: the gradient of one step's loss.
//
// It leaves something out: h also feeds the next step, so the losses of later steps depend on it
// too, but dh takes only what comes from this step's output. Nothing flows from t+1 to t. The
// gradients of V and c are exact, those of U, W and b are not; it learns this word nevertheless.
// Backpropagation through time, which adds the missing term, is in `bptt.rs` beside this file, and for
// many sequences at once in `src/bptt/mod.rs`.
pub(crate) fn backward_pass(
    parameters: &Parameters,
    y_hat: &Matrix,
    target_index: usize,
    h: &Matrix,
    h_prev: &Matrix,
    x: &Matrix,
) -> (Matrix, Matrix, Matrix, Matrix, Matrix) {
    let mut do_ = y_hat.clone(); // `do` is a reserved word in Rust
    do_[(target_index, 0)] -= 1.0;
    let dV = do_.matmul_nt(h);
    let dc = do_.clone();

    let dh = parameters.V.matmul_tn(&do_);
    let mut dhraw = h.clone();
    dhraw.map_in_place(|h| 1.0 - h * h);
    dhraw.mul_assign_elements(&dh);

    let db = dhraw.clone();
    let dU = dhraw.matmul_nt(x);
    let dW = dhraw.matmul_nt(h_prev);

    (dU, dW, dV, db, dc)
}

// In [26]: hyperparameters, and the training loop
pub(crate) const LEARNING_RATE: f64 = 0.1;
pub(crate) const N_EPOCHS: usize = 100;

pub(crate) fn train(parameters: &mut Parameters, out: &mut impl Write) -> io::Result<()> {
    let text: Vec<char> = TEXT.chars().collect();

    for epoch in 0..N_EPOCHS {
        let mut loss = 0.0;
        let mut dU = Matrix::zeros(HIDDEN_SIZE, INPUT_SIZE);
        let mut dW = Matrix::zeros(HIDDEN_SIZE, HIDDEN_SIZE);
        let mut dV = Matrix::zeros(OUTPUT_SIZE, HIDDEN_SIZE);
        let mut db = Matrix::zeros(HIDDEN_SIZE, 1);
        let mut dc = Matrix::zeros(OUTPUT_SIZE, 1);

        let mut h_prev = Matrix::zeros(HIDDEN_SIZE, 1); // reset per epoch

        for t in 0..text.len() - 1 {
            let input_index = char_to_index(text[t]);
            let target_index = char_to_index(text[t + 1]);

            let h_prev_old = h_prev;
            let (y_hat, h, x) = forward_pass(parameters, input_index, &h_prev_old);
            h_prev = h;

            loss += cross_entropy_loss(&y_hat, target_index);

            let (dU_t, dW_t, dV_t, db_t, dc_t) =
                backward_pass(parameters, &y_hat, target_index, &h_prev, &h_prev_old, &x);

            dU += &dU_t;
            dW += &dW_t;
            dV += &dV_t;
            db += &db_t;
            dc += &dc_t;
        }

        parameters.U -= &(&dU * LEARNING_RATE);
        parameters.W -= &(&dW * LEARNING_RATE);
        parameters.V -= &(&dV * LEARNING_RATE);
        parameters.b -= &(&db * LEARNING_RATE);
        parameters.c -= &(&dc * LEARNING_RATE);

        writeln!(out, "Epoch {}, Loss: {loss:.4}", epoch + 1)?;
    }
    Ok(())
}

// In [27]: from 'h', always go on with the most likely character
pub(crate) fn predict(parameters: &Parameters) -> String {
    let mut h_prev = Matrix::zeros(HIDDEN_SIZE, 1);
    let mut predicted_text = String::from("h");
    let mut current_char = 'h';

    for _ in 0..TEXT.len() - 1 {
        let input_index = char_to_index(current_char);
        let (y_hat, h, _) = forward_pass(parameters, input_index, &h_prev);
        h_prev = h;
        let predicted_index = reduce::argmax(y_hat.as_slice());
        current_char = INDEX_TO_CHAR[predicted_index];
        predicted_text.push(current_char);
    }
    predicted_text
}

/// The cells that print, in order.
pub(crate) fn run(seed: u64, out: &mut impl Write) -> io::Result<()> {
    let mut parameters = initial_parameters(seed);
    train(&mut parameters, out)?;
    writeln!(out, "{}", predict(&parameters))
}

fn main() -> ExitCode {
    let argument = std::env::args_os().nth(1).unwrap_or_else(|| "0".into());
    let Some(seed) = argument.to_str().and_then(|text| text.parse().ok()) else {
        eprintln!("error: seed must be a whole number from 0 to 2^64 - 1, got {argument:?}");
        return ExitCode::from(2);
    };
    match run(seed, &mut io::stdout().lock()) {
        // `| head` has read enough: nothing is wrong
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("error: cannot write to standard output: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}
