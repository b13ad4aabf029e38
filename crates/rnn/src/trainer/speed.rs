//! How fast this machine trains.

use std::time::{Duration, Instant};

use super::{Recommended, Trainer, run::in_pool};
use crate::bptt::Bptt;
use crate::dropout::Dropout;
use crate::error::Result;
use crate::memory;
use crate::network::Network;
use crate::optimizer::Optimizer;
use crate::parameters::Parameters;
use crate::vocabulary::Id;

/// How long to measure.
const MEASURE: Duration = Duration::from_millis(700);

/// Multiply-adds in a second of training on so many threads: [`Recommended::work_per_character`]
/// divided by it is the time that learning from one takes. Takes about a second.
///
/// # Errors
/// For sizes beyond the machine's memory, or threads that the system cannot start.
pub fn training_speed(advice: &Recommended, threads: usize) -> Result<f64> {
    let (network, window) = (advice.network, advice.train.window(None));
    let train = &advice.train;
    memory::check(Trainer::<f32>::bytes(&network, train))?;
    let mut bptt = Bptt::<f32>::new(&network, window, train.dropout > 0.0)?;
    let dropout = (train.dropout > 0.0).then(|| Dropout::new(train.dropout, 1, 1));
    let mut parameters = Network::new(network, &train.init, 1)?
        .parameters()
        .try_clone()?;
    let mut gradient = Parameters::try_zeros(&network)?;
    let mut optimizer = Optimizer::new(train.optimizer, parameters.len())?;
    let count = window.batch_size * window.seq_length;
    let ids: Vec<Id> = (0..count)
        .map(|at| (at % network.vocab_size) as Id)
        .collect();
    let steps = in_pool(threads, || -> Result<f64> {
        memory::ready_for_products::<f32>()?;
        // The first finds all caches cold.
        let (mut steps, mut start) = (0, Instant::now());
        loop {
            bptt.forward(&parameters, &ids, &ids, dropout);
            gradient.clear();
            bptt.backward(&mut gradient);
            train.clip.apply(gradient.as_mut_slice());
            // The rate is too small to change a weight.
            optimizer.step(parameters.as_mut_slice(), gradient.as_slice(), 1e-30);
            let elapsed = start.elapsed();
            if elapsed >= MEASURE {
                return Ok(f64::from(steps.max(1)) / elapsed.as_secs_f64());
            }
            if steps == 0 {
                start = Instant::now();
            }
            steps += 1;
        }
    })??;
    Ok(steps * count as f64 * advice.work_per_character())
}
