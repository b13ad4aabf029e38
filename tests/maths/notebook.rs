//! The notebook example against numpy: the same losses, gradients, weights and text.
//!
//! The example's own functions run here, on the weights that `np.random.seed(0)` drew. The numbers
//! come from `fixtures/hello.json`; `fixtures/generate.py` wrote it.
#![allow(non_snake_case)]

use std::path::Path;
use std::process::Command;

use approx::assert_relative_eq;
use serde_json::Value;

#[path = "../../crates/rnn/examples/notebook.rs"]
#[allow(dead_code)] // its `main`
mod example;

use example::{Parameters, backward_pass, cross_entropy_loss, forward_pass};

type Matrix = tensor::Matrix<f64>;

const NAMES: [&str; 5] = ["U", "W", "V", "b", "c"];
/// "hello" in the notebook's numbering: h 0, e 1, l 2, o 3.
const HELLO: [usize; 5] = [0, 1, 2, 2, 3];

fn fixture() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/hello.json");
    let text = std::fs::read_to_string(path).expect("the fixture can be read");
    serde_json::from_str(&text).expect("the fixture is JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().expect("a number")],
    }
}

fn parameters(value: &Value) -> Parameters {
    let matrix = |name: &str, rows, cols| {
        Matrix::from_vec(rows, cols, numbers(&value[name])).expect("the notebook's shapes")
    };
    Parameters {
        U: matrix("U", 8, 4),
        W: matrix("W", 8, 8),
        V: matrix("V", 4, 8),
        b: matrix("b", 8, 1),
        c: matrix("c", 4, 1),
    }
}

fn by_name(parameters: &Parameters) -> [&Matrix; 5] {
    let Parameters { U, W, V, b, c } = parameters;
    [U, W, V, b, c]
}

/// Loss and gradients of the word, summed over its steps.
fn loss_and_gradients(parameters: &Parameters) -> (f64, Parameters) {
    let mut total = 0.0;
    let mut sums = parameters.clone();
    for sum in [
        &mut sums.U,
        &mut sums.W,
        &mut sums.V,
        &mut sums.b,
        &mut sums.c,
    ] {
        sum.fill(0.0);
    }
    let mut h_prev = Matrix::zeros(8, 1);
    for step in HELLO.windows(2) {
        let (y_hat, h, x) = forward_pass(parameters, step[0], &h_prev);
        total += cross_entropy_loss(&y_hat, step[1]);
        let (dU, dW, dV, db, dc) = backward_pass(parameters, &y_hat, step[1], &h, &h_prev, &x);
        sums.U += &dU;
        sums.W += &dW;
        sums.V += &dV;
        sums.b += &db;
        sums.c += &dc;
        h_prev = h;
    }
    (total, sums)
}

#[track_caller]
fn assert_close(what: &str, ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!(
            (a - b).abs() <= 1e-10 * b.abs().max(1e-3),
            "{what}[{i}]: {a}, numpy has {b}"
        );
    }
}

#[test]
fn first_gradients_are_numpys() {
    let fixture = fixture();
    let (loss, gradients) = loss_and_gradients(&parameters(&fixture["initial"]));
    let run = &fixture["runs"]["one_step"];
    assert_close(
        "loss",
        &[loss],
        &[run["losses"][0].as_f64().expect("a number")],
    );
    for (name, ours) in NAMES.iter().zip(by_name(&gradients)) {
        assert_close(name, ours.as_slice(), &numbers(&run["first_grads"][name]));
    }
}

#[test]
fn its_gradient_is_exact_for_v_and_c_alone() {
    let fixture = fixture();
    let (_, gradients) = loss_and_gradients(&parameters(&fixture["initial"]));
    let exact = &fixture["runs"]["bptt"]["first_grads"];
    for (name, ours) in NAMES.iter().zip(by_name(&gradients)) {
        let exact = Matrix::from_vec(ours.rows(), ours.cols(), numbers(&exact[name]));
        let exact = exact.expect("the same shape");
        let gap = (ours - &exact).norm() / exact.norm();
        match *name {
            "V" | "c" => assert!(gap < 1e-10, "{name} is off by {gap}"),
            _ => assert!(
                gap > 0.1,
                "{name} is off by {gap} only: does something flow back in time?"
            ),
        }
    }
}

#[test]
fn a_hundred_epochs_give_numpys_losses_weights_and_text() {
    let fixture = fixture();
    let run = &fixture["runs"]["one_step"];
    let mut trained = parameters(&fixture["initial"]);
    let mut losses = Vec::new();
    for _ in 0..example::N_EPOCHS {
        let (loss, gradients) = loss_and_gradients(&trained);
        losses.push(loss);
        trained.U.add_scaled(&gradients.U, -example::LEARNING_RATE);
        trained.W.add_scaled(&gradients.W, -example::LEARNING_RATE);
        trained.V.add_scaled(&gradients.V, -example::LEARNING_RATE);
        trained.b.add_scaled(&gradients.b, -example::LEARNING_RATE);
        trained.c.add_scaled(&gradients.c, -example::LEARNING_RATE);
    }
    let expected = numbers(&run["losses"]);
    assert_close("losses", &losses, &expected);

    // the notebook's own loop prints these losses and ends in the same weights
    let mut own = parameters(&fixture["initial"]);
    let mut printed = Vec::new();
    example::train(&mut own, &mut printed).expect("writing to memory");
    let lines: String = expected
        .iter()
        .zip(1..)
        .map(|(loss, n)| format!("Epoch {n}, Loss: {loss:.4}\n"))
        .collect();
    assert_eq!(String::from_utf8(printed).expect("UTF-8"), lines);
    for (i, name) in NAMES.iter().enumerate() {
        let expected = numbers(&run["final"][name]);
        assert_close(name, by_name(&trained)[i].as_slice(), &expected);
        assert_close(name, by_name(&own)[i].as_slice(), &expected);
    }
    assert_relative_eq!(
        loss_and_gradients(&own).0,
        run["loss_after"].as_f64().expect("a number"),
        max_relative = 1e-10
    );
    assert_eq!(
        example::predict(&own),
        run["greedy"].as_str().expect("a text")
    );
}

#[test]
fn it_prints_the_notebooks_lines() {
    let mut printed = Vec::new();
    example::run(0, &mut printed).expect("writing to memory");
    let printed = String::from_utf8(printed).expect("UTF-8");
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 101);
    let mut last = f64::INFINITY;
    for (line, n) in lines[..100].iter().zip(1..) {
        let loss = line
            .strip_prefix(&format!("Epoch {n}, Loss: "))
            .expect("the notebook's words");
        assert_eq!(
            loss.split_once('.').expect("a fraction").1.len(),
            4,
            "{line}"
        );
        let loss: f64 = loss.parse().expect("a number");
        assert!(loss < last, "{line}: the loss did not fall");
        last = loss;
    }
    assert_eq!(lines[100], "hello");
}

#[test]
fn twenty_seeds_spell_hello() {
    for seed in 0..20 {
        let mut printed = Vec::new();
        example::run(seed, &mut printed).expect("writing to memory");
        assert!(
            printed.ends_with(b"\nhello\n"),
            "seed {seed}: {}",
            String::from_utf8_lossy(&printed)
        );
    }
}

/// The same program in numpy, `examples/notebook.py`, draws these initial weights by its seed 0.
#[test]
fn every_line_is_the_one_that_numpy_prints() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/notebook.py");
    let has_numpy = Command::new("python3")
        .args(["-c", "import numpy"])
        .output();
    if !has_numpy.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: notebook.py is not run, since there is no numpy here");
        return;
    }
    let output = Command::new("python3")
        .arg(script)
        .output()
        .expect("it was there");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let theirs = String::from_utf8(output.stdout).expect("UTF-8");
    let mut parameters = parameters(&fixture()["initial"]);
    let mut ours = Vec::new();
    example::train(&mut parameters, &mut ours).expect("memory takes all");
    let ours = String::from_utf8(ours).expect("UTF-8") + &example::predict(&parameters) + "\n";
    assert_eq!(ours.lines().count(), example::N_EPOCHS + 1);
    assert_eq!(ours, theirs);
}
