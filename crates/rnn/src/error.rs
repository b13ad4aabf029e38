//! What can go wrong, as one enum. Every message says what is wrong, with the value, then what to do.
//!
//! The cause of an error is its `source` and not part of its message; `anyhow` prints both with `{:#}`.

use std::io;
use std::path::PathBuf;

/// A result whose error is [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that this crate reports instead of panicking.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is a number outside its range.
    #[error("{name} must be {expected}, got {}", short(*value))]
    InvalidSetting {
        /// The setting's name.
        name: &'static str,
        /// Its range in words.
        expected: &'static str,
        /// What it was.
        value: f64,
    },
    /// A name that is none of the known choices.
    #[error("{what} must be one of {expected}, got {value:?}")]
    UnknownName {
        /// What it names, such as "optimiser".
        what: &'static str,
        /// All known names.
        expected: String,
        /// The name given.
        value: String,
    },

    /// Saved optimiser state does not fit the optimiser or its parameters.
    #[error("optimiser state {what}")]
    OptimizerState {
        /// What is wrong with it.
        what: String,
    },

    /// A model's file could not be written; the path holds what it held before.
    #[error("cannot save {}", path.display())]
    Save {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// A file that is not a PyTorch network, or not one that can be imported.
    #[error("not a network to import: {what}")]
    NotImportable {
        /// What is wrong with it.
        what: String,
    },

    /// A file that is not a model, or is damaged.
    #[error("not a model of this program: {what}")]
    NotAModel {
        /// What is wrong with it.
        what: String,
    },

    /// The loss was not finite, even after 2 returns to the best weights at lower learning rates.
    #[error(
        "training diverged at step {step}: the loss was still not finite after 2 returns to the best weights; try gradient clipping (--clip 1) or a smaller learning rate"
    )]
    Diverged {
        /// The step.
        step: u64,
    },

    /// The text to resume a run with is not the one that it began with.
    #[error("the text has changed since the run began; use the same text")]
    TextChanged,

    /// It is too late to change the number of steps.
    #[error("{}", steps_fixed(*step, *old, *new))]
    StepsFixed {
        /// Steps taken.
        step: u64,
        /// The number so far; `None` until a time limit fixes it.
        old: Option<u64>,
        /// The number asked for.
        new: Option<u64>,
    },

    /// Another run is saving to this path.
    #[error("cannot save {}: another run is saving there; wait for it to end or use another path", path.display())]
    Locked {
        /// The path.
        path: PathBuf,
    },

    /// The model beside the run to resume comes from another run.
    #[error("{} holds the model of another run; move it away to resume this one", path.display())]
    OtherRun {
        /// The model's path.
        path: PathBuf,
    },

    /// A file that would be overwritten was not written by this program.
    #[error(
        "{} is damaged or not a file of this program; move it away or use another name for the model",
        path.display()
    )]
    Foreign {
        /// The file's path.
        path: PathBuf,
    },

    /// A state or a logit of the network is infinite or NaN, or two logits are too far apart to compare.
    #[error(
        "the network's states overflow after {}: its weights are too large; use a model whose training did not diverge",
        characters_read(*characters)
    )]
    Overflow {
        /// Characters read until then, from a zero state or the state given.
        characters: u64,
    },

    /// A state that is not one of a single sequence in this model's network.
    #[error("{found}; use a state that this model gave")]
    OtherState {
        /// What it is, and what this model has.
        found: String,
    },

    /// There is not enough memory.
    #[error("this needs {} of memory; {}", amount(*needed), available.map_or_else(
        || "that is more than the system gives".to_owned(),
        |bytes| format!("{} are available", amount(bytes.into())),
    ))]
    TooLarge {
        /// Bytes needed.
        needed: u128,
        /// Bytes available, where the system says.
        available: Option<u64>,
    },

    /// `TENSOR_ISA` names no instruction set that this processor has. Whatever multiplies or packs weights
    /// reports it; `tensor`'s own functions panic.
    #[error(transparent)]
    InstructionSet(tensor::TensorError),

    /// The system could not start the threads.
    #[error("cannot start {threads} threads: {why}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// What the system said.
        why: String,
    },

    /// Another process that trains the same model has ended or cannot be reached.
    #[error("rank {rank} cannot be reached")]
    Rank {
        /// Its number.
        rank: usize,
        /// What the system said.
        source: io::Error,
    },

    /// The processes that are to train one model do not have the same of something.
    #[error("rank {rank} has another {what} than rank 0; give every rank the same")]
    RankDiffers {
        /// The first that differs.
        rank: usize,
        /// What differs.
        what: &'static str,
    },

    /// The operating system refused to read or write.
    #[error(transparent)]
    Io(#[from] io::Error),

    /// A text could not be read; the source says why.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<Error>,
    },

    /// The text is not valid UTF-8.
    #[error(
        "byte 0x{byte:02x} at byte offset {offset} is not valid UTF-8; use UTF-8 text, or train on bytes (--bytes)"
    )]
    InvalidUtf8 {
        /// Where the invalid sequence starts in the file.
        offset: u64,
        /// The first byte of that sequence.
        byte: u8,
    },

    /// The text is empty.
    #[error("the text is empty; use at least 2 characters")]
    EmptyText,

    /// The text repeats one character, so there is nothing to learn.
    #[error("the text has only the character {character:?}; use at least 2 distinct characters")]
    OneDistinctCharacter {
        /// That character.
        character: char,
    },

    /// A vocabulary without symbols.
    #[error("the vocabulary is empty; use at least 1 symbol")]
    EmptyVocabulary,

    /// The symbols of a vocabulary repeat or are out of order.
    #[error(
        "vocabulary symbol {index} is {symbol:?} after {previous:?}; symbols must be distinct and in ascending order"
    )]
    UnsortedVocabulary {
        /// Position of the symbol.
        index: usize,
        /// The symbol.
        symbol: char,
        /// The symbol before it.
        previous: char,
    },

    /// A character that is not in the model's vocabulary.
    #[error(
        "character {character:?} (U+{:04X}) at character offset {offset} is not in the vocabulary{}",
        u32::from(*character), close_ones(close)
    )]
    UnknownCharacter {
        /// The character.
        character: char,
        /// Characters before it.
        offset: u64,
        /// Similar symbols of the vocabulary, the likeliest first.
        close: Vec<char>,
    },

    /// An unknown character cannot be replaced, as the vocabulary lacks the replacement character too.
    #[error(
        "character {character:?} (U+{:04X}) at character offset {offset} cannot be replaced: the vocabulary lacks the replacement character U+FFFD",
        u32::from(*character)
    )]
    NoReplacement {
        /// The character.
        character: char,
        /// Characters before it.
        offset: u64,
    },

    /// The shares of a split do not make a whole.
    #[error(
        "split {fractions:?} is not possible; use 1 to 3 shares (training, validation, test) \
         from 0 to 1, the first above 0, that add up to 1"
    )]
    InvalidSplit {
        /// The shares as given.
        fractions: Vec<f64>,
    },

    /// The training text is too short: there is nothing to predict.
    #[error("the training text has {characters} characters; use at least {needed}")]
    TooShort {
        /// Its length.
        characters: usize,
        /// The least length.
        needed: usize,
    },

    /// A corpus that was not built for records is used as records.
    #[error("the last line does not end with a newline; build the corpus with `records()`")]
    UnfinishedRecord,

    /// There are too few records to train on some and hold out others.
    #[error("there are too few lines to learn from some and hold out others; use at least 2")]
    NoRecords,
}

/// `Ok` when `valid`, else the setting with its range.
pub(crate) fn check_setting(
    name: &'static str,
    value: f64,
    valid: bool,
    expected: &'static str,
) -> Result<()> {
    valid.then_some(()).ok_or(Error::InvalidSetting {
        name,
        expected,
        value,
    })
}

/// `; similar: 'a', 'b'`, or nothing if there are none.
fn close_ones(close: &[char]) -> String {
    if close.is_empty() {
        return String::new();
    }
    let list: Vec<String> = close.iter().map(|symbol| format!("{symbol:?}")).collect();
    format!("; similar: {}", list.join(", "))
}

/// `1 character`, `2 characters`.
fn characters_read(count: u64) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} character{plural}")
}

/// The exact number of bytes, then a rounded one.
fn amount(bytes: u128) -> String {
    let short = match bytes {
        0..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    };
    format!("{bytes} bytes ({short})")
}

/// Why the number of steps cannot change.
fn steps_fixed(step: u64, old: Option<u64>, new: Option<u64>) -> String {
    let number = |steps: Option<u64>, open: &str| steps.map_or(open.into(), |n| n.to_string());
    let (old, asked) = (number(old, "a time limit"), number(new, "a time limit"));
    if new.is_some_and(|new| new < step) {
        return format!("{step} steps are already done; use at least as many, not {asked}");
    }
    format!(
        "cannot change the number of steps from {old} to {asked}: after {step} steps the learning rate has begun to fall"
    )
}

/// A number as one would type it, such as 5, 0.1 or 1e300.
fn short(value: f64) -> String {
    let text = format!("{value:?}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}
