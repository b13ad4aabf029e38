//! Words as a shell takes them, for commands that the program proposes.

use std::ffi::OsStr;
use std::fmt::Write;

use rnn::visible::is_visible;

/// A path, quoted where a shell would take it apart, and never a flag.
///
/// What is no text, and what would steer the terminal that shows it, is written as `$'\377'`, which
/// bash, zsh and POSIX of 2024 read.
pub(crate) fn path(path: impl AsRef<OsStr>) -> String {
    let path = path.as_ref();
    let mut quoted = word(path);
    if path.len() > 1 && path.as_encoded_bytes().starts_with(b"-") {
        let at = quoted.find('-').unwrap_or(0);
        quoted.insert_str(at, "./");
    }
    quoted
}

/// A word, quoted where a shell would take it apart.
pub(crate) fn word(word: impl AsRef<OsStr>) -> String {
    let bytes = word.as_ref().as_encoded_bytes();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    match str::from_utf8(bytes) {
        Ok(text) if !text.chars().all(is_visible) => escaped(bytes),
        Ok(text) if !text.is_empty() && text.chars().all(is_plain) => text.to_owned(),
        Ok(text) => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        Err(_) => escaped(bytes),
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::from("$'");
    let octal = |text: &mut String, bytes: &[u8]| {
        for byte in bytes {
            let _ = write!(text, "\\{byte:03o}");
        }
    };
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\'' | '\\' => text.extend(['\\', character]),
                c if is_visible(c) => text.push(c),
                c => octal(&mut text, c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        octal(&mut text, chunk.invalid());
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_where_a_shell_would_take_them_apart() {
        for (typed, expected) in [
            ("a/b-1.txt", "a/b-1.txt"),
            ("über.txt", "über.txt"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
            ("", "''"),
            ("-", "-"),
            ("-x y", "'./-x y'"),
            ("-x", "./-x"),
            ("-\n", r"$'./-\012'"),
            ("a\u{1b}[2J", r"$'a\033[2J'"),
            ("it's\t\\", r"$'it\'s\011\\'"),
            ("\u{9b}2J", r"$'\302\2332J'"),
            ("a\u{202e}txt", r"$'a\342\200\256txt'"),
            ("\u{3164}", r"$'\343\205\244'"),
        ] {
            assert_eq!(path(typed), expected);
        }
        assert_eq!(word("-x"), "-x");
    }

    #[cfg(unix)]
    #[test]
    fn paths_that_are_no_text_come_back_byte_for_byte() {
        use std::os::unix::ffi::OsStrExt;
        let name = b"n\xff\xfe7 \xc3\xa9'\n";
        assert_eq!(path(OsStr::from_bytes(name)), r"$'n\377\3767 é\'\012'");
        let script = format!("printf %s {}", path(OsStr::from_bytes(name)));
        if let Ok(output) = std::process::Command::new("bash")
            .args(["-c", &script])
            .output()
        {
            assert_eq!(output.stdout, name);
        }
    }
}
