//! Tests of the corpus.

mod line_ends;
mod reading;
mod records;
mod streams;
