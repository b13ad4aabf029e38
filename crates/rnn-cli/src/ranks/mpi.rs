//! Messages between ranks over MPI.

use std::io;

use ::mpi::Threading;
use ::mpi::environment::Universe;
use ::mpi::point_to_point::send_receive_into;
use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::{Communicator as _, Equivalence};
use anyhow::{Context, bail};
use rnn::ranks::{Communicator, Ranks};

use crate::exit::misuse;

/// MPI as long as this lives.
pub(super) struct World {
    universe: Universe,
    on_this_machine: usize,
}

impl World {
    /// Starts MPI, as one of `count` ranks.
    pub(super) fn enter(count: usize) -> anyhow::Result<Self> {
        // The thread that trains is one of a pool.
        let needed = Threading::Serialized;
        let started = ::mpi::initialize_with_threading(needed);
        let (universe, threading) = started.context("MPI runs already")?;
        let world = universe.world();
        if world.size() as usize != count {
            return Err(misuse(format!(
                "started as {count} ranks, but MPI knows of {}; use the mpirun of the MPI that this was built with",
                world.size()
            )));
        }
        if threading < needed {
            bail!("this MPI does not work with threads");
        }
        let on_this_machine = world.split_shared(world.rank()).size() as usize;
        Ok(World {
            universe,
            on_this_machine,
        })
    }

    pub(super) fn rank(&self) -> usize {
        self.universe.world().rank() as usize
    }

    pub(super) fn count(&self) -> usize {
        self.universe.world().size() as usize
    }

    pub(super) fn on_this_machine(&self) -> usize {
        self.on_this_machine
    }

    pub(super) fn ranks(&self) -> rnn::Result<Ranks> {
        Ranks::new(Messages)
    }

    /// Ends all ranks.
    pub(super) fn abort(&self, code: u8) -> ! {
        self.universe.world().abort(code.into())
    }
}

/// Messages between the ranks of the world. Errors end the program, as MPI has it by default.
struct Messages;

/// The most bytes of a message, whose length MPI takes as a `c_int`.
const MOST: usize = 1 << 30;

impl Communicator for Messages {
    fn rank(&self) -> usize {
        SimpleCommunicator::world().rank() as usize
    }

    fn count(&self) -> usize {
        SimpleCommunicator::world().size() as usize
    }

    fn swap(&self, partner: usize, mut out: &[u8], mut into: &mut [u8]) -> io::Result<()> {
        let world = SimpleCommunicator::world();
        let partner = world.process_at_rank(partner as i32);
        loop {
            let (now, later) = out.split_at(out.len().min(MOST));
            let (here, rest) = into.split_at_mut(into.len().min(MOST));
            let status = send_receive_into(now, &partner, here, &partner);
            if status.count(u8::equivalent_datatype()) as usize != here.len() {
                return Err(io::ErrorKind::InvalidData.into());
            }
            (out, into) = (later, rest);
            if out.is_empty() && into.is_empty() {
                return Ok(());
            }
        }
    }
}
