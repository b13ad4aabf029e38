//! What a model has learned, as one page: the numbers of [`rnn::insight`] in a page that draws them.
//!
//! The page loads nothing from outside. Nothing that comes from a file becomes markup or script:
//! texts, names and vocabularies are JSON without `<`, in an element that no browser runs, and the
//! script puts them on the page as text.

mod numbers;
mod page;

pub(crate) use numbers::Numbers;
pub(crate) use page::page;
