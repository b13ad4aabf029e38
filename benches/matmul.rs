//! Products against the limits of the core and against other crates.
//!
//! `cargo bench --features peers -p tensor --bench matmul -- square` prints, for each shape, our
//! speed, its share of what the core can do at most, and the ratio to each peer. The limit is a side
//! like the others, measured between them round by round: fused multiply-adds on registers alone,
//! and, for a single row, reading as many bytes as the weights have.

#[allow(dead_code, reason = "every bench uses a part of the harness")]
mod harness;
#[allow(dead_code, reason = "every bench uses a part of the harness")]
#[path = "harness/limits.rs"]
mod limits;
#[cfg(feature = "peers")]
#[path = "harness/peers.rs"]
mod peers;

use harness::{Bench, Side, Timing};
use tensor::{Isa, Matrix, PackedMatrix, Scalar, matmul, matmul_nt, matmul_tn, random};

/// How the operands lie in memory.
#[derive(Clone, Copy, PartialEq)]
enum Layout {
    Nn,
    Tn,
    Nt,
}

fn normal<T: Scalar>(rows: usize, cols: usize) -> Matrix<T> {
    let mut matrix = Matrix::zeros(rows, cols);
    random::normal(&mut random::rng(7), 0.0, 1.0, matrix.as_mut_slice()).expect("finite");
    matrix
}

fn main() {
    let bench = Bench::from_args();
    if bench.measures() {
        println!("instruction set {}", Isa::active());
    }

    for n in [32, 64, 128, 256, 512, 1024] {
        shape::<f32>(&bench, "square", Layout::Nn, (n, n, n));
    }
    const NETWORK: [(usize, usize, usize); 8] = [
        (32, 65, 256),
        (50, 128, 128),
        (128, 128, 50),
        (64, 512, 2048),
        (64, 512, 65),
        (65, 512, 64),
        (32, 256, 768),
        (256, 256, 32),
    ];
    for dims in NETWORK {
        shape::<f32>(&bench, "network", Layout::Nn, dims);
    }
    shape::<f32>(&bench, "network", Layout::Tn, (512, 64, 2048));
    shape::<f32>(&bench, "network", Layout::Tn, (512, 64, 512));
    shape::<f32>(&bench, "network", Layout::Nt, (64, 2048, 512));
    for (k, n) in [(256, 256), (512, 512), (2048, 512)] {
        shape::<f32>(&bench, "gemv", Layout::Nn, (1, k, n));
    }
    for n in [64, 128, 256, 512] {
        shape::<f64>(&bench, "square", Layout::Nn, (n, n, n));
    }
    shape::<f64>(&bench, "network", Layout::Nn, (64, 512, 65));
    shape::<f64>(&bench, "network", Layout::Nn, (32, 256, 768));
    for dims in [(512, 512, 512), (64, 512, 2048)] {
        threads(&bench, dims);
    }
}

fn shape<T: Element>(bench: &Bench, group: &str, layout: Layout, (m, k, n): (usize, usize, usize)) {
    let layout_name = ["nn", "tn", "nt"][layout as usize];
    let case = format!("matmul {group} {} {layout_name} {m}x{k}x{n}", T::NAME);
    if !bench.wants(&case) {
        return;
    }
    let a = if layout == Layout::Tn {
        normal::<T>(k, m)
    } else {
        normal(m, k)
    };
    let b = if layout == Layout::Nt {
        normal::<T>(n, k)
    } else {
        normal(k, n)
    };
    let packed = match layout {
        Layout::Nt => PackedMatrix::from_transposed(b.view()),
        _ => PackedMatrix::from_view(b.view()),
    };
    let operations = 2.0 * (m * k * n) as f64;
    let bytes = k * n * size_of::<T>();
    let block = (m == 1).then(|| limits::Block::new(bytes));
    let mut outputs: Vec<Matrix<T>> = (0..5).map(|_| Matrix::zeros(m, n)).collect();
    let mut outputs = outputs.iter_mut();
    let mut sides = Vec::new();
    let c = outputs.next().expect("enough");
    sides.push(Side::new("ours", || match layout {
        Layout::Nn => matmul(a.view(), b.view(), c.view_mut()),
        Layout::Tn => matmul_tn(a.view(), b.view(), c.view_mut()),
        Layout::Nt => matmul_nt(a.view(), b.view(), c.view_mut()),
    }));
    if layout != Layout::Tn {
        let c = outputs.next().expect("enough");
        sides.push(Side::new("packed", || {
            packed.matmul(a.view(), c.view_mut())
        }));
    }
    #[cfg(feature = "peers")]
    for (name, product) in T::PEERS {
        let c = outputs.next().expect("enough");
        let (a, b) = (
            peers::Operand::of(&a, layout == Layout::Tn),
            peers::Operand::of(&b, layout == Layout::Nt),
        );
        sides.push(Side::new(name, move || product(a, b, c.as_mut_slice(), 1)));
    }
    let (what, most, work) = if let Some(block) = &block {
        sides.push(Side::new(LIMIT, || block.read()));
        ("bandwidth", bytes as f64, bytes as f64)
    } else {
        let step = limits::multiply_adds::<T>(1);
        // As long as the product, but not so short that its own beginning and end count.
        let steps = (operations / step).max(20_000.0) as usize;
        sides.push(Side::new(LIMIT, move || {
            limits::multiply_adds::<T>(steps);
        }));
        ("peak", step * steps as f64, operations)
    };
    let mut timings = bench.compare(&case, sides);
    let Some(limit) = timings.pop() else { return };
    print!("{case:42}");
    for timing in timings.iter().take_while(|timing| is_own(timing)) {
        let (name, rate) = (timing.name, operations / timing.median() / 1e9);
        let share = timing.speedup(&limit) * work / most;
        print!(" {name} {rate:6.1} ({share:.2})");
    }
    let limit = most / limit.median() / 1e9;
    print!(" of {what} {limit:.0} ±{:.0}%", 100.0 * timings[0].spread());
    report_peers(&timings);
}

/// What the side is called that shows the machine's limit.
const LIMIT: &str = "limit";

fn is_own(timing: &Timing) -> bool {
    ["ours", "packed"].contains(&timing.name)
}

/// Ratios to each peer, and to the best of them.
fn report_peers(timings: &[Timing]) {
    let (own, peers): (Vec<&Timing>, Vec<&Timing>) =
        timings.iter().partition(|timing| is_own(timing));
    let best = peers
        .iter()
        .min_by(|a, b| a.median().total_cmp(&b.median()));
    if let Some(best) = best {
        for own in own {
            print!(" | {} x{:.2}", own.name, own.speedup(best));
        }
        print!(" of {}", best.name);
        for peer in &peers {
            print!(", {} x{:.2}", peer.name, timings[0].speedup(peer));
        }
    }
    println!();
}

/// Two threads against one.
fn threads(bench: &Bench, (m, k, n): (usize, usize, usize)) {
    let case = format!("matmul threads f32 nn {m}x{k}x{n}");
    if !bench.wants(&case) {
        return;
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(2)
        .build()
        .expect("two threads");
    let (a, b) = (normal::<f32>(m, k), normal::<f32>(k, n));
    let [mut one, mut two] = [Matrix::zeros(m, n), Matrix::zeros(m, n)];
    #[cfg(feature = "peers")]
    let mut outputs: Vec<Matrix<f32>> = (0..3).map(|_| Matrix::zeros(m, n)).collect();
    #[cfg_attr(not(feature = "peers"), allow(unused_mut))]
    let mut sides = vec![
        Side::new("two threads", || {
            pool.install(|| matmul(a.view(), b.view(), two.view_mut()))
        }),
        Side::new("one thread", || matmul(a.view(), b.view(), one.view_mut())),
    ];
    #[cfg(feature = "peers")]
    for ((name, product), c) in f32::PEERS.iter().zip(&mut outputs) {
        let (a, b) = (peers::Operand::of(&a, false), peers::Operand::of(&b, false));
        let pool = &pool;
        sides.push(Side::new(name, move || {
            pool.install(|| product(a, b, c.as_mut_slice(), 2))
        }));
    }
    let timings = bench.compare(&case, sides);
    let Some(ours) = timings.first() else { return };
    print!("{case:42} ±{:.0}%", 100.0 * ours.spread());
    for other in &timings[1..] {
        print!(", x{:.2} of {}", ours.speedup(other), other.name);
    }
    println!();
}

/// An element type, with the peers' products where they are built.
trait Element: Scalar {
    #[cfg(feature = "peers")]
    const PEERS: [(&'static str, peers::Product<Self>); 3];
}

impl Element for f32 {
    #[cfg(feature = "peers")]
    const PEERS: [(&'static str, peers::Product<f32>); 3] = [
        ("matrixmultiply", peers::matrixmultiply_f32),
        ("gemm", peers::gemm::<f32>),
        ("faer", peers::faer::<f32>),
    ];
}

impl Element for f64 {
    #[cfg(feature = "peers")]
    const PEERS: [(&'static str, peers::Product<f64>); 3] = [
        ("matrixmultiply", peers::matrixmultiply_f64),
        ("gemm", peers::gemm::<f64>),
        ("faer", peers::faer::<f64>),
    ];
}
