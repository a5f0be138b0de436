//! What a server knows of itself as a cluster of one.

use crate::base::{
    rng::Rng,
    slot::{SLOTS, SlotSet},
};

/// The node, which knows no other one.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Its name, of 40 hexadecimal digits.
    pub node_id: String,
    /// That of its shard, likewise.
    pub shard_id: String,
    /// What it owns: all, until an administrator says otherwise.
    pub slots: SlotSet,
    /// The epoch of its configuration, which is the cluster's.
    pub epoch: u64,
}

impl Cluster {
    /// A node with new names that owns all slots.
    pub fn new(rng: &mut Rng) -> Cluster {
        Cluster { node_id: rng.hex_id(), shard_id: rng.hex_id(), slots: SlotSet::all(), epoch: 0 }
    }

    /// Whether it serves what it owns: `cluster-require-full-coverage` asks for all slots.
    pub fn is_up(&self, requires_all: bool) -> bool {
        if requires_all { self.slots.len() == SLOTS } else { !self.slots.is_empty() }
    }
}
