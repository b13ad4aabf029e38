//! Tests of lines as records and of their batches.

use std::ops::Range;

use crate::corpus::*;
use crate::{Error, IGNORE, Id, Unknown};

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
        Records::of(&Corpus::from_text("ab").unwrap()),
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
    let one = Records::of(&records_of(&["a"])).unwrap();
    assert!(matches!(
        one.split(&[0.5, 0.0, 0.5], 0),
        Err(Error::NoRecords)
    ));
}

#[test]
fn more_records_side_by_side_than_there_can_be_need_no_memory() {
    let corpus = records_of(&["ann\nbo\n"]);
    let ids = corpus.ids().as_slice();
    let records = Records::of(&corpus).unwrap();
    for batch_size in [1 << 40, usize::MAX] {
        let batches = RecordBatches::new(records.clone(), ids, batch_size, 64);
        assert_eq!(batches.windows_per_epoch(), 1);
    }
}

#[test]
#[should_panic(expected = "window of 4 x 18446744073709551615 needs buffers of")]
fn a_window_of_too_many_records_is_a_programming_error() {
    let corpus = records_of(&["ann\nbo\n"]);
    let ids = corpus.ids().as_slice();
    let records = Records::of(&corpus).unwrap();
    let mut batches = RecordBatches::new(records, ids, usize::MAX, 64);
    batches.fill(ids, 0, &mut [0; 8], &mut [0; 8]);
}
