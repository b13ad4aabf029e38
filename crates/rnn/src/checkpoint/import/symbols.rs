//! A vocabulary as programs write it: the characters in the order of their numbers.
//!
//! | form | example for three characters |
//! |---|---|
//! | a text | `abc`, with a newline at its end or without |
//! | one a line | `a\nb\nc\n`; a newline among them is an empty line more |
//! | JSON list, `itos` | `["a", "b", "c"]`, `{"0": "a", "1": "b", "2": "c"}` |
//! | JSON `stoi` | `{"a": 0, "b": 1, "c": 2}` |
//! | JSON object with one of these | `{"stoi": {"a": 0, "b": 1, "c": 2}}` |
//!
//! The network says how many there are, and so which form a text has.

use serde_json::Value;

use crate::checkpoint::header::{self, short, wrong};
use crate::error::Result;
use crate::memory;

/// The `size` characters that `text` lists, in the order of their numbers.
///
/// # Errors
/// It is no list of so many characters.
pub(super) fn in_order(text: &str, size: usize) -> Result<Vec<char>> {
    let count = text.chars().count();
    let is_newline = |character| character == '\n';
    let is_one_a_line =
        count.div_ceil(2) == size && text.chars().skip(1).step_by(2).all(is_newline);
    let step = match () {
        () if count == size || (count == size + 1 && text.ends_with('\n')) => 1,
        () if is_one_a_line => 2,
        () => {
            // Both directions of the table, each with its names, and room: a value takes more memory
            // than its text.
            let is_short = header::check_description(text.as_bytes(), 4 * size + 64).is_ok();
            let json = is_short.then(|| serde_json::from_str(text).ok()).flatten();
            return match json {
                Some(json @ (Value::Array(_) | Value::Object(_))) => from_json(&json, size),
                _ => Err(wrong_count(size, count)),
            };
        }
    };
    let mut characters = memory::room(size)?;
    characters.extend(text.chars().step_by(step).take(size));
    Ok(characters)
}

fn wrong_count(size: usize, count: usize) -> crate::Error {
    wrong(format!(
        "its network has {size} characters, the vocabulary {count}"
    ))
}

fn from_json(json: &Value, size: usize) -> Result<Vec<char>> {
    let nested = || -> Vec<Table<'_>> {
        let fields = json.as_object().into_iter().flat_map(|all| all.values());
        fields.filter_map(table).collect()
    };
    let tables = table(json).map_or_else(nested, |table| vec![table]);
    let found = tables.iter().find(|table| table.len() == size);
    let table = found.ok_or_else(|| match tables.first() {
        Some(other) => wrong_count(size, other.len()),
        None => wrong("the vocabulary is JSON, but no list of characters, stoi or itos"),
    })?;
    let mut characters: Vec<Option<char>> = vec![None; size];
    for &(number, text) in table {
        let mut all = text.chars();
        let (Some(character), None) = (all.next(), all.next()) else {
            let text = short(text);
            return Err(wrong(format!(
                "the vocabulary has {text:?} for number {number}, expected one character"
            )));
        };
        let place = usize::try_from(number)
            .ok()
            .and_then(|number| characters.get_mut(number));
        let place = place.ok_or_else(|| {
            wrong(format!(
                "the vocabulary numbers {character:?} {number}, \
                 expected a number below its {size} characters"
            ))
        })?;
        if let Some(other) = place.replace(character) {
            return Err(wrong(format!(
                "the vocabulary numbers both {other:?} and {character:?} {number}"
            )));
        }
    }
    // As many as there are places, and no place was taken twice.
    Ok(characters.into_iter().flatten().collect())
}

/// Numbers with what they stand for.
type Table<'a> = Vec<(u64, &'a str)>;

/// A list, or an object from texts to numbers or back.
fn table(json: &Value) -> Option<Table<'_>> {
    match json {
        Value::Array(all) => (0..)
            .zip(all)
            .map(|(number, text)| Some((number, text.as_str()?)))
            .collect(),
        Value::Object(all) => all
            .iter()
            .map(|(key, value)| match value {
                Value::String(text) => Some((key.parse().ok()?, text.as_str())),
                number => Some((number.as_u64()?, key.as_str())),
            })
            .collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, size: usize) -> Option<String> {
        in_order(text, size)
            .ok()
            .map(|all| all.into_iter().collect())
    }

    #[test]
    fn every_form_gives_the_same_characters() {
        let forms = [
            "b\na",
            "b\na\n",
            "b\n\n\na\n",
            "b\n\n\na",
            r#"["b", "\n", "a"]"#,
            r#"{"b": 0, "\n": 1, "a": 2}"#,
            r#"{"0": "b", "1": "\n", "2": "a"}"#,
            r#"{"size": 3, "itos": {"0": "b", "1": "\n", "2": "a"}, "stoi": {}}"#,
            "{\"tags\": [\"x\"],\n \"chars\": [\"b\", \"\\n\", \"a\"]}\n",
        ];
        for form in forms {
            assert_eq!(read(form, 3).as_deref(), Some("b\na"), "{form:?}");
        }
        // Digits are characters too, and brackets are no JSON.
        assert_eq!(read(r#"{"1": 0, "0": 1}"#, 2).as_deref(), Some("10"));
        assert_eq!(read(r#"{"0": "1", "1": "0"}"#, 2).as_deref(), Some("10"));
        assert_eq!(read("[1]", 3).as_deref(), Some("[1]"));
        assert_eq!(read("{}\n", 2).as_deref(), Some("{}"));
        assert_eq!(read("a\n", 2).as_deref(), Some("a\n"));
        assert_eq!(read("a\n\n", 2).as_deref(), Some("a\n"));
    }

    #[test]
    fn what_is_no_list_of_so_many_characters_is_refused_by_what_is_wrong() {
        let cases = [
            ("abc", 2, "its network has 2 characters, the vocabulary 3"),
            (
                r#"["a", "b"]"#,
                3,
                "its network has 3 characters, the vocabulary 2",
            ),
            (
                r#"["a", "<unk>"]"#,
                2,
                "has \"<unk>\" for number 1, expected one character",
            ),
            (r#"["a", ""]"#, 2, "has \"\" for number 1"),
            (
                r#"{"a": 0, "b": 2}"#,
                2,
                "numbers 'b' 2, expected a number below its 2",
            ),
            (r#"{"a": 0, "b": 0}"#, 2, "numbers both 'a' and 'b' 0"),
            (r#"{"a": 0, "b": -1}"#, 2, "no list of characters"),
            (r#"{"a": 0, "b": 1.5}"#, 2, "no list of characters"),
            (r#"{"layers": [2]}"#, 2, "no list of characters"),
        ];
        for (text, size, expected) in cases {
            let error = in_order(text, size).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
