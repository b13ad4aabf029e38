//! Shows what a model has learned, as a page or as numbers.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rnn::{checkpoint, memory};

use crate::args::ViewArgs;
use crate::console::{self, Console};
use crate::file::{self, Source};
use crate::format::{bytes, thousands};
use crate::outputs::Files;
use crate::view::{Numbers, page};

/// Runs `view`.
pub(crate) fn run(args: &ViewArgs, console: Console) -> anyhow::Result<()> {
    let source = Source::new(&args.text);
    let target = target(args);
    if !args.json {
        check(&target, args)?;
    }
    let model = file::load_for(&args.model, args.records)?;
    let corpus = file::read_text(&source, &model, args.unknown.into(), console)?;
    let shown = corpus.len().min(args.characters);
    memory::check(Numbers::bytes(model.network().config(), shown))?;
    let mut ids = memory::room(shown)?;
    ids.extend(corpus.ids().slice(0..shown).iter());
    let names = [&args.model, &args.text].map(|path| name(path));
    let numbers = Numbers::new(&model, names, ids, corpus.len())
        .with_context(|| format!("cannot view {source}"))?;
    if args.json {
        let mut out = console::stdout();
        numbers.write_json(&mut out)?;
        return Ok(out.flush()?);
    }
    if shown < corpus.len() {
        console.note(&format!(
            "the page shows the first {} of {} characters; use --characters to show more",
            thousands(shown as u64),
            thousands(corpus.len() as u64)
        ));
    }
    let page = page(&numbers)?;
    if target == Path::new("-") {
        let mut out = console::stdout();
        out.write_all(page.as_bytes())?;
        return Ok(out.flush()?);
    }
    checkpoint::save(&target, page.as_bytes())?;
    console.hint(&format!(
        "{}, {}: open it in a browser",
        target.display(),
        bytes(page.len() as u64)
    ));
    Ok(())
}

fn target(args: &ViewArgs) -> PathBuf {
    args.output.clone().unwrap_or_else(|| {
        let name = args.model.file_name().unwrap_or("view".as_ref());
        Path::new(if name == "-" { "view".as_ref() } else { name }).with_extension("html")
    })
}

/// Checks, before the work, that the page can be written there.
fn check(target: &Path, args: &ViewArgs) -> anyhow::Result<()> {
    if target == Path::new("-") {
        if io::stdout().is_terminal() {
            bail!("standard output is a terminal; redirect the page to a file or a pipe");
        }
        return Ok(());
    }
    let mut files = Files::default();
    files.reads(&args.model, "the model itself");
    files.reads(&args.text, "the text itself");
    files.writes(target, "another name for the page (-o)");
    files.check()?;
    checkpoint::check_target(target)?;
    if target.exists() && !args.force {
        bail!(
            "{} already exists; use another name (-o) or --force to overwrite it",
            target.display()
        );
    }
    Ok(())
}

/// The name of a file without its folders.
fn name(path: &Path) -> String {
    match path.file_name() {
        Some(name) if name != "-" => name.to_string_lossy().into_owned(),
        _ => "standard input".into(),
    }
}
