//! The ranks of a run: several processes of `train` that `mpirun` starts and that train one model.
//!
//! Each has the same command line and reads the same text. Rank 0 alone speaks, saves and decides; another
//! speaks only of what went wrong with it alone. A rank that fails ends all of them.
//!
//! Messages between them need MPI, which the feature `mpi` builds in. Without it this only notices that
//! there are several, since each would otherwise train and save the same model.

#[cfg(feature = "mpi")]
mod mpi;
#[cfg(not(feature = "mpi"))]
mod without_mpi;

use std::process::ExitCode;

use anyhow::Context;
use rnn::ranks::Ranks;

use crate::exit;
use crate::threads::processors;
#[cfg(feature = "mpi")]
use mpi::World as Several;
#[cfg(not(feature = "mpi"))]
use without_mpi::World as Several;

/// Number of ranks and this one's number, as `mpirun` or `srun` tell their processes: Open MPI, then MPICH,
/// Intel MPI and PMI-2, then PMIx under Slurm. A process under Slurm without MPI's interface is its own.
fn launched(variable: impl Fn(&str) -> Option<String>) -> (usize, usize) {
    let number = |name: &str| variable(name)?.parse::<usize>().ok();
    let starters = [
        ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
        ("PMI_SIZE", "PMI_RANK"),
        ("SLURM_STEP_NUM_TASKS", "PMIX_RANK"),
    ];
    let found = starters
        .iter()
        .find_map(|(count, rank)| Some((number(count)?, number(rank)?)));
    found.unwrap_or((1, 0))
}

/// This process among its ranks: alone, or with several.
pub(crate) struct World(Option<Several>);

impl World {
    /// Meets the other ranks, if there are any.
    ///
    /// # Errors
    /// The exit code, with all said, if there are some and no MPI to meet them.
    pub(crate) fn enter() -> Result<Self, ExitCode> {
        let (count, rank) = launched(|name| std::env::var(name).ok());
        let several = (count > 1).then(|| Several::enter(count)).transpose();
        several.map(World).map_err(|error| match rank {
            0 => ExitCode::from(exit::code(Err(error))),
            // Rank 0 has the same to say.
            _ => ExitCode::from(2),
        })
    }

    /// The ranks, to train with.
    ///
    /// # Errors
    /// If their number is not a power of two.
    pub(crate) fn ranks(&self) -> anyhow::Result<Ranks> {
        match &self.0 {
            Some(several) => several.ranks().map_err(exit::misuse),
            None => Ok(Ranks::alone()),
        }
    }

    /// Number of ranks.
    pub(crate) fn count(&self) -> usize {
        self.0.as_ref().map_or(1, Several::count)
    }

    /// This rank's number, from 0.
    pub(crate) fn rank(&self) -> usize {
        self.0.as_ref().map_or(0, Several::rank)
    }

    /// This process's share of the machine's processors.
    pub(crate) fn processors(&self) -> usize {
        let sharers = self.0.as_ref().map_or(1, Several::on_this_machine);
        (processors() / sharers).max(1)
    }

    /// Says that a command line is none; rank 0 says it for all.
    pub(crate) fn refuse(&self, error: &clap::Error) -> ExitCode {
        match self.rank() {
            0 => exit::refuse(error),
            _ => ExitCode::from(error.exit_code() as u8),
        }
    }

    /// Says how a command ended. A failure ends all ranks, since the others may wait for this one.
    pub(crate) fn finish(self, result: anyhow::Result<()>) -> ExitCode {
        let is_failure = |error: &anyhow::Error| !error.is::<exit::Interrupted>();
        let has_failed = result.as_ref().is_err_and(is_failure);
        let rank = self.rank();
        let result = match rank {
            0 => result,
            // What has gone wrong with all of them rank 0 tells, and ends this.
            _ => result.with_context(|| {
                std::thread::sleep(std::time::Duration::from_secs(1));
                format!("rank {rank}")
            }),
        };
        let code = exit::code(result);
        if let (Some(several), true) = (&self.0, has_failed) {
            several.abort(code);
        }
        ExitCode::from(code)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn ranks_are_noticed_however_they_were_started_and_one_task_is_alone() {
        let launched = |set: &[(&str, &str)]| {
            let find = |name: &str| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            super::launched(find)
        };
        for (set, expected) in [
            (&[][..], (1, 0)),
            (
                &[("OMPI_COMM_WORLD_SIZE", "4"), ("OMPI_COMM_WORLD_RANK", "3")],
                (4, 3),
            ),
            (
                &[("OMPI_COMM_WORLD_SIZE", "1"), ("OMPI_COMM_WORLD_RANK", "0")],
                (1, 0),
            ),
            (&[("PMI_SIZE", "2"), ("PMI_RANK", "1")], (2, 1)),
            // Slurm: one task, several tasks of one MPI program, several programs, a batch script.
            (&[("SLURM_STEP_NUM_TASKS", "1"), ("PMIX_RANK", "0")], (1, 0)),
            (&[("SLURM_STEP_NUM_TASKS", "8"), ("PMIX_RANK", "5")], (8, 5)),
            (
                &[("SLURM_STEP_NUM_TASKS", "8"), ("SLURM_PROCID", "5")],
                (1, 0),
            ),
            (&[("SLURM_NTASKS", "8"), ("SLURM_PROCID", "0")], (1, 0)),
            (&[("PMI_SIZE", "x"), ("PMI_RANK", "1")], (1, 0)),
        ] {
            assert_eq!(launched(set), expected, "{set:?}");
        }
    }
}
