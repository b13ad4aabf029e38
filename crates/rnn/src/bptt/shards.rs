//! The backward pass, and the shards of a batch: parts with a gradient of their own each, added by a
//! binary tree.
//!
//! ```text
//!     shard   0   1   2   3
//!               +       +
//!                   +
//! ```

use std::ops::Range;

use tensor::{Scalar, parallel};

use super::weights::Unrolled;
use super::{Bptt, Pass};
use crate::parameters::Parameters;

/// The losses of some shards, added as their gradients are.
pub(super) fn sum_losses<T: Scalar>(shards: &[Pass<T>]) -> f64 {
    if let [shard] = shards {
        return shard.losses().iter().sum();
    }
    let (left, right) = shards.split_at(shards.len() / 2);
    sum_losses(left) + sum_losses(right)
}

impl<T: Scalar> Bptt<T> {
    /// Adds the gradient of the last window's loss to `gradient`, which may hold those of windows before.
    ///
    /// # Panics
    /// If no window was read since the last call, which overwrote what this one needs.
    #[track_caller]
    pub fn backward(&mut self, gradient: &mut Parameters<T>) {
        self.backward_tree(std::slice::from_mut(gradient));
    }

    /// Adds the gradient of the shards that are here to the first of `gradients`. They are as many as
    /// [`gradients`](Self::gradients) says, the others as they come.
    #[track_caller]
    pub(crate) fn backward_tree(&mut self, gradients: &mut [Parameters<T>]) {
        assert!(
            std::mem::take(&mut self.is_read),
            "a backward pass without a window; call Bptt::forward before each Bptt::backward"
        );
        let steps = self.passes[0].unroll.steps();
        let is_short = |horizon: &usize| 1 < *horizon && *horizon < steps;
        let short = self.window.horizon.filter(is_short);
        if short.is_none() {
            // Unless the gradient flows from step to step and stops on the way, take all steps at once.
            let (weights, flows) = (&self.backward_weights, self.window.flows());
            let work = gradients[0].len() * self.passes[0].losses().len();
            parallel::in_parts(&mut self.passes[..], work, 1, &|passes: &mut [Pass<
                T,
            >]| {
                for pass in passes {
                    pass.backward(weights, &(0..steps), 0, flows);
                }
            });
        }
        self.add_shards(0..self.passes.len(), short, gradients);
    }

    /// The number of gradients that the tree over so many shards needs.
    pub(crate) fn gradients(shards: usize) -> usize {
        1 + shards.max(1).ilog2() as usize
    }

    /// Adds the sum of these shards' gradients to the first of `gradients`: one half there, the other in
    /// the rest.
    fn add_shards(
        &mut self,
        shards: Range<usize>,
        short: Option<usize>,
        gradients: &mut [Parameters<T>],
    ) {
        if shards.len() == 1 {
            return self.add_shard(shards.start, short, &mut gradients[0]);
        }
        let middle = shards.start + shards.len() / 2;
        self.add_shards(shards.start..middle, short, gradients);
        let Some((sum, rest)) = gradients.split_first_mut() else {
            return;
        };
        rest[0].clear();
        self.add_shards(middle..shards.end, short, rest);
        sum.add(&rest[0]);
    }

    /// Adds the gradient of one shard.
    fn add_shard(&mut self, shard: usize, short: Option<usize>, gradient: &mut Parameters<T>) {
        let steps = self.passes[shard].unroll.steps();
        let Some(horizon) = short else {
            return self.add_weights(shard, &(0..steps), 0, gradient);
        };
        self.passes[shard].save();
        for t in 0..steps {
            let span = (t + 1).saturating_sub(horizon)..t + 1;
            let pass = &mut self.passes[shard];
            pass.restore(&span);
            pass.backward(&self.backward_weights, &span, t, true);
            self.add_weights(shard, &span, t, gradient);
        }
    }

    /// Adds the gradients of the weights over the steps of `span`, with losses from step `from` on.
    fn add_weights(
        &self,
        shard: usize,
        span: &Range<usize>,
        from: usize,
        gradient: &mut Parameters<T>,
    ) {
        let pass = &self.passes[shard];
        let unrolled = Unrolled {
            unroll: &pass.unroll,
            bias: &pass.bias,
            span,
            cell: self.config.cell,
            hidden: self.config.hidden_size,
        };
        // The decoder's gradient does not depend on the span, so add it with the first.
        unrolled.add_to(gradient, from == 0);
    }
}
