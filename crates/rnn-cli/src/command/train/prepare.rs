//! From a plan to a trainer for a new run.

use std::path::Path;

use rnn::ranks::Ranks;
use rnn::{
    Corpus, CorpusBuilder, Model, NetworkConfig, Recommended, TextFacts, Trainer, Vocabulary,
    memory, recommended, recommended_within, training_speed,
};

use crate::console::Console;
use crate::exit::misuse;
use crate::file;
use crate::format::thousands;
use crate::plan::{Plan, check_network};

/// A trainer for a new run.
pub(super) fn new(plan: &Plan, console: Console, ranks: &Ranks) -> anyhow::Result<Trainer<f32>> {
    let start = plan.args.init_from.as_deref();
    let start = start.map(|path| Start::load(path, plan)).transpose()?;
    let known = start.as_ref().map(|start| start.model.vocabulary());
    let mut builder = if plan.args.bytes || known.is_some_and(Vocabulary::is_bytes) {
        CorpusBuilder::bytes()
    } else if plan.reserves() {
        CorpusBuilder::new().reserve_replacement()
    } else {
        CorpusBuilder::new()
    };
    let learned_lines = start
        .as_ref()
        .filter(|start| start.model.line_end().is_some());
    if let Some(start) = learned_lines.filter(|_| !plan.args.records) {
        console.note(&format!(
            "{} was trained with --records, so this run treats each line as an example, too",
            start.shown
        ));
    }
    let records = plan.args.records || learned_lines.is_some();
    if records {
        builder = builder.records();
    }
    if let Some(known) = known {
        builder = builder.reserve(known.symbols());
    }
    let corpus = read(plan, builder, console)?;
    let network = start.as_ref().map(|start| *start.model.network().config());
    let shares = plan.split(corpus.len());
    let facts = corpus.try_facts(records)?.split(&shares);
    let usual = advice(plan, &facts, network, None);
    let mut base = match plan.run.time {
        Some(time) => {
            let speed = training_speed(&usual, plan.run.threads)? * ranks.count() as f64;
            let mut work = speed * time.as_secs_f64();
            let mut within = advice(plan, &facts, network, Some(work));
            // The usual network fits, or it would not have been measured.
            while work > 1e9 && memory::check(needed(&within)).is_err() {
                work /= 2.0;
                within = advice(plan, &facts, network, Some(work));
            }
            within
        }
        None => usual,
    };
    if start.is_some() {
        base = base.for_fine_tuning();
    }
    base.train.records = records;
    let settings = of_first(plan.settings(base)?, ranks)?;
    let trainer = match &start {
        Some(start) => start.trainer(corpus, &shares, settings),
        None => Ok(Trainer::new(
            corpus,
            &shares,
            settings.network,
            settings.train,
        )),
    }?;
    let mut trainer = trainer.map_err(|error| match error {
        rnn::Error::TooLarge { .. } => anyhow::Error::from(error),
        error => anyhow::Error::from(error).context(format!("cannot use {}", plan.texts)),
    })?;
    if plan.args.run.max_epochs.is_some() {
        let steps = max_steps(plan, &trainer);
        trainer.set_max_steps(steps)?;
    }
    Ok(trainer)
}

/// The settings of the first rank: with `--time` they follow from the speed that it measures.
fn of_first(settings: Recommended, ranks: &Ranks) -> anyhow::Result<Recommended> {
    if ranks.count() == 1 {
        return Ok(settings);
    }
    let mine = serde_json::to_vec(&(settings.network, settings.train))?;
    let (network, train) = serde_json::from_slice(&ranks.broadcast(&mine)?)?;
    Ok(Recommended { network, train })
}

/// Bytes of a run.
fn needed(advice: &Recommended) -> u128 {
    Trainer::<f32>::bytes(&advice.network, &advice.train)
}

/// What the library recommends for the text, with the network that training begins with and the sizes that
/// were typed, and for an amount of work if there is a limit.
pub(super) fn advice(
    plan: &Plan,
    text: &TextFacts,
    network: Option<NetworkConfig>,
    work: Option<f64>,
) -> Recommended {
    let advice = match work {
        Some(work) => recommended_within(text, work),
        None => recommended(text),
    };
    let advice = advice.with_network(network.unwrap_or(plan.sizes(advice).network));
    let typed = plan.sizes(advice).train;
    let advice = advice.with_batch(typed.batch_size, typed.seq_length);
    let advice = match work {
        Some(work) => advice.within(text, work),
        None => advice,
    };
    advice.regularised(text)
}

/// A model that training begins with.
struct Start {
    model: Model,
    shown: String,
}

impl Start {
    fn load(path: &Path, plan: &Plan) -> anyhow::Result<Self> {
        let model = file::load(path)?;
        let shown = path.display().to_string();
        let is_bytes = model.vocabulary().is_bytes();
        if plan.args.bytes && !is_bytes {
            return Err(misuse(format!(
                "{shown} is a model of characters; omit --bytes to start from it"
            )));
        }
        if is_bytes && plan.reserves() {
            return Err(misuse(format!(
                "{shown} is a model of bytes; omit --unknown replace to start from it"
            )));
        }
        Ok(Start { model, shown })
    }

    /// A trainer whose network knows the characters of the model and of the text.
    fn trainer(
        &self,
        corpus: Corpus,
        shares: &[f64],
        settings: Recommended,
    ) -> anyhow::Result<rnn::Result<Trainer<f32>>> {
        check_network(self.model.network().config(), settings.network, &self.shown)?;
        let network = self
            .model
            .network_for(corpus.vocabulary(), settings.train.seed)?;
        Ok(Trainer::with_network(
            corpus,
            shares,
            network,
            settings.train,
        ))
    }
}

/// The number of steps that was typed, if any.
pub(super) fn max_steps(plan: &Plan, trainer: &Trainer<f32>) -> Option<u64> {
    let epoch = trainer.windows_per_epoch() as u64;
    plan.args
        .run
        .max_epochs
        .map(|epochs| epochs.saturating_mul(epoch))
        .or(plan.args.run.max_steps)
}

pub(super) fn read(
    plan: &Plan,
    builder: CorpusBuilder,
    console: Console,
) -> anyhow::Result<Corpus> {
    let corpus = plan.texts.read(builder, &plan.own_files(), console)?;
    if corpus.had_bom() {
        console.note("ignored the byte order mark of the text");
    }
    if let Some(ends) = corpus.line_ends() {
        console.note(&format!("lines end in {ends}, which was read as a newline"));
    }
    Ok(corpus)
}

/// Prints sizes and settings with `--verbose`.
pub(super) fn tell(plan: &Plan, trainer: &Trainer<f32>, console: Console) {
    let (network, config) = (trainer.network().config(), trainer.config());
    console.detail(&format!(
        "{} characters, {} distinct; {}, layers {}, hidden units {}, {} parameters",
        thousands(trainer.corpus().len() as u64),
        trainer.corpus().vocabulary().len(),
        network.cell,
        network.num_layers,
        network.hidden_size,
        thousands(trainer.network().parameters().len() as u64),
    ));
    console.detail(&format!(
        "batch {} x window {}, {} {}, {} steps an epoch, threads {}",
        config.batch_size,
        config.seq_length,
        config.optimizer,
        config.learning_rate,
        trainer.windows_per_epoch(),
        plan.run.threads,
    ));
}
