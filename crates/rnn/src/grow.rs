//! Adapts a trained network to a text with other characters.

use crate::config::{Init, NetworkConfig};
use crate::error::Result;
use crate::memory;
use crate::model::Model;
use crate::network::Network;
use crate::vocabulary::{Id, Vocabulary};

impl Model {
    /// The network for another vocabulary, to [train further](crate::Trainer::with_network). Characters
    /// in both keep their weights, new ones start as in a new network, the others are dropped.
    ///
    /// ```
    /// use rnn::{CellKind, Init, Model, Network, NetworkConfig, Vocabulary};
    ///
    /// let small = Vocabulary::from_text("abc")?;
    /// let config = NetworkConfig {
    ///     cell: CellKind::GRU, vocab_size: small.len(), hidden_size: 8, num_layers: 1,
    /// };
    /// let model = Model::new(small, Network::new(config, &Init::default(), 1)?, None);
    /// let network = model.network_for(&Vocabulary::from_text("abcd")?, 1)?;
    /// assert_eq!(network.config().vocab_size, 4);
    /// # Ok::<(), rnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the network would be too large.
    pub fn network_for(&self, vocabulary: &Vocabulary, seed: u64) -> Result<Network<f32>> {
        let old = self.network();
        let config = NetworkConfig {
            vocab_size: vocabulary.len(),
            ..*old.config()
        };
        let mut network = Network::new(config, &Init::default(), seed)?;
        let (from, to) = (old.parameters(), network.parameters_mut());
        let mut kept: Vec<(usize, usize)> = memory::room(self.vocabulary().len())?;
        let symbols = (0..).zip(self.vocabulary().symbols());
        kept.extend(symbols.filter_map(|(id, &symbol): (Id, _)| {
            Some((id as usize, same(self, vocabulary, id, symbol)? as usize))
        }));
        let (layout, new) = (from.layout().clone(), to.layout().clone());
        for (a, b) in layout.named().into_iter().zip(new.named()) {
            let is_by_character = a.transposed || a.name.starts_with("decoder.");
            if !is_by_character {
                to.slice_mut(b.block).copy_from_slice(from.slice(a.block));
                continue;
            }
            // These parameters have a row for each character.
            let width = if a.bias { 1 } else { a.block.cols };
            let (values, target) = (from.slice(a.block), to.slice_mut(b.block));
            for &(old, new) in &kept {
                target[new * width..][..width].copy_from_slice(&values[old * width..][..width]);
            }
        }
        Ok(network)
    }
}

/// The id in `vocabulary` of a symbol of the model.
fn same(model: &Model, vocabulary: &Vocabulary, id: Id, symbol: char) -> Option<Id> {
    match (model.vocabulary().is_bytes(), vocabulary.is_bytes()) {
        (true, true) => Some(id),
        (false, false) => vocabulary.id(symbol),
        _ => None,
    }
}
