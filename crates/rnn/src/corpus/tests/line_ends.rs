//! Tests of where lines end.

use crate::corpus::*;
use crate::{Error, Id, Unknown};

#[test]
fn line_ends_of_other_systems_are_newlines() {
    let read = |files: &[&str], chunk: usize| {
        let mut builder = CorpusBuilder::new().records();
        for file in files {
            for chunk in file.as_bytes().chunks(chunk) {
                builder.push_bytes(chunk).unwrap();
            }
            builder.end_file().unwrap();
        }
        let corpus = builder.finish().unwrap();
        let ids: Vec<Id> = corpus.ids().as_slice().iter().collect();
        (corpus.vocabulary().decode(&ids), corpus.line_ends())
    };
    for chunk in 1..6 {
        let cases: [(&[&str], &str, Option<&str>); 8] = [
            (&["a\nb"], "a\nb\n", None),
            (&["a\r\nb\r\n"], "a\nb\n", Some("CRLF")),
            (&["a\rb\r"], "a\nb\n", Some("CR")),
            (&["a\rb\r\rc"], "a\nb\n\nc\n", Some("CR")),
            // Not the end of a line, but a character in it.
            (&["a\nb\rc\r\n"], "a\nb\rc\n", Some("CRLF")),
            (&["a\r\nb\rc"], "a\nb\rc\n", Some("CRLF")),
            (&["a\rb", "c\r\nd"], "a\nb\nc\nd\n", Some("CRLF and CR")),
            (&["ä\r", "\nö"], "ä\n\nö\n", Some("CR")),
        ];
        for (files, text, ends) in cases {
            assert_eq!(read(files, chunk), (text.to_owned(), ends), "{files:?}");
        }
    }
    // What a vocabulary has is no line end, and bytes are what they are.
    let given = Vocabulary::from_text("ab\r\n").unwrap();
    let reserved = CorpusBuilder::new().reserve(&['\r']).records();
    let builders = [
        CorpusBuilder::with_vocabulary(given, Unknown::Error).records(),
        reserved,
        CorpusBuilder::bytes().records(),
    ];
    for mut builder in builders {
        builder.push_text("a\r\nb\r\n").unwrap();
        let corpus = builder.finish().unwrap();
        assert_eq!((corpus.len(), corpus.line_ends()), (6, None));
    }
    let given = Vocabulary::from_text("ab\n").unwrap();
    let mut lines = CorpusBuilder::with_vocabulary(given, Unknown::Error).unify_line_ends();
    lines.push_text("a\r\nb").unwrap();
    assert_eq!(lines.finish().unwrap().len(), 3);
}

#[test]
fn one_line_cannot_be_learned_and_held_out() {
    let split = |text, shares: &[f64]| {
        let mut builder = CorpusBuilder::new().records();
        builder.push_text(text).unwrap();
        let corpus = builder.finish().unwrap();
        let records = Records::of(&corpus).unwrap();
        records.split(corpus.ids().as_slice(), shares, 1)
    };
    assert!(matches!(split("ann", &[0.9, 0.1]), Err(Error::NoRecords)));
    assert_eq!(split("ann", &[1.0]).unwrap().train.len(), 1);
    assert_eq!(split("ann\nann", &[0.9, 0.1]).unwrap().train.len(), 2);
}
