//! Recurrent networks.
#![forbid(unsafe_code)]

pub mod corpus;
mod error;
pub mod vocabulary;

pub use corpus::{
    Corpus, CorpusBuilder, IdSlice, Ids, RecordBatches, RecordSplit, Records, Split, Streams,
};
pub use error::{Error, Result};
pub use vocabulary::{IGNORE, Id, Unknown, Vocabulary};
