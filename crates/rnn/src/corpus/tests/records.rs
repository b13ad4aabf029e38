//! Tests of lines as records and of their batches.

use std::collections::BTreeSet;
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
    assert_eq!(Records::of(&corpus).unwrap().starts(), [0, 4, 7, 10, 11]);
    assert_eq!(corpus.len(), 16);
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

/// Reads an epoch back: the lines in order, after checking inputs, padding and counts.
fn read_epoch(corpus: &Corpus, batches: &mut RecordBatches, seq_length: usize) -> Vec<String> {
    let (batch_size, newline) = (batches.batch_size(), corpus.vocabulary().id('\n').unwrap());
    let mut rows: Vec<Vec<Id>> = vec![Vec::new(); batch_size];
    let mut is_over = vec![false; batch_size];
    let mut sum = 0;
    for w in 0..batches.windows_per_epoch() {
        let mut inputs = vec![7777; seq_length * batch_size + 1];
        let mut targets = inputs.clone();
        let window = batches.fill(corpus.ids().as_slice(), w, &mut inputs, &mut targets);
        assert!((1..=seq_length).contains(&window.steps));
        assert_eq!(window.is_first, w == 0);
        let filled: Range<usize> = 0..window.steps * batch_size;
        assert_eq!((inputs[filled.end], targets[filled.end]), (7777, 7777));
        let mut counted = 0;
        for place in filled {
            let column = place % batch_size;
            let (input, target) = (inputs[place], targets[place]);
            if target == IGNORE {
                assert_eq!(input, newline);
                is_over[column] = true;
                continue;
            }
            assert!(!is_over[column], "padding inside a row");
            counted += 1;
            if let Some(&last) = rows[column].last() {
                assert_eq!(input, last, "a record starts with the newline before it");
            }
            rows[column].push(target);
        }
        assert_eq!(window.characters, counted, "padding is not counted");
        assert!(counted > 0, "a window of padding alone");
        sum += counted;
    }
    assert_eq!(sum, corpus.len(), "every character once");
    let text = corpus.vocabulary().decode(&rows.concat());
    text.split_inclusive('\n').map(str::to_owned).collect()
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
            let mut batches = RecordBatches::new(records, ids, [batch_size, seq_length], 0);
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
    let mut batches = RecordBatches::new(Records::of(&corpus).unwrap(), ids, [2, 4], 0);
    let windows = batches.windows_per_epoch();
    let mut read = |w| {
        let (mut inputs, mut targets) = ([0; 8], [0; 8]);
        (
            batches.fill(ids, w, &mut inputs, &mut targets),
            inputs,
            targets,
        )
    };
    let forward: Vec<_> = (0..windows).map(&mut read).collect();
    let mut backward: Vec<_> = (0..windows).rev().map(&mut read).collect();
    backward.reverse();
    assert!(windows > 3);
    assert_eq!(forward, backward);
}

/// Lines of one to eleven letters.
fn names(count: usize) -> String {
    let name = |at: usize| format!("{}\n", "x".repeat(1 + at * 7 % 11));
    (0..count).map(name).collect()
}

#[test]
fn no_step_waits_for_a_line_whatever_its_length() {
    let [batch_size, seq_length] = [32, 64];
    for long in [0, 500, 300_000] {
        let corpus = records_of(&[&names(9_000), &"y".repeat(long), &names(9_000)]);
        let ids = corpus.ids().as_slice();
        let records = Records::of(&corpus).unwrap();
        let mut batches = RecordBatches::new(records, ids, [batch_size, seq_length], 0);
        batches.shuffle(ids, 1, 0);
        let windows = batches.windows_per_epoch();
        let least = corpus.len().div_ceil(batch_size * seq_length);
        assert!(windows <= least + 1, "{windows} windows for {least}");
        let (mut inputs, mut targets) = (vec![0; 2048], vec![0; 2048]);
        for w in 0..windows - 2 {
            let window = batches.fill(ids, w, &mut inputs, &mut targets);
            assert_eq!(window.characters, window.steps * batch_size);
        }
        let lines = read_epoch(&corpus, &mut batches, seq_length).len();
        assert_eq!(lines, 18_000 + usize::from(long > 0));
    }
}

#[test]
fn a_row_that_starts_inside_a_record_can_warm_up() {
    let corpus = records_of(&[&"abcdefghij".repeat(10)]);
    let ids = corpus.ids().as_slice();
    let mut batches = RecordBatches::new(Records::of(&corpus).unwrap(), ids, [2, 4], 3);
    let (mut inputs, mut targets) = ([0; 8], [0; 8]);
    batches.fill(ids, 0, &mut inputs, &mut targets);
    // 101 characters: the second row starts at the 52nd, "b", and first reads the three before.
    let column = |of: [Id; 8]| [of[1], of[3], of[5], of[7]];
    let id = |c| corpus.vocabulary().id(c).unwrap();
    assert_eq!(column(inputs), ['h', 'i', 'j', 'a'].map(id));
    assert_eq!(column(targets), [IGNORE, IGNORE, IGNORE, id('b')]);
    assert_eq!(
        (batches.characters(), batches.windows_per_epoch()),
        (101, 14)
    );
}

#[test]
fn shuffles_depend_on_seed_and_epoch_alone() {
    let text: String = (0..500).map(|i| format!("line {i}\n")).collect();
    let corpus = records_of(&[&text]);
    let ids = corpus.ids().as_slice();
    let records = Records::of(&corpus).unwrap();
    let split = records.clone().split(ids, &[0.8, 0.1, 0.1], 3).unwrap();
    for (part, share) in [
        (&split.train, 0.8),
        (&split.validation, 0.1),
        (&split.test, 0.1),
    ] {
        let off = part.characters(ids) as f64 - share * corpus.len() as f64;
        assert!(off.abs() <= 9.0, "off by {off} of {share}");
    }
    let mut all = [
        split.train.starts(),
        split.validation.starts(),
        split.test.starts(),
    ]
    .concat();
    all.sort_unstable();
    assert_eq!(all, records.starts(), "every record is in one part");
    assert_eq!(
        records.clone().split(ids, &[0.8, 0.1, 0.1], 3).unwrap(),
        split
    );
    assert_ne!(
        records
            .clone()
            .split(ids, &[0.8, 0.1, 0.1], 4)
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
        let mut batches = RecordBatches::new(records.clone(), ids, [8, 16], 0);
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
    let one = records_of(&["a"]);
    let split = Records::of(&one)
        .unwrap()
        .split(one.ids().as_slice(), &[0.5, 0.0, 0.5], 0);
    assert!(matches!(split, Err(Error::NoRecords)));
}

#[test]
fn copies_of_a_line_are_learned_or_held_out_together() {
    // In one byte a character, and in four.
    for more in [
        String::new(),
        (0..300)
            .filter_map(|c| char::from_u32(0x4e00 + c))
            .collect(),
    ] {
        let text: String = (0..4_000)
            .map(|at| format!("{more}{}\n", at * at % 1_009))
            .collect();
        let corpus = records_of(&[&text]);
        let ids = corpus.ids().as_slice();
        let split = Records::of(&corpus).unwrap();
        let split = split.split(ids, &[0.6, 0.2, 0.2], 5).unwrap();
        let parts = [split.train, split.validation, split.test].map(|part| {
            let held = part.characters(ids) as f64 / corpus.len() as f64;
            let line = |&start: &usize| ids.slice(start..start + part.length(ids, start));
            let lines = part.starts().iter().map(line);
            let lines: BTreeSet<Vec<Id>> = lines.map(|line| line.iter().collect()).collect();
            (held, lines)
        });
        for (part, share) in parts.iter().zip([0.6, 0.2, 0.2]) {
            assert!((part.0 - share).abs() < 0.01, "{} of {share}", part.0);
        }
        let [train, validation, test] = parts.map(|part| part.1);
        assert!(train.is_disjoint(&validation) && train.is_disjoint(&test));
        assert!(validation.is_disjoint(&test) && !test.is_empty());
    }
}

#[test]
fn a_line_longer_than_the_held_out_share_is_learned() {
    let corpus = records_of(&[&names(200), &"y".repeat(20_000), &names(200)]);
    let ids = corpus.ids().as_slice();
    for seed in 0..20 {
        let records = Records::of(&corpus).unwrap();
        let split = records.split(ids, &[0.95, 0.05], seed).unwrap();
        assert!(split.train.characters(ids) > 20_000);
        assert!(!split.validation.is_empty());
    }
}

#[test]
fn more_records_side_by_side_than_there_can_be_need_no_memory() {
    let corpus = records_of(&["ann\nbo\n"]);
    let ids = corpus.ids().as_slice();
    let records = Records::of(&corpus).unwrap();
    for batch_size in [1 << 40, usize::MAX] {
        let batches = RecordBatches::new(records.clone(), ids, [batch_size, 64], 0);
        assert_eq!(batches.windows_per_epoch(), 1);
    }
}

#[test]
#[should_panic(expected = "window of 4 x 18446744073709551615 needs buffers of")]
fn a_window_of_too_many_records_is_a_programming_error() {
    let corpus = records_of(&["ann\nbo\n"]);
    let ids = corpus.ids().as_slice();
    let records = Records::of(&corpus).unwrap();
    let mut batches = RecordBatches::new(records, ids, [usize::MAX, 64], 0);
    batches.fill(ids, 0, &mut [0; 8], &mut [0; 8]);
}
