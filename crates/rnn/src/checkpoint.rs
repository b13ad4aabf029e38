//! Models as files: bytes to model and back, then reading and writing them safely.
//!
//! A file is a `.safetensors`: tensors under PyTorch's names and shapes, and one metadata entry,
//! `rnn`, that holds JSON with sorted keys:
//!
//! | field | content |
//! |---|---|
//! | `architecture` | cell, vocabulary size, hidden size, number of layers |
//! | `checksum` | XXH3-64 of everything else, in hexadecimal |
//! | `format` | version of this layout, 1 |
//! | `training` | settings and history, or null |
//! | `vocabulary` | `{"characters": "…"}` in ascending order, or `"bytes"` |
//!
//! Nothing in it depends on the clock, the path or the number of threads. Every file is taken as
//! hostile: its sizes, names, shapes and values are checked before a model exists.

mod container;
mod content;
mod existing;
mod file;
mod header;
mod import;
mod keeper;
mod lock;
mod parts;
mod place;
mod resume;
#[cfg(test)]
mod save_tests;
#[cfg(test)]
mod tests;

pub use container::{FORMAT, checksum_of};
pub use content::{content, is_ours};
pub use file::{check_target, read, read_from, resolve, save};
pub use import::import;
pub use keeper::{Every, Keeper};
pub use lock::{LOCK_MARK, lock_path};
pub use place::open as open_file;
pub use resume::{Interrupted, resume_path};
