//! Numbers about a network: every function on any text, the empty one included.

use rnn::insight::{Memory, Property, correlations, kept_share, letters, surprises};
use rnn::{Model, Scorer};

use super::draw::Draw;
use super::reading::overflow_or;

pub(super) fn trace(draw: &mut Draw<'_>, model: &Model) {
    let (network, vocab_size) = (model.network(), model.vocabulary().len());
    let ids = draw.ids(vocab_size, 30);
    let Ok(traces) = overflow_or(model.traces(&ids)) else {
        return;
    };
    assert_eq!(traces.len(), ids.len());
    let text: Vec<char> = ids
        .iter()
        .map(|&id| model.vocabulary().symbol(id))
        .collect();
    let layer = draw.below(network.config().num_layers);
    let property = draw.one_of(&Property::ALL).values(&text);
    for &signal in traces.signals() {
        let unit = draw.below(network.config().hidden_size);
        let mut values = traces.unit(layer, signal.name, unit);
        assert_eq!(values.len(), ids.len());
        assert!(!signal.is_gate() || values.all(|x| x.is_nan() || (0.0..=1.0).contains(&x)));
        let all = correlations(&property, &traces, layer, signal.name);
        let is_one = |r: f64| r.is_nan() || (-1.0..=1.0).contains(&r);
        assert!(all.iter().flatten().all(|&r| is_one(r)), "{all:?}");
    }
    let most = |draw: &mut Draw<'_>| {
        if draw.flip() {
            draw.u64() as usize
        } else {
            draw.below(9)
        }
    };
    let (max_lag, samples) = (most(draw), most(draw));
    let memory = Memory::measure(network, &ids, &traces, max_lag, samples).expect("memory");
    assert!(memory.samples <= ids.len());
    let (window, horizon) = (most(draw), draw.flip().then(|| most(draw)));
    let lost = memory.cut_off(layer, window, horizon);
    assert!(
        lost.is_nan() || (-1e-9..=1.0 + 1e-9).contains(&lost),
        "{lost}"
    );
    assert!((0.0..=1.0).contains(&kept_share(most(draw), window, horizon)));
    let mut scorer = Scorer::new(model).expect("memory");
    let read = overflow_or(scorer.push(&ids));
    let expected = overflow_or(surprises(model, &ids, most(draw)));
    assert_eq!(expected.is_err(), read.is_err());
    let Ok(expected) = expected else { return };
    let sum = expected
        .iter()
        .fold(0.0, |sum, surprise| sum + surprise.nats);
    let score = scorer.score().nats;
    assert!(
        sum == score || (sum.is_nan() && score.is_nan()),
        "{sum} {score}"
    );
}

pub(super) fn weights(model: &Model) {
    let letters = letters(model.network()).expect("memory");
    let is_finite = model.network().parameters().is_finite();
    for map in [&letters.decoder, &letters.input] {
        assert_eq!(map.points.len(), model.vocabulary().len());
        let [first, second] = map.explained;
        let is_share = first + second <= 1.0 + 1e-6 && first >= 0.0 && second >= 0.0;
        assert!(is_share || !is_finite, "{:?}", map.explained);
    }
}
