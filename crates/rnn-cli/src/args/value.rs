//! Values of flags: what is accepted, and what to say of the rest.

use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use rnn::CellKind;
use rnn::optimizer::{OptimizerConfig, Schedule};

/// One of the library's choices by its name; a hyphen stands for an underscore.
fn one_of<C: Copy + Send + Sync + 'static, const N: usize>(
    choices: [C; N],
    name: fn(&C) -> &'static str,
    about: fn(&C) -> &'static str,
) -> impl TypedValueParser<Value = C> {
    let hyphenated = move |choice: &C| name(choice).replace('_', "-");
    let values = choices.map(|choice| {
        let value = PossibleValue::new(name(&choice)).help(about(&choice));
        value.alias(hyphenated(&choice))
    });
    PossibleValuesParser::new(values).map(move |typed| {
        let is_meant = |choice: &&C| hyphenated(choice) == typed.replace('_', "-");
        *choices.iter().find(is_meant).expect("a possible value")
    })
}

/// A cell.
pub(super) fn cell() -> impl TypedValueParser<Value = CellKind> {
    one_of(CellKind::ALL, |cell| cell.name(), |cell| cell.about())
}

/// An optimiser with its defaults.
pub(super) fn optimizer() -> impl TypedValueParser<Value = OptimizerConfig> {
    one_of(
        OptimizerConfig::ALL,
        OptimizerConfig::name,
        OptimizerConfig::about,
    )
}

/// A schedule with its defaults.
pub(super) fn schedule() -> impl TypedValueParser<Value = Schedule> {
    one_of(Schedule::ALL, Schedule::name, Schedule::about)
}

/// Any number; the caller checks what it means.
pub(super) fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "must be a number".into())
}

fn checked(text: &str, valid: impl Fn(f64) -> bool, expected: &str) -> Result<f64, String> {
    let value = number(text)?;
    if valid(value) {
        Ok(value)
    } else {
        Err(format!("must be {expected}"))
    }
}

/// A finite number above 0.
pub(super) fn positive(text: &str) -> Result<f64, String> {
    checked(
        text,
        |x| x.is_finite() && x > 0.0,
        "a finite number above 0",
    )
}

/// A finite number, 0 or above.
pub(super) fn not_negative(text: &str) -> Result<f64, String> {
    checked(
        text,
        |x| x.is_finite() && x >= 0.0,
        "a finite number of at least 0",
    )
}

/// Any finite number.
pub(super) fn finite(text: &str) -> Result<f64, String> {
    checked(text, f64::is_finite, "a finite number")
}

/// A share of at least 0 and below 1.
pub(super) fn share(text: &str) -> Result<f64, String> {
    checked(text, |x| (0.0..1.0).contains(&x), "at least 0 and below 1")
}

/// A probability above 0, 1 included.
pub(super) fn probability(text: &str) -> Result<f64, String> {
    checked(text, |x| x > 0.0 && x <= 1.0, "above 0 and at most 1")
}

/// A whole number of at least 1.
pub(super) fn count<N: FromStr + PartialOrd + From<u8>>(text: &str) -> Result<N, String> {
    match text.parse::<N>() {
        Ok(value) if value >= N::from(1) => Ok(value),
        _ => Err("must be a whole number of at least 1".into()),
    }
}

/// A whole number, 0 or above.
pub(super) fn whole(text: &str) -> Result<u64, String> {
    let most = u64::MAX;
    text.parse()
        .map_err(|_| format!("must be a whole number from 0 to {most}"))
}

/// A number of threads that a machine may have.
pub(super) fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(value @ 1..=1024) => Ok(value),
        _ => Err("must be a whole number from 1 to 1024".into()),
    }
}

/// How much longer a run is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum More {
    Steps(u64),
    Time(Duration),
}

/// A number of steps or a time.
pub(super) fn more(text: &str) -> Result<More, String> {
    let steps = count(text).map(More::Steps);
    steps
        .or_else(|_| duration(text).map(More::Time))
        .map_err(|_| "must be a time such as 90s, 3m or 1h30m, or a number of steps".into())
}

/// A time such as `90s`, `3m`, `1h30m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let expected = || "must be a time such as 90s, 3m or 1h30m".to_owned();
    let (mut rest, mut seconds) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .ok_or_else(expected)?;
        let amount: f64 = rest[..digits].parse().map_err(|_| expected())?;
        let unit = rest[digits..].chars().next().ok_or_else(expected)?;
        seconds += amount
            * match unit {
                's' => 1.0,
                'm' => 60.0,
                'h' => 3600.0,
                'd' => 86_400.0,
                _ => return Err(expected()),
            };
        rest = &rest[digits + 1..];
    }
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|time| !time.is_zero())
        .ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_add_up_their_units() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("0.5m"), Ok(Duration::from_secs(30)));
        for bad in [
            "",
            "3",
            "m",
            "3x",
            "0s",
            "-3m",
            "1e9h",
            "..s",
            "3mm",
            "99999999999999999999d",
            "3µ",
        ] {
            assert!(duration(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for bad in ["nan", "inf", "-inf", "0", "-1", "", "x"] {
            assert!(positive(bad).is_err(), "{bad:?}");
        }
        assert_eq!(positive("2e-3"), Ok(0.002));
        assert_eq!(not_negative("0"), Ok(0.0));
        assert!(share("1").is_err() && share("0.999").is_ok());
        assert!(probability("0").is_err() && probability("1").is_ok());
        assert!(count::<usize>("0").is_err() && count::<usize>("1.5").is_err());
        assert_eq!(count::<u64>("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(
            (whole("0"), whole("18446744073709551615")),
            (Ok(0), Ok(u64::MAX))
        );
        for bad in ["-1", "", "1.0", "18446744073709551616", "one"] {
            assert!(whole(bad).is_err(), "{bad:?}");
        }
    }
}
