//! Training: what settings accept runs, and a run that is interrupted goes on with the same bits.

use std::ops::ControlFlow;
use std::time::Duration;

use rnn::checkpoint::Interrupted;
use rnn::gradient_check::{Case, check};
use rnn::{
    Bptt, CellKind, Dropout, Error, IGNORE, Network, Parameters, Reduction, RunOptions, Trainer,
    Window,
};

use super::World;
use super::draw::Draw;
use super::settings;

/// A trainer of the text at hand.
pub(super) fn begin(draw: &mut Draw<'_>, world: &mut World) {
    let config = settings::train(draw);
    let mut network = settings::network(draw, world.corpus.vocabulary().len());
    if draw.seldom() {
        network.vocab_size = draw.one_of(&[0, usize::MAX]);
    }
    let shares = draw.shares();
    let is_sound = config.validate().is_ok()
        && network.validate().is_ok()
        && config.fitted(&world.corpus, &shares).is_ok();
    match Trainer::<f32>::new(world.corpus.clone(), &shares, network, config) {
        Ok(trainer) => {
            assert!(is_sound, "{config:?} {network:?} {shares:?}");
            assert!(trainer.windows_per_epoch() > 0);
            world.trainer = trainer;
        }
        Err(Error::TooLarge { .. }) => {
            assert!(
                Trainer::<f32>::bytes(&network, &config) > 1 << 30,
                "{config:?} {network:?}"
            );
        }
        Err(error) => assert!(!is_sound, "{error}: {config:?} {network:?} {shares:?}"),
    }
}

/// What a callback says: stop, or go on.
pub(super) fn until(is_last: bool) -> ControlFlow<()> {
    if is_last {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

/// Runs until so many events have come; tells of them and of the end.
fn run(trainer: &mut Trainer<f32>, options: &RunOptions, events: usize) -> Vec<String> {
    let mut told = Vec::new();
    let end = trainer.run(options, |_, event| {
        told.push(format!("{event:?}"));
        Ok::<_, Error>(until(told.len() >= events))
    });
    told.push(match end {
        Ok(end) => format!("{end:?}"),
        Err(error) => error.to_string(),
    });
    told
}

/// Goes on for some events, beside a twin that has been to a file and back.
pub(super) fn go_on(draw: &mut Draw<'_>, world: &mut World) {
    let trainer = &mut world.trainer;
    let options = |threads, time| RunOptions { threads, time };
    // Long enough, now and then, for a run to diverge and to be gone on with nevertheless.
    let events = if draw.seldom() { 60 } else { 1 + draw.below(9) };
    if draw.seldom() && trainer.config().max_steps.is_none() {
        let times = [Duration::ZERO, Duration::from_millis(2), Duration::MAX];
        run(trainer, &options(1, Some(draw.one_of(&times))), events);
        return;
    }
    let bytes = trainer.interrupt().into_bytes();
    let again = match Interrupted::from_bytes(&bytes) {
        Ok(again) => again,
        Err(error) => {
            let best = trainer.best_model();
            assert!(!best.network().parameters().is_finite(), "{error}");
            run(trainer, &options(1, None), events);
            return;
        }
    };
    assert!(
        again.clone().into_bytes() == bytes,
        "writing and reading change a run"
    );
    let twin = Trainer::resume(trainer.corpus().clone(), again);
    let mut twin = twin.unwrap_or_else(|error| panic!("{error}: {:?}", trainer.config()));
    assert!(
        twin.interrupt().into_bytes() == bytes,
        "going on changes a run"
    );
    let threads = draw.below(3);
    let told = run(trainer, &options(1, None), events);
    assert_eq!(told, run(&mut twin, &options(threads, None), events));
    let ends = [trainer, &mut twin].map(|trainer| trainer.interrupt().into_bytes());
    assert!(ends[0] == ends[1], "{told:?}");
}

/// Another number of steps, at any time.
pub(super) fn set_steps(draw: &mut Draw<'_>, world: &mut World) {
    let trainer = &mut world.trainer;
    let max_steps = match draw.below(4) {
        0 => None,
        1 => Some(draw.u64()),
        _ => Some(draw.below(20) as u64),
    };
    let before = trainer.config().max_steps;
    let set = trainer.set_max_steps(max_steps);
    let now = if set.is_ok() { max_steps } else { before };
    assert_eq!(trainer.config().max_steps, now);
    assert!(max_steps != Some(0) || set.is_err());
    assert!(trainer.config().validate().is_ok());
}

/// Windows forward and back without a trainer.
pub(super) fn window(draw: &mut Draw<'_>) {
    let vocab_size = 1 + draw.below(5);
    let config = settings::network(draw, vocab_size);
    let (init, seed) = (settings::init(draw), draw.u64());
    let is_sound = config.validate().is_ok() && init.validate().is_ok();
    // The network itself, before there is a text.
    let network = is_sound.then(|| Network::<f32>::new(config, &init, seed));
    let Some(Ok(network)) = network else {
        return;
    };
    let window = Window {
        batch_size: 1 + draw.below(9),
        seq_length: 1 + draw.below(5),
        horizon: draw.flip().then(|| draw.size(6).max(1)),
        reduction: draw.one_of(&[Reduction::Mean, Reduction::Sum]),
        restart: (seed % 2 == 0).then_some(0),
    };
    let mut bptt = Bptt::new(&config, window, true).expect("memory");
    for _ in 0..1 + draw.below(3) {
        let count = window.batch_size * (1 + draw.below(window.seq_length));
        let vocab = vocab_size as u32;
        let inputs: Vec<u32> = (0..count).map(|_| u32::from(draw.byte()) % vocab).collect();
        let targets: Vec<u32> = (0..count)
            .map(|_| {
                if draw.seldom() {
                    IGNORE
                } else {
                    u32::from(draw.byte()) % vocab
                }
            })
            .collect();
        let dropout = draw
            .flip()
            .then(|| Dropout::new(draw.one_of(&[0.0, 0.5, 0.99]), seed, draw.u64()));
        let state = bptt.state();
        let mut both = [0, 1].map(|_| {
            let mut gradient = Parameters::zeros(&config);
            bptt.set_state(&state);
            let loss = bptt.forward(network.parameters(), &inputs, &targets, dropout);
            bptt.backward(&mut gradient);
            (loss.to_bits(), gradient)
        });
        let [first, second] = &mut both;
        let is_number = first.1.is_finite();
        assert!(first == second || !is_number, "{config:?} {window:?}");
    }
}

/// The gradient of any case that is one.
pub(super) fn check_gradient(draw: &mut Draw<'_>) {
    let cell = draw.one_of(&CellKind::ALL);
    let num_layers = if draw.seldom() {
        draw.u64() as usize
    } else {
        1 + draw.below(2)
    };
    if (3..=16).contains(&num_layers) {
        return;
    }
    let case = Case {
        cell,
        num_layers,
        dropout: draw.mostly(&[0.0, 0.5]),
        seed: draw.u64(),
    };
    let rows = check(&case);
    let is_sound = (1..=16).contains(&num_layers) && (0.0..1.0).contains(&case.dropout);
    assert_eq!(rows.is_ok(), is_sound, "{case:?}");
    // A rectifier has kinks, where differences tell nothing.
    if cell != CellKind::RNN_RELU && case.dropout < 0.6 {
        let is_right =
            |rows: &Vec<rnn::gradient_check::Row>| rows.iter().all(|row| row.worst < 1e-4);
        assert!(rows.as_ref().ok().is_none_or(is_right), "{case:?} {rows:?}");
    }
}
