//! What programs with a loop of their own ask for: a say in the trainer's run, validation, states that
//! are kept, and networks of either precision.

use std::ops::ControlFlow;

use rnn::checkpoint::Interrupted;
use rnn::{
    Corpus, Error, Event, Init, Model, Network, NetworkConfig, Outcome, RunOptions, SampleOptions,
    Score, State, TrainConfig, Trainer, Validator,
};

const SPLIT: [f64; 2] = [0.8, 0.2];

fn corpus() -> Corpus {
    Corpus::from_text(&"she sells sea shells by the sea shore\n".repeat(40)).unwrap()
}

fn network(corpus: &Corpus) -> NetworkConfig {
    NetworkConfig {
        vocab_size: corpus.vocabulary().len(),
        hidden_size: 7,
        ..NetworkConfig::default()
    }
}

fn trainer() -> Trainer<f32> {
    let corpus = corpus();
    let network = network(&corpus);
    let config = TrainConfig {
        batch_size: 4,
        seq_length: 16,
        max_steps: Some(12),
        eval_every: 4,
        dropout: 0.0,
        ..TrainConfig::default()
    };
    Trainer::new(corpus, &SPLIT, network, config).unwrap()
}

#[test]
fn a_callback_changes_the_learning_rate_and_ends_the_run() {
    let (mut rates, mut file) = (Vec::new(), Vec::new());
    let mut trainer = trainer();
    let whole = trainer.config().learning_rate;
    let outcome = trainer.run(&RunOptions::default(), |trainer, event| {
        let wrong = trainer.set_learning_rate(f64::NAN).unwrap_err();
        assert!(wrong.to_string().starts_with("learning rate must be"));
        match event {
            Event::Step(step) => rates.push(step.learning_rate / whole),
            Event::Evaluated { record, .. } if record.step == 4 => {
                trainer.set_learning_rate(whole / 8.0)?;
                file = trainer.interrupt().into_bytes();
            }
            Event::Evaluated { record, .. } if record.step == 8 => {
                return Ok(ControlFlow::Break(()));
            }
            _ => {}
        }
        Ok::<_, Error>(ControlFlow::Continue(()))
    });
    assert_eq!(outcome.unwrap(), Outcome::Stopped);
    assert_eq!(rates.len(), 8);
    // The default schedule warms up by a hundredth a step.
    for (at, &rate) in rates.iter().enumerate() {
        let factor = if at < 4 { 1.0 } else { 0.125 };
        let expected = factor * (at + 1) as f64 / 100.0;
        assert!((rate - expected).abs() < 1e-9, "{rates:?}");
    }
    // A run that is resumed goes on with the rate that was set.
    let run = Interrupted::from_bytes(&file).unwrap();
    let mut again = Trainer::resume(corpus(), run).unwrap();
    let resumed = again.run(&RunOptions::default(), |trainer, _| {
        Ok::<_, Error>(match trainer.step_count() {
            8 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
    });
    assert_eq!(resumed.unwrap(), Outcome::Stopped);
    assert_eq!(again.network(), trainer.network());
}

#[test]
fn a_validator_measures_what_the_trainer_does() {
    let mut trainer = trainer();
    let corpus = corpus();
    let held_out = corpus.split(&SPLIT).unwrap().validation;
    let mut validator = Validator::new(&network(&corpus), held_out.clone())
        .unwrap()
        .unwrap();
    let mut count = 0;
    let report = |trainer: &mut Trainer<f32>, event| {
        if let Event::Evaluated { record, .. } = event {
            let loss = validator.loss(trainer.network().parameters(), corpus.ids());
            assert_eq!(Some(loss), record.validation_loss);
            count += 1;
        }
        Ok::<_, Error>(ControlFlow::Continue(()))
    };
    trainer.run(&RunOptions::default(), report).unwrap();
    assert_eq!(count, 3);
    assert!(
        Validator::<f32>::new(&network(&corpus), 0..1)
            .unwrap()
            .is_none()
    );
    // Any slice of ids does, and a network of another size does not.
    let ids = corpus.ids().as_slice().to_vec();
    let other = NetworkConfig {
        hidden_size: 8,
        ..network(&corpus)
    };
    let other = Network::<f32>::new(other, &Init::default(), 1).unwrap();
    let params = trainer.network().parameters();
    assert_eq!(
        validator.loss(params, &ids),
        validator.loss(params, corpus.ids())
    );
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        validator.loss(other.parameters(), &ids)
    }));
    assert!(refused.is_err());
}

#[test]
fn states_scores_and_options_come_back_with_their_bits() {
    let corpus = corpus();
    let network = Network::new(network(&corpus), &Init::default(), 3).unwrap();
    let model = Model::new(corpus.vocabulary().clone(), network, None);
    let mut state = model.initial_state();
    for character in "she sells".chars() {
        model.step(character, &mut state).unwrap();
    }
    let text = serde_json::to_string(&state).unwrap();
    let mut again: State<f32> = serde_json::from_str(&text).unwrap();
    assert_eq!(again, state);
    assert!(again.fits(model.network().config(), 1));
    let next = model.step(' ', &mut state).unwrap();
    assert_eq!(model.step(' ', &mut again).unwrap(), next);
    let ragged = r#"{"h": [[[0.5], [0.5, 1.0]]], "c": []}"#;
    let error = serde_json::from_str::<State<f32>>(ragged).unwrap_err();
    assert!(
        error.to_string().starts_with("row 1 has 2 elements"),
        "{error}"
    );
    let other: State<f32> = serde_json::from_str(r#"{"h": [[[0.5]]], "c": []}"#).unwrap();
    assert!(!other.fits(model.network().config(), 1));
    let none: State<f32> = serde_json::from_str(r#"{"h": [[]], "c": []}"#).unwrap();
    assert!(!none.fits(model.network().config(), 0));

    let score = model.score("she sells sea shells").unwrap();
    let text = serde_json::to_string(&score).unwrap();
    assert_eq!(serde_json::from_str::<Score>(&text).unwrap(), score);
    let options = SampleOptions {
        temperature: 0.1 + 0.2,
        top_k: Some(3),
        ..SampleOptions::default()
    };
    let text = serde_json::to_string(&options).unwrap();
    assert_eq!(
        serde_json::from_str::<SampleOptions>(&text).unwrap(),
        options
    );
    assert!(serde_json::from_str::<SampleOptions>(r#"{"temprature": 1}"#).is_err());
}

#[test]
fn a_network_changes_its_precision_and_comes_back() {
    let corpus = corpus();
    let single = Network::<f32>::new(network(&corpus), &Init::default(), 3).unwrap();
    let double: Network<f64> = single.cast().unwrap();
    let pairs = single
        .parameters()
        .as_slice()
        .iter()
        .zip(double.parameters().as_slice());
    assert!(
        pairs
            .into_iter()
            .all(|(&single, &double)| f64::from(single) == double)
    );
    assert_eq!(double.cast::<f32>().unwrap(), single);
    // Rounded to the nearest, and back to what it was rounded to.
    let drawn = Network::<f64>::new(network(&corpus), &Init::default(), 3).unwrap();
    let rounded = drawn.cast::<f32>().unwrap();
    let pairs = drawn
        .parameters()
        .as_slice()
        .iter()
        .zip(rounded.parameters().as_slice());
    assert!(
        pairs
            .into_iter()
            .all(|(&drawn, &rounded)| drawn as f32 == rounded)
    );
}
