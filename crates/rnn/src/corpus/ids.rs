//! The text as numbers, one byte each while the vocabulary has at most 256 symbols, else four.
//!
//! A text may fill most of the memory, so it is stored as narrow as possible and borrowed in slices.
//! Only the characters of a batch are widened to [`Id`].

use std::ops::Range;

use crate::Id;
use crate::vocabulary::{check_ids, outside};

/// Largest vocabulary whose ids fit one byte.
pub(super) const NARROW_SYMBOLS: usize = 256;

/// A sequence of ids in compact storage.
///
/// ```
/// use rnn::Corpus;
///
/// let corpus = Corpus::from_text("hello")?;
/// let ids = corpus.ids();
/// let mut middle = [0; 3];
/// ids.copy_to(1..4, &mut middle);
/// assert_eq!(middle, [0, 2, 2]);
/// assert_eq!(ids.slice(1..4).get(0), 0);
/// # Ok::<(), rnn::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ids(pub(super) Storage);

/// The size of the vocabulary alone decides between the two, so equal texts are stored alike.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Storage {
    Narrow(Vec<u8>),
    Wide(Vec<u32>),
}

impl Ids {
    /// Number of ids.
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id at `index`.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len).
    #[inline]
    #[track_caller]
    pub fn get(&self, index: usize) -> Id {
        self.as_slice().get(index)
    }

    /// Copies the ids of `range` to `target`.
    ///
    /// # Panics
    /// If `range` reaches past the end, or `target` has another length.
    #[track_caller]
    pub fn copy_to(&self, range: Range<usize>, target: &mut [Id]) {
        self.slice(range).copy_to(target);
    }

    /// A view of `range`.
    ///
    /// # Panics
    /// If `range` reaches past the end.
    #[track_caller]
    pub fn slice(&self, range: Range<usize>) -> IdSlice<'_> {
        self.as_slice().slice(range)
    }

    /// A view of all ids.
    #[inline]
    pub fn as_slice(&self) -> IdSlice<'_> {
        IdSlice(match &self.0 {
            Storage::Narrow(ids) => View::Narrow(ids),
            Storage::Wide(ids) => View::Wide(ids),
        })
    }
}

/// A borrowed piece of [`Ids`], or any slice of ids.
#[derive(Clone, Copy, Debug)]
pub struct IdSlice<'a>(pub(super) View<'a>);

#[derive(Clone, Copy, Debug)]
pub(super) enum View<'a> {
    Narrow(&'a [u8]),
    Wide(&'a [u32]),
}

impl<'a> IdSlice<'a> {
    /// Number of ids.
    #[inline]
    pub fn len(self) -> usize {
        match self.0 {
            View::Narrow(ids) => ids.len(),
            View::Wide(ids) => ids.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The id at `index`.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len).
    #[inline]
    #[track_caller]
    pub fn get(self, index: usize) -> Id {
        match self.0 {
            View::Narrow(ids) => ids[index].into(),
            View::Wide(ids) => ids[index],
        }
    }

    /// A view of `range`.
    ///
    /// # Panics
    /// If `range` reaches past the end.
    #[track_caller]
    pub fn slice(self, range: Range<usize>) -> IdSlice<'a> {
        IdSlice(match self.0 {
            View::Narrow(ids) => View::Narrow(&ids[range]),
            View::Wide(ids) => View::Wide(&ids[range]),
        })
    }

    /// Copies all ids to `target`.
    ///
    /// # Panics
    /// If `target` has another length.
    #[track_caller]
    pub fn copy_to(self, target: &mut [Id]) {
        let (have, want) = (self.len(), target.len());
        assert!(have == want, "{have} ids do not fit a target of {want}");
        match self.0 {
            View::Narrow(ids) => {
                for (to, &id) in target.iter_mut().zip(ids) {
                    *to = id.into();
                }
            }
            View::Wide(ids) => target.copy_from_slice(ids),
        }
    }

    /// A copy, for functions that take a slice.
    ///
    /// # Panics
    /// If memory runs out.
    pub fn to_vec(self) -> Vec<Id> {
        self.iter().collect()
    }

    /// Checks that each is one of a vocabulary of `len` symbols.
    #[track_caller]
    pub(crate) fn check(self, len: usize) {
        match self.0 {
            View::Narrow(ids) => {
                if let Some(at) = ids.iter().position(|&id| usize::from(id) >= len) {
                    outside(ids[at].into(), at, len);
                }
            }
            View::Wide(ids) => check_ids(ids, len),
        }
    }

    /// An iterator of the ids.
    pub fn iter(self) -> impl Iterator<Item = Id> + 'a {
        (0..self.len()).map(move |index| self.get(index))
    }

    /// The index of the first `id` at or after `start`; the length if there is none.
    pub(super) fn find(self, id: Id, start: usize) -> usize {
        let found = match self.0 {
            View::Narrow(ids) => u8::try_from(id)
                .ok()
                .and_then(|id| ids[start..].iter().position(|&i| i == id)),
            View::Wide(ids) => ids[start..].iter().position(|&i| i == id),
        };
        found.map_or(self.len(), |distance| start + distance)
    }
}

impl<'a> From<&'a Ids> for IdSlice<'a> {
    fn from(ids: &'a Ids) -> Self {
        ids.as_slice()
    }
}

impl<'a> From<&'a [Id]> for IdSlice<'a> {
    fn from(ids: &'a [Id]) -> Self {
        IdSlice(View::Wide(ids))
    }
}

impl<'a> From<&'a Vec<Id>> for IdSlice<'a> {
    fn from(ids: &'a Vec<Id>) -> Self {
        IdSlice(View::Wide(ids))
    }
}

impl<'a, const N: usize> From<&'a [Id; N]> for IdSlice<'a> {
    fn from(ids: &'a [Id; N]) -> Self {
        IdSlice(View::Wide(ids))
    }
}
