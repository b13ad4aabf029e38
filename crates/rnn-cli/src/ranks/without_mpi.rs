//! What stands in for MPI where it is not built in: ranks that never meet.

use rnn::ranks::Ranks;

use crate::exit::misuse;

/// There is none.
pub(super) enum World {}

impl World {
    pub(super) fn enter(count: usize) -> anyhow::Result<Self> {
        Err(misuse(format!(
            "started as {count} ranks, but built without MPI; start it alone, or build it with --features mpi"
        )))
    }

    pub(super) fn rank(&self) -> usize {
        match *self {}
    }

    pub(super) fn count(&self) -> usize {
        match *self {}
    }

    pub(super) fn on_this_machine(&self) -> usize {
        match *self {}
    }

    pub(super) fn ranks(&self) -> rnn::Result<Ranks> {
        match *self {}
    }

    pub(super) fn abort(&self, _code: u8) -> ! {
        match *self {}
    }
}
