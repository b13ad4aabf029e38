//! Characters as points in a plane: which of them a network reads and predicts alike.
//!
//! A character has two vectors in a network: its row of `decoder.weight`, which says which states
//! predict it, and its column of `weight_ih_l0`, which says what reading it does. A map shows the first
//! two principal components of `V` such vectors: subtract the mean row from `X`; then take the unit
//! vectors `v` for which `||X v||^2` is largest, the second orthogonal to the first. They are
//! eigenvectors of `X^T X`, found by power iteration on the smaller of `X^T X` and `X X^T`, which have
//! the same eigenvalues.

use tensor::{Matrix, MatrixView, Scalar, reduce};

use super::property::is_vowel;
use crate::error::Result;
use crate::memory;
use crate::network::Network;

/// The most products of one power iteration. It converges slowly only for close eigenvalues, where
/// either direction shows the same spread.
const MOST_ITERATIONS: usize = 500;
/// A direction has converged when no component changes by more than this.
const CONVERGED: f64 = 1e-11;

/// A plane with a point for each row of a matrix.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Map {
    /// `X v_1` and `X v_2` of each row.
    pub points: Vec<[f64; 2]>,
    /// The share of the total variance along each axis.
    pub explained: [f64; 2],
}

/// The characters of a network in its output and its input weights, one point for each id.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Letters {
    /// From the rows of `decoder.weight`.
    pub decoder: Map,
    /// From the columns of `weight_ih_l0`.
    pub input: Map,
}

/// A kind of character; each has its own colour on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// a, e, i, o or u, with or without an accent.
    Vowel,
    /// Any other letter.
    Consonant,
    /// An upper-case letter.
    Capital,
    /// A digit in any script.
    Digit,
    /// White space.
    Space,
    /// Anything else.
    Other,
}

impl Class {
    /// All classes.
    pub const ALL: [Class; 6] = [
        Class::Vowel,
        Class::Consonant,
        Class::Capital,
        Class::Digit,
        Class::Space,
        Class::Other,
    ];

    /// The class of a character.
    pub fn of(character: char) -> Self {
        match character {
            _ if character.is_whitespace() => Class::Space,
            _ if character.is_numeric() => Class::Digit,
            _ if character.is_uppercase() => Class::Capital,
            _ if is_vowel(character) => Class::Vowel,
            _ if character.is_alphabetic() => Class::Consonant,
            _ => Class::Other,
        }
    }

    /// The name of the class in text, in the plural.
    pub fn name(self) -> &'static str {
        match self {
            Class::Vowel => "vowels",
            Class::Consonant => "other letters",
            Class::Capital => "capitals",
            Class::Digit => "digits",
            Class::Space => "spaces",
            Class::Other => "signs",
        }
    }
}

/// Maps the characters of a network by the states that predict them and by what reading them does.
///
/// ```
/// use rnn::{CellKind, Init, Network, NetworkConfig, insight};
///
/// let config = NetworkConfig { cell: CellKind::GRU, vocab_size: 9, hidden_size: 8, num_layers: 1 };
/// let letters = insight::letters(&Network::<f32>::new(config, &Init::default(), 1)?)?;
/// assert_eq!((letters.decoder.points.len(), letters.input.points.len()), (9, 9));
/// # Ok::<(), rnn::Error>(())
/// ```
///
/// # Errors
/// As [`principal_components`].
pub fn letters<T: Scalar>(network: &Network<T>) -> Result<Letters> {
    let (params, layout) = (network.parameters(), network.parameters().layout());
    Ok(Letters {
        decoder: principal_components(params.matrix(layout.decoder_weight))?,
        // Held transposed, so the columns of a file are rows here.
        input: principal_components(params.matrix(layout.layers[0].weight_ih))?,
    })
}

/// The first two principal components of the rows of a matrix.
///
/// The result depends on the matrix only: the iteration starts from fixed numbers, and the point
/// farthest out on each axis has a positive coordinate.
///
/// # Errors
/// [`Error::TooLarge`](crate::Error::TooLarge) where there is no memory for a copy in f64 and the
/// products of its rows, or of its columns if they are fewer.
pub fn principal_components<T: Scalar>(rows: MatrixView<'_, T>) -> Result<Map> {
    let (count, width) = (rows.rows(), rows.cols());
    let (is_wide, side) = (count <= width, count.min(width));
    let numbers = [
        memory::product(&[count, width]),
        memory::product(&[side, side]),
    ];
    let vectors = memory::product(&[3, count]);
    let numbers = numbers.into_iter().fold(vectors, u128::saturating_add);
    memory::check(memory::bytes::<f64>(numbers))?;
    memory::ready_for_products::<f64>()?;
    let centred = centre(rows)?;
    let mut gram = memory::matrix(side, side)?;
    let (left, right) = (centred.view(), centred.view());
    if is_wide {
        tensor::matmul_nt(left, right, gram.view_mut());
    } else {
        tensor::matmul_tn(left, right, gram.view_mut());
    }
    let total: f64 = (0..gram.rows()).map(|i| gram.row(i)[i]).sum();
    let mut map = Map {
        points: memory::zeros(count as u128)?,
        explained: [0.0; 2],
    };
    for axis in 0..2 {
        let (value, vector) = dominant(&gram)?;
        // Points on a line have no second axis: the rest is rounding.
        if value <= total * 1e-12 {
            break;
        }
        let mut along: Vec<f64> = if is_wide {
            memory::collected(vector.iter().map(|u| u * value.sqrt()))?
        } else {
            memory::collected((0..count).map(|i| reduce::dot(centred.row(i), &vector)))?
        };
        let farthest = along
            .iter()
            .copied()
            .max_by(|a, b| a.abs().total_cmp(&b.abs()));
        if farthest.is_some_and(|x| x < 0.0) {
            along.iter_mut().for_each(|x| *x = -*x);
        }
        for (point, x) in map.points.iter_mut().zip(along) {
            point[axis] = x;
        }
        map.explained[axis] = value / total;
        // Remove this direction, so that the next is orthogonal to it.
        for (i, u) in vector.iter().enumerate() {
            for (g, v) in gram.row_mut(i).iter_mut().zip(&vector) {
                *g -= value * u * v;
            }
        }
    }
    Ok(map)
}

/// The rows in f64 less their mean.
fn centre<T: Scalar>(rows: MatrixView<'_, T>) -> Result<Matrix<f64>> {
    let mut centred = memory::matrix(rows.rows(), rows.cols())?;
    for i in 0..rows.rows() {
        let pairs = centred.row_mut(i).iter_mut().zip(rows.row(i));
        pairs.for_each(|(to, from): (&mut f64, &T)| *to = from.to_f64());
    }
    let mut mean = vec![0.0; rows.cols()];
    for i in 0..centred.rows() {
        mean.iter_mut()
            .zip(centred.row(i))
            .for_each(|(m, x)| *m += x);
    }
    let count = centred.rows().max(1) as f64;
    for i in 0..centred.rows() {
        let row = centred.row_mut(i).iter_mut();
        row.zip(&mean).for_each(|(x, m)| *x -= m / count);
    }
    Ok(centred)
}

/// The largest eigenvalue of a positive semidefinite matrix and its unit eigenvector.
fn dominant(matrix: &Matrix<f64>) -> Result<(f64, Vec<f64>)> {
    // Fractional parts of multiples of the golden ratio: unlikely to be orthogonal to a real direction.
    let start = |i: usize| (i as f64 * 0.618_033_988_749_894_9).fract() - 0.45;
    let mut vector: Vec<f64> = memory::collected((0..matrix.rows()).map(start))?;
    let mut next: Vec<f64> = memory::zeros(matrix.rows() as u128)?;
    let mut value = 0.0;
    for _ in 0..MOST_ITERATIONS {
        for (i, next) in next.iter_mut().enumerate() {
            *next = reduce::dot(matrix.row(i), &vector);
        }
        value = reduce::dot(&next, &next).sqrt();
        if value == 0.0 {
            break;
        }
        next.iter_mut().for_each(|x| *x /= value);
        let change = next.iter().zip(&vector).map(|(a, b)| (a - b).abs());
        let is_done = change.fold(0.0, f64::max) < CONVERGED;
        std::mem::swap(&mut vector, &mut next);
        if is_done {
            break;
        }
    }
    Ok((value, vector))
}
