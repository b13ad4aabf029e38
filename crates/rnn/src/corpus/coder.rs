//! How the characters of a text become ids while it is read.

use crate::vocabulary::IdTable;
use crate::{Id, Result, Unknown, Vocabulary, memory};

/// The three ways.
pub(super) enum Coder {
    /// In order of first appearance, since the sorted order is known only at the end.
    Learned(Box<Learned>),
    Given {
        vocabulary: Vocabulary,
        unknown: Unknown,
    },
    Bytes {
        for_training: bool,
    },
}

impl Coder {
    /// The id of `character` so far.
    pub(super) fn id(&self, character: char) -> Option<Id> {
        match self {
            Self::Learned(learned) => learned.table.get(character),
            Self::Given { vocabulary, .. } => vocabulary.id(character),
            Self::Bytes { .. } => character.is_ascii().then_some(character.into()),
        }
    }
}

/// Marks a byte without an id.
const ABSENT: Id = Id::MAX;

/// Symbols in the order in which they were met; `symbols[id]` has that id.
pub(super) struct Learned {
    symbols: Vec<char>,
    table: IdTable,
    /// The ids of ASCII once more, flat.
    ascii: [Id; 256],
    /// Whether there was no memory for a symbol, so that ids are wrong.
    is_full: bool,
}

impl Default for Learned {
    fn default() -> Self {
        Self {
            symbols: Vec::new(),
            table: IdTable::default(),
            ascii: [ABSENT; 256],
            is_full: false,
        }
    }
}

impl Learned {
    /// The id of `character`, a new one if necessary.
    #[inline]
    pub(super) fn id(&mut self, character: char) -> Id {
        match self.table.get(character) {
            Some(id) => id,
            None => self.add(character),
        }
    }

    /// The ids of ASCII characters, among them all of `text`, and how many symbols there are by now.
    pub(super) fn ascii(&mut self, text: &[u8]) -> (&[Id; 256], usize) {
        for &byte in text {
            if self.ascii[usize::from(byte)] == ABSENT {
                self.add(byte.into());
            }
        }
        (&self.ascii, self.symbols.len())
    }

    /// Checks that there was memory for every symbol so far. One check after many characters keeps the
    /// loop over them fast.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) if there was not.
    pub(super) fn check(&self) -> Result<()> {
        match self.is_full {
            true => Err(memory::refused(memory::bytes::<char>(
                2 * self.symbols.len() as u128,
            ))),
            false => Ok(()),
        }
    }

    #[cold]
    fn add(&mut self, character: char) -> Id {
        let id = self.symbols.len() as Id;
        if self.is_full || self.symbols.try_reserve(1).is_err() {
            self.is_full = true;
            return 0;
        }
        self.symbols.push(character);
        self.table.insert(character, id);
        if character.is_ascii() {
            self.ascii[character as usize] = id;
        }
        id
    }

    /// The symbols in ascending order, and the new id of each id so far.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where there is no memory for them.
    pub(super) fn sorted(mut self) -> Result<(Vec<char>, Vec<Id>)> {
        self.symbols.sort_unstable();
        let mut new_ids: Vec<Id> = memory::zeros(self.symbols.len() as u128)?;
        for (new, &symbol) in (0..).zip(&self.symbols) {
            if let Some(old) = self.table.get(symbol) {
                new_ids[old as usize] = new;
            }
        }
        Ok((self.symbols, new_ids))
    }
}
