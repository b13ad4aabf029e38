//! Tests of the vocabulary.

use super::*;

#[test]
fn symbols_are_sorted_and_numbered_in_order() {
    let vocabulary = Vocabulary::from_text("hello wörld 漢字 🦀").unwrap();
    assert_eq!(
        vocabulary.symbols(),
        " dehlorwö字漢🦀".chars().collect::<Vec<_>>()
    );
    for (id, &symbol) in (0..).zip(vocabulary.symbols()) {
        assert_eq!(vocabulary.id(symbol), Some(id));
        assert_eq!(vocabulary.symbol(id), symbol);
    }
    for absent in [
        'x',
        'ö'.to_ascii_uppercase(),
        'Ö',
        '国',
        '🦞',
        '\u{10ffff}',
        '\0',
    ] {
        assert_eq!(
            vocabulary.id(absent),
            (absent == 'ö').then_some(8),
            "{absent:?}"
        );
    }
}

#[test]
fn ids_spell_the_text_again() {
    for text in [
        "a",
        "hello\r\n\0",
        "čeština, ελληνικά, 日本語, 👩‍👩‍👧",
        "\u{feff}x\u{10ffff}",
    ] {
        let vocabulary = Vocabulary::from_text(text).unwrap();
        let ids = vocabulary.encode(text).unwrap();
        assert_eq!(ids.len(), text.chars().count());
        assert_eq!(vocabulary.decode(&ids), text);
        assert_eq!(vocabulary.decode_bytes(&ids), text.as_bytes());
    }
}

#[test]
fn empty_and_unsorted_lists_are_refused() {
    assert!(matches!(Vocabulary::from_text(""), Err(Error::EmptyText)));
    assert!(matches!(
        Vocabulary::from_symbols(vec![]),
        Err(Error::EmptyVocabulary)
    ));
    for (symbols, at) in [("ba", 1), ("aa", 1), ("abdc", 3)] {
        let error = Vocabulary::from_symbols(symbols.chars().collect()).unwrap_err();
        assert!(
            matches!(error, Error::UnsortedVocabulary { index, .. } if index == at),
            "{error}"
        );
    }
    let all: Vec<char> = ('\0'..=char::MAX).collect();
    let vocabulary = Vocabulary::from_symbols(all).unwrap();
    assert_eq!(vocabulary.len(), 0x11_0000 - 0x800);
    assert_eq!(vocabulary.id(char::MAX), Some(0x11_0000 - 0x800 - 1));
}

#[test]
fn bytes_are_their_own_ids_and_read_utf8() {
    let bytes = Vocabulary::bytes();
    assert_eq!(bytes.len(), 256);
    assert_eq!(bytes.encode("aé").unwrap(), [0x61, 0xc3, 0xa9]);
    assert_eq!(bytes.decode(&[0x61, 0xc3, 0xa9]), "aé");
    assert_eq!(bytes.decode(&[0x61, 0xc3]), "a\u{fffd}");
    assert_eq!(bytes.decode_bytes(&[255, 0, 128]), [255, 0, 128]);
    assert_eq!(bytes.id('\n'), Some(10));
    assert_eq!(bytes.id('é'), None, "two bytes have no one id");
    let characters = Vocabulary::from_symbols(bytes.symbols().to_vec()).unwrap();
    assert_ne!(
        characters, bytes,
        "the characters U+0000 to U+00FF are not the bytes"
    );
}

#[test]
fn unknown_characters_fail_are_skipped_or_replaced() {
    let plain = Vocabulary::from_text("hello").unwrap();
    let error = plain.encode("hellO h").unwrap_err();
    let Error::UnknownCharacter {
        character: 'O',
        offset: 4,
        close,
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(close, &['o']);
    assert_eq!(
        error.to_string(),
        "character 'O' (U+004F) at character offset 4 is not in the vocabulary; similar: 'o'"
    );
    assert_eq!(plain.encode_with("h e", Unknown::Skip).unwrap(), [1, 0]);
    assert!(matches!(
        plain.encode_with("éh e", Unknown::Replace),
        Err(Error::NoReplacement {
            character: 'é',
            offset: 0
        })
    ));
    let with_replacement = Vocabulary::from_text("hello\u{fffd}").unwrap();
    assert_eq!(
        with_replacement
            .encode_with("h e", Unknown::Replace)
            .unwrap(),
        [1, 4, 0]
    );
}

#[test]
fn close_symbols_come_likeliest_first() {
    let english: String = (' '..='~').filter(|c| *c != 'E').collect();
    let english = Vocabulary::from_text(&english).unwrap();
    assert_eq!(english.close_to('E')[..2], ['e', 'D']);
    assert_eq!(english.close_to('é')[0], 'e');
    assert_eq!(english.close_to('Ž')[..2], ['Z', 'z']);
    assert_eq!(english.close_to('ß')[..2], ['s', 'S']);
    assert_eq!(english.close_to('\u{2019}')[..2], ['\'', '`']);
    assert_eq!(english.close_to('\u{2014}')[0], '-');
    assert_eq!(english.close_to('\u{a0}'), [' ']);
    assert_eq!(english.close_to('٣'), ['9', '8', '7', '6', '5']);
    assert_eq!(
        Vocabulary::from_text("éa").unwrap().close_to('e'),
        ['é', 'a']
    );
    assert!(
        Vocabulary::from_text("abc")
            .unwrap()
            .close_to('漢')
            .is_empty()
    );
}

#[test]
#[should_panic(expected = "id 4 is outside a vocabulary of 4 symbols")]
fn an_id_outside_the_vocabulary_panics_with_both_numbers() {
    Vocabulary::from_text("hello").unwrap().symbol(4);
}

/// What a panic says.
fn panic_of(run: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(run).expect_err("it panics");
    *panic.downcast::<String>().expect("a formatted message")
}

#[test]
fn every_function_that_takes_ids_refuses_those_outside_the_vocabulary() {
    use crate::insight::{Memory, Traces, surprises};
    use crate::*;
    use std::panic::AssertUnwindSafe;

    let vocabulary = Vocabulary::from_text("abc").unwrap();
    for cell in CellKind::ALL {
        let config = NetworkConfig {
            cell,
            vocab_size: 3,
            hidden_size: 4,
            num_layers: 2,
        };
        let network = Network::<f32>::new(config, &Init::default(), 1).unwrap();
        let model = Model::new(vocabulary.clone(), network.clone(), None);
        let options = SampleOptions::default();
        let window = Window {
            batch_size: 1,
            seq_length: 8,
            horizon: None,
            reduction: Reduction::Mean,
            restart: None,
        };
        let traces = Traces::read(&network, &[0, 1, 2]).unwrap();
        let bptt = |inputs: &[Id], targets: &[Id]| {
            let mut bptt = Bptt::new(&config, window, false).unwrap();
            bptt.forward(network.parameters(), inputs, targets, None);
        };
        for (ids, name, at) in [
            (&[0, 1, 3][..], "3", 2),
            (&[0, IGNORE], "IGNORE", 1),
            (&[IGNORE], "IGNORE", 0),
            (&[7, 0, 0], "7", 0),
        ] {
            let zeros = vec![0; ids.len()];
            let takes: [(&str, &dyn Fn()); 11] = [
                ("Scorer::push", &|| {
                    drop(Scorer::new(&model).unwrap().push(ids))
                }),
                ("Scorer::push of a second piece", &|| {
                    let mut scorer = Scorer::new(&model).unwrap();
                    scorer.push(&[0]).unwrap();
                    drop(scorer.push(ids));
                }),
                ("BatchSampler", &|| {
                    drop(BatchSampler::new(&model, ids, 2, &options))
                }),
                ("Sampler", &|| drop(Sampler::new(&model, ids, &options))),
                ("Network::forward", &|| {
                    drop(network.forward(ids, &mut State::zeros(&config, 1)));
                }),
                ("surprises", &|| drop(surprises(&model, ids, 2))),
                ("Traces", &|| drop(Traces::read(&network, ids))),
                ("Memory", &|| {
                    let mut three = ids.to_vec();
                    three.resize(3, 0);
                    drop(Memory::measure(&network, &three, &traces, 1, 9));
                }),
                ("Bptt's inputs", &|| bptt(ids, &zeros)),
                // A target may be IGNORE.
                ("softmax_cross_entropy's targets", &|| {
                    let (mut logits, mut losses) =
                        (vec![0.0f32; 3 * ids.len()], vec![0.0; ids.len()]);
                    softmax_cross_entropy(&mut logits, ids, &mut losses);
                }),
                ("Bptt's targets", &|| bptt(&zeros, ids)),
            ];
            for (function, take) in takes {
                if function.ends_with("targets") && name == "IGNORE" {
                    take();
                    continue;
                }
                let said = panic_of(AssertUnwindSafe(take));
                let expected =
                    format!("id {name} at position {at} is outside a vocabulary of 3 symbols");
                assert_eq!(said, expected, "{function} of {ids:?}");
            }
        }
    }
}
