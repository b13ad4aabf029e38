//! A score is that of the text, however the text is cut and however many threads read it: same bits.

use rnn::{CellKind, Id, Init, Model, Network, NetworkConfig, Scorer, Vocabulary};

/// Three thousand characters that never repeat for long.
fn text() -> String {
    let letter = |i: u32| char::from(b'a' + (i * i / 7 % 13 + i % 5) as u8);
    (0..3000).map(letter).collect()
}

fn model(cell: CellKind, hidden_size: usize, num_layers: usize) -> Model {
    let vocabulary = Vocabulary::from_text(&text()).unwrap();
    let config = NetworkConfig {
        cell,
        vocab_size: vocabulary.len(),
        hidden_size,
        num_layers,
    };
    let network = Network::new(config, &Init::default(), 5).unwrap();
    Model::new(vocabulary, network, None)
}

/// The bits of the score of `ids`, and of the surprise of each character, read in pieces of `size`.
fn score(model: &Model, ids: &[Id], size: usize) -> Vec<u64> {
    let mut scorer = Scorer::new(model).expect("memory");
    let mut bits = Vec::new();
    for piece in ids.chunks(size) {
        let read = scorer.push_with(piece, |_, nats, _| bits.push(nats.to_bits()));
        read.expect("small weights");
    }
    let score = scorer.score();
    assert_eq!(score.characters, ids.len() as u64 - 1);
    bits.extend([score.nats.to_bits(), score.bits_per_character().to_bits()]);
    bits
}

#[test]
fn pieces_and_threads_change_no_bit_of_a_score() {
    let mut cases: Vec<_> = CellKind::ALL.map(|cell| (cell, 24, 2, 3000)).into();
    // Wide enough that one step of one sequence is split over the threads.
    cases.push((CellKind::LSTM, 512, 1, 300));
    for (cell, hidden_size, num_layers, length) in cases {
        let model = model(cell, hidden_size, num_layers);
        let ids = model.vocabulary().encode(&text()[..length]).unwrap();
        let whole = score(&model, &ids, length);
        assert_eq!(whole.len(), length + 1);
        let nats = f64::from_bits(whole[length - 1]);
        assert!(nats.is_finite() && nats > 0.0, "{nats}");
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().unwrap();
            for size in [1, 7, 1000, length] {
                let pieces = pool.install(|| score(&model, &ids, size));
                assert!(
                    pieces == whole,
                    "{cell} {hidden_size}, pieces of {size}, {threads} threads"
                );
            }
        }
    }
}
