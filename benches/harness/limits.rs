//! What this core can do at most: fused multiply-adds per second, bytes read per second.

#![allow(clippy::needless_range_loop, reason = "indices name chains and lanes")]

use std::hint::black_box;
use std::time::Instant;

use tensor::{Buffer, Isa, Scalar, vectorize};

/// The fastest of this many rounds is the limit.
const ROUNDS: usize = 30;

/// GFLOP/s of fused multiply-adds on registers alone, on the instruction set in use.
pub(crate) fn multiply_add_peak<T: Scalar>() -> f64 {
    let mut operations = 0.0;
    let fastest = fastest(|| operations = multiply_adds::<T>(100_000));
    operations / fastest / 1e9
}

/// So many steps of fused multiply-adds on registers alone; returns the operations done.
pub(crate) fn multiply_adds<T: Scalar>(steps: usize) -> f64 {
    let bytes = match Isa::active().name() {
        "avx512" => 64,
        "avx2" => 32,
        _ => 16,
    };
    match bytes / size_of::<T>() {
        16 => chains::<T, 16>(steps),
        8 => chains::<T, 8>(steps),
        4 => chains::<T, 4>(steps),
        _ => chains::<T, 2>(steps),
    }
}

/// Chains that do not wait for each other: more than latency times units.
const CHAINS: usize = 12;

fn chains<T: Scalar, const W: usize>(steps: usize) -> f64 {
    let [factor, term] = black_box([[T::from_f64(0.5); W]; 2]);
    black_box(vectorize(
        #[inline(always)]
        move || {
            let mut acc = [term; CHAINS];
            for _ in 0..steps {
                // Two loops of six: the compiler unrolls one of twelve into scalar code.
                for i in 0..CHAINS / 2 {
                    for l in 0..W {
                        acc[i][l] = acc[i][l].mul_add(factor[l], term[l]);
                    }
                }
                for i in CHAINS / 2..CHAINS {
                    for l in 0..W {
                        acc[i][l] = acc[i][l].mul_add(factor[l], term[l]);
                    }
                }
            }
            acc
        },
    ));
    (2 * W * CHAINS * steps) as f64
}

/// GB/s of reading a block of so many bytes again and again.
pub(crate) fn read_bandwidth(bytes: usize) -> f64 {
    let block = Block::new(bytes);
    let passes = ((8 << 20) / bytes).max(1);
    let fastest = fastest(|| (0..passes).for_each(|_| block.read()));
    (bytes * passes) as f64 / fastest / 1e9
}

/// Memory to be read from its first byte to its last.
pub(crate) struct Block(Buffer<f32>);

impl Block {
    /// So many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Block(Buffer::from_slice(&vec![1.0; bytes / 4]))
    }

    /// Reads all of it once.
    pub(crate) fn read(&self) {
        let block = black_box(&*self.0);
        black_box(vectorize(
            #[inline(always)]
            move || {
                let mut acc = [[0.0; 16]; 8];
                for lines in block.as_chunks::<16>().0.as_chunks::<8>().0 {
                    for i in 0..4 {
                        for l in 0..16 {
                            acc[i][l] += lines[i][l];
                        }
                    }
                    for i in 4..8 {
                        for l in 0..16 {
                            acc[i][l] += lines[i][l];
                        }
                    }
                }
                acc
            },
        ));
    }
}

fn fastest(mut run: impl FnMut()) -> f64 {
    let mut fastest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        run();
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    fastest
}
