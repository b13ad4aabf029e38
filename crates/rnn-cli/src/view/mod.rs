//! What a model has learned, as one page: numbers of [`rnn::insight`], packed into a page that draws
//! them.
//!
//! The page asks for nothing from outside, and nothing that comes from a file becomes markup or
//! script: texts, names and vocabularies travel as JSON, packed into ASCII without `<`, `>` and `&`,
//! in elements that no browser runs, and the script puts them on the page as text.

mod numbers;
mod pack;
mod page;
mod weights;

pub(crate) use numbers::Numbers;
pub(crate) use page::page;
