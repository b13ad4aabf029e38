//! Tests of reading: chunks, encodings, storage.

use std::io::{self, Read};

use crate::corpus::ids::Storage;
use crate::corpus::*;
use crate::{Error, Id, Unknown};

/// Characters of one to four bytes.
const MIXED: &str = "aé漢🦀\r\n\0z\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}é";

fn text_of(corpus: &Corpus) -> String {
    let ids: Vec<Id> = corpus.ids().as_slice().iter().collect();
    corpus.vocabulary().decode(&ids)
}

fn invalid_offset(result: Result<Corpus>) -> u64 {
    match result.unwrap_err() {
        Error::InvalidUtf8 { offset, .. } => offset,
        other => panic!("{other:?}"),
    }
}

/// Gives `len` bytes at a time and an interruption before each.
struct Dribble<'a> {
    bytes: &'a [u8],
    len: usize,
    interrupted: bool,
}

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = self.len.min(self.bytes.len());
        buffer[..len].copy_from_slice(&self.bytes[..len]);
        self.bytes = &self.bytes[len..];
        Ok(len)
    }
}

#[test]
fn a_text_cut_anywhere_reads_the_same() {
    let bytes = MIXED.as_bytes();
    let whole = Corpus::from_text(MIXED).unwrap();
    assert_eq!(text_of(&whole), MIXED);
    for first in 0..=bytes.len() {
        for second in first..=bytes.len() {
            let mut builder = CorpusBuilder::new();
            for chunk in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
                builder.push_bytes(chunk).unwrap();
            }
            let cut = builder.finish().unwrap();
            assert_eq!(cut.ids(), whole.ids(), "cut at {first} and {second}");
            assert_eq!(cut.digest(), whole.digest());
        }
    }
    for len in 1..=bytes.len() {
        let reader = Dribble {
            bytes,
            len,
            interrupted: false,
        };
        assert_eq!(Corpus::from_reader(reader).unwrap().ids(), whole.ids());
    }
}

#[test]
fn invalid_utf8_is_named_by_its_offset_wherever_the_chunks_end() {
    // Stray continuation, overlong, surrogate, beyond U+10FFFF, cut by a letter, never a first byte.
    let wrongs: [&[u8]; 6] = [
        b"\x80",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe6\xbcx",
        b"\xff",
    ];
    for wrong in wrongs {
        let bytes = [MIXED.as_bytes(), wrong, b"tail"].concat();
        for cut in 0..=bytes.len() {
            let mut builder = CorpusBuilder::new();
            let result = builder
                .push_bytes(&bytes[..cut])
                .and_then(|()| builder.push_bytes(&bytes[cut..]))
                .and_then(|()| builder.finish());
            assert_eq!(
                invalid_offset(result),
                MIXED.len() as u64,
                "{wrong:?} cut at {cut}"
            );
        }
    }
    for kept in 1..4 {
        let bytes = [b"ab", &"🦀".as_bytes()[..kept]].concat();
        let error = Corpus::from_reader(&bytes[..]);
        assert_eq!(
            invalid_offset(error),
            2,
            "a character cut at the end, after {kept} bytes"
        );
    }
    assert_eq!(
        Corpus::from_reader(&b"ab\xff"[..]).unwrap_err().to_string(),
        "byte 0xff at byte offset 2 is not valid UTF-8; use UTF-8 text, or train on bytes (--bytes)"
    );
}

#[test]
fn a_leading_mark_is_dropped_and_noted_and_others_are_kept() {
    let corpus = Corpus::from_text("\u{feff}ab").unwrap();
    assert!(corpus.had_bom());
    assert_eq!(text_of(&corpus), "ab");
    let corpus = Corpus::from_text("a\u{feff}b").unwrap();
    assert!(!corpus.had_bom());
    assert_eq!(text_of(&corpus), "a\u{feff}b");

    let mut files = CorpusBuilder::new();
    for file in ["ab", "\u{feff}cd", "", "e"] {
        files
            .push_reader(Dribble {
                bytes: file.as_bytes(),
                len: 1,
                interrupted: false,
            })
            .unwrap();
    }
    let corpus = files.finish().unwrap();
    assert!(corpus.had_bom());
    assert_eq!(text_of(&corpus), "abcde");

    let mut bytes = CorpusBuilder::bytes();
    bytes.push_text("\u{feff}a").unwrap();
    let corpus = bytes.finish().unwrap();
    assert!(!corpus.had_bom(), "bytes are learned as they are");
    assert_eq!(corpus.len(), 4);
}

#[test]
fn texts_with_nothing_to_learn_are_refused() {
    for empty in ["", "\u{feff}"] {
        assert!(matches!(Corpus::from_text(empty), Err(Error::EmptyText)));
        let mut records = CorpusBuilder::new().records();
        records.push_text(empty).unwrap();
        assert!(matches!(records.finish(), Err(Error::EmptyText)));
    }
    for (text, only) in [("a", 'a'), ("ééé", 'é'), ("\n\n", '\n')] {
        let error = Corpus::from_text(text).unwrap_err();
        assert!(
            matches!(error, Error::OneDistinctCharacter { character } if character == only),
            "{error}"
        );
    }
    let mut bytes = CorpusBuilder::bytes();
    bytes.push_bytes(&[7; 9]).unwrap();
    assert!(matches!(
        bytes.finish(),
        Err(Error::OneDistinctCharacter { character: '\u{7}' })
    ));
    // What a model reads need not teach it anything.
    let hello = Vocabulary::from_text("hello").unwrap();
    let mut given = CorpusBuilder::with_vocabulary(hello, Unknown::Error);
    given.push_text("ll").unwrap();
    assert_eq!(given.finish().unwrap().len(), 2);
}

#[test]
fn storage_widens_with_the_257th_symbol_wherever_it_comes() {
    let symbols: Vec<char> = ('一'..).take(400).collect();
    for count in [255, 256, 257, 400] {
        // ASCII comes last, so its ids are the highest until they are sorted.
        let text: String = symbols[..count - 2]
            .iter()
            .rev()
            .chain(&['b', 'a', 'b'])
            .collect();
        let corpus = Corpus::from_text(&text).unwrap();
        assert_eq!(corpus.vocabulary().len(), count);
        assert_eq!(
            matches!(corpus.ids().0, Storage::Wide(_)),
            count > 256,
            "{count} symbols"
        );
        assert_eq!(text_of(&corpus), text);
        let mut chunks = CorpusBuilder::new();
        for character in text.chars() {
            chunks.push_text(&character.to_string()).unwrap();
        }
        assert_eq!(chunks.finish().unwrap().ids(), corpus.ids());
    }
    // Reserved symbols count, though the text has three.
    let mut reserved = CorpusBuilder::new().reserve(&symbols);
    reserved.push_text("bab").unwrap();
    let corpus = reserved.finish().unwrap();
    assert_eq!(corpus.vocabulary().len(), 402);
    assert!(matches!(corpus.ids().0, Storage::Wide(_)));
    assert_eq!(text_of(&corpus), "bab");
    // So do those of a given vocabulary: equal texts in equal vocabularies are stored alike.
    let vocabulary = corpus.vocabulary().clone();
    let mut given = CorpusBuilder::with_vocabulary(vocabulary, Unknown::Error);
    given.push_text("bab").unwrap();
    assert_eq!(given.finish().unwrap().digest(), corpus.digest());
}

#[test]
fn a_text_longer_than_a_block_is_whole() {
    let line = "0123456789abcdefghijklmnopqrstuvwxyz.";
    let repeats = (2 << 24) / line.len() + 2;
    let mut builder = CorpusBuilder::new();
    for _ in 0..repeats {
        builder.push_text(line).unwrap();
    }
    builder.push_text("é").unwrap();
    let corpus = builder.finish().unwrap();
    assert_eq!(corpus.len(), repeats * line.len() + 1);
    let want = corpus.vocabulary().encode(line).unwrap();
    let mut have = vec![0; line.len()];
    for repeat in 0..repeats {
        corpus
            .ids()
            .copy_to(repeat * line.len()..(repeat + 1) * line.len(), &mut have);
        assert!(have == want, "repeat {repeat}");
    }
    assert_eq!(
        corpus
            .vocabulary()
            .symbol(corpus.ids().get(corpus.len() - 1)),
        'é'
    );
}

#[test]
fn bytes_read_anything() {
    let all: Vec<u8> = (0..=255).rev().collect();
    let mut builder = CorpusBuilder::bytes();
    builder.push_bytes(&all).unwrap();
    let corpus = builder.finish().unwrap();
    let ids: Vec<Id> = corpus.ids().as_slice().iter().collect();
    assert_eq!(corpus.vocabulary().decode_bytes(&ids), all);

    let mut again = CorpusBuilder::with_vocabulary(corpus.vocabulary().clone(), Unknown::default());
    again.push_bytes(&all).unwrap();
    assert_eq!(again.finish().unwrap().digest(), corpus.digest());
}

#[test]
fn a_given_vocabulary_names_unknown_characters_by_offset_in_the_file() {
    let hello = Vocabulary::from_text("hello\u{fffd}").unwrap();
    let read = |unknown| {
        let mut builder = CorpusBuilder::with_vocabulary(hello.clone(), unknown);
        builder.push_reader(&b"hello"[..])?;
        builder.push_reader("heé".as_bytes())?;
        builder.finish()
    };
    let error = read(Unknown::Error).unwrap_err();
    assert!(
        matches!(&error, Error::UnknownCharacter { character: 'é', offset: 2, close } if close[0] == 'e'),
        "{error}"
    );
    assert_eq!(text_of(&read(Unknown::Skip).unwrap()), "hellohe");
    assert_eq!(text_of(&read(Unknown::Replace).unwrap()), "hellohe\u{fffd}");
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.txt");
    std::fs::write(&text, b"ab\xffcd").unwrap();
    for (path, reason) in [
        (text, "byte 0xff at byte offset 2"),
        (folder.path().join("missing"), "No such file"),
        (folder.path().to_owned(), "directory"),
    ] {
        let error = Corpus::from_path(&path).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot read {}", path.display()));
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(!cfg!(unix) || source.contains(reason), "{source}");
    }
}
