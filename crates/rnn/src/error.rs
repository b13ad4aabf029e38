//! What can go wrong, as one enum. Every message says what is wrong, with the
//! value, then what would be right.
//!
//! A message says only its own part; its cause is the error's `source`, as `anyhow` prints it with
//! `{:#}`.

use std::io;
use std::path::PathBuf;

/// A result whose error is [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that this crate reports instead of panicking.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // Settings: optimisers, clipping, schedules.
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
    /// A name that stands for none of the known choices.
    #[error("{what} must be one of {expected}, got {value:?}")]
    UnknownName {
        /// What was to be named, as "optimiser".
        what: &'static str,
        /// All known names.
        expected: String,
        /// The name given.
        value: String,
    },

    // Optimiser state from a file.
    /// Saved optimiser state lacks a slice that the optimiser needs.
    #[error("optimiser state lacks {name:?}, which {optimizer} needs")]
    MissingState {
        /// The missing slice's name.
        name: &'static str,
        /// The optimiser's name.
        optimizer: &'static str,
    },
    /// A slice of saved optimiser state does not fit the parameters.
    #[error("optimiser state {name:?} has {value} values, expected {expected}")]
    StateLength {
        /// The slice's name.
        name: &'static str,
        /// Its length.
        value: usize,
        /// The number of parameters.
        expected: usize,
    },
    /// A value of saved optimiser state cannot have come from training.
    #[error("optimiser state {name:?} must be {expected}, got {} at index {index}", short(*value))]
    StateValue {
        /// The slice's name.
        name: &'static str,
        /// Where the value stands.
        index: usize,
        /// The value.
        value: f64,
        /// What it may be, in words.
        expected: &'static str,
    },

    /// A model's file could not be written; the path holds what it held before.
    #[error("cannot save {}", path.display())]
    Save {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// Bytes that are no network of PyTorch, or none that can be imported.
    #[error("not a network to import: {what}")]
    NotImportable {
        /// What is wrong with them.
        what: String,
    },

    /// Bytes that are not a whole and sound model.
    #[error("not a model of this program: {what}")]
    NotAModel {
        /// What is wrong with them.
        what: String,
    },

    /// Training went wrong again and again, at ever lower rates.
    #[error(
        "training diverged at step {step}: the loss was still not finite after 3 returns to the best weights; try gradient clipping (--clip 1) or a smaller learning rate"
    )]
    Diverged {
        /// The step.
        step: u64,
    },

    /// A run was to go on with another text than it began with.
    #[error("the text has changed since the run began; use the same text")]
    TextChanged,

    /// The number of steps was to change when it was too late.
    #[error("{}", steps_fixed(*step, *old, *new))]
    StepsFixed {
        /// Steps taken.
        step: u64,
        /// The number so far; `None` while a time limit has not fixed it.
        old: Option<u64>,
        /// The number asked for.
        new: Option<u64>,
    },

    /// Another run, of this program or another that keeps to its rules, saves to this path now.
    #[error("cannot save {}: another run is saving there; wait for it to end or use another path", path.display())]
    Locked {
        /// The path.
        path: PathBuf,
    },

    /// The model beside a run that is to go on comes from another run.
    #[error(
        "{} holds the model of another run; move it away to resume this one",
        path.display()
    )]
    OtherRun {
        /// The model's path.
        path: PathBuf,
    },

    /// A file of this name would be overwritten, and it is nothing that this program wrote.
    #[error(
        "{} is damaged or not a file of this program; move it away or use another name for the model",
        path.display()
    )]
    Foreign {
        /// The file's path.
        path: PathBuf,
    },

    /// A network's numbers have grown beyond those of its type: a state or a prediction is infinite
    /// or no number at all, or two predictions lie too far apart to be compared.
    #[error(
        "the network's states overflow after {}: its weights are too large; use a model whose training did not diverge",
        characters_read(*characters)
    )]
    Overflow {
        /// Characters read until then, from a zero state or the state given.
        characters: u64,
    },

    /// What was asked for does not fit into memory.
    #[error("this needs {} of memory; {}", amount(*needed), available.map_or_else(
        || "that is more than the system gives".to_owned(),
        |bytes| format!("{} are available", amount(bytes.into())),
    ))]
    TooLarge {
        /// Bytes that it takes.
        needed: u128,
        /// Bytes that there are, where the system tells.
        available: Option<u64>,
    },

    /// The system gives no threads.
    #[error("cannot start {threads} threads: {why}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// What the system said.
        why: String,
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

    /// The text is no UTF-8.
    #[error(
        "byte 0x{byte:02x} at byte offset {offset} is not valid UTF-8; use UTF-8 text, or train on bytes (--bytes)"
    )]
    InvalidUtf8 {
        /// Bytes before the sequence that is wrong, from the start of the file.
        offset: u64,
        /// The first byte of that sequence.
        byte: u8,
    },

    /// There is no text.
    #[error("the text is empty; use at least 2 characters")]
    EmptyText,

    /// The text repeats one character, so every prediction is certain from the start.
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

    /// A character that the model has never seen.
    #[error(
        "character {character:?} (U+{:04X}) at character offset {offset} is not in the vocabulary{}",
        u32::from(*character), close_ones(close)
    )]
    UnknownCharacter {
        /// The character.
        character: char,
        /// Characters before it.
        offset: u64,
        /// Symbols of the vocabulary that may have been meant, likeliest first.
        close: Vec<char>,
    },

    /// Unknown characters were to be replaced, by a symbol that the model does not have either.
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

    /// The shares of a split are no shares.
    #[error(
        "split {fractions:?} is not possible; use 1 to 3 shares (training, validation, test) \
         from 0 to 1, the first above 0, that add up to 1"
    )]
    InvalidSplit {
        /// The shares as given.
        fractions: Vec<f64>,
    },

    /// A size that must be positive is 0.
    #[error("{name} must be at least 1, got 0")]
    ZeroSize {
        /// What has the size.
        name: &'static str,
    },

    /// The training part is too short to predict anything in it.
    #[error("the training text has {characters} characters; use at least {needed}")]
    TooShort {
        /// Its length.
        characters: usize,
        /// The length that is enough.
        needed: usize,
    },

    /// Lines were to be read as records from a text that was not read as such.
    #[error("the last line does not end with a newline; build the corpus with `records()`")]
    UnfinishedRecord,

    /// Training on records, and there are none.
    #[error("there are no lines to train on; use at least 1")]
    NoRecords,
}

/// `; similar: 'a', 'b'`, or nothing where there are none.
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

/// Bytes, and how much that is.
fn amount(bytes: u128) -> String {
    let short = match bytes {
        0..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    };
    format!("{bytes} bytes ({short})")
}

/// Why the number of steps stays what it is.
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

/// A number as one would type it: 5, 0.1, 1e300, NaN.
fn short(value: f64) -> String {
    let text = format!("{value:?}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}
