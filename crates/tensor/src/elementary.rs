//! exp, tanh and sigmoid of `f32`: polynomials of our own, branch-free, the same bits everywhere.
//!
//! exp: e^x = 2^n e^r with n = round(x / ln 2), so |r| <= ln 2 / 2, where a polynomial of degree 6
//! is exact to f32. ln 2 is subtracted in two parts (Cody and Waite 1980), so r keeps all digits.
//! Rounding adds 1.5 * 2^23, which pushes the fraction out of the mantissa and leaves n in the low
//! bits: no conversion to integer, which would cost a check for NaN and range per element.

/// 1.5 * 2^23: adding it rounds to the nearest integer, whose bits are then the low ones.
const ROUND: f32 = 12_582_912.0;
/// The part of ln 2 whose products with |n| <= 151 are exact.
const LN_2_HIGH: f32 = 355.0 / 512.0;
/// ln 2 less that part.
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2: minimax for the relative error of e^r (Remez), which is
/// 3.6e-9, an order below what f32 resolves. Taylor's coefficients would leave 1.2e-7, a whole ulp.
#[inline(always)]
fn tail(r: f32) -> f32 {
    let q = 1.381_454_1e-3;
    let q = r.mul_add(q, 8.368_745e-3);
    let q = r.mul_add(q, 4.166_839e-2);
    let q = r.mul_add(q, 0.166_665_21);
    r.mul_add(q, 0.499_999_94)
}

/// x = n ln 2 + r: n as the bits after [`ROUND`] was added, n as a number, and r.
#[inline(always)]
fn reduce(x: f32) -> (u32, f32, f32) {
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN_2_HIGH, x);
    (shifted.to_bits(), n, n.mul_add(-LN_2_LOW, r))
}

/// e^x. Overflows to inf above 88.72, underflows through the denormals to 0 below -103.97.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Comparisons with NaN are false, so NaN passes through both.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let (bits, _, r) = reduce(x);
    let p = (r * r).mul_add(tail(r), r) + 1.0;
    // 2^n in two factors, since n reaches from -150 to 128 and an exponent only from -126 to 127.
    let n = bits.wrapping_sub(ROUND.to_bits()).cast_signed();
    let half = n >> 1;
    p * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits(n.wrapping_add(127).cast_unsigned() << 23)
}

/// tanh x = -t / (t + 2) with t = e^(-2|x|) - 1, and the sign of x.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let y = -2.0 * x.abs();
    // Below -20 the result is 1 to the last bit.
    let y = if y < -20.0 { -20.0 } else { y };
    let (bits, _, r) = reduce(y);
    let scale = power_of_two(bits.wrapping_sub(ROUND.to_bits()).cast_signed());
    let p = (r * r).mul_add(tail(r), r);
    let t = p.mul_add(scale, scale - 1.0);
    (-t / (t + 2.0)).copysign(x)
}

/// 1 / (1 + e^-x), through e^-|x| so that neither end overflows.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    let e = exp(-x.abs());
    let numerator = if x < 0.0 { e } else { 1.0 };
    numerator / (1.0 + e)
}

/// The same for `f64`, on `libm`'s exp.
#[inline(always)]
pub(crate) fn sigmoid_f64(x: f64) -> f64 {
    let e = libm::exp(-x.abs());
    let numerator = if x < 0.0 { e } else { 1.0 };
    numerator / (1.0 + e)
}
