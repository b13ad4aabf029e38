//! exp, tanh and sigmoid of `f64`: every bit of the first two that of `libm`, which has them from
//! FreeBSD's msun, but without branches.
//!
//! `libm` goes one of up to eight ways, each number its own: the processor guesses wrong, and no two
//! are computed together. Here all of them take the same operations, in `libm`'s order, so that a
//! loop becomes vector code; where the ways differ, both are computed and one is chosen.

/// 1.5 * 2^52: adding it rounds to the nearest integer, whose bits are then the low ones.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// 1 / ln 2, and ln 2 in a part whose products with small integers are exact, and the rest.
const INVERSE_LN_2: f64 = std::f64::consts::LOG2_E;
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// The rational approximation of e^x - 1, highest power first.
const EXP_M1: [f64; 5] = [
    -2.010_992_181_836_243_7e-7,
    4.008_217_827_329_362e-6,
    -7.936_507_578_674_88e-5,
    1.587_301_587_254_814_6e-3,
    -3.333_333_333_333_313e-2,
];

/// The rational approximation of e^x, highest power first.
const EXP: [f64; 5] = [
    4.138_136_797_057_238_5e-8,
    -1.653_390_220_546_525_2e-6,
    6.613_756_321_437_934e-5,
    -2.777_777_777_701_559_3e-3,
    0.166_666_666_666_666_02,
];

/// The number that begins with these 32 bits: `libm` compares no others.
const fn high(bits: u32) -> f64 {
    f64::from_bits((bits as u64) << 32)
}

/// About 2^-28, (ln 5/3) / 2, (ln 3) / 2, (ln 2) / 2 and 3/2 ln 2, each the first number beyond the
/// border.
const TINY: f64 = high(0x3e30_0001);
const SMALL: f64 = high(0x3fd0_58af);
const LARGE: f64 = high(0x3fe1_93eb);
const HALF_LN_2: f64 = high(0x3fd6_2e43);
const ONE_AND_A_HALF_LN_2: f64 = high(0x3ff0_a2b2);

/// The largest number whose exponential is finite, and the smallest whose exponential is not 0.
const HIGHEST: f64 = 709.782_712_893_384;
const LOWEST: f64 = -745.133_219_101_941_1;

/// e^y = 2^k e^x with y = k ln 2 + x.
#[inline(always)]
pub(crate) fn exp(y: f64) -> f64 {
    let (k, high, low) = reduce(y);
    let x = high - low;
    let [p5, p4, p3, p2, p1] = EXP;
    let square = x * x;
    let c = x - square * (p1 + square * (p2 + square * (p3 + square * (p4 + square * p5))));
    let power = 1.0 + (x * c / (2.0 - c) - low + high);
    // 2^k in two factors, since k reaches beyond the exponents that there are.
    let half = (0.5 * k).floor();
    let scaled = power * power_of_two(half) * power_of_two(k - half);
    let result = if y.abs() < TINY { 1.0 + y } else { scaled };
    let result = if y > HIGHEST { f64::INFINITY } else { result };
    if y < LOWEST { 0.0 } else { result }
}

/// y = k ln 2 + (high - low).
#[inline(always)]
fn reduce(y: f64) -> (f64, f64, f64) {
    let size = y.abs();
    let whole = (INVERSE_LN_2 * size + 0.5).floor();
    let small = if size < HALF_LN_2 { 0.0 } else { 1.0 };
    let k = if size < ONE_AND_A_HALF_LN_2 {
        small
    } else {
        whole
    }
    .copysign(y);
    (k, y - k * LN_2_HIGH, k * LN_2_LOW)
}

/// tanh x = t / (t + 2) with t = e^(2|x|) - 1, and the sign of x; near 0, where t with its sign
/// changed has more digits, with t = e^(-2|x|) - 1; far from it 1 - 2 / (t + 2).
#[inline(always)]
pub(crate) fn tanh(x: f64) -> f64 {
    let size = x.abs();
    // Beyond 20 the result is 1 to the last bit. Comparisons with NaN are false, so NaN stays.
    let size = if size > 20.0 { 20.0 } else { size };
    let is_small = size < SMALL;
    // Of a choice between two numbers the compiler would make one between two whole calculations.
    let t = exp_m1((2.0 * size).copysign(size - SMALL));
    let is_large = size >= LARGE;
    let numerator = if is_small { -t } else { t };
    let quotient = (if is_large { 2.0 } else { numerator }) / (t + 2.0);
    let y = if is_large { 1.0 - quotient } else { quotient };
    y.copysign(x)
}

/// e^y - 1 for -1 < y <= 40: with y = k ln 2 + x, it is 2^k (e^x - 1) + 2^k - 1.
#[inline(always)]
fn exp_m1(y: f64) -> f64 {
    let (k, high, low) = reduce(y);
    // x, and what was lost of it.
    let x = high - low;
    let c = (high - x) - low;

    let [q5, q4, q3, q2, q1] = EXP_M1;
    let half = 0.5 * x;
    let square = x * half;
    let r = 1.0 + square * (q1 + square * (q2 + square * (q3 + square * (q4 + square * q5))));
    let t = 3.0 - r * half;
    let e = square * ((r - t) / (6.0 - x * t));
    let e = (x * (e - c) - c) - square;

    let (power, inverse) = (power_of_two(k), power_of_two(-k));
    let general = ((x - e) + (1.0 - inverse)) * power;
    let beyond_20 = ((x - (e + inverse)) + 1.0) * power;
    let twice = -2.0 * (e - (x + 0.5));
    let y = if k < 20.0 { general } else { beyond_20 };
    if k == 1.0 && x < -0.25 { twice } else { y }
}

/// 1 / (1 + e^-x), through e^-|x| so that neither end overflows.
#[inline(always)]
pub(crate) fn sigmoid(x: f64) -> f64 {
    let e = exp(-x.abs());
    let numerator = if x < 0.0 { e } else { 1.0 };
    numerator / (1.0 + e)
}

/// 2^k for a small integer.
#[inline(always)]
fn power_of_two(k: f64) -> f64 {
    f64::from_bits((k + (ROUND + 1023.0)).to_bits() << 52)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;
    use rand::RngExt;

    /// Compares a function with `libm`'s beside each of the borders, and at random places.
    fn compare(ours: impl Fn(f64) -> f64, libms: impl Fn(f64) -> f64, borders: &[f64], far: f64) {
        let same = |x: f64| {
            let (ours, libms) = (ours(x), libms(x));
            let equal = ours.to_bits() == libms.to_bits() || ours.is_nan() && libms.is_nan();
            assert!(equal, "{x:e}: {ours:e}, not {libms:e}");
        };
        let common = [0.0, 1e-310, f64::MIN_POSITIVE, 1e300, f64::INFINITY];
        for x in common.iter().chain(borders) {
            for offset in 0..2000 {
                let bits = x.to_bits();
                for bits in [bits.saturating_add(offset), bits.saturating_sub(offset)] {
                    let x = f64::from_bits(bits);
                    [x, -x].into_iter().for_each(same);
                }
            }
        }
        let mut rng = random::rng(1);
        for _ in 0..200_000 {
            let x = rng.random_range(-1.0..1.0);
            let places = [x, 0.3 * x, 3.0 * x, far * x, x * x * x * 1e-6];
            places.into_iter().for_each(same);
            same(f64::from_bits(rng.random()));
        }
    }

    /// Where k steps from one integer to the next, as multiples of ln 2.
    fn steps() -> impl Iterator<Item = f64> {
        (0..60).map(|k| (f64::from(k) + 0.5) * std::f64::consts::LN_2)
    }

    #[test]
    fn every_bit_of_tanh_is_that_of_libm() {
        let mut borders = vec![SMALL, LARGE, 2f64.powi(-54), 2f64.powi(-55), 20.0, 22.0];
        borders.extend(steps().map(|x| x / 2.0));
        borders.extend([HALF_LN_2 / 2.0, ONE_AND_A_HALF_LN_2 / 2.0]);
        compare(tanh, libm::tanh, &borders, 25.0);
    }

    #[test]
    fn every_bit_of_exp_is_that_of_libm() {
        let mut borders = vec![
            TINY,
            HALF_LN_2,
            ONE_AND_A_HALF_LN_2,
            HIGHEST,
            LOWEST,
            708.396,
        ];
        borders.extend(steps());
        compare(exp, libm::exp, &borders, 800.0);
    }
}
