//! Sessions that join, leave and step together, and samplers that belong to nobody.

use rnn::{
    CellKind, Drawer, Error, Id, Model, Network, SampleOptions, Sampler, Session, State, Vocabulary,
};
use tensor::activation;

use crate::common::{network, random_ids};

fn model(cell: CellKind, num_layers: usize) -> Model {
    let vocabulary = Vocabulary::from_symbols(('a'..='z').collect()).expect("ascending symbols");
    let network = network(cell, vocabulary.len(), 24, num_layers);
    Model::new(vocabulary, network, None)
}

/// A model that overflows when it reads 'b'.
fn overflowing() -> Model {
    let model = model(CellKind::RNN_RELU, 1);
    let mut parameters = model.network().parameters().clone();
    let named = parameters.layout().named();
    let named = named.iter().find(|named| named.name == "rnn.weight_ih_l0");
    let named = named.expect("input weights");
    let mut weights = parameters.to_pytorch(named);
    weights
        .iter_mut()
        .skip(1)
        .step_by(26)
        .for_each(|w| *w = 3e38);
    parameters.set_pytorch(named, &weights);
    let network = Network::from_parameters(*model.network().config(), parameters);
    Model::new(model.vocabulary().clone(), network, None)
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// The logits after a text, and the state, from the network alone.
fn expected(model: &Model, text: &[Id]) -> (Vec<u32>, State<f32>) {
    let mut state = model.initial_state();
    let logits = model.network().forward(text, &mut state).expect("memory");
    (bits(logits.row(text.len() - 1)), state)
}

#[track_caller]
fn assert_has_read(session: &Session, text: &[Id]) {
    let (logits, state) = expected(session.model(), text);
    assert_eq!(bits(session.logits().expect("sound weights")), logits);
    assert_eq!(*session.state(), state);
}

/// Sessions come and go between steps, each with a text of its own.
fn check_coming_and_going(model: &Model, most: usize) {
    let mut sessions: Vec<(Session, Vec<Id>)> = Vec::new();
    for round in 0..6_u32 {
        while sessions.len() < most {
            let prime = random_ids(26, sessions.len() % 70, round + 1);
            let mut session = Session::new(model).expect("memory");
            session.read(&prime).expect("sound weights");
            sessions.push((session, prime));
        }
        for step in 0..3 {
            let ids = random_ids(26, most, 100 * round + step);
            // Some wait.
            let ready = sessions.iter_mut().zip(&ids).skip(step as usize);
            Session::step_all(ready.map(|((session, text), &id)| {
                text.push(id);
                (session, id)
            }))
            .expect("memory");
        }
        // One is in two places from here on, one goes on from its stored state, some leave.
        sessions[0] = sessions[most - 1].clone();
        let stored = serde_json::to_string(sessions[most / 2].0.state()).expect("numbers");
        let state = serde_json::from_str(&stored).expect("its own text");
        sessions[most / 2].0 = Session::from_state(model, state).expect("its own state");
        sessions
            .iter()
            .for_each(|(session, text)| assert_has_read(session, text));
        sessions.retain(|(_, text)| text.len() % 3 != 0);
    }
}

#[test]
fn sessions_together_give_the_bits_of_each_alone() {
    for cell in CellKind::ALL {
        for num_layers in [1, 2] {
            check_coming_and_going(&model(cell, num_layers), 9);
        }
    }
    // More than go through the network at once, on several threads.
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let model = model(CellKind::LSTM, 2);
        pool.expect("threads")
            .install(|| check_coming_and_going(&model, 600));
    }
}

#[test]
fn a_session_reads_characters_as_a_model_steps() {
    for (vocabulary, text) in [
        (Vocabulary::from_text("héllo wörld").unwrap(), "höllo wörld"),
        (Vocabulary::bytes(), "h€llo wörl\u{1d11e}"),
    ] {
        let network = network(CellKind::GRU, vocabulary.len(), 12, 2);
        let model = Model::new(vocabulary, network, None);
        let (mut session, mut state) = (Session::new(&model).unwrap(), model.initial_state());
        for character in text.chars() {
            session.read_char(character).unwrap();
            let next = model.step(character, &mut state).unwrap();
            assert_eq!(bits(session.probabilities().unwrap()), bits(&next));
            let mut softmax = session.logits().unwrap().to_vec();
            activation::softmax_in_place(&mut softmax);
            assert_eq!(bits(&softmax), bits(&next));
        }
        assert_eq!(*session.state(), state);
        if !model.vocabulary().is_bytes() {
            let error = session.read_char('x').unwrap_err();
            assert!(matches!(error, Error::UnknownCharacter { .. }), "{error}");
            assert_eq!(*session.state(), state);
        }
    }
}

#[test]
fn a_session_that_overflows_stops_and_the_others_go_on() {
    let model = overflowing();
    let mut sessions = vec![Session::new(&model).unwrap(); 3];
    let step = |sessions: &mut [Session], ids: [Id; 3]| {
        Session::step_all(sessions.iter_mut().zip(ids)).expect("memory");
    };
    step(&mut sessions, [0, 2, 3]);
    step(&mut sessions, [2, 1, 4]);
    step(&mut sessions, [3, 2, 5]);
    assert_has_read(&sessions[0], &[0, 2, 3]);
    assert_has_read(&sessions[2], &[3, 4, 5]);
    for _ in 0..2 {
        let error = sessions[1].logits().unwrap_err();
        assert!(
            matches!(error, Error::Overflow { characters: 2 }),
            "{error}"
        );
        assert!(sessions[1].read(&[2]).is_err() && sessions[1].probabilities().is_err());
    }
    // Its state is the last that was sound, from which a session can go on.
    let mut again = Session::from_state(&model, sessions.remove(1).into_state()).unwrap();
    assert_has_read(&again, &[2]);
    again.read(&[3, 4]).unwrap();
    let error = again.read(&[3, 4, 1, 5]).unwrap_err();
    assert!(
        matches!(error, Error::Overflow { characters: 5 }),
        "{error}"
    );
    assert_eq!(*again.state(), expected(&model, &[2, 3, 4]).1);
}

#[test]
fn states_of_other_networks_and_sessions_of_two_models_are_refused() {
    let lstm = model(CellKind::LSTM, 2);
    let config = *lstm.network().config();
    for (state, found) in [
        (
            model(CellKind::GRU, 2).initial_state(),
            "2 layers of 24 units, 0 of",
        ),
        (
            model(CellKind::LSTM, 1).initial_state(),
            "1 layers of 24 units, 1 of",
        ),
        (State::zeros(&config, 3), "3 sequences"),
    ] {
        let error = Session::from_state(&lstm, state).unwrap_err();
        assert!(error.to_string().contains(found), "{error}");
    }
    let mut state = lstm.initial_state();
    state.c[1].as_mut_slice()[3] = f32::NAN;
    let error = Session::from_state(&lstm, state).unwrap_err();
    assert!(
        matches!(error, Error::Overflow { characters: 0 }),
        "{error}"
    );

    let mut sessions = [&lstm, &model(CellKind::LSTM, 2)].map(|m| Session::new(m).unwrap());
    let both =
        std::panic::AssertUnwindSafe(|| Session::step_all(sessions.iter_mut().map(|s| (s, 0))));
    assert!(std::panic::catch_unwind(both).is_err());
}

#[test]
fn samplers_are_sent_cloned_stopped_and_resumed() {
    let model = model(CellKind::LSTM, 2);
    let options = SampleOptions {
        top_k: Some(9),
        ..SampleOptions::default()
    };
    let mut sampler = model.sample("abc", &options).unwrap();
    drop(model);
    // It needs no model in sight, and a thread of its own is welcome.
    let (mut sampler, first) = std::thread::spawn(move || {
        let first: Vec<Id> = sampler.ids().take(20).collect::<rnn::Result<_>>().unwrap();
        (sampler, first)
    })
    .join()
    .unwrap();
    let mut clone = sampler.clone();
    let text: String = clone.by_ref().take(20).collect::<rnn::Result<_>>().unwrap();
    let bytes: Vec<u8> = sampler
        .bytes()
        .take(20)
        .collect::<rnn::Result<_>>()
        .unwrap();
    assert_eq!(text.as_bytes(), bytes);
    sampler.session_mut().read(&[7]).unwrap();
    let ids = sampler
        .session()
        .model()
        .vocabulary()
        .encode(&text)
        .unwrap();
    assert_has_read(
        sampler.session(),
        &[vec![0, 1, 2], first, ids, vec![7]].concat(),
    );

    let model = sampler.session().model().clone();
    let mut other = Sampler::resume(sampler.into_session(), &SampleOptions::greedy()).unwrap();
    let state = other.session().state().clone();
    let again = Session::from_state(&model, state).unwrap();
    let mut again = Sampler::resume(again, &SampleOptions::greedy()).unwrap();
    assert_eq!(other.next_id().unwrap(), again.next_id().unwrap());
}

#[test]
fn a_model_of_bytes_writes_bytes_and_the_characters_they_spell() {
    let network = network(CellKind::GRU, 256, 8, 1);
    let model = Model::new(Vocabulary::bytes(), network, None);
    let sampler = model.sample("é", &SampleOptions::default()).unwrap();
    let bytes: Vec<u8> = sampler
        .clone()
        .bytes()
        .take(400)
        .collect::<rnn::Result<_>>()
        .unwrap();
    let ids: Vec<Id> = sampler
        .clone()
        .ids()
        .take(400)
        .collect::<rnn::Result<_>>()
        .unwrap();
    assert_eq!(
        ids,
        bytes.iter().map(|&byte| Id::from(byte)).collect::<Vec<_>>()
    );
    let spelled = String::from_utf8_lossy(&bytes);
    let count = spelled.chars().count() - 4;
    let text: String = sampler.take(count).collect::<rnn::Result<_>>().unwrap();
    assert!(
        text.contains('\u{fffd}') && spelled.starts_with(&text),
        "{text}"
    );
}

#[test]
fn numbered_drawers_over_sessions_write_what_a_batch_sampler_writes() {
    let model = model(CellKind::GRU, 2);
    let options = SampleOptions {
        top_p: Some(0.9),
        ..SampleOptions::default()
    };
    let mut batch = model.sample_batch("ab", 5, &options).unwrap();
    let mut first = Session::new(&model).unwrap();
    first.read(&[0, 1]).unwrap();
    let mut served: Vec<(Session, Drawer)> = (0..5)
        .map(|number| (first.clone(), Drawer::numbered(&options, number).unwrap()))
        .collect();
    for step in 0..40 {
        let drawn: Vec<Id> = served
            .iter_mut()
            .map(|(session, drawer)| drawer.draw(session.logits().unwrap()))
            .collect();
        assert_eq!(batch.next_characters().unwrap(), drawn);
        if step == 20 {
            // A cloned drawer goes on as the first would.
            served = served.clone();
        }
        let sessions = served.iter_mut().map(|(session, _)| session);
        Session::step_all(sessions.zip(drawn)).unwrap();
    }
}
