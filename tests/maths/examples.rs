//! The examples do what they say.

use std::collections::BTreeSet;

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
