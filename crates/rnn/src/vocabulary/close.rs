//! Which symbols of a vocabulary a reader may have meant by a character that is not in it.

/// The plain letters of U+00C0 to U+017F, one each, in order: `À` is an `A`, `ž` a `z`.
const PLAIN: [&str; 3] = [
    "AAAAAAACEEEEIIIIDNOOOOO×OUUUUYTsaaaaaaaceeeeiiiidnooooo÷ouuuuyty",
    "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlL",
    "lLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs",
];

/// The most symbols that are named.
const MOST: usize = 5;

/// Code points on each line of [`PLAIN`].
const LINE: u32 = 64;

/// Up to five of `symbols`, likeliest first; ties go to the nearer code point, then the lower.
pub(super) fn close_to(symbols: &[char], character: char) -> Vec<char> {
    let code = u32::from(character);
    // Of up to a million symbols no more than the best are kept at any time.
    let mut ranked: Vec<(u8, u32, char)> = Vec::with_capacity(MOST + 1);
    for &symbol in symbols.iter().filter(|&&symbol| symbol != character) {
        let Some(rank) = rank(character, symbol) else {
            continue;
        };
        ranked.push((rank, code.abs_diff(symbol.into()), symbol));
        ranked.sort_unstable();
        ranked.truncate(MOST);
    }
    ranked.into_iter().map(|(_, _, symbol)| symbol).collect()
}

/// How far `symbol` is from what was wanted: 0 for the other case, 1 for the plain form, 2 for the
/// same plain form, 3 for its other case, 4 for the same class; `None` with nothing in common.
fn rank(wanted: char, symbol: char) -> Option<u8> {
    let same_letter = |a: char, b: char| a.to_lowercase().eq(b.to_lowercase());
    if same_letter(wanted, symbol) {
        Some(0)
    } else if plain(wanted) == symbol {
        Some(1)
    } else if plain(wanted) == plain(symbol) {
        Some(2)
    } else if same_letter(plain(wanted), plain(symbol)) {
        Some(3)
    } else {
        (class(wanted) == class(symbol)).then_some(4)
    }
}

/// The letter without its accent, or the sign on a typewriter for a typographic one.
fn plain(character: char) -> char {
    match character {
        '\u{c0}'..='\u{17f}' => {
            let place = u32::from(character) - 0xc0;
            let line = PLAIN[(place / LINE) as usize];
            line.chars()
                .nth((place % LINE) as usize)
                .unwrap_or(character)
        }
        '\u{2018}'..='\u{201b}' | '\u{2032}' | '`' | '´' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '«' | '»' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ad}' => '-',
        '\u{2026}' => '.',
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' | '\t' => ' ',
        '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        other => other,
    }
}

/// The kinds of characters within which a neighbour is a guess worth making.
#[derive(PartialEq)]
enum Class {
    Upper,
    Lower,
    OtherLetter,
    Digit,
    Space,
    Control,
    Sign,
}

fn class(character: char) -> Class {
    match character {
        c if c.is_uppercase() => Class::Upper,
        c if c.is_lowercase() => Class::Lower,
        c if c.is_alphabetic() => Class::OtherLetter,
        c if c.is_numeric() => Class::Digit,
        c if c.is_whitespace() => Class::Space,
        c if c.is_control() => Class::Control,
        _ => Class::Sign,
    }
}
