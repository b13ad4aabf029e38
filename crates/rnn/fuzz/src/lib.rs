//! What is fuzzed: each function takes any bytes and panics only where something is wrong.

mod calls;

use std::sync::OnceLock;

use rnn::checkpoint::Interrupted;
use rnn::{
    BatchSampler, CellKind, Corpus, CorpusBuilder, Error, Id, Init, Model, Network, NetworkConfig,
    Result, SampleOptions, Unknown, Vocabulary, checkpoint,
};

pub use calls::calls;

/// A model's file, what a run goes on from, or a network of PyTorch's. Where only the checksum is wrong
/// it is made right first, so that what lies behind it is reached.
pub fn model(data: &[u8]) {
    if let Ok(model) = sealed(data, Model::from_bytes) {
        let bytes = model.to_bytes();
        let again = Model::from_bytes(&bytes).expect("what was written can be read");
        assert!(
            again.to_bytes() == bytes,
            "writing and reading change a model"
        );
        let sampler = model.sample("", &SampleOptions::default());
        let text: rnn::Result<String> = sampler.and_then(|sampler| sampler.take(4).collect());
        match text {
            Ok(text) => {
                assert_eq!(text.chars().count(), 4);
                // Of a text all but the first character is predicted; of lines each, and each end.
                let predicted = match model.line_end() {
                    Some(_) => 4 + u64::from(!text.ends_with('\n')),
                    None => 3,
                };
                let score = model.score(&text).map(|score| score.characters);
                assert!(
                    model.vocabulary().is_bytes() || score.as_ref().is_ok_and(|&n| n == predicted),
                    "{score:?} of {predicted}"
                );
            }
            // Weights that are finite, as those of a file are, but too large to work with.
            Err(error) => assert!(matches!(error, Error::Overflow { .. }), "{error}"),
        }
    }
    if let Ok(run) = sealed(data, Interrupted::from_bytes) {
        assert!(Model::from_bytes(&run.model().to_bytes()).is_ok());
        let bytes = run.into_bytes();
        let again = Interrupted::from_bytes(&bytes).expect("what was written can be read");
        assert!(
            again.into_bytes() == bytes,
            "writing and reading change a run"
        );
    }
    for characters in [None, Some("abcd"), Some("ba")] {
        if let Ok(model) = checkpoint::import(data, characters, characters.is_some()) {
            let again = Model::from_bytes(&model.to_bytes()).expect("what was imported is sound");
            assert!(again == model, "writing and reading change an import");
        }
    }
}

/// Reads with the checksum that the error asks for, if it is the checksum that is wrong.
fn sealed<T>(data: &[u8], read: impl Fn(&[u8]) -> Result<T>) -> Result<T> {
    const NAME: &[u8] = br#"\"checksum\":\""#;
    let result = read(data);
    let Err(Error::NotAModel { what }) = &result else {
        return result;
    };
    let right = what
        .split("but its content gives \"")
        .nth(1)
        .and_then(|rest| rest.get(..16));
    let place = data.windows(NAME.len()).position(|window| window == NAME);
    let (Some(right), Some(place)) = (right, place) else {
        return result;
    };
    let mut data = data.to_vec();
    let Some(checksum) = data.get_mut(place + NAME.len()..place + NAME.len() + 16) else {
        return result;
    };
    checksum.copy_from_slice(right.as_bytes());
    read(&data)
}

/// A text, read at once and in pieces, as characters, as bytes, and with a vocabulary that is given.
/// The first byte says how long the pieces are.
pub fn text(data: &[u8]) {
    let Some((&size, text)) = data.split_first() else {
        return;
    };
    let size = usize::from(size) + 1;
    let builders: [fn() -> CorpusBuilder; 7] = [
        CorpusBuilder::new,
        || CorpusBuilder::new().records().reserve_replacement(),
        CorpusBuilder::bytes,
        || CorpusBuilder::with_vocabulary(known(), Unknown::Error),
        || CorpusBuilder::with_vocabulary(known(), Unknown::Skip),
        || CorpusBuilder::with_vocabulary(known(), Unknown::Replace),
        || CorpusBuilder::with_vocabulary(Vocabulary::bytes(), Unknown::Error),
    ];
    for build in builders {
        let whole = read(build(), text.chunks(text.len().max(1)));
        let pieces = read(build(), text.chunks(size));
        match (whole, pieces) {
            (Ok(whole), Ok(pieces)) => {
                assert_eq!(whole.digest(), pieces.digest());
                check(&whole);
            }
            (Err(whole), Err(pieces)) => assert_eq!(whole.to_string(), pieces.to_string()),
            (whole, pieces) => panic!("{:?} in one, {:?} in pieces", whole.err(), pieces.err()),
        }
    }
    match (
        str::from_utf8(text),
        read(CorpusBuilder::new(), text.chunks(size)),
    ) {
        (Ok(text), Ok(corpus)) => {
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            assert_eq!(corpus.vocabulary().decode(&ids(&corpus)), text);
        }
        (Err(error), Err(Error::InvalidUtf8 { offset, .. })) => {
            assert_eq!(offset, error.valid_up_to() as u64);
        }
        (Ok(_), Err(Error::EmptyText | Error::OneDistinctCharacter { .. })) => {}
        (expected, got) => panic!("{:?} of {expected:?}", got.err()),
    }
}

fn known() -> Vocabulary {
    Vocabulary::from_text("abc \n\u{fffd}").expect("characters")
}

fn read<'a>(mut builder: CorpusBuilder, pieces: impl Iterator<Item = &'a [u8]>) -> Result<Corpus> {
    for piece in pieces {
        builder.push_bytes(piece)?;
    }
    builder.finish()
}

fn ids(corpus: &Corpus) -> Vec<Id> {
    let mut ids = vec![0; corpus.len()];
    corpus.ids().copy_to(0..corpus.len(), &mut ids);
    ids
}

fn check(corpus: &Corpus) {
    let size = corpus.vocabulary().len();
    assert!(ids(corpus).iter().all(|&id| (id as usize) < size));
    let split = corpus.split(&[0.8, 0.1, 0.1]).expect("shares that add up");
    assert!(split.train.end == split.validation.start);
    assert!(split.validation.end <= corpus.len());
}

/// Options from bytes: temperature and top-p as numbers of any kind, top-k, seed, then the prime.
pub fn sampling(data: &[u8]) {
    static MODEL: OnceLock<Model> = OnceLock::new();
    let model = MODEL.get_or_init(|| {
        let vocabulary = known();
        let (cell, vocab_size) = (CellKind::GRU, vocabulary.len());
        let config = NetworkConfig {
            cell,
            vocab_size,
            hidden_size: 3,
            num_layers: 1,
        };
        Model::new(
            vocabulary,
            Network::new(config, &Init::default(), 1).expect("sizes"),
            None,
        )
    });
    let word = |at: usize| {
        data.get(8 * at..8 * at + 8)
            .map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")))
    };
    let (Some(temperature), Some(top_p), Some(top_k), Some(seed)) =
        (word(0), word(1), word(2), word(3))
    else {
        return;
    };
    let options = SampleOptions {
        temperature: f64::from_bits(temperature),
        top_p: (top_p != 0).then_some(f64::from_bits(top_p)),
        top_k: (top_k != 0).then(|| top_k as usize - 1),
        seed,
    };
    let size = model.vocabulary().len();
    let prime: Vec<Id> = data[32..]
        .iter()
        .take(100)
        .map(|&byte| u32::from(byte) % size as u32)
        .collect();
    let sampler = BatchSampler::new(model, &prime, 3, &options);
    let has_overflowed = matches!(sampler, Err(Error::Overflow { .. }));
    assert!(has_overflowed || sampler.is_ok() == options.validate().is_ok());
    let Ok(mut sampler) = sampler else {
        return;
    };
    let mut again = BatchSampler::new(model, &prime, 3, &options).expect("the same options");
    for _ in 0..8 {
        let (drawn, second) = (sampler.next_characters(), again.next_characters());
        let (Ok(drawn), Ok(second)) = (drawn, second) else {
            break;
        };
        assert!(drawn.iter().all(|&id| (id as usize) < size));
        assert_eq!(drawn, second);
        if options.temperature == 0.0 || options.top_k == Some(1) {
            assert!(drawn.iter().all(|&id| id == drawn[0]), "{options:?}");
        }
    }
}
