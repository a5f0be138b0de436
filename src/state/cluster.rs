//! What a server knows of itself as a cluster of one.

use crate::base::rng::Rng;

/// The names of the node and of its shard, of 40 hexadecimal digits each. All slots are its own.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub node_id: String,
    pub shard_id: String,
}

impl Cluster {
    /// A node with new names.
    pub fn new(rng: &mut Rng) -> Cluster {
        Cluster { node_id: rng.hex_id(), shard_id: rng.hex_id() }
    }
}
