//! From a code point to an id in two steps, for any script: a page of 256 code points, then a place
//! in the page. A page exists once a character on it has an id, so Latin text touches one or two
//! pages of 1 KiB, and every look-up is two loads.

use super::Id;

/// Marks a code point without an id; no id reaches it, as there are fewer code points.
const ABSENT: Id = Id::MAX;

/// A map from characters to ids.
#[derive(Clone, Default)]
pub(crate) struct IdTable {
    pages: Vec<Option<Box<[Id; 256]>>>,
}

impl IdTable {
    /// The id of `character`, if it has one.
    #[inline]
    pub(crate) fn get(&self, character: char) -> Option<Id> {
        let code = character as usize;
        let page = self.pages.get(code >> 8)?.as_ref()?;
        let id = page[code & 0xff];
        (id != ABSENT).then_some(id)
    }

    /// Gives `character` an id, in place of any it has.
    pub(crate) fn insert(&mut self, character: char, id: Id) {
        let code = character as usize;
        if self.pages.len() <= code >> 8 {
            self.pages.resize(((code >> 8) + 1).max(4), None);
        }
        let page = self.pages[code >> 8].get_or_insert_with(|| Box::new([ABSENT; 256]));
        page[code & 0xff] = id;
    }
}
