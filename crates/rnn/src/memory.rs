//! Memory: what a piece of work needs, and what there is, known before anything is allocated.
//!
//! Rust ends the program when an allocation fails. Sizes come from people, so they are checked
//! first, and too large a network is an error that says how large.

use std::fs;
use std::path::PathBuf;

use crate::config::NetworkConfig;
use crate::error::{Error, Result};
use crate::insight::Signal;
use crate::trainer::TrainConfig;

/// Bytes of a number, an id and a loss.
const NUMBER: u128 = size_of::<f32>() as u128;
const LOSS: u128 = size_of::<f64>() as u128;
/// All that a run takes beside what is counted, such as the stacks of threads.
const MARGIN: u128 = 16 << 20;
/// The most sequences side by side in validation, and the steps of its windows.
const VALIDATION: (u128, u128) = (32, 64);

/// Number of parameters of a network, however large.
pub fn parameters(network: &NetworkConfig) -> u128 {
    let (v, h) = (network.vocab_size as u128, network.hidden_size as u128);
    let gates = network.cell.gates() as u128 * h;
    let layers = network.num_layers as u128;
    let above = layers.saturating_sub(1);
    gates * (v + h + 2) + above * gates * (2 * h + 2) + v * h + v
}

/// Bytes that a training run takes at most, beside its text: parameters, gradient, optimiser,
/// best weights, packed weights, a window's activations, and a save.
pub fn training(network: &NetworkConfig, train: &TrainConfig) -> u128 {
    let state = train.optimizer.state_names().len() as u128;
    let (batch, steps) = (size(train.batch_size), size(train.seq_length));
    let horizon = train
        .horizon
        .is_some_and(|horizon| horizon < train.seq_length);
    let window = activations(network, batch, steps)
        + batch * steps * (network.hidden_size as u128 * NUMBER + 5 * NUMBER + LOSS)
        + if horizon {
            blocks(network, batch, steps)
        } else {
            0
        };
    let (rows, columns) = VALIDATION;
    // Current, gradient, best; three sets of packed weights.
    let held = parameters(network) * NUMBER * (6 + state);
    MARGIN + held + saving(network, train) + window + activations(network, rows, columns)
}

/// Bytes that a save takes: weights, best weights and optimiser state as tensors and in one piece.
pub(crate) fn saving(network: &NetworkConfig, train: &TrainConfig) -> u128 {
    let state = train.optimizer.state_names().len() as u128;
    parameters(network) * NUMBER * 2 * (2 + state)
}

/// Bytes that sampling takes beside the model, for so many samples.
pub(crate) fn sampling(network: &NetworkConfig, samples: usize) -> u128 {
    // Each sample has a generator, and whoever writes it down a text.
    let others = size(samples) * 1024;
    parameters(network) * NUMBER + activations(network, size(samples), 1) + others
}

/// Bytes that it takes at most to show what a model makes of so many characters: every signal of
/// every unit, the surprises, and all of that as JSON in a page.
pub fn viewing(network: &NetworkConfig, characters: usize) -> u128 {
    // Measured: 640 bytes with three likeliest characters, 830 with five.
    const EACH: u128 = 1200;
    let units = network.hidden_size as u128 * network.num_layers as u128;
    let signals = Signal::of(network.cell).len() as u128;
    let weights = parameters(network) * 8 * NUMBER;
    MARGIN + weights + size(characters) * (EACH + units * (signals + 1) * NUMBER)
}

/// A size that can be multiplied with others; beyond it nothing fits anyway.
fn size(size: usize) -> u128 {
    (size as u128).min(1 << 40)
}

/// Bytes of the gates' activations of all layers over a window.
fn blocks(network: &NetworkConfig, batch: u128, steps: u128) -> u128 {
    let width = network.cell.block_width() as u128 * network.hidden_size as u128;
    network.num_layers as u128 * batch * steps * width * NUMBER
}

/// Bytes of all activations of a window: gates, states, what dropout leaves of them, logits.
fn activations(network: &NetworkConfig, batch: u128, steps: u128) -> u128 {
    let states = 3 * (steps + 1) * network.hidden_size as u128 * network.num_layers as u128;
    let logits = steps * (network.vocab_size as u128 + 2);
    blocks(network, batch, steps) + batch * (states + logits) * NUMBER
}

/// Bytes that this process can still get: the least of what the system, a control group and a
/// limit on the address space (`ulimit -v`) leave. `None` where the system does not tell.
pub fn available() -> Option<u64> {
    let of_system = || Some(field("/proc/meminfo", "MemAvailable:")? * 1024);
    let of_process = || {
        let limits = fs::read_to_string("/proc/self/limits").ok()?;
        let line = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max address space"))?;
        let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(limit.saturating_sub(field("/proc/self/status", "VmSize:")? * 1024))
    };
    [of_system(), of_process(), of_group()]
        .into_iter()
        .flatten()
        .min()
}

/// What control groups leave, of either version.
fn of_group() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let mut least = None;
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let (root, limit, usage) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max", "memory.current"),
            "memory" => (
                "/sys/fs/cgroup/memory",
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
            ),
            _ => continue,
        };
        // A container may see its own group as the root.
        for folder in [PathBuf::from(format!("{root}{path}")), root.into()] {
            let number = |name: &str| -> Option<u64> {
                fs::read_to_string(folder.join(name))
                    .ok()?
                    .trim()
                    .parse()
                    .ok()
            };
            let (Some(limit), Some(usage)) = (number(limit), number(usage)) else {
                continue;
            };
            // Pages of files are given back when they are needed.
            let stat = folder.join("memory.stat");
            let files = field(&stat.to_string_lossy(), "inactive_file").unwrap_or(0);
            let left = limit.saturating_sub(usage.saturating_sub(files));
            least = Some(least.map_or(left, |least: u64| least.min(left)));
        }
    }
    least
}

/// The number after a name at the start of a line.
fn field(file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let mut lines = text.lines().map(str::split_whitespace);
    lines.find_map(|mut words| (words.next()? == name).then(|| words.next()?.parse().ok())?)
}

/// Bytes that are not worth asking for: finding out costs a dozen system calls, some fifty
/// microseconds, which is what a small network takes to learn its first word.
const UNASKED: u128 = 2 * MARGIN;

/// Checks that `needed` bytes can be had, if they are many.
///
/// # Errors
/// [`Error::TooLarge`] if not.
pub fn check(needed: u128) -> Result<()> {
    if needed <= UNASKED {
        return Ok(());
    }
    let available = available();
    let too_large = Err(Error::TooLarge { needed, available });
    if available.is_some_and(|available| needed > available.into()) {
        return too_large;
    }
    // Where nobody tells, the allocator is asked. It gives addresses, not memory: this costs nothing.
    let is_given = usize::try_from(needed)
        .is_ok_and(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok());
    if is_given { Ok(()) } else { too_large }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::CellKind;
    use crate::parameters::Layout;
    use crate::trainer::recommended;

    #[test]
    fn parameters_are_counted_as_they_are_laid_out() {
        for cell in CellKind::ALL {
            for num_layers in [1, 3] {
                let network = NetworkConfig {
                    cell,
                    vocab_size: 7,
                    hidden_size: 5,
                    num_layers,
                };
                assert_eq!(
                    parameters(&network),
                    Layout::new(&network).len as u128,
                    "{cell}"
                );
            }
        }
    }

    #[test]
    fn what_cannot_be_is_refused_and_what_can_is_not() {
        check(1 << 20).unwrap();
        for needed in [1 << 60, u128::MAX >> 1] {
            assert!(
                matches!(check(needed), Err(Error::TooLarge { .. })),
                "{needed}"
            );
        }
    }

    #[test]
    fn the_largest_network_has_a_number() {
        let mut advice = recommended(1_000_000, 0x11_0000);
        (advice.network.hidden_size, advice.network.num_layers) = (32_768, 16);
        (advice.train.batch_size, advice.train.seq_length) = (usize::MAX, usize::MAX);
        assert!(training(&advice.network, &advice.train) > 1 << 80);
    }
}
