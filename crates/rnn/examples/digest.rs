//! Prints what must be the same on every machine: digests of small models, trained here, with what they
//! score and write.
//!
//! ```sh
//! cargo run --release -p rnn --example digest
//! ```

use std::ops::ControlFlow;

use rnn::{
    CellKind, CorpusBuilder, Error, NetworkConfig, RunOptions, SampleOptions, Trainer, recommended,
};

fn main() -> Result<(), Error> {
    let text: String = (0..300)
        .map(|line| {
            format!(
                "line {line}: {} foxes jump over the lazy dog\n",
                line * line % 97
            )
        })
        .collect();
    for cell in CellKind::ALL {
        for records in [false, true] {
            let mut builder = CorpusBuilder::new().records();
            builder.push_text(&text)?;
            let corpus = builder.finish()?;
            let facts = corpus.facts(records);
            let mut advice = recommended(&facts);
            advice.network = NetworkConfig {
                cell,
                hidden_size: 37,
                num_layers: 2,
                ..advice.network
            };
            advice.train.records = records;
            advice.train.max_steps = Some(6);
            advice = advice.regularised(&facts);
            let mut trainer =
                Trainer::<f32>::new(corpus, &[0.9, 0.1], advice.network, advice.train)?;
            trainer.run(&RunOptions::default(), |_, _| {
                Ok::<_, Error>(ControlFlow::Continue(()))
            })?;
            let model = trainer.try_best_model()?;
            let options = SampleOptions {
                seed: 7,
                ..SampleOptions::default()
            };
            let sample: String = model
                .sample("line ", &options)?
                .take(40)
                .collect::<Result<_, _>>()?;
            println!(
                "{cell}{} model {:016x} score {:016x} sample {sample:?}",
                if records { ", lines" } else { "" },
                twox_hash::XxHash3_64::oneshot(&model.to_bytes()),
                model.score(&text)?.nats.to_bits(),
            );
        }
    }
    Ok(())
}
