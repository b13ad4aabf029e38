//! Products on every instruction set this machine has, bit for bit against the naive triple loop.

use tensor::{
    Isa, Matrix, MatrixView, MatrixViewMut, PackedMatrix, Scalar, matmul, matmul_acc, matmul_nt,
    matmul_nt_acc, matmul_tn, matmul_tn_acc, random,
};

/// One chain per element: from C or +0, one fused multiply-add per k, ascending.
fn naive<T: Scalar>(a: &Matrix<T>, b: &Matrix<T>, c: &mut Matrix<T>) {
    for i in 0..a.rows() {
        for j in 0..b.cols() {
            for p in 0..a.cols() {
                c[(i, j)] = a[(i, p)].mul_add(b[(p, j)], c[(i, j)]);
            }
        }
    }
}

fn normal<T: Scalar>(rows: usize, cols: usize, seed: u64) -> Matrix<T> {
    let mut matrix = Matrix::zeros(rows, cols);
    random::normal(&mut random::rng(seed), 0.0, 1.0, matrix.as_mut_slice()).unwrap();
    matrix
}

fn same_bits<T: Scalar>(got: &Matrix<T>, want: &Matrix<T>, what: &str) {
    assert_eq!(got.shape(), want.shape(), "{what}");
    for (i, (g, w)) in got.as_slice().iter().zip(want.as_slice()).enumerate() {
        // f32 to f64 is exact and keeps the sign of zero.
        let (g, w) = (g.to_f64().to_bits(), w.to_f64().to_bits());
        let (row, col) = (i / got.cols(), i % got.cols());
        assert_eq!(g, w, "{what}: element ({row}, {col}) differs");
    }
}

/// Elements that a block goes on for after the last row of the matrix inside it.
const BEHIND: usize = 100;

/// A copy of `x` inside a larger block, as rows `stride` apart; the rest is NaN.
fn spread<T: Scalar>(x: &Matrix<T>, stride: usize) -> Vec<T> {
    let mut data = vec![T::from_f64(f64::NAN); x.rows() * stride + BEHIND];
    for r in 0..x.rows() {
        data[r * stride..][..x.cols()].copy_from_slice(x.row(r));
    }
    data
}

fn gather<T: Scalar>(data: &[T], rows: usize, cols: usize, stride: usize) -> Matrix<T> {
    for r in 0..rows {
        assert!(
            data[r * stride + cols..(r + 1) * stride]
                .iter()
                .all(|x| !x.is_finite()),
            "wrote past the end of row {r}"
        );
    }
    let behind = &data[rows * stride..];
    assert!(behind.len() == BEHIND && behind.iter().all(|x| !x.is_finite()));
    Matrix::from_fn(rows, cols, |r, c| data[r * stride + c])
}

type Product<T> = fn(MatrixView<'_, T>, MatrixView<'_, T>, MatrixViewMut<'_, T>);
type Case<'a, T> = (
    &'a str,
    &'a Matrix<T>,
    &'a Matrix<T>,
    Product<T>,
    &'a Matrix<T>,
);

/// Every layout, overwriting and accumulating, contiguous and strided.
fn check<T: Scalar>(m: usize, k: usize, n: usize) {
    let a = normal::<T>(m, k, 1);
    let b = normal::<T>(k, n, 2);
    let c = normal::<T>(m, n, 3);
    let mut product = Matrix::zeros(m, n);
    naive(&a, &b, &mut product);
    let mut sum = c.clone();
    naive(&a, &b, &mut sum);

    let (a_t, b_t) = (a.transpose(), b.transpose());
    let cases: [Case<'_, T>; 6] = [
        ("nn", &a, &b, matmul, &product),
        ("nn acc", &a, &b, matmul_acc, &sum),
        ("tn", &a_t, &b, matmul_tn, &product),
        ("tn acc", &a_t, &b, matmul_tn_acc, &sum),
        ("nt", &a, &b_t, matmul_nt, &product),
        ("nt acc", &a, &b_t, matmul_nt_acc, &sum),
    ];
    for (name, a, b, f, want) in cases {
        // Matrices, unlike the views below, start with a cache line.
        let mut got = c.clone();
        f(a.view(), b.view(), got.view_mut());
        same_bits(
            &got,
            want,
            &format!("{} {name} {m} x {k} x {n}", Isa::active()),
        );
        for gap in [0, 3] {
            let what = format!("{} {name} {m} x {k} x {n}, gap {gap}", Isa::active());
            let (a_stride, b_stride, c_stride) = (a.cols() + gap, b.cols() + gap, n + gap);
            let a_data = spread(a, a_stride);
            let b_data = spread(b, b_stride);
            let mut c_data = spread(&c, c_stride);
            f(
                MatrixView::with_stride(&a_data, a.rows(), a.cols(), a_stride),
                MatrixView::with_stride(&b_data, b.rows(), b.cols(), b_stride),
                MatrixViewMut::with_stride(&mut c_data, m, n, c_stride),
            );
            same_bits(&gather(&c_data, m, n, c_stride), want, &what);
        }
    }

    let mut packed = PackedMatrix::new(k, n);
    for (name, from_transposed) in [("packed", false), ("packed transposed", true)] {
        let what = format!("{} {name} {m} x {k} x {n}", Isa::active());
        if from_transposed {
            packed.pack_transposed(b_t.view());
        } else {
            packed.pack(b.view());
        }
        let mut got = c.clone();
        packed.matmul(a.view(), got.view_mut());
        same_bits(&got, &product, &what);
        let mut c_data = spread(&c, n + 5);
        packed.matmul_acc(
            a.view(),
            MatrixViewMut::with_stride(&mut c_data, m, n, n + 5),
        );
        same_bits(&gather(&c_data, m, n, n + 5), &sum, &what);
    }
}

fn on_every_isa(test: impl Fn()) {
    for isa in Isa::available() {
        isa.scope(&test);
    }
}

#[test]
fn small_sizes_have_the_bits_of_the_naive_loop() {
    on_every_isa(|| {
        for m in 0..=17 {
            for k in [0, 1, 2, 3, 5, 8, 15, 16, 17] {
                for n in 0..=17 {
                    check::<f32>(m, k, n);
                    check::<f64>(m, k, n);
                }
            }
        }
    });
}

#[test]
fn odd_sizes_have_the_bits_of_the_naive_loop() {
    const SIZES: [usize; 6] = [63, 65, 67, 100, 129, 257];
    on_every_isa(|| {
        for (i, &m) in SIZES.iter().enumerate() {
            for (j, &n) in SIZES.iter().enumerate() {
                let k = SIZES[(i + j) % SIZES.len()];
                check::<f32>(m, k, n);
                check::<f64>(m, k, n);
            }
        }
    });
}

/// More rows, and longer chains, than the five loops have in a block; and as many tiles below each other
/// as make them copy a B whose rows start with cache lines, and one whose rows do not.
#[test]
fn sizes_past_every_block_have_the_bits_of_the_naive_loop() {
    on_every_isa(|| {
        for (m, k, n) in [
            (1030, 9, 70),
            (30, 1030, 35),
            (510, 520, 16),
            (390, 40, 16),
            (40, 20, 1024),
        ] {
            check::<f32>(m, k, n);
            check::<f64>(m, k, n);
        }
    });
}

/// Columns of a matrix whose rows start with cache lines, as many as do not fill a vector.
#[test]
fn columns_of_a_wider_matrix_have_the_bits_of_the_naive_loop() {
    on_every_isa(|| {
        for k in [20, 520] {
            let (a, wide) = (normal::<f32>(510, k, 1), normal::<f32>(k, 48, 2));
            let narrow = Matrix::from_fn(k, 35, |r, c| wide[(r, c)]);
            let mut want = Matrix::zeros(510, 35);
            naive(&a, &narrow, &mut want);
            let mut got = normal(510, 35, 3);
            matmul(a.view(), wide.view().col_range(0..35), got.view_mut());
            same_bits(&got, &want, &format!("{} 510 x {k} x 35", Isa::active()));
        }
    });
}

/// Nothing to copy, wherever it would lie.
#[test]
fn weights_without_rows_pack_to_a_product_of_zeros() {
    on_every_isa(|| {
        let mut packed = PackedMatrix::<f32>::new(0, 3);
        packed.pack_transposed(MatrixView::with_stride(&[], 3, 0, 5));
        let mut c = normal(2, 3, 1);
        packed.matmul(Matrix::zeros(2, 0).view(), c.view_mut());
        assert_eq!(c, Matrix::zeros(2, 3));
    });
}

#[test]
fn one_row_has_the_bits_of_the_same_row_in_a_large_product() {
    on_every_isa(|| {
        let (a, b) = (normal::<f32>(40, 300, 4), normal::<f32>(300, 530, 5));
        let packed = PackedMatrix::from_view(b.view());
        let mut whole = Matrix::zeros(40, 530);
        packed.matmul(a.view(), whole.view_mut());
        for r in 0..40 {
            let mut row = Matrix::zeros(1, 530);
            packed.matmul(a.view().row_range(r..r + 1), row.view_mut());
            assert_eq!(row.as_slice(), whole.row(r), "row {r}");
        }
    });
}

/// Large enough for the products of a pool to be cut by rows, and those of one row by columns.
#[test]
fn a_pool_changes_no_bit() {
    let (k, n) = (1031, 1100);
    let b = normal::<f32>(k, n, 2);
    let packed = PackedMatrix::from_view(b.view());
    for m in [1, 2, 63, 64, 67, 130] {
        let a = normal::<f32>(m, k, 1);
        let start = normal::<f32>(m, n, 3);
        let run = || {
            let [mut plain, mut weights] = [start.clone(), start.clone()];
            matmul_acc(a.view(), b.view(), plain.view_mut());
            packed.matmul_acc(a.view(), weights.view_mut());
            (plain, weights)
        };
        let alone = run();
        for threads in [2, 3, 7] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let together = pool.build().unwrap().install(run);
            let what = format!("{m} rows, {threads} threads");
            same_bits(&together.0, &alone.0, &what);
            same_bits(&together.1, &alone.1, &what);
            same_bits(&alone.1, &alone.0, &what);
        }
    }
}
