//! Tests of windows over streams and of batches of records.

use std::ops::Range;

use super::*;
use crate::{Error, IGNORE, Id, Unknown};

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
        let fitted = fit(characters, batch_size, seq_length).unwrap();
        let (b, t) = (fitted.batch_size, fitted.seq_length);
        assert_eq!(fitted.changed.is_some(), (b, t) != (batch_size, seq_length));
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
        Err(Error::ZeroSize { name: "batch size" })
    ));
    assert!(matches!(
        fit(9, 1, 0),
        Err(Error::ZeroSize {
            name: "window length"
        })
    ));
    assert_eq!(
        fit(50, 32, 64).unwrap().changed.unwrap(),
        "training text of 50 characters is short for a batch of 32 windows of 64: using 1 of 49"
    );
}

fn records_of(files: &[&str]) -> Corpus {
    let mut builder = CorpusBuilder::new().records();
    for file in files {
        builder.push_reader(file.as_bytes()).unwrap();
    }
    builder.finish().unwrap()
}

#[test]
fn every_file_ends_in_a_newline_when_lines_are_records() {
    let corpus = records_of(&["\u{feff}ann\nbo", "", "cy\r\n", "\n", "dora"]);
    assert_eq!(Records::of(&corpus).unwrap().starts(), [0, 4, 7, 11, 12]);
    assert_eq!(corpus.len(), 17);
    let plain = Corpus::from_text("ann\nbo").unwrap();
    assert!(matches!(Records::of(&plain), Err(Error::UnfinishedRecord)));
    assert!(matches!(
        Records::of(&places(2)),
        Err(Error::UnfinishedRecord)
    ));
    let lines = Vocabulary::from_text("abon").unwrap();
    let mut given = CorpusBuilder::with_vocabulary(lines, Unknown::Error).records();
    assert!(matches!(
        given.push_reader(&b"ann"[..]),
        Err(Error::UnknownCharacter {
            character: '\n',
            offset: 3,
            ..
        })
    ));
    let mut bytes = CorpusBuilder::bytes().records();
    bytes.push_bytes(b"\xff\n\xfe").unwrap();
    assert_eq!(
        Records::of(&bytes.finish().unwrap()).unwrap().starts(),
        [0, 2]
    );
}

/// Reads an epoch back: the lines in order, after checking padding, state and counts.
fn read_epoch(corpus: &Corpus, batches: &mut RecordBatches, seq_length: usize) -> Vec<String> {
    let (batch_size, newline) = (batches.batch_size(), corpus.vocabulary().id('\n').unwrap());
    let mut lines: Vec<String> = Vec::new();
    let mut rows: Vec<Vec<Id>> = Vec::new();
    let mut finish = |rows: &mut Vec<Vec<Id>>| {
        let spelt = rows.drain(..).filter(|row| !row.is_empty());
        lines.extend(spelt.map(|row| corpus.vocabulary().decode(&row)));
    };
    for w in 0..batches.windows_per_epoch() {
        let mut inputs = vec![7777; seq_length * batch_size + 1];
        let mut targets = inputs.clone();
        let window = batches.fill(corpus.ids().as_slice(), w, &mut inputs, &mut targets);
        assert!((1..=seq_length).contains(&window.steps));
        let filled: Range<usize> = 0..window.steps * batch_size;
        assert_eq!((inputs[filled.end], targets[filled.end]), (7777, 7777));
        let counted = targets[filled.clone()]
            .iter()
            .filter(|&&target| target != IGNORE)
            .count();
        assert_eq!(window.characters, counted, "padding is not counted");
        assert!(counted > 0, "a window of padding alone");
        if window.is_first {
            finish(&mut rows);
            rows = vec![Vec::new(); batch_size];
        }
        for place in filled {
            let row = &mut rows[place % batch_size];
            let (input, target) = (inputs[place], targets[place]);
            let ended = row.last() == Some(&newline) || (place >= batch_size && row.is_empty());
            if target == IGNORE {
                assert!(ended || row.is_empty(), "padding inside a record");
                assert_eq!(input, newline);
            } else {
                assert!(!ended, "a record goes on behind its end");
                assert_eq!(input, row.last().copied().unwrap_or(newline));
                row.push(target);
            }
        }
    }
    finish(&mut rows);
    lines
}

#[test]
fn records_are_read_whole_in_windows_of_any_length() {
    let text = "emma\n\nolivia\nx\na line that is much longer than any window\nava\nz";
    let corpus = records_of(&[text]);
    let want: Vec<String> = text.split('\n').map(|line| format!("{line}\n")).collect();
    for batch_size in [1, 2, 3, 7, 20] {
        for seq_length in [1, 2, 5, 100] {
            let records = Records::of(&corpus).unwrap();
            let ids = corpus.ids().as_slice();
            let mut batches = RecordBatches::new(records, ids, batch_size, seq_length);
            assert_eq!(read_epoch(&corpus, &mut batches, seq_length), want);
            for epoch in 0..3 {
                batches.shuffle(ids, 1, epoch);
                let mut lines = read_epoch(&corpus, &mut batches, seq_length);
                lines.sort();
                let mut sorted = want.clone();
                sorted.sort();
                assert_eq!(lines, sorted, "{batch_size} x {seq_length}, epoch {epoch}");
            }
        }
    }
}

#[test]
fn windows_can_be_read_in_any_order() {
    let corpus = records_of(&["ann\nbartholomew\ncy\ndora\neve\nf"]);
    let ids = corpus.ids().as_slice();
    let mut batches = RecordBatches::new(Records::of(&corpus).unwrap(), ids, 2, 4);
    let mut read = |w| {
        let (mut inputs, mut targets) = ([0; 8], [0; 8]);
        (
            batches.fill(ids, w, &mut inputs, &mut targets),
            inputs,
            targets,
        )
    };
    let forward: Vec<_> = (0..5).map(&mut read).collect();
    let mut backward: Vec<_> = (0..5).rev().map(&mut read).collect();
    backward.reverse();
    assert_eq!(forward, backward);
}

#[test]
fn shuffles_depend_on_seed_and_epoch_alone() {
    let text: String = (0..500).map(|i| format!("line {i}\n")).collect();
    let corpus = records_of(&[&text]);
    let ids = corpus.ids().as_slice();
    let records = Records::of(&corpus).unwrap();
    let split = records.clone().split(&[0.8, 0.1, 0.1], 3).unwrap();
    assert_eq!(
        (split.train.len(), split.validation.len(), split.test.len()),
        (400, 50, 50)
    );
    let mut all = [
        split.train.starts(),
        split.validation.starts(),
        split.test.starts(),
    ]
    .concat();
    all.sort_unstable();
    assert_eq!(all, records.starts(), "every record is in one part");
    assert_eq!(records.clone().split(&[0.8, 0.1, 0.1], 3).unwrap(), split);
    assert_ne!(
        records
            .clone()
            .split(&[0.8, 0.1, 0.1], 4)
            .unwrap()
            .validation,
        split.validation
    );
    // About a tenth of any stretch is held back, not a stretch itself.
    let early = split
        .validation
        .starts()
        .iter()
        .filter(|&&start| start < corpus.len() / 2)
        .count();
    assert!(
        (10..40).contains(&early),
        "{early} of 50 from the first half"
    );

    let order = |epochs: &[u64], seed| {
        let mut batches = RecordBatches::new(records.clone(), ids, 8, 16);
        for &epoch in epochs {
            batches.shuffle(ids, seed, epoch);
        }
        read_epoch(&corpus, &mut batches, 16)
    };
    assert_eq!(
        order(&[2], 9),
        order(&[0, 1, 2], 9),
        "the way to an epoch leaves no trace"
    );
    assert_ne!(order(&[1], 9), order(&[2], 9));
    assert_ne!(order(&[1], 9), order(&[1], 8));
    assert!(matches!(records_of(&["a"]).ids().len(), 2));
    let one = Records::of(&records_of(&["a"])).unwrap();
    assert!(matches!(
        one.split(&[0.5, 0.0, 0.5], 0),
        Err(Error::NoRecords)
    ));
}
