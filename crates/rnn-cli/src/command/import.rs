//! Turns a network that PyTorch trained into a model.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use anyhow::{Context, bail};
use rnn::{Error, checkpoint};

use crate::args::ImportArgs;
use crate::console::{self, Console};
use crate::file;
use crate::outputs::Files;
use crate::shell;

/// More bytes than a vocabulary of all characters.
const MOST_VOCABULARY: u64 = 4 * 0x11_0000;

/// Runs `import`.
pub(crate) fn run(args: &ImportArgs, console: Console) -> anyhow::Result<()> {
    check(args)?;
    let characters = args.vocabulary.as_deref().map(characters).transpose()?;
    let import = |bytes: &[u8]| checkpoint::import(bytes, characters.as_deref(), args.relu);
    let model = file::read_as(&args.file, import, |error| match error {
        // It is not expected to be ours.
        Error::NotAModel { what } => Error::NotImportable { what },
        error => error,
    })?;
    if args.output.as_os_str() == "-" {
        let mut out = console::stdout();
        out.write_all(&model.try_to_bytes()?)?;
        return Ok(out.flush()?);
    }
    model.save(&args.output)?;
    let config = model.network().config();
    console.hint(&format!(
        "{}, layers {}, hidden units {}, {} characters\nmodel: {}\ntry: rnn-cli sample {}",
        config.cell,
        config.num_layers,
        config.hidden_size,
        config.vocab_size,
        args.output.display(),
        shell::path(&args.output)
    ));
    Ok(())
}

/// Checks that the model may be written to the output.
fn check(args: &ImportArgs) -> anyhow::Result<()> {
    let shown = args.output.display();
    if args.output.as_os_str() == "-" {
        if io::stdout().is_terminal() {
            bail!("standard output is a terminal; redirect the model to a file or a pipe");
        }
        return Ok(());
    }
    let mut files = Files::default();
    for input in std::iter::once(&args.file).chain(&args.vocabulary) {
        files.reads(input, "the file to import");
    }
    files.writes(&args.output, "another name for the model (-o)");
    files.check()?;
    checkpoint::check_target(&args.output)?;
    if args.output.exists() && !args.force {
        bail!("{shown} already exists; use another name (-o) or --force to overwrite it");
    }
    Ok(())
}

/// The characters in a file.
fn characters(path: &Path) -> anyhow::Result<String> {
    let shown = path.display();
    let cannot = || format!("cannot read {shown}");
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(cannot)?;
    file.take(MOST_VOCABULARY + 1)
        .read_to_end(&mut bytes)
        .with_context(cannot)?;
    if bytes.len() as u64 > MOST_VOCABULARY {
        bail!("{shown} is not a vocabulary: it has more bytes than all characters together");
    }
    String::from_utf8(bytes).map_err(|error| {
        let (at, bytes) = (error.utf8_error().valid_up_to(), error.as_bytes());
        let byte = bytes[at];
        anyhow::anyhow!("cannot read {shown}: byte {byte:#04x} at byte offset {at} is not valid UTF-8; use UTF-8 text")
    })
}
