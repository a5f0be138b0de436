//! Client-side caching: what commands read is remembered, and who read what changes is told.

use super::Engine;
use crate::{
    command::{Behaviour, Ctx, Flags, Flow, Outcome, keys, table::Entry},
    state::{session::Session, tracking::Author},
};

/// Notes what a command changed, then what it read: for its own client too, which reads its own changes.
#[cold]
pub(super) fn follow(ctx: &mut Ctx<'_>, entry: &Entry) {
    let author = Author { id: ctx.session.id, in_script: ctx.session.in_script.is_some() };
    let told = &mut ctx.effects.invalidations;
    let tracking = &mut ctx.state.tracking;
    tracking.note(&mut ctx.store.changes.stale, author, told);
    let spec = entry.spec;
    if !spec.flags.has(Flags::READONLY) || spec.behaviour.has(Behaviour::RUNS_PROGRAM) {
        return;
    }
    if ctx.session.tracker.as_ref().is_some_and(|tracker| tracker.remembers())
        && let Ok(keys) = keys::find(spec, ctx.args)
    {
        let read = tracking.remember(ctx.session.id, keys.iter().map(|(at, _)| ctx.args.at(at)));
        tracking.evict_for(read, ctx.state.config.tracking_table_max_keys, &mut ctx.state.rng, told);
    }
}

/// The same for a command that no other one called.
#[cold]
pub(super) fn follow_whole(ctx: &mut Ctx<'_>, entry: &Entry, outcome: &Outcome) {
    follow(ctx, entry);
    if !matches!(outcome, Ok(Flow::Blocked(_))) {
        end_caching(ctx.session, Some(entry));
    }
}

/// CLIENT CACHING was for this command, unless it is another one of CLIENT, or the transaction goes on.
pub(super) fn end_caching(session: &mut Session, entry: Option<&Entry>) {
    let container = entry.and_then(|entry| entry.container);
    let goes_on = session.transaction.is_some()
        || container.is_some_and(|container| container.behaviour.has(Behaviour::KEEPS_CACHING));
    if let Some(tracker) = session.tracker.as_deref_mut().filter(|_| !goes_on) {
        tracker.caching = false;
    }
}

impl Engine {
    /// Notes what changed though no command did it.
    pub(super) fn note_stale(&mut self) {
        if !self.store.changes.stale.is_empty() {
            let stale = &mut self.store.changes.stale;
            self.state.tracking.note(stale, Author::default(), &mut self.effects.invalidations);
        }
    }

    /// A slice of the work that the table of what was read makes.
    pub(super) fn tend_tracking(&mut self) {
        let max_keys = self.state.config.tracking_table_max_keys;
        self.state.tracking.tend(max_keys, &mut self.state.rng, &mut self.effects.invalidations);
    }
}
