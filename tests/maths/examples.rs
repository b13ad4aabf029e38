//! The examples do what they say.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use rnn::{CellKind, Model, SampleOptions, Vocabulary};

#[path = "../../crates/rnn/examples/anomalies.rs"]
#[expect(dead_code, reason = "its main function is not called")]
mod anomalies;
#[path = "../../crates/rnn/examples/complete.rs"]
#[expect(dead_code, reason = "its main function is not called")]
mod complete;
#[path = "../../crates/rnn/examples/language.rs"]
#[expect(dead_code, reason = "its main function is not called")]
mod language;
#[path = "../../crates/rnn/examples/names.rs"]
#[expect(dead_code, reason = "its main function is not called")]
mod names;
#[path = "../../crates/rnn/examples/server.rs"]
#[expect(dead_code, reason = "its main function is not called")]
mod server;

#[test]
fn names_are_new_and_of_the_letters_that_names_have() {
    let known: Vec<String> = ["an", "bel", "cor", "da", "el"]
        .iter()
        .flat_map(|first| ["na", "la", "ra", "mi"].map(|last| format!("{first}{last}")))
        .collect();
    let model = names::learn(&known.join("\n"), 24, 150).unwrap();
    let known: BTreeSet<&str> = known.iter().map(String::as_str).collect();
    let new = names::invent(&model, &known, 5).unwrap();
    assert_eq!(new.len(), 5);
    for name in &new {
        assert!(!known.contains(&name[..]));
        assert!(name.chars().all(|c| "abcdeilmnor".contains(c)), "{name}");
    }
}

#[test]
fn planted_lines_are_the_most_surprising() {
    let (yesterday, none) = anomalies::log(1500, 0, 1);
    assert!(none.is_empty());
    let (today, planted) = anomalies::log(600, 12, 2);
    let model = anomalies::learn(&yesterday, 600).unwrap();
    let ranked = anomalies::rank(&model, &today).unwrap();
    let top = &ranked[..planted.len()];
    let found = top
        .iter()
        .filter(|(place, _)| planted.contains(place))
        .count();
    assert!(
        found == 12,
        "precision {found} of {}: {top:?}",
        planted.len()
    );
}

#[test]
fn a_line_that_was_learned_is_completed() {
    let text = "she sells sea shells\nby the sea shore\n".repeat(40);
    let corpus = rnn::Corpus::from_text(&text).unwrap();
    let mut advice = rnn::recommended(&corpus.facts(false));
    advice.network.hidden_size = 32;
    advice.train.max_steps = Some(500);
    // It is to learn by heart.
    (advice.train.dropout, advice.train.weight_dropout) = (0.0, 0.0);
    let trainer = rnn::Trainer::new(corpus, &[0.9, 0.1], advice.network, advice.train).unwrap();
    let model = trainer.train(1).unwrap();
    let mut completer = complete::Completer::new(&model);
    "\nshe se€lls"
        .chars()
        .for_each(|character| completer.read(character));
    let (rest, sure) = completer.complete(80);
    assert_eq!(rest, " sea shells");
    assert!(sure > 0.5);
    assert_eq!(completer.complete(4).0, " sea");
}

#[test]
fn sentences_that_were_not_learned_are_of_the_right_language() {
    let models = language::learn(300).unwrap();
    for (text, expected) in [
        ("where is the river that the children talk of", "English"),
        ("the man had a house with three windows", "English"),
        ("she was not in the garden when it rang", "English"),
        ("wo ist der fluss, an dem die kinder waren", "German"),
        ("er hatte ein haus mit drei fenstern", "German"),
        ("sie war nicht in der kirche, als es schlug", "German"),
    ] {
        let (language, surprises) = language::identify(&models, text).unwrap();
        assert_eq!(language, expected, "{text}: {surprises:?}");
    }
}

/// The status and the body of an answer, its chunks joined.
fn ask(address: SocketAddr, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /complete HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().to_owned();
    if !head.contains("chunked") {
        return (status, body.to_owned());
    }
    let mut chunks = body.split("\r\n");
    let mut text = String::new();
    while let (Some(size), Some(chunk)) = (chunks.next(), chunks.next()) {
        assert_eq!(usize::from_str_radix(size, 16).unwrap(), chunk.len());
        text += chunk;
    }
    (status, text)
}

#[test]
fn a_server_writes_to_many_at_once_what_it_would_to_each() {
    let vocabulary = Vocabulary::from_symbols(('a'..='z').collect()).unwrap();
    let network = crate::common::network(CellKind::LSTM, vocabulary.len(), 24, 2);
    let model = Model::new(vocabulary, network, None);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let shared = model.clone();
    thread::spawn(move || server::serve(&shared, listener).unwrap());
    thread::scope(|scope| {
        let clients: Vec<_> = (0..12)
            .map(|seed| {
                let wish = format!(
                    r#"{{"prime": "abc", "length": {}, "options": {{"seed": {seed}, "top_k": 9}}}}"#,
                    40 * seed
                );
                (seed, scope.spawn(move || ask(address, &wish)))
            })
            .collect();
        for (seed, client) in clients {
            let options = SampleOptions {
                seed,
                top_k: Some(9),
                ..SampleOptions::default()
            };
            let alone = model.sample("abc", &options).unwrap();
            let expected: rnn::Result<String> = alone.take(40 * seed as usize).collect();
            let expected = ("200".to_owned(), expected.unwrap());
            assert_eq!(client.join().unwrap(), expected);
        }
        for (wish, why) in [
            (r#"{"prime": "ABC", "length": 9}"#, "not in the vocabulary"),
            (r#"{"prime": "abc"}"#, "missing field `length`"),
            (
                r#"{"prime": "", "length": 9, "options": {"top_k": 0}}"#,
                "at least 1",
            ),
        ] {
            let (status, body) = ask(address, wish);
            assert!(status == "400" && body.contains(why), "{status}: {body}");
        }
    });
}
