//! Scoring that learns on the way, against the same loop by hand.

use rnn::optimizer::Optimizer;
use rnn::{
    AdaptiveScorer, Bptt, CellKind, Error, Id, Init, Model, Network, NetworkConfig, Parameters,
    Reduction, Score, Scorer, Vocabulary, Window,
};

const SEGMENT: usize = AdaptiveScorer::SEGMENT;

/// A phrase again and again, with something between that differs.
fn text() -> String {
    let letter = |i: u32| char::from(b'a' + (i * i / 7 % 13) as u8);
    let line = |i: u32| format!("as the saying goes {}\n", letter(i));
    (0..40).map(line).collect()
}

fn model(cell: CellKind, hidden_size: usize) -> Model {
    let vocabulary = Vocabulary::from_text(&text()).unwrap();
    let config = NetworkConfig {
        cell,
        vocab_size: vocabulary.len(),
        hidden_size,
        num_layers: 2,
    };
    let network = Network::new(config, &Init::default(), 5).unwrap();
    Model::new(vocabulary, network, None)
}

/// The surprise of each character of these texts, one after the other.
fn adapted(model: &Model, texts: &[&[Id]]) -> Vec<f64> {
    let mut scorer = AdaptiveScorer::new(model).expect("memory");
    let mut all = Vec::new();
    for text in texts {
        let read = scorer.read(text.iter().copied(), |id, nats| {
            all.push((id, nats));
            Ok::<_, Error>(())
        });
        read.expect("small weights");
    }
    let predicted = texts.iter().flat_map(|text| &text[1..]);
    assert!(predicted.eq(all.iter().map(|(id, _)| id)));
    let nats: Vec<f64> = all.into_iter().map(|(_, nats)| nats).collect();
    let score = Score {
        nats: nats.iter().sum(),
        characters: nats.len() as u64,
    };
    assert_eq!(scorer.score(), score);
    nats
}

fn plain(model: &Model, text: &[Id]) -> Vec<f64> {
    let mut nats = Vec::new();
    let mut scorer = Scorer::new(model).expect("memory");
    let read = scorer.push_with(text, |_, loss, _| nats.push(loss));
    read.expect("small weights");
    nats
}

/// The loss of each segment, by passes over windows and steps of an optimiser.
fn by_hand(model: &Model, text: &[Id]) -> Vec<f64> {
    let config = model.network().config();
    let mut params = model.network().parameters().clone();
    let mut optimizer = Optimizer::new(AdaptiveScorer::OPTIMIZER, params.len()).unwrap();
    let window = Window {
        batch_size: 1,
        seq_length: SEGMENT,
        horizon: None,
        reduction: Reduction::Sum,
        restart: None,
    };
    let mut bptt = Bptt::new(config, window, false).unwrap();
    let mut losses = Vec::new();
    for start in (0..text.len() - 1).step_by(SEGMENT) {
        let end = (start + SEGMENT).min(text.len() - 1);
        let (inputs, targets) = (&text[start..end], &text[start + 1..end + 1]);
        losses.push(bptt.forward(&params, inputs, targets, None));
        let mut gradient = Parameters::zeros(config);
        bptt.backward(&mut gradient);
        let rate = AdaptiveScorer::LEARNING_RATE;
        if end - start == SEGMENT {
            optimizer.step(params.as_mut_slice(), gradient.as_slice(), rate);
        }
    }
    losses
}

#[test]
fn segments_are_scored_and_then_learned_from_as_by_hand() {
    for cell in CellKind::ALL {
        let model = model(cell, 24);
        let ids = model.vocabulary().encode(&text()).unwrap();
        let before = model.clone();
        let nats = adapted(&model, &[&ids]);
        let segments: Vec<f64> = nats.chunks(SEGMENT).map(|some| some.iter().sum()).collect();
        assert_eq!(segments, by_hand(&model, &ids), "{cell}");
        assert!(model == before, "{cell} changed");
        let plain = plain(&model, &ids);
        assert_eq!(nats[..SEGMENT], plain[..SEGMENT], "{cell}");
        let last = plain.len() - 200;
        let [plain, adapted] = [&plain, &nats].map(|nats| nats[last..].iter().sum::<f64>());
        assert!(adapted < plain, "{cell}: {adapted} after {plain}");
    }
}

#[test]
fn records_start_from_a_zero_state_and_share_what_is_learned() {
    let model = model(CellKind::GRU, 24);
    let text = text();
    let ids = model.vocabulary().encode(&format!("\n{text}")).unwrap();
    let newline = ids[0];
    let ends = (1..ids.len()).filter(|&at| ids[at] == newline);
    let mut start = 0;
    let records = ends.map(|end| {
        let record = &ids[start..=end];
        start = end;
        record
    });
    let records: Vec<&[Id]> = records.collect();
    // A record has 21 characters: the first segment ends within it.
    assert_eq!(records[0].len() - 1, SEGMENT + 1);
    let nats = adapted(&model, &records);
    let alone: Vec<f64> = records.iter().flat_map(|ids| plain(&model, ids)).collect();
    assert_eq!(nats[..SEGMENT], alone[..SEGMENT]);
    // Short records, of which several make a segment.
    let short: Vec<&[Id]> = records.iter().map(|ids| &ids[..8]).collect();
    let learned = adapted(&model, &short);
    let alone: Vec<f64> = short.iter().flat_map(|ids| plain(&model, ids)).collect();
    assert_eq!(learned[..SEGMENT], alone[..SEGMENT]);
    assert!(learned[SEGMENT..].iter().sum::<f64>() < alone[SEGMENT..].iter().sum::<f64>());
}

#[test]
fn threads_change_no_bit() {
    // Wide enough that products and steps are split over the threads.
    let model = model(CellKind::LSTM, 160);
    let ids = model.vocabulary().encode(&text()[..200]).unwrap();
    let one = adapted(&model, &[&ids]);
    for threads in [2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let nats = pool.build().unwrap().install(|| adapted(&model, &[&ids]));
        assert_eq!(nats, one, "{threads} threads");
    }
}

#[test]
fn a_network_that_overflows_says_where_as_plain_scoring_does() {
    let sound = model(CellKind::RNN_RELU, 8);
    let mut network = sound.network().clone();
    let bias = network.parameters().layout().layers[0].bias_ih;
    network.parameters_mut().slice_mut(bias).fill(f32::MAX);
    let model = Model::new(sound.vocabulary().clone(), network, None);
    let ids = model.vocabulary().encode("as the").unwrap();
    let mut scorer = AdaptiveScorer::new(&model).unwrap();
    let adapted = scorer.read(ids, |_, _| Ok::<_, Error>(()));
    let (adapted, plain) = (adapted.unwrap_err(), model.score("as the").unwrap_err());
    assert!(
        matches!(adapted, Error::Overflow { characters: 1 }),
        "{adapted}"
    );
    assert_eq!(adapted.to_string(), plain.to_string());
}
