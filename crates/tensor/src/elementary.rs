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

/// (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2, highest power first: minimax for the relative error of
/// e^r (Remez), which is 3.6e-9, an order below what f32 resolves. Taylor's coefficients would leave
/// 1.2e-7, a whole ulp.
const EXP_TAIL: [f32; 5] = [
    1.381_454e-3,
    8.368_745e-3,
    4.166_839e-2,
    0.166_665_21,
    0.499_999_94,
];

/// The same for -3/4 ln 2 <= r <= 1/4 ln 2, minimax for the relative error of e^r - 1: 1.3e-8.
const TANH_TAIL: [f32; 5] = [
    1.204_513e-3,
    8.288_411e-3,
    4.166_994_6e-2,
    0.166_668_18,
    0.5,
];

#[inline(always)]
fn tail(r: f32, [c6, c5, c4, c3, c2]: [f32; 5]) -> f32 {
    let q = r.mul_add(c6, c5);
    let q = r.mul_add(q, c4);
    let q = r.mul_add(q, c3);
    r.mul_add(q, c2)
}

/// x = n ln 2 + r: n as the bits after [`ROUND`] was added, n as a number, and r. `near` is x, or a
/// number beside it whose nearest multiple of ln 2 is wanted instead.
#[inline(always)]
fn reduce(x: f32, near: f32) -> (u32, f32, f32) {
    let shifted = near.mul_add(std::f32::consts::LOG2_E, ROUND);
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
    let (bits, _, r) = reduce(x, x);
    let p = r.mul_add(r.mul_add(tail(r, EXP_TAIL), 1.0), 1.0);
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
///
/// t = 2^n (e^r - 1) + (2^n - 1) loses digits where the two terms nearly cancel, which is where n
/// first leaves 0: so n stays 0 down to -3/4 ln 2, where less is lost than at -1/2 ln 2.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let y = -2.0 * x.abs();
    // Below -20 the result is 1 to the last bit.
    let y = if y < -20.0 { -20.0 } else { y };
    let (bits, _, r) = reduce(y, y + 0.25 * std::f32::consts::LN_2);
    let scale = power_of_two(bits.wrapping_sub(ROUND.to_bits()).cast_signed());
    let p = (r * r).mul_add(tail(r, TANH_TAIL), r);
    let t = p.mul_add(scale, scale - 1.0);
    let rest = p.mul_add(scale, (scale - 1.0) - t);
    quotient([-t, -rest], [t, rest]).copysign(x)
}

/// 1 / (1 + e^-x), through e^-|x| so that neither end overflows.
///
/// What rounding takes from the sum d = 1 + e is given back to first order: y (1 + (d - e - 1) / d), with
/// 1 for 1 / d. That is exact where e is small, which is where the error would be largest in units of
/// the result; without it 2.36 ulp are lost, with it 1.97.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    let e = exp_of_negative(-x.abs());
    let numerator = if x < 0.0 { e } else { 1.0 };
    let d = 1.0 + e;
    let lost = (d - 1.0) - e;
    let y = numerator / d;
    y.mul_add(lost, y)
}

/// [`exp`] for x <= 0. Its exponents n reach from -150 to 0 only, so 64 is added to all of them: then
/// 2^(n + 64) is a number, and another factor takes 2^64 off again, through the denormals.
#[inline(always)]
fn exp_of_negative(x: f32) -> f32 {
    const SHIFT: f32 = 64.0;
    let x = if x < -104.0 { -104.0 } else { x };
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND + SHIFT);
    let n = shifted - (ROUND + SHIFT);
    let r = n.mul_add(-LN_2_LOW, n.mul_add(-LN_2_HIGH, x));
    let p = r.mul_add(r.mul_add(tail(r, EXP_TAIL), 1.0), 1.0);
    // 1.5 has no bits below its highest two, so n + 64 is all that is left when 23 go out.
    let scale = f32::from_bits((127_u32 << 23).wrapping_add(shifted.to_bits() << 23));
    p * scale * f32::from_bits((127 - 64) << 23)
}

/// numerator / (2 + b) for -1 <= b <= 0, rounded hardly more than once. The second part of `numerator`
/// and `b` is what the first lost in rounding.
///
/// What rounding takes from the sum and the quotient is given back in one Newton step. It needs no
/// digits of 1 / (2 + b): a straight line's one and a half do.
#[inline(always)]
fn quotient(numerator: [f32; 2], b: [f32; 2]) -> f32 {
    let d = 2.0 + b[0];
    let lost = b[0] - (d - 2.0) + b[1];
    let quotient = numerator[0] / d;
    let residual = quotient.mul_add(lost, quotient.mul_add(d, -numerator[0])) - numerator[1];
    let minus_inverse = d.mul_add(0.5, -1.457);
    residual.mul_add(minus_inverse, quotient)
}
