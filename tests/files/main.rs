//! Models as files: every kind of damage and hostility, imports from PyTorch, what fuzzing found.

#[path = "../hostile_support/mod.rs"]
mod hostile_support;

mod bytes;
mod description;
mod fuzz_corpora;
mod header;
mod import;
mod import_found;
mod pytorch_round_trip;
mod run;
mod tensors;
mod values;
