//! Products of every shape on views of every stride, against one chain for each element.

use proptest::prelude::*;
use tensor::{Matrix, MatrixView, MatrixViewMut, Scalar, random};

/// A matrix as rows `stride` apart; what is between them is not a number.
fn spread<T: Scalar>(matrix: &Matrix<T>, stride: usize) -> Vec<T> {
    let mut data = vec![T::from_f64(f64::NAN); matrix.rows() * stride];
    for row in 0..matrix.rows() {
        data[row * stride..][..matrix.cols()].copy_from_slice(matrix.row(row));
    }
    data
}

/// `c += a b` on strided views against one chain of fused operations for each element.
fn check_product<T: Scalar>((m, k, n): (usize, usize, usize), gaps: [usize; 3], seed: u64) {
    let mut generator = random::rng(seed);
    let mut matrix = |rows, cols| {
        let mut matrix = Matrix::<T>::zeros(rows, cols);
        random::normal(&mut generator, 0.0, 1.0, matrix.as_mut_slice()).expect("a spread");
        matrix
    };
    let (a, b, c) = (matrix(m, k), matrix(k, n), matrix(m, n));
    let strides = [k + gaps[0], n + gaps[1], n + gaps[2]];
    let (data_a, data_b, mut data_c) = (
        spread(&a, strides[0]),
        spread(&b, strides[1]),
        spread(&c, strides[2]),
    );
    tensor::matmul_acc(
        MatrixView::with_stride(&data_a, m, k, strides[0]),
        MatrixView::with_stride(&data_b, k, n, strides[1]),
        MatrixViewMut::with_stride(&mut data_c, m, n, strides[2]),
    );
    for row in 0..m {
        for col in 0..n {
            let chain = (0..k).fold(c[(row, col)], |sum, p| {
                a[(row, p)].mul_add(b[(p, col)], sum)
            });
            let got = data_c[row * strides[2] + col];
            assert_eq!(
                got.to_f64().to_bits(),
                chain.to_f64().to_bits(),
                "({row}, {col})"
            );
        }
        let gap = &data_c[row * strides[2] + n..(row + 1) * strides[2]];
        assert!(
            gap.iter().all(|value| !value.is_finite()),
            "wrote behind row {row}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn products_are_the_naive_ones_whatever_their_shape_and_strides(
        shape in (1..70_usize, 1..90_usize, 1..80_usize),
        gaps in [0..5_usize, 0..5_usize, 0..5_usize],
        seed in any::<u64>(),
    ) {
        check_product::<f32>(shape, gaps, seed);
        check_product::<f64>(shape, gaps, seed);
    }
}
