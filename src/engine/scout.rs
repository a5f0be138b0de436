//! Looking ahead in a pipeline: the keys of the next commands are on their way to the cache while the first is served.
//!
//! A lookup in a large table waits for memory three times: for the group, for the word in it, for the entry. The waits
//! of several lookups overlap where their addresses are known early, and in a pipeline they are: the commands stand in
//! the input already. What the scout finds is a hint and nothing else; each command is parsed again when its turn comes.

use super::Engine;
use crate::{
    command::{Args, table::CommandId},
    resp::request::{Limits, Parsed},
};

/// Commands looked ahead at once.
const AHEAD: usize = 16;

impl Engine {
    /// Fetches the keys of the next commands in `input` from `at` on. Returns for how many commands this holds; 0 where
    /// the database is so small that it is in the cache anyway.
    #[inline]
    pub(super) fn scout(
        &mut self,
        db: usize,
        last: CommandId,
        input: &[u8],
        at: usize,
        limits: &Limits,
    ) -> usize {
        if self.store.fits_cache(db) { 0 } else { self.look_ahead(db, last, input, at, limits) }
    }

    fn look_ahead(
        &mut self,
        db: usize,
        last: CommandId,
        input: &[u8],
        mut at: usize,
        limits: &Limits,
    ) -> usize {
        let (mut hashes, mut keys, mut commands) = ([0; AHEAD], 0, 0);
        let table = self.store.table(db);
        self.scout.reset();
        while commands < AHEAD {
            let Ok(Parsed::Command(end)) = self.scout.parse(input, at, limits) else { break };
            let args = Args::new(input, &self.scout.spans);
            if let Ok(id) = self.table.lookup(args, last)
                && let Some(key) =
                    args.get(self.table.entry(id).first_key).filter(|_| self.table.entry(id).first_key > 0)
            {
                hashes[keys] = table.hash(key);
                table.prefetch_group(hashes[keys]);
                keys += 1;
            }
            commands += 1;
            at = end;
        }
        if keys > 1 {
            hashes[..keys].iter().for_each(|&hash| table.prefetch_word(hash));
            hashes[..keys].iter().for_each(|&hash| table.prefetch_item(hash));
        }
        commands
    }
}
