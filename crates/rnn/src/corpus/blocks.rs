//! A list of ids that grows without ever moving what it holds.
//!
//! The length of a text is unknown until its end (a pipe), and a vector that doubles would hold the
//! text up to three times over while it moves. Blocks of fixed size never move; at the end each is
//! translated into one exact vector and freed before the next, so the peak is the text and a block.

use super::ids::{Ids, NARROW_SYMBOLS, Storage};
use crate::{Id, Result, memory};

/// Ids in a block. 16 MiB when narrow: small beside a large text, and allocators give blocks of
/// this size back to the system when they are freed.
const BLOCK: usize = 1 << 24;

/// Ids in the order of the text; narrow until one does not fit.
pub(super) enum Blocks {
    Narrow(List<u8>),
    Wide(List<u32>),
    /// Nothing any more: there was no memory for this many bytes.
    Refused(u128),
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
            Self::Refused(_) => {}
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
            Self::Refused(_) => {}
        }
    }

    /// Makes room for that many more ids, at most a block, so that appending them cannot fail. At least
    /// `awaited` ids, these included, are known to follow.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where there is no memory for that.
    pub(super) fn make_room(&mut self, count: usize, awaited: u64) -> Result<()> {
        match self {
            Self::Narrow(list) => list.make_room(count, awaited),
            Self::Wide(list) => list.make_room(count, awaited),
            Self::Refused(needed) => Err(memory::refused(*needed)),
        }
    }

    /// The last id.
    pub(super) fn last(&self) -> Option<Id> {
        match self {
            Self::Narrow(list) => list.open.last().map(|&id| id.into()),
            Self::Wide(list) => list.open.last().copied(),
            Self::Refused(_) => None,
        }
    }

    #[cold]
    fn widen(&mut self) {
        if let Self::Narrow(list) = self {
            let needed = memory::bytes::<u32>(list.len() as u128);
            *self = match memory::check(needed).and_then(|()| std::mem::take(list).widened()) {
                Ok(list) => Self::Wide(list),
                Err(_) => Self::Refused(needed),
            };
        }
    }

    /// All ids in one piece, each replaced by `new_id` of it, for a vocabulary of `vocab_size`.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where there is no memory for them.
    pub(super) fn finish(self, vocab_size: usize, new_id: impl Fn(Id) -> Id) -> Result<Ids> {
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
            Self::Refused(needed) => return Err(memory::refused(needed)),
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
    fn len(&self) -> usize {
        self.full.len() * BLOCK + self.open.len()
    }

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

    fn make_room(&mut self, count: usize, awaited: u64) -> Result<()> {
        let len = self.open.len() + count;
        if len <= BLOCK {
            let made = self.open.try_reserve(count);
            return made.map_err(|_| memory::refused(memory::bytes::<T>(len as u128)));
        }
        if self.spare.capacity() == 0 {
            // The system gives addresses and not memory, of which it may have too little in the end.
            let least = awaited.max(BLOCK as u64);
            memory::check(memory::bytes::<T>(least.into()))?;
            self.spare = memory::room(BLOCK)?;
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

    fn join<U>(self, id: impl Fn(T) -> U) -> Result<Vec<U>> {
        let mut all = memory::room(self.len())?;
        for block in self.full.into_iter().chain([self.open]) {
            all.extend(block.iter().map(|&old| id(old)));
        }
        Ok(all)
    }
}

impl List<u8> {
    /// The same ids, with the room that there was.
    fn widened(self) -> Result<List<u32>> {
        let widen = |block: Vec<u8>| -> Result<Vec<u32>> {
            let mut wide = memory::room(block.capacity())?;
            wide.extend(block.into_iter().map(u32::from));
            Ok(wide)
        };
        Ok(List {
            full: self.full.into_iter().map(widen).collect::<Result<_>>()?,
            open: widen(self.open)?,
            spare: widen(self.spare)?,
        })
    }
}
