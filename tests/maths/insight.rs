//! Surprise, properties, correlations, maps of characters and what truncation cuts off, each against a direct computation.

use crate::common::{network, random_ids};
use approx::assert_relative_eq;
use rnn::insight::{
    Memory, Property, Signal, Traces, correlations, kept_share, principal_components, surprises,
};
use rnn::{Bptt, CellKind, Id, Model, Parameters, Reduction, Scorer, Vocabulary, Window};
use tensor::Matrix;

#[path = "../../crates/rnn/examples/neuron.rs"]
#[allow(dead_code, reason = "its `main`")]
mod neuron;

const VOCAB: usize = 5;
const HIDDEN: usize = 4;

#[test]
fn surprises_are_those_of_the_scorer_with_the_likeliest_in_order() {
    let text = crate::common::text(900);
    let vocabulary = Vocabulary::from_text(&text).unwrap();
    let ids = vocabulary.encode(&text).unwrap();
    let network = network::<f32>(CellKind::GRU, vocabulary.len(), 12, 1);
    let model = Model::new(vocabulary, network, None);
    let surprises = surprises(&model, &ids, 5).unwrap();
    let mut at = 0;
    let mut scorer = Scorer::new(&model).expect("memory");
    let read = scorer.push_with(&ids, |id, nats, p| {
        let found = &surprises[at];
        assert_eq!((found.id, found.nats, found.likeliest.len()), (id, nats, 5));
        let mut sorted: Vec<f32> = p.to_vec();
        sorted.sort_by(|a, b| b.total_cmp(a));
        assert!(
            found
                .likeliest
                .iter()
                .zip(&sorted)
                .all(|(&(id, q), &s)| q == s && p[id as usize] == s)
        );
        at += 1;
    });
    read.unwrap();
    assert_eq!(at, surprises.len());
    assert_eq!(
        rnn::insight::surprises(&model, &ids[..2], 99).unwrap()[0]
            .likeliest
            .len(),
        model.vocabulary().len()
    );
}

fn marks(property: Property, text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    property
        .values(&characters)
        .iter()
        .map(|&v| if v > 0.0 { 'x' } else { '.' })
        .collect()
}

#[test]
fn properties_are_what_a_reader_would_mark() {
    for (property, text, expected) in [
        (
            Property::InsideQuotes,
            "a \"bc\" d “e” «f»",
            "..xxx....xx..xx.",
        ),
        (
            Property::InsideQuotes,
            "\"a\n\nb\" c\n\n\"d\"",
            "xxx..xxxx.xx.",
        ),
        (Property::InsideQuotes, "\"a\r\n\r\nb", "xxxxx.."),
        (Property::InsideBrackets, "a(b[c]d)e)f{g", ".xxxxxx....xx"),
        (Property::WordStart, "to be, 3x ‘hé", "x..x...x...x."),
        (Property::Capital, "aBÉ1 İ", ".xx..x"),
        (Property::AfterNewline, "a\nb\n\n", ".x.xx"),
        (Property::Vowel, "aEióxyz ü", "xxxx....x"),
    ] {
        assert_eq!(marks(property, text), expected, "{property:?} of {text:?}");
    }
    let text: Vec<char> = "ab\nc\n\nd".chars().collect();
    assert_eq!(
        Property::LinePosition.values(&text),
        [1.0, 2.0, 0.0, 1.0, 0.0, 0.0, 1.0]
    );
    assert_eq!(
        Property::ALL.map(|property| property.values(&[]).len()),
        [0; 7]
    );
}

#[test]
fn correlations_are_pearsons() {
    let ids = random_ids(VOCAB, 50, 9);
    let network = network::<f64>(CellKind::LSTM, VOCAB, HIDDEN, 2);
    let traces = Traces::read(&network, &ids).unwrap();
    let property: Vec<f64> = (0..50).map(|t| f64::from(t * t % 7)).collect();
    for signal in traces.signals().iter().map(|signal| signal.name) {
        let r = correlations(&property, &traces, 1, signal);
        for (unit, r) in r.into_iter().enumerate() {
            let a: Vec<f64> = traces.unit(1, signal, unit).collect();
            // n sum(ap) - sum(a) sum(p) over the product of roots: the other form of the formula.
            let (n, sum) = (50.0, |x: &[f64]| x.iter().sum::<f64>());
            let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
            let spread = |x: &[f64]| (n * dot(x, x) - sum(x) * sum(x)).sqrt();
            let expected = (n * dot(&a, &property) - sum(&a) * sum(&property))
                / (spread(&a) * spread(&property));
            assert_relative_eq!(r.unwrap(), expected, epsilon = 1e-9);
        }
    }
    let trace: Vec<f64> = traces
        .unit(0, Signal::MEMORY, 2)
        .map(|a| 3.0 - 2.0 * a)
        .collect();
    assert_relative_eq!(
        correlations(&trace, &traces, 0, Signal::MEMORY)[2].unwrap(),
        -1.0,
        epsilon = 1e-12
    );
    assert_eq!(
        correlations(&[0.1; 50], &traces, 0, Signal::MEMORY),
        [None; HIDDEN]
    );
}

/// Points with chosen spreads along chosen directions of a space of `width` dimensions.
fn cloud(count: usize, width: usize) -> (Matrix<f64>, Vec<[f64; 2]>) {
    let angle = |i: usize| i as f64 * std::f64::consts::TAU / count as f64;
    let points: Vec<[f64; 2]> = (0..count)
        .map(|i| [3.0 * angle(i).cos(), 0.5 * angle(i).sin()])
        .collect();
    // Two directions at a right angle: (1, -1, 0, ...) and (1, 1, 0, ...) over the root of two.
    let matrix = Matrix::from_fn(count, width, |i, j| {
        let [x, y] = points[i].map(|v| v / 2f64.sqrt());
        7.0 + [x + y, y - x].get(j).copied().unwrap_or(0.0)
    });
    (matrix, points)
}

#[test]
fn principal_components_find_the_axes_of_a_cloud() {
    for (count, width) in [(12, 3), (12, 40), (6, 6)] {
        let (matrix, points) = cloud(count, width);
        let map = principal_components(matrix.view()).expect("memory");
        for axis in 0..2 {
            let sign = (map.points[0][axis] * points[0][axis]
                + map.points[1][axis] * points[1][axis])
                .signum();
            for (found, made) in map.points.iter().zip(&points) {
                assert_relative_eq!(found[axis], sign * made[axis], epsilon = 1e-6);
            }
            let farthest = map
                .points
                .iter()
                .map(|p| p[axis])
                .max_by(|a, b| a.abs().total_cmp(&b.abs()));
            assert!(farthest.unwrap() > 0.0);
        }
        assert_relative_eq!(map.explained[0], 9.0 / 9.25, epsilon = 1e-9);
        assert_relative_eq!(map.explained[1], 0.25 / 9.25, epsilon = 1e-9);
    }
    let line = Matrix::from_fn(2, 5, |i, j| (i * j) as f64);
    let map = principal_components(line.view()).expect("memory");
    assert_eq!(
        (map.points[0][1], map.points[1][1], map.explained[1]),
        (0.0, 0.0, 0.0)
    );
    assert_eq!(
        principal_components(Matrix::<f32>::zeros(3, 2).view())
            .expect("memory")
            .points,
        [[0.0; 2]; 3]
    );
}

#[test]
fn the_example_finds_and_follows_a_neuron() {
    let text = crate::common::text(2_000);
    let config = crate::common::settings(8, 25, 150);
    let mut trainer = crate::common::trainer::<f32>(&text, &[1.0], (CellKind::LSTM, 24, 1), config);
    crate::common::run(&mut trainer, 1);
    let model = trainer.current_model();
    let (unit, r) = neuron::follower(&model, &text, Property::WordStart)
        .unwrap()
        .unwrap();
    assert!(
        r.abs() > 0.5,
        "unit {unit} follows the starts of words with r = {r}"
    );
    let trace = neuron::trace(&model, "the quick brown", unit).unwrap();
    assert_eq!(
        trace.iter().map(|(c, _)| c).collect::<String>(),
        "the quick brown"
    );
    assert!(trace.iter().all(|(_, a)| a.abs() <= 1.0));
}

/// Which lags training sees, counted by BPTT itself: with one step of loss at a time, and an input
/// character that occurs once, that character's gradient is zero exactly when the lag is cut off.
#[test]
fn the_kept_share_is_what_truncated_bptt_lets_through() {
    const WINDOW: usize = 5;
    let network = network::<f64>(CellKind::RNN, WINDOW, HIDDEN, 1);
    let inputs: Vec<Id> = (0..WINDOW as Id).collect();
    for horizon in [None, Some(1), Some(3), Some(9)] {
        let mut seen = [0usize; WINDOW + 1];
        for loss_at in 0..WINDOW {
            let window = Window {
                batch_size: 1,
                seq_length: WINDOW,
                horizon,
                reduction: Reduction::Sum,
                restart: None,
            };
            let mut bptt = Bptt::new(network.config(), window, false).expect("memory");
            let mut targets = vec![rnn::IGNORE; WINDOW];
            targets[loss_at] = 1;
            let mut gradient = Parameters::zeros(network.config());
            bptt.forward(network.parameters(), &inputs, &targets, None);
            bptt.backward(&mut gradient);
            let d_u = gradient.matrix(gradient.layout().layers[0].weight_ih);
            for (lag, seen) in seen.iter_mut().enumerate().take(loss_at + 1) {
                *seen += usize::from(d_u.row(loss_at - lag).iter().any(|&g| g != 0.0));
            }
        }
        for (lag, &count) in seen.iter().enumerate() {
            assert_eq!(
                kept_share(lag, WINDOW, horizon),
                count as f64 / WINDOW as f64,
                "{horizon:?} {lag}"
            );
        }
    }
}

#[test]
fn what_truncation_cuts_off_is_a_share_of_the_norms() {
    let ids = random_ids(VOCAB, 60, 8);
    let network = network::<f64>(CellKind::LSTM, VOCAB, HIDDEN, 1);
    let memory = Memory::measure(&network, &ids, &Traces::read(&network, &ids).unwrap(), 3, 9)
        .expect("memory");
    let norms = &memory.layers[0].hidden;
    let kept = norms[0] + 0.5 * norms[1];
    assert_relative_eq!(
        memory.cut_off(0, 2, None),
        1.0 - kept / norms.iter().sum::<f64>(),
        epsilon = 1e-12
    );
    assert_relative_eq!(memory.cut_off(0, usize::MAX, None), 0.0, epsilon = 1e-12);
}
