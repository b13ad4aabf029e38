//! Numbers as people read them.

use std::f64::consts::LN_2;
use std::time::Duration;

/// Text as it goes to a terminal: nothing in it steers, hides or turns around, but what is in `kept`.
/// Names of files may hold such characters, and a stranger may have given the names.
pub(crate) use rnn::visible::escaped as visible;
use rnn::visible::is_visible;
use rnn::{NetworkConfig, TrainConfig};

/// A network in a few words.
pub(crate) fn architecture(network: &NetworkConfig) -> String {
    let (cell, layers, hidden) = (network.cell, network.num_layers, network.hidden_size);
    format!("{cell}, layers {layers}, hidden units {hidden}")
}

/// The main settings of training in a few words.
pub(crate) fn settings(config: &TrainConfig) -> String {
    let mut optimizer = config.optimizer;
    let decay = match optimizer.setting("weight decay") {
        Some(decay) => format!(", weight decay {decay}"),
        None => String::new(),
    };
    let of_weights = match config.weight_dropout {
        0.0 => String::new(),
        share => format!(", weight dropout {share}"),
    };
    let shards = match config.shards {
        1 => String::new(),
        count => format!(" in {count} shards"),
    };
    format!(
        "{optimizer} {}{decay}, {} schedule, batch {}{shards}, window {}, {}dropout {}{of_weights}, seed {}{}",
        config.learning_rate,
        config.schedule,
        config.batch_size,
        config.seq_length,
        if config.locked_dropout { "locked " } else { "" },
        config.dropout,
        config.seed,
        if config.records { ", line by line" } else { "" }
    )
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `3661` seconds as `1h 01m 01s`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m {:02}s", seconds % 60),
        _ => format!("{hours}h {minutes:02}m {:02}s", seconds % 60),
    }
}

/// A number of bytes as `1.2 MB`.
pub(crate) fn bytes(count: u64) -> String {
    match count {
        0..1000 => format!("{count} bytes"),
        1000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.1} GB", count as f64 / 1e9),
    }
}

/// A loss in nats, and the same in bits, per character.
pub(crate) fn loss(nats: f64) -> String {
    let short = |x: f64| {
        if x < 1e6 {
            format!("{x:.4}")
        } else {
            format!("{x:.3e}")
        }
    };
    format!("{} nats ({} bits)", short(nats), short(nats / LN_2))
}

/// A character between quotation marks, as a program has it: `'\0'`, `'\u{301}'`.
pub(crate) fn quoted(character: char) -> String {
    let written = format!("{character:?}");
    if written.chars().all(is_visible) {
        written
    } else {
        // A filler, which the standard library takes for the letter that it is.
        format!("'{}'", character.escape_unicode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(thousands),
            ["0", "999", "1,000", "1,234,567"]
        );
        let times = [0.4, 59.6, 61.0, 3661.0].map(|s| duration(Duration::from_secs_f64(s)));
        assert_eq!(times, ["0s", "1m 00s", "1m 01s", "1h 01m 01s"]);
        assert_eq!(
            [7, 1500, 2_340_000].map(bytes),
            ["7 bytes", "1.5 kB", "2.3 MB"]
        );
        let characters = ['\0', 'a', '"', '\'', '\\', '\t', '\u{202e}', '\u{3164}'].map(quoted);
        let expected = [
            r"'\0'",
            "'a'",
            "'\"'",
            r"'\''",
            r"'\\'",
            r"'\t'",
            r"'\u{202e}'",
            r"'\u{3164}'",
        ];
        assert_eq!(characters, expected);
        assert_eq!(loss(LN_2), "0.6931 nats (1.0000 bits)");
        assert_eq!(loss(1e30), "1.000e30 nats (1.443e30 bits)");
    }
}
