//! The tensors of a state dict under the names that its modules give them, as numbers.
//!
//! A file may hold a weight in three other ways than as one tensor of f32: as F64, F16 or BF16; under
//! the name of the tensor that it shares its memory with, which `safetensors.torch.save_model` notes in
//! the metadata; and as the two halves of weight norm (Salimans and Kingma 2016), `w = g v / |v|`.

use std::collections::BTreeMap;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::checkpoint::header::{short, wrong};
use crate::error::Result;
use crate::memory;

/// Where the numbers of a weight come from.
#[derive(Clone)]
enum Weight<'a> {
    Plain(TensorView<'a>),
    /// The direction `v` with the norm `g`: one for each row, for each column or for all.
    Normed {
        g: TensorView<'a>,
        v: TensorView<'a>,
    },
}

/// The tensors of a file by the names of the parameters that they are.
pub(super) struct Tensors<'a>(BTreeMap<String, Weight<'a>>);

impl<'a> Tensors<'a> {
    /// Those of `file`. `shared` says of names that the file lacks which tensor they stand for.
    pub(super) fn new(file: &SafeTensors<'a>, shared: Vec<(String, String)>) -> Self {
        let plain = |(name, view): (&str, _)| (name.to_owned(), Weight::Plain(view));
        let mut all: BTreeMap<String, Weight<'a>> = file.iter().map(plain).collect();
        for g_name in file.names() {
            let Some((name, v_name)) = normed(g_name) else {
                continue;
            };
            let (Ok(g), Ok(v)) = (file.tensor(g_name), file.tensor(&v_name)) else {
                continue;
            };
            if !all.contains_key(&name) {
                all.remove(g_name);
                all.remove(&v_name);
                all.insert(name, Weight::Normed { g, v });
            }
        }
        for (name, kept) in shared {
            if let (false, Some(weight)) = (all.contains_key(&name), all.get(&kept)) {
                all.insert(name, weight.clone());
            }
        }
        Tensors(all)
    }

    /// All names, in ascending order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Rows and columns of a matrix.
    ///
    /// # Errors
    /// There is none of that name, or it is no matrix.
    pub(super) fn matrix(&self, name: &str) -> Result<[usize; 2]> {
        let shape = self.get(name)?.shape();
        <[usize; 2]>::try_from(shape)
            .map_err(|_| wrong(format!("tensor {name:?} is {shape:?}, expected a matrix")))
    }

    /// Checks that a tensor is there and has that shape.
    ///
    /// # Errors
    /// It says what is there.
    pub(super) fn check(&self, name: &str, shape: &[usize]) -> Result<()> {
        let found = self.get(name)?.shape();
        if found == shape {
            return Ok(());
        }
        Err(wrong(format!(
            "tensor {name:?} is {found:?}, expected {shape:?}"
        )))
    }

    /// The numbers of a tensor in the order of the file, all of them finite as f32.
    ///
    /// # Errors
    /// It is missing, of another shape or of no floating-point type, or a number is not finite.
    pub(super) fn numbers(&self, name: &str, shape: &[usize]) -> Result<Vec<f64>> {
        self.check(name, shape)?;
        let values = match self.get(name)? {
            Weight::Plain(view) => read(name, view)?,
            Weight::Normed { g, v } => scaled(name, g, v)?,
        };
        check_finite(&format!("tensor {name:?}"), &values)?;
        Ok(values)
    }

    fn get(&self, name: &str) -> Result<&Weight<'a>> {
        self.0
            .get(name)
            .ok_or_else(|| wrong(format!("tensor {:?} is missing", short(name))))
    }
}

/// Checks that numbers are finite as f32.
///
/// # Errors
/// It names `what` they are and the first that is not.
pub(super) fn check_finite(what: &str, values: &[f64]) -> Result<()> {
    let is_finite = |&value: &f64| (value as f32).is_finite();
    match values.iter().position(|value| !is_finite(value)) {
        None => Ok(()),
        Some(at) => Err(wrong(format!(
            "{what} has {:e} at element {at}, expected finite numbers of single precision",
            values[at]
        ))),
    }
}

impl Weight<'_> {
    fn shape(&self) -> &[usize] {
        match self {
            Weight::Plain(view) | Weight::Normed { v: view, .. } => view.shape(),
        }
    }
}

/// The weight whose norm `name` may be, and the name of its direction: `weight_g` and `weight_v` as
/// `torch.nn.utils.weight_norm` has them, `parametrizations.weight.original0` and `original1` as
/// `torch.nn.utils.parametrizations.weight_norm` does.
fn normed(name: &str) -> Option<(String, String)> {
    if let Some(weight) = name.strip_suffix("_g") {
        return Some((weight.to_owned(), format!("{weight}_v")));
    }
    let path = name.strip_suffix(".original0")?;
    let (module, weight) = path.rsplit_once('.')?;
    let module = module.strip_suffix("parametrizations")?;
    Some((format!("{module}{weight}"), format!("{path}.original1")))
}

/// The numbers of a tensor of any floating-point type.
fn read(name: &str, view: &TensorView<'_>) -> Result<Vec<f64>> {
    let data = view.data();
    match view.dtype() {
        Dtype::F64 => all(data, f64::from_le_bytes),
        Dtype::F32 => all(data, |bytes| f32::from_le_bytes(bytes).into()),
        // The upper half of an f32.
        Dtype::BF16 => all(data, |[low, high]: [u8; 2]| {
            f32::from_le_bytes([0, 0, low, high]).into()
        }),
        Dtype::F16 => all(data, |bytes| half(u16::from_le_bytes(bytes))),
        other => Err(wrong(format!(
            "tensor {name:?} is {other:?}, expected F32, F64, F16 or BF16"
        ))),
    }
}

fn all<const N: usize>(data: &[u8], number: impl Fn([u8; N]) -> f64) -> Result<Vec<f64>> {
    memory::collected(data.as_chunks().0.iter().map(|&bytes| number(bytes)))
}

/// A number of half precision: a sign, five bits of exponent and ten of fraction (IEEE 754).
fn half(bits: u16) -> f64 {
    let exponent = bits >> 10 & 0x1f;
    let fraction = f64::from(bits & 0x3ff);
    let power = |exponent: u16| f64::from_bits(u64::from(1023 - 25 + exponent) << 52);
    let size = match exponent {
        0 => fraction * power(1),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        _ => (1024.0 + fraction) * power(exponent),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// The numbers of `v` scaled to the norms `g`: each of those is of all elements of `v` with its place in
/// the dimensions in which `g` is longer than 1.
fn scaled(name: &str, g: &TensorView<'_>, v: &TensorView<'_>) -> Result<Vec<f64>> {
    // A bias is a column.
    let matrix = |shape: &[usize]| match *shape {
        [] => Some((1, 1)),
        [rows] => Some((rows, 1)),
        [rows, cols] => Some((rows, cols)),
        _ => None,
    };
    let sizes = matrix(v.shape()).zip(matrix(g.shape()));
    let fits = |&((rows, cols), (g_rows, g_cols)): &((usize, usize), (usize, usize))| {
        (g_rows == 1 || g_rows == rows) && (g_cols == 1 || g_cols == cols)
    };
    let ((_, cols), (g_rows, g_cols)) = sizes.filter(fits).ok_or_else(|| {
        let (g, v) = (g.shape(), v.shape());
        wrong(format!(
            "the weight norm of {name:?} has {g:?} norms for a weight of {v:?}"
        ))
    })?;
    let (norms, mut values) = (read(name, g)?, read(name, v)?);
    let group = |at: usize| {
        let row = if g_rows == 1 { 0 } else { at / cols };
        let col = if g_cols == 1 { 0 } else { at % cols };
        row * g_cols + col
    };
    let mut squares: Vec<f64> = memory::collected(norms.iter().map(|_| 0.0))?;
    for (at, value) in values.iter().enumerate() {
        squares[group(at)] += value * value;
    }
    for (at, value) in values.iter_mut().enumerate() {
        *value *= norms[group(at)] / squares[group(at)].sqrt();
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_the_number_that_it_stands_for() {
        // By IEEE 754: one, the largest, the smallest normal, the largest and the smallest below it.
        let known = [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 2f64.powi(-14)),
            (0x03ff, 1023.0 * 2f64.powi(-24)),
            (0x8001, -(2f64.powi(-24))),
            (0x3555, 0.333_251_953_125),
            (0x7c00, f64::INFINITY),
        ];
        for (bits, value) in known {
            assert_eq!(half(bits), value, "{bits:#x}");
        }
        assert!(half(0x7e00).is_nan());
        // Each is larger than the one before.
        assert!((1..=0x7c00).all(|bits| half(bits) > half(bits - 1)));
    }
}
