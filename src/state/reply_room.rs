//! The room that is made ready for a client's replies. It follows what the client was sent of late, so that one that
//! gets much is not served by a buffer that has to grow each time. Nobody holds it while there is nothing to send.

const MIN_BYTES: u16 = 1024;
const MAX_BYTES: u16 = 16 * 1024;
/// How long a peak counts, where nobody says.
const PEAK_MS: i64 = 5000;

/// How the rooms of all clients follow their use.
#[derive(Clone, Copy, Debug)]
pub struct RoomRules {
    /// How long a peak counts; `None`: for ever.
    pub peak_ms: Option<i64>,
    /// Whether rooms change at all.
    pub resizing: bool,
}

impl Default for RoomRules {
    fn default() -> RoomRules {
        RoomRules { peak_ms: Some(PEAK_MS), resizing: true }
    }
}

/// What became of a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resized {
    Shrunk,
    Grown,
}

/// The room for one client's replies.
#[derive(Clone, Copy, Debug)]
pub struct ReplyRoom {
    bytes: u16,
    /// The most of it that was used since `peak_since_ms`.
    peak_bytes: u16,
    peak_since_ms: i64,
}

impl ReplyRoom {
    /// The least room.
    pub fn new(now_ms: i64) -> ReplyRoom {
        ReplyRoom { bytes: MIN_BYTES, peak_bytes: 0, peak_since_ms: now_ms }
    }

    /// Its size.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.bytes.into()
    }

    /// The most of it that was used of late.
    pub fn peak_bytes(&self) -> usize {
        self.peak_bytes.into()
    }

    /// So much was to be sent at once.
    #[inline]
    pub fn used(&mut self, bytes: usize) {
        if bytes > self.peak_bytes.into() {
            self.peak_bytes = bytes.min(self.bytes.into()) as u16;
        }
    }

    /// Makes it larger where it was full, and smaller where less than half was used.
    pub fn resize(&mut self, rules: &RoomRules, now_ms: i64) -> Option<Resized> {
        if !rules.resizing {
            return None;
        }
        let (before, peak) = (self.bytes, self.peak_bytes);
        if before / 2 >= MIN_BYTES && peak < before / 2 {
            self.bytes = MIN_BYTES.max(peak + 1);
        } else if before < MAX_BYTES && peak == before {
            self.bytes = (before * 2).min(MAX_BYTES);
        }
        if rules.peak_ms.is_some_and(|ms| now_ms.saturating_sub(self.peak_since_ms) >= ms) {
            (self.peak_bytes, self.peak_since_ms) = (0, now_ms);
        }
        match self.bytes.cmp(&before) {
            std::cmp::Ordering::Less => Some(Resized::Shrunk),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(Resized::Grown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_the_use_within_its_bounds() {
        let rules = RoomRules::default();
        let mut room = ReplyRoom::new(0);
        let mut sizes = vec![room.bytes()];
        for second in 0..6 {
            room.used(100_000);
            if room.resize(&rules, second * 1000) == Some(Resized::Grown) {
                sizes.push(room.bytes());
            }
        }
        assert_eq!(sizes, [1024, 2048, 4096, 8192, 16_384]);
        // The peak counts for its time.
        room.used(10_000);
        assert_eq!((room.resize(&rules, 9999), room.peak_bytes()), (None, 10_000));
        assert_eq!((room.resize(&rules, 10_000), room.peak_bytes()), (None, 0));
        room.used(3000);
        assert_eq!((room.resize(&rules, 10_001), room.bytes()), (Some(Resized::Shrunk), 3001));
        assert_eq!(room.resize(&RoomRules { resizing: false, ..rules }, 90_000), None);
        assert_eq!(
            (room.resize(&RoomRules { peak_ms: None, ..rules }, 90_000), room.peak_bytes()),
            (None, 3000)
        );
        room.resize(&rules, 90_000);
        assert_eq!((room.resize(&rules, 90_000), room.bytes()), (Some(Resized::Shrunk), 1024));
        assert_eq!(room.resize(&rules, 90_000), None);
    }
}
