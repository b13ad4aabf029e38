//! exp, tanh, sigmoid and softmax against the standard library and against another crate.
//!
//! `cargo bench --features peers -p tensor --bench activation` adds `rten-vecmath`. Each side copies
//! its input first, since what works in place would otherwise run on its own results.

#[allow(dead_code, reason = "every bench uses a part of the harness")]
mod harness;

use harness::{Bench, Side};
use tensor::{Isa, MatrixViewMut, activation, random};

/// Elements of a slice: 16 KiB, which the first-level cache holds twice.
const ELEMENTS: usize = 4096;
/// Columns of a softmax's rows: the characters of an English text.
const COLUMNS: usize = 65;
/// Rows of a softmax.
const ROWS: usize = 64;

type InPlace = fn(&mut [f32]);

fn main() {
    let bench = Bench::from_args();
    if bench.measures() {
        println!("instruction set {}", Isa::active());
    }
    let functions: [(&str, InPlace, InPlace); 3] = [
        ("exp", activation::exp_in_place, |x| {
            x.iter_mut().for_each(|x| *x = x.exp());
        }),
        ("tanh", activation::tanh_in_place, |x| {
            x.iter_mut().for_each(|x| *x = x.tanh());
        }),
        ("sigmoid", activation::sigmoid_in_place, |x| {
            x.iter_mut().for_each(|x| *x = 1.0 / (1.0 + (-*x).exp()));
        }),
    ];
    for (name, ours, standard) in functions {
        case(&bench, name, ELEMENTS, [ours, standard]);
    }
    let softmax: InPlace = |x| activation::softmax_rows(MatrixViewMut::new(x, ROWS, COLUMNS));
    let standard: InPlace = |x| x.chunks_exact_mut(COLUMNS).for_each(standard_softmax);
    case(&bench, "softmax", ROWS * COLUMNS, [softmax, standard]);
}

fn standard_softmax(row: &mut [f32]) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|x| *x = (*x - largest).exp());
    let sum: f32 = row.iter().sum();
    row.iter_mut().for_each(|x| *x /= sum);
}

fn case(bench: &Bench, name: &'static str, len: usize, [ours, standard]: [InPlace; 2]) {
    let case = format!("activation {name} {len}");
    let mut input = vec![0.0_f32; len];
    random::normal(&mut random::rng(3), 0.0, 3.0, &mut input).expect("finite");
    let mut outputs = vec![vec![0.0_f32; len]; 3];
    let sides = [
        ("ours", Some(ours)),
        ("std", Some(standard)),
        ("rten", peer(name)),
    ]
    .into_iter()
    .zip(&mut outputs)
    .filter_map(|((side, function), output)| {
        let (function, input) = (function?, &input);
        Some(Side::new(side, move || {
            output.copy_from_slice(input);
            function(output);
        }))
    });
    let timings = bench.compare(&case, sides.collect());
    let Some(ours) = timings.first() else { return };
    let rate = len as f64 / ours.median() / 1e9;
    let spread = 100.0 * ours.spread();
    print!("{case:26} {rate:6.2} G elements/s ±{spread:.0}%");
    for other in &timings[1..] {
        print!(", x{:.2} of {}", ours.speedup(other), other.name);
    }
    println!();
}

#[cfg(not(feature = "peers"))]
fn peer(_name: &str) -> Option<InPlace> {
    None
}

/// The same of `rten-vecmath`.
#[cfg(feature = "peers")]
fn peer(name: &str) -> Option<InPlace> {
    use rten_simd::{SimdOp, SimdUnaryOp};
    use rten_vecmath::{Exp, Sigmoid, Softmax, Tanh};
    Some(match name {
        "exp" => |x| Exp {}.map_mut(x),
        "tanh" => |x| Tanh {}.map_mut(x),
        "sigmoid" => |x| Sigmoid {}.map_mut(x),
        _ => |x| {
            for row in x.chunks_exact_mut(COLUMNS) {
                Softmax::new_mut(row).dispatch();
            }
        },
    })
}
