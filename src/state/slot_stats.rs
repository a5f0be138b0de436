//! What the slots of a cluster cost, for CLUSTER SLOT-STATS: kept while `cluster-slot-stats-enabled` says so.

use crate::base::slot::SLOTS;

/// What one slot cost.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SlotCost {
    pub cpu_ns: u64,
    pub net_in_bytes: u64,
    pub net_out_bytes: u64,
}

/// What all slots cost.
#[derive(Debug)]
pub struct SlotStats {
    by_slot: Vec<SlotCost>,
    /// The slot of the command that runs, or of what that called last: who takes its cost takes it out.
    pub current: Option<u16>,
    /// It is that of a call inside of a script alone, as the script may cross slots.
    pub ends_with_call: bool,
}

impl SlotStats {
    /// Zeros.
    pub fn new() -> SlotStats {
        SlotStats { by_slot: vec![SlotCost::default(); SLOTS.into()], current: None, ends_with_call: false }
    }

    /// What a slot cost.
    pub fn get(&self, slot: u16) -> SlotCost {
        self.by_slot[usize::from(slot)]
    }

    /// The same, to be added to.
    pub fn of(&mut self, slot: u16) -> &mut SlotCost {
        &mut self.by_slot[usize::from(slot)]
    }

    /// Sets all back: CONFIG RESETSTAT.
    pub fn reset(&mut self) {
        self.by_slot.fill(SlotCost::default());
    }

    /// Memory held, in bytes.
    pub fn mem_bytes(&self) -> usize {
        size_of_val(&*self.by_slot)
    }
}

impl Default for SlotStats {
    fn default() -> SlotStats {
        SlotStats::new()
    }
}
