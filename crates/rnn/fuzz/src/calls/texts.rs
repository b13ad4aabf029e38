//! Texts: how they are cut when they arrive, and how they are cut into parts, windows and records.

use rnn::{Corpus, CorpusBuilder, Error, Records, Result, Streams, Unknown, Vocabulary};

use super::World;
use super::draw::Draw;

/// What is done to a builder.
enum Piece {
    Bytes(Vec<u8>),
    Reader(Vec<u8>),
    End,
}

/// A text from a builder and the same in smaller pieces.
pub(super) fn build(draw: &mut Draw<'_>, world: &mut World) {
    let known = Vocabulary::from_text("abc \n\u{fffd}").expect("characters");
    let unknown = draw.one_of(&[Unknown::Error, Unknown::Skip, Unknown::Replace]);
    let (kind, is_records) = (draw.below(6), draw.flip());
    let reserved: Vec<char> = (0..draw.below(3)).map(|_| draw.character()).collect();
    let replaces = draw.flip();
    let builder = || {
        let mut builder = match kind {
            0..=2 => CorpusBuilder::new(),
            3 => CorpusBuilder::bytes(),
            4 => CorpusBuilder::with_vocabulary(known.clone(), unknown),
            _ => CorpusBuilder::with_vocabulary(Vocabulary::bytes(), unknown),
        };
        builder = builder.reserve(&reserved);
        if replaces {
            builder = builder.reserve_replacement();
        }
        if is_records {
            builder = builder.records();
        }
        builder
    };
    let pieces: Vec<Piece> = (0..1 + draw.below(5))
        .map(|_| match draw.below(5) {
            0 => Piece::End,
            1 => Piece::Reader(draw.bytes(40)),
            _ => Piece::Bytes(draw.bytes(40)),
        })
        .collect();
    let size = 1 + draw.below(3);
    match (
        read(builder(), &pieces, usize::MAX),
        read(builder(), &pieces, size),
    ) {
        (Ok(whole), Ok(cut)) => {
            assert_eq!(
                (whole.digest(), whole.had_bom()),
                (cut.digest(), cut.had_bom())
            );
            let vocab_size = whole.vocabulary().len();
            assert!(
                whole
                    .ids()
                    .as_slice()
                    .iter()
                    .all(|id| (id as usize) < vocab_size)
            );
            if is_records && kind != 4 {
                let records = Records::of(&whole).expect("every line has its newline");
                assert_eq!(records.characters(whole.ids().as_slice()), whole.len());
            }
            world.corpus = whole;
        }
        (Err(whole), Err(cut)) => assert_eq!(whole.to_string(), cut.to_string()),
        (whole, cut) => panic!("{:?} in one, {:?} in pieces", whole.err(), cut.err()),
    }
}

fn read(mut builder: CorpusBuilder, pieces: &[Piece], size: usize) -> Result<Corpus> {
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => match str::from_utf8(bytes) {
                Ok(text) if size == usize::MAX => builder.push_text(text)?,
                _ => bytes
                    .chunks(size)
                    .try_for_each(|bytes| builder.push_bytes(bytes))?,
            },
            Piece::Reader(bytes) if size == usize::MAX => builder.push_reader(&bytes[..])?,
            Piece::Reader(bytes) => {
                bytes
                    .chunks(size)
                    .try_for_each(|bytes| builder.push_bytes(bytes))?;
                builder.end_file()?;
            }
            Piece::End => builder.end_file()?,
        }
    }
    builder.finish()
}

/// Shares of any kind, and streams of any size.
pub(super) fn cut(draw: &mut Draw<'_>, world: &World) {
    let corpus = &world.corpus;
    let shares = if draw.flip() {
        draw.shares()
    } else {
        vec![draw.f64(), draw.f64()]
    };
    let split = corpus.split(&shares);
    if shares
        .iter()
        .any(|share| !share.is_finite() || *share < 0.0)
    {
        assert!(split.is_err(), "{shares:?}");
    }
    let mut part = 0..corpus.len();
    if let Ok(split) = split {
        let borders = [&split.train, &split.validation, &split.test];
        assert_eq!((split.train.start, split.test.end), (0, corpus.len()));
        assert!(
            borders.windows(2).all(|two| two[0].end == two[1].start),
            "{split:?}"
        );
        let is_whole = |part: &std::ops::Range<usize>| part.is_empty() || part.len() > 1;
        assert!(
            is_whole(&split.validation) && is_whole(&split.test),
            "{split:?}"
        );
        part = split.train;
    }
    let (batch, steps) = (draw.size(9).max(1), draw.size(9).max(1));
    follow_streams(corpus, &Streams::new(part, batch, steps), batch);
}

/// Reads all windows of all streams, and holds them against the text.
fn follow_streams(corpus: &Corpus, streams: &Streams, batch: usize) {
    let ids = corpus.ids();
    let mut done = 0;
    for w in 0..streams.windows_per_epoch() {
        let window = streams.window(w);
        let (mut inputs, mut targets) =
            (vec![0; window.len() * batch], vec![0; window.len() * batch]);
        assert_eq!(
            streams.fill(ids.as_slice(), w, &mut inputs, &mut targets),
            window.len()
        );
        assert_eq!(window.start, done);
        done = window.end;
        for (at, (&input, &target)) in inputs.iter().zip(&targets).enumerate() {
            let place = at % batch * streams.stream_len() + window.start + at / batch;
            assert_eq!((input, target), (ids.get(place), ids.get(place + 1)));
        }
    }
    assert_eq!(done, streams.stream_len());
}

/// Records, cut into parts that hold each of them once.
pub(super) fn records(draw: &mut Draw<'_>, world: &World) {
    let Ok(records) = Records::of(&world.corpus) else {
        return;
    };
    let (shares, seed) = (draw.shares(), draw.u64());
    match records
        .clone()
        .split(world.corpus.ids().as_slice(), &shares, seed)
    {
        Ok(split) => {
            let parts = [split.train, split.validation, split.test];
            let mut starts: Vec<usize> = parts.iter().flat_map(Records::starts).copied().collect();
            starts.sort_unstable();
            assert_eq!(starts, records.starts());
        }
        Err(error) => assert!(matches!(
            error,
            Error::NoRecords | Error::InvalidSplit { .. }
        )),
    }
}

/// Vocabularies from any characters in any order, and texts that they know or do not.
pub(super) fn vocabulary(draw: &mut Draw<'_>) {
    let mut symbols: Vec<char> = (0..draw.below(12)).map(|_| draw.character()).collect();
    let is_sound = !symbols.is_empty() && symbols.is_sorted_by(|a, b| a < b);
    assert_eq!(Vocabulary::from_symbols(symbols.clone()).is_ok(), is_sound);
    symbols.sort_unstable();
    symbols.dedup();
    let text = draw.text(20);
    let vocabularies = [
        Vocabulary::from_symbols(symbols),
        Vocabulary::from_text(&text),
        Ok(Vocabulary::bytes()),
    ];
    for vocabulary in vocabularies.into_iter().flatten() {
        if let Ok(ids) = vocabulary.encode(&text) {
            assert_eq!(vocabulary.decode(&ids), text);
            assert_eq!(vocabulary.decode_bytes(&ids), text.as_bytes());
        }
        let skipped = vocabulary
            .encode_with(&text, Unknown::Skip)
            .expect("what it lacks is left out");
        assert!(skipped.iter().all(|&id| (id as usize) < vocabulary.len()));
        if let Ok(replaced) = vocabulary.encode_with(&text, Unknown::Replace) {
            assert!(vocabulary.is_bytes() || replaced.len() == text.chars().count());
        }
        let close = vocabulary.close_to(draw.character());
        assert!(close.len() <= 5 && close.iter().all(|c| vocabulary.symbols().contains(c)));
    }
}
