//! Making a model of a network that PyTorch trained.

use anyhow::{Context, bail};
use rnn::checkpoint;

use crate::args::ImportArgs;
use crate::console::Console;
use crate::file;

/// Runs `import`.
pub(crate) fn run(args: &ImportArgs, console: Console) -> anyhow::Result<()> {
    let shown = args.output.display();
    if args.output.exists() && !args.force {
        bail!("{shown} exists, expected a new name (-o) or --force to overwrite it");
    }
    let characters = match &args.vocabulary {
        Some(path) => Some(
            std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?,
        ),
        None => None,
    };
    let model = file::read(&args.file, |bytes| {
        checkpoint::import(bytes, characters.as_deref(), args.relu)
    })?;
    model.save(&args.output)?;
    let config = model.network().config();
    console.hint(&format!(
        "{}, layers {}, hidden units {}, {} characters\nmodel: {shown}\ntry: rnn-cli sample {shown}",
        config.cell, config.num_layers, config.hidden_size, config.vocab_size
    ));
    Ok(())
}
