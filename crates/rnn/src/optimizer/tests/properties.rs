//! What holds for any parameters and gradients: the same bits however the work is cut, sound values.

use super::{all, bits, draw};
use crate::optimizer::{Clip, Optimizer, OptimizerConfig};
use approx::assert_relative_eq;
use tensor::{Isa, Scalar};

/// Parameters and state after three steps.
fn run<T: Scalar>(config: OptimizerConfig, len: usize) -> Vec<u64> {
    let (mut params, grads) = draw::<T>(7, len, 3);
    let mut optimizer = Optimizer::new(config, len).unwrap();
    for mut grads in grads {
        Clip::Norm(0.5).apply(&mut grads);
        Clip::Value(0.01).apply(&mut grads);
        optimizer.step(&mut params, &grads, 0.01);
    }
    let mut all = bits(&params);
    optimizer
        .state()
        .for_each(|(_, values)| all.extend(bits(values)));
    all
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("threads")
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let len = 150_001;
    for config in all() {
        let (alone, alone_f64) = (run::<f32>(config, len), run::<f64>(config, len));
        for threads in [1, 2, 3, 7] {
            let pool = pool(threads);
            assert!(
                pool.install(|| run::<f32>(config, len)) == alone,
                "{config} x {threads}"
            );
            assert!(
                pool.install(|| run::<f64>(config, len)) == alone_f64,
                "{config} x {threads}"
            );
        }
    }
}

#[test]
fn any_instruction_set_gives_the_same_bits() {
    for config in all() {
        for len in [1, 15, 33, 1000] {
            let (best, best_f64) = (run::<f32>(config, len), run::<f64>(config, len));
            for isa in Isa::available() {
                assert_eq!(
                    isa.scope(|| run::<f32>(config, len)),
                    best,
                    "{config} {isa}"
                );
                assert_eq!(isa.scope(|| run::<f64>(config, len)), best_f64, "{config}");
            }
        }
    }
}

#[test]
fn each_parameter_is_on_its_own() {
    let (start, grads) = draw::<f32>(1, 100, 3);
    for config in all() {
        let mut together = start.clone();
        let mut optimizer = Optimizer::new(config, together.len()).unwrap();
        grads
            .iter()
            .for_each(|grads| optimizer.step(&mut together, grads, 0.01));
        for (i, &together) in together.iter().enumerate() {
            let mut alone = [start[i]];
            let mut optimizer = Optimizer::new(config, 1).unwrap();
            grads
                .iter()
                .for_each(|grads| optimizer.step(&mut alone, &grads[i..=i], 0.01));
            assert_eq!(
                alone[0].to_bits(),
                together.to_bits(),
                "{config}, parameter {i}"
            );
        }
    }
}

#[test]
fn zero_gradients_move_nothing_but_what_decays() {
    let (start, _) = draw::<f32>(2, 500, 0);
    for config in all() {
        let mut params = start.clone();
        let mut optimizer = Optimizer::new(config, params.len()).unwrap();
        (0..3).for_each(|_| optimizer.step(&mut params, &[0.0; 500], 0.1));
        match config {
            OptimizerConfig::AdamW { .. } => {
                for (&now, &before) in params.iter().zip(&start) {
                    assert_relative_eq!(now, before * 0.999_f32.powi(3), max_relative = 1e-6);
                }
            }
            _ => assert_eq!(bits(&params), bits(&start), "{config}"),
        }
    }
}

#[test]
fn f32_stays_near_f64() {
    let (start, grads) = draw::<f32>(3, 300, 20);
    for config in all() {
        let mut single = start.clone();
        let mut double: Vec<f64> = start.iter().map(|&p| p.into()).collect();
        let mut optimizers = (
            Optimizer::new(config, 300).unwrap(),
            Optimizer::new(config, 300).unwrap(),
        );
        for grads in &grads {
            optimizers.0.step(&mut single, grads, 0.01);
            let grads: Vec<f64> = grads.iter().map(|&g| g.into()).collect();
            optimizers.1.step(&mut double, &grads, 0.01);
        }
        for (&single, &double) in single.iter().zip(&double) {
            assert_relative_eq!(
                f64::from(single),
                double,
                max_relative = 1e-5,
                epsilon = 1e-6
            );
        }
    }
}

#[test]
fn tiny_and_huge_gradients_leave_parameters_finite() {
    let grads = [1e-45_f32, 1e-30, -1e-20, 1e-10, 1e10, -1e18, 0.0];
    for config in all() {
        let mut params = [0.5_f32; 7];
        let mut optimizer = Optimizer::new(config, 7).unwrap();
        (0..2000).for_each(|step| {
            optimizer.step(&mut params, if step < 5 { &grads } else { &[0.0; 7] }, 0.01);
        });
        assert!(params.iter().all(|p| p.is_finite()), "{config}: {params:?}");
    }
}

#[test]
fn averages_never_become_subnormal() {
    let (_, grads) = draw::<f32>(6, 64, 1);
    for config in all() {
        let (mut params, mut optimizer) = ([0.5_f32; 64], Optimizer::new(config, 64).unwrap());
        optimizer.step(&mut params, &grads[0], 0.01);
        for _ in 0..20_000 {
            optimizer.step(&mut params, &[0.0; 64], 0.01);
            for (name, values) in optimizer.state() {
                assert!(values.iter().all(|v| !v.is_subnormal()), "{config} {name}");
            }
        }
    }
}
