//! Tells languages apart: a small model of each, and the one that is surprised least is right.
//!
//! ```sh
//! cargo run --release -p rnn --example language -- "Where is the station?" "Wo ist der Bahnhof?"
//! ```

use std::error::Error;
use std::io::{self, Write};

use rnn::{CorpusBuilder, Model, Trainer, Unknown, recommended};

const ENGLISH: &str = "the morning was cold and the streets were empty. a woman with a red scarf \
    walked slowly down to the harbour, where three small boats were waiting for the wind. she had \
    bread and cheese in her bag, and a letter that she had not opened yet. nobody knew what was in \
    it, not even the man who had brought it. when the church bell rang eight times she sat down on \
    the wall, looked at the water and thought of the house in which she had been a child. there had \
    been a garden with apple trees, and behind the garden a river that was never quiet. her brother \
    used to say that the river could talk, if only one would listen long enough. i am going home, my \
    friend, he said on the last evening, and you should go too. what is the time? where is my coat? \
    there is a good glass of water on the table, please take it with you. this is how things are: \
    they give what they have, and we thank them for every night and every day. ";
const GERMAN: &str = "der morgen war kalt und die strassen waren leer. eine frau mit einem roten \
    schal ging langsam zum hafen hinunter, wo drei kleine boote auf den wind warteten. sie hatte brot \
    und käse in der tasche und einen brief, den sie noch nicht geöffnet hatte. niemand wusste, was \
    darin stand, nicht einmal der mann, der ihn gebracht hatte. als die glocke der kirche acht mal \
    schlug, setzte sie sich auf die mauer, sah auf das wasser und dachte an das haus, in dem sie ein \
    kind gewesen war. es hatte dort einen garten mit apfelbäumen gegeben, und hinter dem garten einen \
    fluss, der niemals still war. ihr bruder sagte immer, der fluss könne sprechen, wenn man nur \
    lange genug zuhöre. ich gehe nach hause, mein freund, sagte er am letzten abend, und du solltest \
    auch gehen. wie spät ist es? wo ist mein mantel? auf dem tisch steht ein gutes glas wasser, bitte \
    nimm es mit. so sind die dinge: sie geben, was sie haben, und wir danken ihnen für jede nacht und \
    jeden tag. ";

/// A model for each language.
pub(crate) fn learn(steps: u64) -> rnn::Result<Vec<(&'static str, Model)>> {
    let model = |text| {
        let mut builder = CorpusBuilder::new().reserve_replacement();
        builder.push_text(text)?;
        let corpus = builder.finish()?;
        let facts = corpus.facts(false);
        let mut advice = recommended(&facts);
        advice.network.hidden_size = 48;
        advice.train.max_steps = Some(steps);
        let advice = advice.regularised(&facts);
        Trainer::new(corpus, &[0.9, 0.1], advice.network, advice.train)?.train(2)
    };
    Ok(vec![
        ("English", model(ENGLISH)?),
        ("German", model(GERMAN)?),
    ])
}

/// The language of a text, and what each model makes of it in nats per character.
pub(crate) fn identify<'m>(
    models: &'m [(&'static str, Model)],
    text: &str,
) -> rnn::Result<(&'m str, Vec<f64>)> {
    let mut surprises = Vec::new();
    for (_, model) in models {
        // A letter that the language does not have is read as U+FFFD, which surprises.
        let vocabulary = model.vocabulary();
        let ids = vocabulary.encode_with(&text.to_lowercase(), Unknown::Replace)?;
        let score = model.score(&vocabulary.decode(&ids))?;
        surprises.push(score.nats_per_character());
    }
    let best = (0..models.len()).min_by(|&a, &b| surprises[a].total_cmp(&surprises[b]));
    Ok((models[best.unwrap_or(0)].0, surprises))
}

fn main() -> Result<(), Box<dyn Error>> {
    let models = learn(300)?;
    let mut out = io::stdout().lock();
    for text in std::env::args().skip(1) {
        let (language, surprises) = identify(&models, &text)?;
        writeln!(out, "{language:<8} {surprises:.2?}  {text}")?;
    }
    Ok(())
}
