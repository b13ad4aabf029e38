//! Properties of a text that a unit may follow, and how closely it does.
//!
//! A property is a number for each character, which depends on the text up to that character. Pearson's
//! correlation coefficient over the text says how closely a unit follows it:
//!
//! ```text
//! r = sum_t (a_t - mean a) (p_t - mean p) / sqrt(sum_t (a_t - mean a)^2 * sum_t (p_t - mean p)^2)
//! ```
//!
//! It is 1 or -1 for a unit that is linear in the property, about 0 for one that ignores it.
//! Karpathy, Johnson and Fei-Fei (2015) looked for such units by eye.

use tensor::Scalar;

use super::traces::Traces;

/// A property of each character of a text, given the characters before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Property {
    /// 1 after an opening quotation mark up to the closing one: alternating `"`, and `“ ”`, `« »`. An
    /// empty line closes them, so that a missing mark does not invert the rest of the text.
    InsideQuotes,
    /// 1 while more of `( [ {` are open than closed.
    InsideBrackets,
    /// The place in the line: 1 for its first character, 0 for the newline.
    LinePosition,
    /// 1 for a letter or digit that does not follow another.
    WordStart,
    /// 1 for an upper-case letter.
    Capital,
    /// 1 for a newline.
    AfterNewline,
    /// 1 for a, e, i, o and u, in upper or lower case, with or without an accent.
    Vowel,
}

impl Property {
    /// All properties.
    pub const ALL: [Property; 7] = [
        Property::InsideQuotes,
        Property::InsideBrackets,
        Property::LinePosition,
        Property::WordStart,
        Property::Capital,
        Property::AfterNewline,
        Property::Vowel,
    ];

    /// The name of the property in text, such as "inside quotes".
    pub fn name(self) -> &'static str {
        match self {
            Property::InsideQuotes => "inside quotes",
            Property::InsideBrackets => "inside brackets",
            Property::LinePosition => "line position",
            Property::WordStart => "word start",
            Property::Capital => "capitals",
            Property::AfterNewline => "after newline",
            Property::Vowel => "vowel",
        }
    }

    /// The property of each character of a text.
    ///
    /// ```
    /// use rnn::insight::Property;
    ///
    /// let text: Vec<char> = "a (b) c".chars().collect();
    /// assert_eq!(Property::InsideBrackets.values(&text), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
    /// ```
    pub fn values(self, text: &[char]) -> Vec<f64> {
        let truth = |is: bool| f64::from(u8::from(is));
        let each = |of: fn(char) -> bool| text.iter().map(|&c| truth(of(c))).collect();
        match self {
            Property::InsideQuotes => quotes(text).into_iter().map(truth).collect(),
            Property::InsideBrackets => brackets(text).map(truth).collect(),
            Property::LinePosition => line_positions(text),
            Property::WordStart => {
                let mut in_word = false;
                let starts = text.iter().map(|character| {
                    let was_in_word = std::mem::replace(&mut in_word, character.is_alphanumeric());
                    truth(in_word && !was_in_word)
                });
                starts.collect()
            }
            Property::Capital => each(char::is_uppercase),
            Property::AfterNewline => each(|c| c == '\n'),
            Property::Vowel => each(is_vowel),
        }
    }
}

fn quotes(text: &[char]) -> Vec<bool> {
    let (mut inside, mut before) = (false, '\0');
    let states = text.iter().map(|&character| {
        inside = match character {
            '"' => !inside,
            '“' | '«' => true,
            '”' | '»' => false,
            '\n' if before == '\n' => false,
            _ => inside,
        };
        // A line with a carriage return only is empty too.
        if character != '\r' {
            before = character;
        }
        inside
    });
    states.collect()
}

fn brackets(text: &[char]) -> impl Iterator<Item = bool> + '_ {
    let mut depth = 0usize;
    text.iter().map(move |character| {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > 0
    })
}

fn line_positions(text: &[char]) -> Vec<f64> {
    let mut position = 0u64;
    let positions = text.iter().map(|&character| {
        position = if character == '\n' { 0 } else { position + 1 };
        position as f64
    });
    positions.collect()
}

pub(super) fn is_vowel(character: char) -> bool {
    const VOWELS: &str = "aeiouàáâãäåæèéêëìíîïòóôõöøœùúûü";
    character
        .to_lowercase()
        .next()
        .is_some_and(|lower| VOWELS.contains(lower))
}

/// Pearson's `r` between a property and a signal of each unit of a layer; `None` if either is constant.
///
/// # Panics
/// If the property does not have a value for each character of the trace, or if the network has no such
/// layer or signal.
#[track_caller]
pub fn correlations<T: Scalar>(
    property: &[f64],
    traces: &Traces<T>,
    layer: usize,
    signal: &str,
) -> Vec<Option<f64>> {
    let matrix = traces.layer(layer, signal);
    let (length, units) = (traces.len(), matrix.cols());
    assert!(
        property.len() == length,
        "{} values of a property for {length} characters",
        property.len()
    );
    let count = length.max(1) as f64;
    let mean_p = property.iter().sum::<f64>() / count;
    let mut means = vec![0.0f64; units];
    for t in 0..length {
        for (mean, &a) in means.iter_mut().zip(matrix.row(t)) {
            *mean += a.to_f64();
        }
    }
    means.iter_mut().for_each(|mean| *mean /= count);
    // Sum deviations from the means in a second pass: the one-pass formula loses all digits of a unit
    // that hardly changes.
    let (mut products, mut squares) = (vec![0.0f64; units], vec![0.0f64; units]);
    let mut squares_p = 0.0;
    for (t, &p) in property.iter().enumerate() {
        let dp = p - mean_p;
        squares_p += dp * dp;
        let sums = products.iter_mut().zip(&mut squares).zip(&means);
        for (((product, square), mean), &a) in sums.zip(matrix.row(t)) {
            let da = a.to_f64() - mean;
            *product += da * dp;
            *square += da * da;
        }
    }
    // A constant column leaves rounding errors, far below any change that f32 can show.
    let moves = |square: f64, mean: f64| square > count * 1e-24 * mean * mean;
    let sums = products.iter().zip(&squares).zip(&means);
    sums.map(|((product, &square), &mean)| {
        let both = moves(square, mean) && moves(squares_p, mean_p);
        both.then(|| (product / (square * squares_p).sqrt()).clamp(-1.0, 1.0))
    })
    .collect()
}
