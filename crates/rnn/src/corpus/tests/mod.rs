//! Tests of the corpus.

mod reading;
mod records;
mod streams;
