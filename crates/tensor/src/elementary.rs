//! exp, tanh and sigmoid of `f32`: polynomials of our own, branch-free, the same bits everywhere.
//!
//! Each is written once, in [`Floats`]: for one number, and for a block of them.
//!
//! exp: e^x = 2^n e^r with n = round(x / ln 2), so |r| <= ln 2 / 2, where a polynomial of degree 6
//! is exact to f32. ln 2 is subtracted in two parts (Cody and Waite 1980), so r keeps all digits.
//! Rounding adds 1.5 * 2^23, which pushes the fraction out of the mantissa and leaves n in the low
//! bits: no conversion to integer, which would cost a check for NaN and range per element.

use crate::lanes::Floats;

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
fn tail<V: Floats>(r: V, [c6, c5, c4, c3, c2]: [f32; 5]) -> V {
    let q = r.mul_add(V::splat(c6), V::splat(c5));
    let q = r.mul_add(q, V::splat(c4));
    let q = r.mul_add(q, V::splat(c3));
    r.mul_add(q, V::splat(c2))
}

/// x = n ln 2 + r: n + `round` with n in its low bits, and r. `near` is x, or a number beside it whose
/// nearest multiple of ln 2 is wanted instead.
#[inline(always)]
fn reduce<V: Floats>(x: V, near: V, round: f32) -> (V, V) {
    let round = V::splat(round);
    let shifted = near.mul_add(V::splat(std::f32::consts::LOG2_E), round);
    let n = shifted - round;
    let r = n.mul_add(V::splat(-LN_2_HIGH), x);
    (shifted, n.mul_add(V::splat(-LN_2_LOW), r))
}

/// e^r for |r| <= ln 2 / 2.
#[inline(always)]
fn exp_of_rest<V: Floats>(r: V) -> V {
    let one = V::splat(1.0);
    r.mul_add(r.mul_add(tail(r, EXP_TAIL), one), one)
}

/// n from n + [`ROUND`].
#[inline(always)]
fn low_bits(shifted: f32) -> i32 {
    let bits = shifted.to_bits().wrapping_sub(ROUND.to_bits());
    bits.cast_signed()
}

#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits(n.wrapping_add(127).cast_unsigned() << 23)
}

/// The larger of x and a bound below it; NaN stays, since comparisons with it are false.
#[inline(always)]
fn at_least<V: Floats>(x: V, bound: f32) -> V {
    x.map(|x| if x < bound { bound } else { x })
}

/// e^x. Overflows to inf above 88.72, underflows through the denormals to 0 below -103.97.
#[inline(always)]
pub(crate) fn exp<V: Floats>(x: V) -> V {
    let x = x.map(|x| if x > 89.0 { 89.0 } else { x });
    let x = at_least(x, -104.0);
    let (shifted, r) = reduce(x, x, ROUND);
    // 2^n in two factors, since n reaches from -150 to 128 and an exponent only from -126 to 127.
    let half = shifted.map(|s| power_of_two(low_bits(s) >> 1));
    let other = shifted.map(|s| power_of_two(low_bits(s).wrapping_sub(low_bits(s) >> 1)));
    exp_of_rest(r) * half * other
}

/// tanh x = -t / (t + 2) with t = e^(-2|x|) - 1, and the sign of x.
///
/// t = 2^n (e^r - 1) + (2^n - 1) loses digits where the two terms nearly cancel, which is where n
/// first leaves 0: so n stays 0 down to -3/4 ln 2, where less is lost than at -1/2 ln 2.
#[inline(always)]
pub(crate) fn tanh<V: Floats>(x: V) -> V {
    // Below -20 the result is 1 to the last bit.
    let y = at_least(V::splat(-2.0) * x.map(f32::abs), -20.0);
    let (shifted, r) = reduce(y, y + V::splat(0.25 * std::f32::consts::LN_2), ROUND);
    let scale = shifted.map(|s| power_of_two(low_bits(s)));
    let p = (r * r).mul_add(tail(r, TANH_TAIL), r);
    let less_one = scale - V::splat(1.0);
    let t = p.mul_add(scale, less_one);
    let rest = p.mul_add(scale, less_one - t);
    quotient([-t, -rest], [t, rest]).zip(x, f32::copysign)
}

/// 1 / (1 + e^-x), through e^-|x| so that neither end overflows.
///
/// What rounding takes from the sum d = 1 + e is given back to first order: y (1 + (d - e - 1) / d), with
/// 1 for 1 / d. That is exact where e is small, which is where the error would be largest in units of
/// the result; without it 2.36 ulp are lost, with it 1.97.
#[inline(always)]
pub(crate) fn sigmoid<V: Floats>(x: V) -> V {
    let one = V::splat(1.0);
    let e = exp_of_negative(-x.map(f32::abs));
    let numerator = x.zip(e, |x, e| if x < 0.0 { e } else { 1.0 });
    let d = one + e;
    let lost = (d - one) - e;
    let y = numerator / d;
    y.mul_add(lost, y)
}

/// [`exp`] for x <= 0. Its exponents n reach from -150 to 0 only, so 64 is added to all of them: then
/// 2^(n + 64) is a number, and another factor takes 2^64 off again, through the denormals.
#[inline(always)]
fn exp_of_negative<V: Floats>(x: V) -> V {
    let (shifted, r) = {
        let x = at_least(x, -104.0);
        reduce(x, x, ROUND + 64.0)
    };
    // 1.5 has no bits below its highest two, so n + 64 is all that is left when 23 go out.
    let scale = shifted.map(|s| f32::from_bits(1.0_f32.to_bits().wrapping_add(s.to_bits() << 23)));
    exp_of_rest(r) * scale * V::splat(power_of_two(-64))
}

/// numerator / (2 + b) for -1 <= b <= 0, rounded hardly more than once. The second part of `numerator`
/// and `b` is what the first lost in rounding.
///
/// What rounding takes from the sum and the quotient is given back in one Newton step. It needs no
/// digits of 1 / (2 + b): a straight line's one and a half do.
#[inline(always)]
fn quotient<V: Floats>(numerator: [V; 2], b: [V; 2]) -> V {
    let two = V::splat(2.0);
    let d = two + b[0];
    let lost = b[0] - (d - two) + b[1];
    let quotient = numerator[0] / d;
    let residual = quotient.mul_add(lost, quotient.mul_add(d, -numerator[0])) - numerator[1];
    let minus_inverse = d.mul_add(V::splat(0.5), V::splat(-1.457));
    residual.mul_add(minus_inverse, quotient)
}
