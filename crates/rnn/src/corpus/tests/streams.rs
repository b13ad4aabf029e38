//! Tests of the split, the digest, and windows over streams.

use crate::corpus::*;
use crate::{Error, IGNORE, Id};

/// A corpus in which every character is distinct, so that a place in it shows.
fn places(len: usize) -> Corpus {
    Corpus::from_text(&('一'..).take(len).collect::<String>()).unwrap()
}

#[test]
fn windows_cover_every_character_once_and_streams_are_contiguous() {
    for len in 2..40 {
        let corpus = places(len + 3);
        for (batch_size, seq_length) in [(1, 1), (1, 4), (2, 3), (3, 5), (4, 100), (7, 2)] {
            let streams = Streams::new(2..2 + len, batch_size, seq_length);
            let mut next: Vec<Option<Id>> = vec![None; batch_size];
            let mut seen = vec![0; corpus.len()];
            let mut lengths = Vec::new();
            for w in 0..streams.windows_per_epoch() {
                let mut inputs = vec![IGNORE; seq_length * batch_size + 1];
                let mut targets = inputs.clone();
                let steps = streams.fill(corpus.ids().as_slice(), w, &mut inputs, &mut targets);
                assert_eq!(steps, streams.window(w).len());
                assert_eq!(
                    inputs[steps * batch_size],
                    IGNORE,
                    "nothing is written behind"
                );
                lengths.push(steps);
                for place in 0..steps * batch_size {
                    let (input, target) = (inputs[place], targets[place]);
                    assert_eq!(target, input + 1);
                    let before = next[place % batch_size].replace(target);
                    assert!(
                        before.is_none_or(|before| before == input),
                        "a stream jumps"
                    );
                    seen[target as usize] += 1;
                }
            }
            let used = (len - 1) / batch_size * batch_size;
            let want: Vec<i32> = (0..corpus.len())
                .map(|i| (3..3 + used).contains(&i).into())
                .collect();
            assert_eq!(seen, want, "{len} characters, {batch_size} x {seq_length}");
            let (shortest, longest) = (lengths.iter().min(), lengths.iter().max());
            if let (Some(&shortest), Some(&longest)) = (shortest, longest) {
                assert!(longest <= seq_length && longest - shortest <= 1 && shortest > 0);
            }
        }
    }
}

#[test]
fn narrow_and_wide_texts_fill_alike() {
    let text = "some text of few characters, read with many";
    let narrow = Corpus::from_text(text).unwrap();
    let many: Vec<char> = ('一'..).take(300).collect();
    let mut wide = CorpusBuilder::new().reserve(&many);
    wide.push_text(text).unwrap();
    let wide = wide.finish().unwrap();
    let streams = Streams::new(0..text.len(), 3, 5);
    let mut buffers = [[0; 15]; 4];
    let [a, b, c, d] = &mut buffers;
    for w in 0..streams.windows_per_epoch() {
        streams.fill(narrow.ids().as_slice(), w, a, b);
        streams.fill(wide.ids().as_slice(), w, c, d);
        assert_eq!((&a, &b), (&c, &d));
    }
}

#[test]
fn sizes_are_fitted_to_short_texts() {
    let sizes = |characters, batch_size, seq_length| {
        let (b, t) = fit(characters, batch_size, seq_length).unwrap();
        assert!(Streams::new(0..characters, b, t).windows_per_epoch() > 0);
        (b, t)
    };
    assert_eq!(sizes(2049, 32, 64), (32, 64));
    assert_eq!(sizes(2048, 32, 64), (31, 64));
    assert_eq!(sizes(65, 32, 64), (1, 64));
    assert_eq!(sizes(64, 32, 64), (1, 63));
    assert_eq!(sizes(2, 32, 64), (1, 1));
    assert_eq!(sizes(5, 1, 4), (1, 4));
    assert_eq!(sizes(100, usize::MAX, usize::MAX), (1, 99));
    assert!(matches!(
        fit(1, 32, 64),
        Err(Error::TooShort {
            characters: 1,
            needed: 2
        })
    ));
    assert!(matches!(
        fit(0, 32, 64),
        Err(Error::TooShort {
            characters: 0,
            needed: 2
        })
    ));
    assert!(matches!(
        fit(9, 0, 64),
        Err(Error::InvalidSetting {
            name: "batch size",
            ..
        })
    ));
    assert!(matches!(
        fit(9, 1, 0),
        Err(Error::InvalidSetting {
            name: "window length",
            ..
        })
    ));
    assert_eq!(sizes(50, 32, 64), (1, 49));
}

#[test]
fn splits_cut_at_the_shares_and_merge_what_is_too_short() {
    let cut = |len, shares: &[f64]| {
        let split = Split::new(len, shares).unwrap();
        assert_eq!((split.train.start, split.test.end), (0, len));
        assert_eq!(
            (split.train.end, split.validation.end),
            (split.validation.start, split.test.start)
        );
        (split.train.len(), split.validation.len(), split.test.len())
    };
    assert_eq!(cut(1_115_394, &[0.9, 0.1]), (1_003_854, 111_540, 0));
    assert_eq!(cut(1000, &[0.9, 0.05, 0.05]), (900, 50, 50));
    assert_eq!(cut(100, &[0.29, 0.71]), (29, 71, 0));
    assert_eq!(cut(100, &[1.0]), (100, 0, 0));
    assert_eq!(cut(100, &[0.9, 0.0, 0.1]), (90, 0, 10));
    assert_eq!(
        cut(10, &[0.9, 0.1]),
        (10, 0, 0),
        "one character predicts nothing"
    );
    assert_eq!(
        cut(20, &[0.9, 0.05, 0.05]),
        (18, 2, 0),
        "a short test part joins the validation"
    );
    assert_eq!(cut(5, &[0.9, 0.1]), (5, 0, 0));
    for wrong in [
        &[][..],
        &[0.9],
        &[0.9, 0.2],
        &[0.0, 1.0],
        &[1.5, -0.5],
        &[f64::NAN, 0.1],
        &[f64::INFINITY],
        &[0.4, 0.2, 0.2, 0.2],
    ] {
        let error = Split::new(100, wrong).unwrap_err();
        assert!(matches!(error, Error::InvalidSplit { .. }), "{error}");
    }
}

#[test]
fn the_digest_tells_texts_and_vocabularies_apart() {
    let wide: String = ('一'..).take(300).collect();
    let mut bytes = CorpusBuilder::bytes();
    bytes.push_text("hello").unwrap();
    let mut reserved = CorpusBuilder::new().reserve_replacement();
    reserved.push_text("hello").unwrap();
    let corpora = [
        Corpus::from_text("hello").unwrap(),
        Corpus::from_text("hellO").unwrap(),
        Corpus::from_text("helol").unwrap(),
        Corpus::from_text("ifmmp").unwrap(),
        Corpus::from_text(&wide).unwrap(),
        Corpus::from_text(&format!("{wide}一")).unwrap(),
        bytes.finish().unwrap(),
        reserved.finish().unwrap(),
    ];
    for (i, one) in corpora.iter().enumerate() {
        for other in &corpora[..i] {
            assert_ne!(one.digest(), other.digest());
        }
    }
}
