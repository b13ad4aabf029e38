//! exp, tanh, sigmoid and softmax against f64, at their ends, and on every instruction set.

use tensor::{Isa, Matrix, activation, random, reduce, vectorize};

/// The distance in units in the last place of the exact value `want`, as f32 counts them there.
fn ulps(got: f32, want: f64) -> f64 {
    if f64::from(got) == want || (got.is_nan() && want.is_nan()) {
        return 0.0;
    }
    let nearest = want as f32;
    if nearest.is_infinite() || got.is_infinite() || got.is_nan() {
        return if nearest == got { 0.0 } else { f64::INFINITY };
    }
    // One unit: the gap above |want| rounded down to f32, at least the smallest denormal.
    let exponent = (nearest.abs().to_bits() >> 23).max(1) as i32 - 127 - 23;
    (f64::from(got) - want).abs() / libm::ldexp(1.0, exponent)
}

fn sigmoid(x: f64) -> f64 {
    let e = libm::exp(-x.abs());
    if x < 0.0 {
        e / (1.0 + e)
    } else {
        1.0 / (1.0 + e)
    }
}

type InPlace = fn(&mut [f32]);
type Function = (&'static str, InPlace, fn(f64) -> f64, f64);

/// The function in use, the exact one, and how many ulps may lie between them.
const FUNCTIONS: [Function; 3] = [
    ("exp", activation::exp_in_place, libm::exp, 1.0),
    ("tanh", activation::tanh_in_place, libm::tanh, 2.0),
    ("sigmoid", activation::sigmoid_in_place, sigmoid, 2.0),
];

/// The largest error over the given bit patterns, and where it is.
fn worst(bits: impl Iterator<Item = u32>, (name, f, exact, limit): Function) -> (f64, f32) {
    let mut worst = (0.0, 0.0);
    let mut x = Vec::with_capacity(4096);
    let mut check = |x: &mut Vec<f32>| {
        let mut y = x.clone();
        f(&mut y);
        for (&x, &y) in x.iter().zip(&y) {
            let error = ulps(y, exact(f64::from(x)));
            assert!(
                error <= limit,
                "{name}({x:e}) = {y:e} is {error} ulp off, limit {limit}"
            );
            if error > worst.0 {
                worst = (error, x);
            }
        }
        x.clear();
    };
    for bits in bits {
        x.push(f32::from_bits(bits));
        if x.len() == 4096 {
            check(&mut x);
        }
    }
    check(&mut x);
    worst
}

#[test]
fn a_dense_sample_of_all_floats_is_within_the_limits() {
    for isa in Isa::available() {
        // Where nothing else is known, a fused multiply-add may be a call.
        let step = if isa == Isa::PORTABLE { 16_411 } else { 1_021 };
        isa.scope(|| {
            for function in FUNCTIONS {
                worst((0..=u32::MAX).step_by(step), function);
            }
        });
    }
}

#[test]
#[ignore = "all 2^32 floats take minutes"]
fn every_float_is_within_the_limits() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u32;
    for function in FUNCTIONS {
        let (error, x) = std::thread::scope(|scope| {
            let part = |t: u32| worst((t..=u32::MAX).step_by(threads as usize), function);
            let workers: Vec<_> = (0..threads).map(|t| scope.spawn(move || part(t))).collect();
            let results = workers.into_iter().map(|worker| worker.join().unwrap());
            results.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
        });
        println!("{}: at most {error:.3} ulp, at {x:e}", function.0);
    }
}

fn apply(f: InPlace, x: f32) -> f32 {
    let mut x = [x];
    f(&mut x);
    x[0]
}

#[test]
fn ends_zeros_and_nan_are_exact() {
    let smallest = f32::from_bits(1);
    for isa in Isa::available() {
        isa.scope(|| {
            let exp = |x| apply(activation::exp_in_place, x);
            assert_eq!([exp(0.0), exp(-0.0), exp(smallest)], [1.0; 3]);
            assert_eq!(
                [exp(f32::INFINITY), exp(f32::NEG_INFINITY)],
                [f32::INFINITY, 0.0]
            );
            assert_eq!([exp(89.0), exp(-104.0)], [f32::INFINITY, 0.0]);
            assert!(exp(f32::NAN).is_nan());

            let tanh = |x| apply(activation::tanh_in_place, x);
            for x in [0.0, -0.0, smallest, -smallest, 1e-30, -1e-30] {
                assert_eq!(
                    tanh(x).to_bits(),
                    x.to_bits(),
                    "tanh({x:e}) = {:e}",
                    tanh(x)
                );
            }
            assert_eq!([tanh(f32::INFINITY), tanh(f32::NEG_INFINITY)], [1.0, -1.0]);
            assert!(tanh(f32::NAN).is_nan());

            let sigmoid = |x| apply(activation::sigmoid_in_place, x);
            assert_eq!([sigmoid(0.0), sigmoid(-0.0), sigmoid(smallest)], [0.5; 3]);
            assert_eq!(
                [sigmoid(f32::INFINITY), sigmoid(f32::NEG_INFINITY)],
                [1.0, 0.0]
            );
            assert!(sigmoid(-100.0) > 0.0, "a denormal, not zero");
            assert!(sigmoid(f32::NAN).is_nan());
        });
    }
}

/// Bits of everything that is not a product, on the instruction set in use.
fn fingerprint(len: usize) -> Vec<u32> {
    let mut x = vec![0.0_f32; len];
    random::normal(&mut random::rng(len as u64), 0.0, 4.0, &mut x).unwrap();
    let mut bits = Vec::new();
    let fills: [InPlace; 4] = [
        activation::exp_in_place,
        activation::tanh_in_place,
        activation::sigmoid_in_place,
        activation::softmax_in_place,
    ];
    for f in fills {
        let mut y = x.clone();
        f(&mut y);
        bits.extend(y.iter().map(|y| y.to_bits()));
        let sums = vectorize(
            #[inline(always)]
            || {
                let [sum, dot, max] = [reduce::sum(&x), reduce::dot(&x, &y), reduce::max(&x)];
                let wide = [reduce::sum_f64(&x), reduce::sum_squares_f64(&x)];
                ([sum, dot, max].map(f32::to_bits), wide.map(f64::to_bits))
            },
        );
        bits.extend(sums.0);
        bits.extend(
            sums.1
                .iter()
                .flat_map(|&sum| [sum as u32, (sum >> 32) as u32]),
        );
    }
    bits
}

#[test]
fn every_instruction_set_has_the_same_bits() {
    for len in (0..=17).chain([31, 32, 33, 63, 64, 65, 67, 100, 129, 257, 4096]) {
        let want = Isa::PORTABLE.scope(|| fingerprint(len));
        for isa in Isa::available() {
            assert!(
                isa.scope(|| fingerprint(len)) == want,
                "{isa}, {len} elements"
            );
        }
    }
}

#[test]
fn softmax_survives_large_logits_and_adds_up_to_one() {
    for shift in [0.0, 1e4, -1e4] {
        let logits = Matrix::from_fn(3, 65, |r, c| shift + ((r * 65 + c) % 7) as f32);
        let p = logits.clone().softmax_rows();
        for r in 0..3 {
            assert!((reduce::sum_f64(p.row(r)) - 1.0).abs() < 1e-6);
            let largest = logits.row(r).iter().copied().fold(f32::MIN, f32::max);
            let exact: Vec<f64> = logits
                .row(r)
                .iter()
                .map(|x| f64::from(x - largest).exp())
                .collect();
            let sum: f64 = exact.iter().sum();
            for c in 0..65 {
                approx::assert_relative_eq!(
                    f64::from(p[(r, c)]),
                    exact[c] / sum,
                    max_relative = 1e-6
                );
            }
        }
    }
}
