//! Which characters are shown as they are: one rule for names of files, fields of files and
//! whatever else comes from a stranger and goes to a terminal or a page.
//!
//! A stranger's text may hold what steers a terminal (control characters), what turns around the
//! reading direction of everything after it (U+202E and its kin), what breaks a line (U+2028), and
//! what nobody sees, so that two different names look alike (U+200B). None of these is shown. The
//! rule does not ask what a script needs: joiners (U+200D) are escaped in every name.

/// Whether a character is shown as it is: it has a picture of its own, or it is the space.
///
/// Unicode's control, format, private and unassigned characters, line and paragraph separators are
/// not, nor is any space but U+0020, nor what Unicode calls default-ignorable: variation selectors,
/// fillers and tags, whatever category they are of.
///
/// ```
/// use rnn::visible::is_visible;
///
/// assert!("a é—日😀\u{301}".chars().all(is_visible));
/// assert!(!"\n\u{1b}\u{202e}\u{200b}\u{2028}\u{a0}\u{fe0f}\u{e000}".chars().any(is_visible));
/// ```
pub fn is_visible(character: char) -> bool {
    match character {
        ' '..='~' => true,
        _ => is_printable(character) && !is_ignorable(character),
    }
}

/// A text in which every character that is not [visible](is_visible) is written as Rust writes it,
/// `\n` or `\u{202e}`, but for those in `kept`.
///
/// ```
/// assert_eq!(rnn::visible::escaped("a\tb\u{202e}c\n", "\n"), "a\\tb\\u{202e}c\n");
/// ```
pub fn escaped(text: &str, kept: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_visible(character) || kept.contains(character) {
            safe.push(character);
        } else {
            safe.extend(character.escape_default());
        }
    }
    safe
}

/// The standard library's own opinion. It has the tables of Unicode, but tells of them only by what
/// it escapes; behind a letter it escapes no accents.
fn is_printable(character: char) -> bool {
    let mut buffer = [b'a'; 5];
    let length = 1 + character.encode_utf8(&mut buffer[1..]).len();
    let text = str::from_utf8(&buffer[..length]).expect("two characters");
    text.escape_debug().eq(text.chars())
}

/// Default_Ignorable_Code_Point of Unicode 17, DerivedCoreProperties.txt. The property covers
/// unassigned characters of these ranges as well, so that it hardly ever changes.
fn is_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cc, Cf, Zl and Zp of Unicode 17, UnicodeData.txt: written down here, since what is tested
    /// is that the standard library's tables say so too.
    const STEERING: [(u32, u32); 24] = [
        (0x0000, 0x001f),
        (0x007f, 0x009f),
        (0x00ad, 0x00ad),
        (0x0600, 0x0605),
        (0x061c, 0x061c),
        (0x06dd, 0x06dd),
        (0x070f, 0x070f),
        (0x0890, 0x0891),
        (0x08e2, 0x08e2),
        (0x180e, 0x180e),
        (0x200b, 0x200f),
        (0x2028, 0x202e),
        (0x2060, 0x2064),
        (0x2066, 0x206f),
        (0xfeff, 0xfeff),
        (0xfff9, 0xfffb),
        (0x110bd, 0x110bd),
        (0x110cd, 0x110cd),
        (0x13430, 0x1343f),
        (0x1bca0, 0x1bca3),
        (0x1d173, 0x1d17a),
        (0xe0001, 0xe0001),
        (0xe0020, 0xe007f),
        (0xf0000, 0x10_ffff),
    ];

    fn is_steering(character: char) -> bool {
        let code = u32::from(character);
        let is_within = |&(low, high): &(u32, u32)| (low..=high).contains(&code);
        STEERING.iter().any(is_within) || ('\u{e000}'..='\u{f8ff}').contains(&character)
    }

    #[test]
    fn of_all_of_unicode_nothing_that_steers_or_hides_is_shown() {
        let (mut shown, mut hidden) = (0, 0);
        for character in '\0'..=char::MAX {
            let is_blank = character.is_whitespace() && character != ' ';
            if is_steering(character) || is_blank || is_ignorable(character) {
                assert!(!is_visible(character), "{character:?}");
                hidden += 1;
            }
            let written = escaped(&character.to_string(), "");
            assert!(
                written.chars().all(is_visible),
                "{character:?} as {written}"
            );
            assert_eq!(is_visible(character), written == character.to_string());
            shown += usize::from(is_visible(character));
        }
        assert!(hidden > 137_000 + 4_000, "{hidden}");
        // Unicode 15 has 149,186 characters, most of them letters of East Asia.
        assert!(shown > 148_000, "{shown}");
    }

    #[test]
    fn letters_digits_and_accents_of_every_script_are_shown() {
        for character in '\0'..=char::MAX {
            // Two letters of Hangul are fillers, seen by nobody.
            if character.is_alphanumeric() && !is_ignorable(character) {
                assert!(is_visible(character), "{character:?}");
            }
        }
        let names = "Zürich.txt e\u{301} हिन्दी ภาษาไทย עברית العربية 日本語 한국어 “quoted” – 😀";
        assert_eq!(escaped(names, ""), names);
    }

    #[test]
    fn what_is_kept_is_kept() {
        assert_eq!(
            escaped("a\u{1b}[2J\u{9b}\té\n", "\n"),
            "a\\u{1b}[2J\\u{9b}\\té\n"
        );
        assert_eq!(escaped("\u{e0041}\u{2067}", ""), r"\u{e0041}\u{2067}");
    }
}
