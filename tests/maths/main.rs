//! The maths of `rnn`: forward passes, gradients, optimisers, losses and scores against independent
//! numbers (the notebook in numpy, PyTorch, plain loops, finite differences), and its properties.

#[path = "../common/mod.rs"]
mod common;

mod adapt;
mod bptt_example;
mod char_rnn;
mod determinism;
mod examples;
mod horizon;
mod insight;
mod insight_states;
mod lines;
mod misuse;
mod notebook;
mod notebook_training;
mod own_loop;
mod precision;
mod properties;
mod pytorch;
mod ranks;
mod ranks_ends;
mod records;
mod regularisation;
mod resume;
mod score_pieces;
mod sessions;
