//! The same bytes on every run, number of threads and instruction set.

use std::fs;
use std::process::Command;

use rnn::optimizer::OptimizerConfig;
use rnn::{CellKind, Model, SampleOptions, TrainConfig};
use tensor::Isa;

use crate::common::{run, settings, text, trainer};

/// The bytes of a model after a few steps with dropout, its history and sums included.
fn trained(
    (cell, hidden_size, num_layers): (CellKind, usize, usize),
    config: TrainConfig,
    threads: usize,
) -> Vec<u8> {
    let shape = (cell, hidden_size, num_layers);
    let mut trainer = trainer::<f32>(&text(6_000), &[0.8, 0.2], shape, config);
    run(&mut trainer, threads);
    trainer.current_model().to_bytes()
}

/// A batch in windows of 6 steps, three of them, with an evaluation after each.
fn with_dropout(batch_size: usize) -> TrainConfig {
    TrainConfig {
        dropout: 0.3,
        eval_every: 1,
        ..settings(batch_size, 6, 3)
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    for cell in CellKind::ALL {
        for num_layers in 1..=2 {
            for batch_size in [1, 5, 8, 33, 50, 64] {
                let shape = (cell, 24, num_layers);
                let one = trained(shape, with_dropout(batch_size), 1);
                for threads in [2, 3, 7] {
                    let several = trained(shape, with_dropout(batch_size), threads);
                    assert!(
                        one == several,
                        "{cell}, {num_layers} layers, batch {batch_size}: \
                         {threads} threads give other bytes than one"
                    );
                }
            }
        }
    }
}

/// Large enough that single products and updates are shared out among the threads.
#[test]
fn threads_that_share_one_product_give_the_same_bytes() {
    for cell in CellKind::ALL {
        let shape = (cell, 96, 2);
        for config in [
            with_dropout(64),
            TrainConfig {
                horizon: Some(2),
                ..with_dropout(40)
            },
            TrainConfig {
                locked_dropout: true,
                weight_dropout: 0.3,
                optimizer: OptimizerConfig::ADAMW,
                ..with_dropout(40)
            },
        ] {
            let one = trained(shape, config, 1);
            for threads in [2, 3, 7] {
                let several = trained(shape, config, threads);
                assert!(
                    one == several,
                    "{cell}, batch {}: {threads} threads give other bytes than one",
                    config.batch_size
                );
            }
        }
    }
}

#[test]
fn two_runs_give_the_same_bytes_and_another_seed_others() {
    for cell in CellKind::ALL {
        let shape = (cell, 24, 2);
        let first = trained(shape, with_dropout(8), 1);
        assert!(first == trained(shape, with_dropout(8), 1), "{cell}");
        let other = TrainConfig {
            seed: 2,
            ..with_dropout(8)
        };
        assert!(first != trained(shape, other, 1), "{cell}");
    }
}

/// Models of every cell and what they write and score, as one string of bytes.
fn everything() -> Vec<u8> {
    let mut bytes = Vec::new();
    for cell in CellKind::ALL {
        for (num_layers, batch_size) in [(1, 5), (2, 33)] {
            let file = trained((cell, 20, num_layers), with_dropout(batch_size), 2);
            let model = Model::from_bytes(&file).expect("its own bytes");
            let options = SampleOptions {
                top_p: Some(0.9),
                ..SampleOptions::default()
            };
            let sampler = model.sample("the ", &options).expect("known characters");
            let written: rnn::Result<String> = sampler.take(80).collect();
            bytes.extend(written.expect("sound weights").bytes());
            let score = model.score(&text(500)).expect("known characters");
            bytes.extend(score.nats.to_le_bytes());
            bytes.extend(file);
        }
    }
    bytes
}

/// Where a child of the test below leaves its bytes.
const CHILD: &str = "RNN_TEST_DETERMINISM_CHILD";

/// `TENSOR_ISA` is read once in a process, so each instruction set gets a process of its own: this
/// very test, which does nothing but write its bytes when it finds [`CHILD`] set.
#[test]
fn every_instruction_set_gives_the_same_bytes() {
    if let Some(path) = std::env::var_os(CHILD) {
        println!("running on {}", Isa::active());
        fs::write(path, everything()).expect("the parent's folder can be written");
        return;
    }
    // Its name without that of the program.
    let name = concat!(
        module_path!(),
        "::every_instruction_set_gives_the_same_bytes"
    );
    let name = name.split_once("::").map_or(name, |(_, name)| name);
    let here = everything();
    let folder = tempfile::tempdir().expect("a temporary folder");
    for isa in ["portable", "avx2", "avx512", "neon"] {
        if !Isa::available().iter().any(|known| known.name() == isa) {
            println!("skipped: this processor has no {isa}");
            continue;
        }
        let path = folder.path().join(isa);
        let program = std::env::current_exe().expect("the path of this test");
        let child = Command::new(program)
            .args(["--exact", name])
            .arg("--nocapture")
            .env("TENSOR_ISA", isa)
            .env(CHILD, &path)
            .output()
            .expect("this test starts again");
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success(), "{isa}: {said}");
        assert!(said.contains(&format!("running on {isa}")), "{isa}: {said}");
        let theirs = fs::read(&path).expect("the child has written its bytes");
        assert!(
            here == theirs,
            "{isa} gives other bytes than {}",
            Isa::active()
        );
    }
}
