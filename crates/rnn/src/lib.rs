//! Character-level recurrent networks: a network reads a text character by character and learns to
//! predict the next one; then it can write, complete and score text.
//!
//! Data flows one way:
//!
//! ```text
//! text -> Vocabulary -> Corpus -> windows -> Network, Bptt -> loss -> gradient -> Optimizer
//!      -> Model (a file) -> Sampler, Score
//! ```
//!
//! Train on a text, keep the model, let it write:
//!
//! ```
//! use rnn::{Corpus, Model, RunOptions, SampleOptions, Trainer, recommended};
//! use std::ops::ControlFlow;
//!
//! let corpus = Corpus::from_text(&"she sells sea shells by the sea shore. ".repeat(30))?;
//! let mut advice = recommended(&corpus.facts(false));
//! advice.network.hidden_size = 32;
//! advice.train.max_steps = Some(60);
//! let mut trainer = Trainer::new(corpus, &[0.9, 0.1], advice.network, advice.train)?;
//! trainer.run(&RunOptions::default(), |_, _| Ok::<_, rnn::Error>(ControlFlow::Continue(())))?;
//! let model = trainer.best_model();
//!
//! let written = model.sample("she se", &SampleOptions::greedy())?.take(40);
//! let completed = written.collect::<rnn::Result<String>>()?;
//! println!("she se{completed}");
//! let likely = model.score("she sells sea shells")?.nats_per_character();
//! let odd = model.score("yeh sslle eas lshsle")?.nats_per_character();
//! assert!(likely < odd);
//! # Ok::<(), rnn::Error>(())
//! ```
//!
//! Use a model from any number of threads:
//!
//! ```no_run
//! use rnn::{Model, SampleOptions, Session};
//!
//! let model = Model::load("names.safetensors")?;
//! let options = SampleOptions::default();
//! let written = model.sample("an", &options)?.take_while(|c| !matches!(c, Ok('\n')));
//! let completed = written.collect::<rnn::Result<String>>()?;
//! println!("an{completed}, {:.2} bits a character", model.score("anna")?.bits_per_character());
//! let mut session = Session::new(&model)?;
//! session.read_char('a')?;
//! let next = session.probabilities()?; // one for each symbol
//! std::thread::scope(|scope| {
//!     scope.spawn(|| model.score("bob")); // `Model` is `Send` and `Sync`
//! });
//! assert_eq!(next.len(), model.vocabulary().len());
//! # Ok::<(), rnn::Error>(())
//! ```
//!
//! The same seed, text and settings give the same bits on every run, number of threads and
//! instruction set. A [`Model`] is plain data: `Send`, `Sync`, and one `.safetensors` file.
#![forbid(unsafe_code)]

mod adapt;
mod bptt;
pub mod cell;
pub mod checkpoint;
mod choice;
mod config;
mod corpus;
mod dropout;
mod error;
mod facts;
pub mod gradient_check;
mod grow;
pub mod insight;
mod loss;
pub mod memory;
mod model;
mod network;
pub mod optimizer;
mod packed;
mod parameters;
pub mod ranks;
mod rows;
mod sampler;
mod score;
mod session;
mod state;
mod trainer;
mod unroll;
pub mod visible;
mod vocabulary;

pub use adapt::AdaptiveScorer;
pub use bptt::{Bptt, Window};
pub use cell::CellKind;
pub use config::{Init, MAX_HIDDEN_SIZE, MAX_LAYERS, NetworkConfig, Scheme};
pub use corpus::{
    Corpus, CorpusBuilder, IdSlice, Ids, RecordSplit, Records, Split, Streams, check_shares,
};
pub use dropout::Dropout;
pub use error::{Error, Result};
pub use facts::TextFacts;
pub use loss::{Reduction, softmax_cross_entropy, softmax_cross_entropy_gradient};
pub use model::{Model, Training};
pub use network::Network;
pub use parameters::{Block, Layout, Parameters};
pub use sampler::{BatchSampler, Drawer, SampleOptions, Sampler};
pub use score::{Score, Scorer};
pub use session::Session;
pub use state::State;
/// The instruction set in use, which `TENSOR_ISA` chooses.
pub use tensor::Isa;
pub use trainer::{
    Event, Outcome, Recommended, Record, RunOptions, Step, TrainConfig, Trainer, Validator,
    recommended, recommended_within, training_speed,
};
pub use vocabulary::{IGNORE, Id, REPLACEMENT, Unknown, Vocabulary};

/// Runs the examples of the two READMEs that use this crate.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../../../README.md")]
struct Readme;
