//! A table's items as they stood at one moment, handed out while it goes on changing.
//!
//! Each group knows the last snapshot that has its entries. `snapshot_step` hands groups to the sink one after the
//! other; and every change of a group hands it out first if that has not been done yet. Splits pass on a group's
//! state to both halves, so they hand out nothing. The table does this by itself: its owner cannot forget it.

use super::{Item, Table, borrow};

/// Where a snapshot goes. It is called for each item once, in no order, with the value it had at the cut.
pub type Sink<T> = Box<dyn FnMut(&T) + Send>;

/// A snapshot under way.
pub(super) struct Snapshot<T> {
    sink: Sink<T>,
    /// All buckets below are done.
    next_bucket: usize,
}

impl<T: Item> Table<T> {
    /// Makes the cut: from now on the sink gets each of the present items once. A snapshot that is under way is
    /// given up.
    pub fn snapshot_begin(&mut self, sink: Sink<T>) {
        self.epoch = self.epoch.wrapping_add(1);
        self.snapshot = Some(Box::new(Snapshot { sink, next_bucket: 0 }));
    }

    /// Hands the items of the next `groups` buckets to the sink. Returns whether everything has been handed out;
    /// the sink has been dropped then.
    pub fn snapshot_step(&mut self, groups: usize) -> bool {
        let Some(snapshot) = &mut self.snapshot else { return true };
        let from = snapshot.next_bucket;
        let buckets = if self.chunks.is_empty() { 0 } else { self.buckets };
        let to = from.saturating_add(groups).min(buckets);
        snapshot.next_bucket = to.max(from);
        (from..to).for_each(|bucket| self.emit(bucket));
        let done = to == buckets;
        if done {
            self.snapshot = None;
        }
        done
    }

    /// Gives the snapshot up and drops its sink.
    pub fn snapshot_abort(&mut self) {
        self.snapshot = None;
    }

    /// Whether a snapshot is under way.
    pub fn in_snapshot(&self) -> bool {
        self.snapshot.is_some()
    }

    /// To be called before any change in a group.
    #[inline(always)]
    pub(super) fn before_change(&mut self, bucket: usize) {
        if self.snapshot.is_some() {
            self.emit(bucket);
        }
    }

    /// To be called before two groups become one. If neither has been handed out, the whole will be, later: its
    /// bucket is then still ahead.
    pub(super) fn before_merge(&mut self, to: usize, from: usize) {
        if self.snapshot.is_some() && !(self.is_due(to) && self.is_due(from)) {
            self.emit(to);
            self.emit(from);
        }
    }

    /// Whether a group has items that the snapshot lacks.
    fn is_due(&self, bucket: usize) -> bool {
        self.group(bucket).epoch().is_some_and(|epoch| epoch != self.epoch)
    }

    /// Hands a group to the sink, if that has not been done.
    #[cold]
    #[inline(never)]
    fn emit(&mut self, bucket: usize) {
        if !self.is_due(bucket) {
            return;
        }
        let epoch = self.epoch;
        self.change(bucket, |group| group.set_epoch(epoch));
        let Some(mut snapshot) = self.snapshot.take() else { return };
        self.group(bucket).iter().for_each(|word| (snapshot.sink)(&borrow(word)));
        self.snapshot = Some(snapshot);
    }
}
