//! A list of ids that grows without ever moving what it holds.
//!
//! The length of a text is unknown until its end (a pipe), and a vector that doubles would hold the
//! text up to three times over while it moves. Blocks of fixed size never move; at the end each is
//! translated into one exact vector and freed before the next, so the peak is the text and a block.

use std::collections::TryReserveError;
use std::io::{self, ErrorKind};

use super::ids::{Ids, NARROW_SYMBOLS, Storage};
use crate::Id;

/// Ids in a block. 16 MiB when narrow: small beside a large text, and allocators give blocks of
/// this size back to the system when they are freed.
const BLOCK: usize = 1 << 24;

/// Ids in the order of the text; narrow until one does not fit.
pub(super) enum Blocks {
    Narrow(List<u8>),
    Wide(List<u32>),
}

impl Default for Blocks {
    fn default() -> Self {
        Self::Narrow(List::default())
    }
}

impl Blocks {
    /// Appends `id`.
    #[inline]
    pub(super) fn push(&mut self, id: Id) {
        match self {
            Self::Narrow(list) if id < NARROW_SYMBOLS as Id => list.push(id as u8),
            Self::Narrow(_) => {
                self.widen();
                self.push(id);
            }
            Self::Wide(list) => list.push(id),
        }
    }

    /// Appends the id that `table` has for each byte of an ASCII text or a binary one; all ids are
    /// below `vocab_size`.
    pub(super) fn extend(&mut self, bytes: &[u8], table: &[Id; 256], vocab_size: usize) {
        if vocab_size > NARROW_SYMBOLS {
            self.widen();
        }
        match self {
            Self::Narrow(list) => {
                let table = table.map(|id| id as u8);
                list.extend(bytes, |byte| table[usize::from(byte)]);
            }
            Self::Wide(list) => list.extend(bytes, |byte| table[usize::from(byte)]),
        }
    }

    /// Makes room for so many more ids, at most a block, so that appending them cannot fail.
    ///
    /// # Errors
    /// When the system has no more memory.
    pub(super) fn make_room(&mut self, count: usize) -> io::Result<()> {
        let made = match self {
            Self::Narrow(list) => list.make_room(count),
            Self::Wide(list) => list.make_room(count),
        };
        made.map_err(|_| ErrorKind::OutOfMemory.into())
    }

    /// The last id.
    pub(super) fn last(&self) -> Option<Id> {
        match self {
            Self::Narrow(list) => list.open.last().map(|&id| id.into()),
            Self::Wide(list) => list.open.last().copied(),
        }
    }

    fn widen(&mut self) {
        if let Self::Narrow(list) = self {
            *self = Self::Wide(std::mem::take(list).widened());
        }
    }

    /// All ids in one piece, each replaced by `new_id` of it, for a vocabulary of `vocab_size`.
    ///
    /// # Errors
    /// When the system has no more memory.
    pub(super) fn finish(self, vocab_size: usize, new_id: impl Fn(Id) -> Id) -> io::Result<Ids> {
        Ok(Ids(match self {
            Self::Narrow(list) if vocab_size <= NARROW_SYMBOLS => {
                // A table of bytes keeps the translation at the speed of memory.
                let table: [u8; 256] = std::array::from_fn(|id| {
                    if id < vocab_size {
                        new_id(id as Id) as u8
                    } else {
                        0
                    }
                });
                Storage::Narrow(list.join(|id| table[usize::from(id)])?)
            }
            Self::Narrow(list) => Storage::Wide(list.join(|id| new_id(id.into()))?),
            Self::Wide(list) => Storage::Wide(list.join(new_id)?),
        }))
    }
}

/// Full blocks and the one being filled, which is empty only when the list is.
pub(super) struct List<T> {
    full: Vec<Vec<T>>,
    open: Vec<T>,
    /// The next block, or nothing as long as `open` has room enough.
    spare: Vec<T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            full: Vec::new(),
            open: Vec::new(),
            spare: Vec::new(),
        }
    }
}

impl<T: Copy> List<T> {
    #[inline]
    fn push(&mut self, id: T) {
        if self.open.len() == BLOCK {
            self.next_block();
        }
        self.open.push(id);
    }

    #[cold]
    fn next_block(&mut self) {
        let full = std::mem::replace(&mut self.open, std::mem::take(&mut self.spare));
        self.full.push(full);
    }

    fn make_room(&mut self, count: usize) -> Result<(), TryReserveError> {
        if self.open.len() + count <= BLOCK {
            return self.open.try_reserve(count);
        }
        if self.spare.capacity() == 0 {
            self.spare.try_reserve_exact(BLOCK)?;
        }
        Ok(())
    }

    fn extend(&mut self, mut bytes: &[u8], id: impl Fn(u8) -> T) {
        while !bytes.is_empty() {
            if self.open.len() == BLOCK {
                self.next_block();
            }
            let (now, rest) = bytes.split_at(bytes.len().min(BLOCK - self.open.len()));
            self.open.extend(now.iter().map(|&byte| id(byte)));
            bytes = rest;
        }
    }

    fn join<U>(self, id: impl Fn(T) -> U) -> io::Result<Vec<U>> {
        let mut all = Vec::new();
        all.try_reserve_exact(self.full.len() * BLOCK + self.open.len())
            .map_err(|_| io::Error::from(ErrorKind::OutOfMemory))?;
        for block in self.full.into_iter().chain([self.open]) {
            all.extend(block.iter().map(|&old| id(old)));
        }
        Ok(all)
    }
}

impl List<u8> {
    fn widened(self) -> List<u32> {
        let widen = |block: Vec<u8>| block.into_iter().map(u32::from).collect();
        List {
            full: self.full.into_iter().map(widen).collect(),
            open: widen(self.open),
            spare: Vec::new(),
        }
    }
}
