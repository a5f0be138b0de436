//! What watches the commands: statistics of each call, and, where somebody wants to know, MONITOR, the command log and
//! the latency monitor. What nobody asked for costs a few comparisons.

use super::Engine;
use crate::{
    base::slot,
    command::{Args, Behaviour, CommandSpec, Flags, table::CommandId},
    state::{
        State,
        commandlog::Reason,
        session::{ReplyMode, Session},
        slot_stats::SlotStats,
        stats::Cost,
        waiters::Blocked,
    },
};

/// Which part of a call is over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// All of it, as part of a transaction or a script.
    Inside,
    /// It ran, and waits now.
    Begun,
    /// It waited, ran again, and is over.
    Ended,
    /// It waited in vain.
    GivenUp,
}

impl Engine {
    /// Moves the time on to the end of a command, where the next one starts. Returns what it took, in nanoseconds.
    #[inline]
    pub(super) fn elapse(&mut self) -> u64 {
        let ticks_ns = self.state.clock.ticks_ns();
        let elapsed_ns = ticks_ns.saturating_sub(self.last_ticks_ns);
        self.last_ticks_ns = ticks_ns;
        if ticks_ns >= self.next_ms_ticks_ns {
            self.read_ms(ticks_ns);
        }
        elapsed_ns
    }

    /// Counts a call, and shows it to whoever wants to see it.
    #[inline]
    pub(super) fn count(
        &mut self,
        session: &mut Session,
        (id, args): (CommandId, Args<'_>),
        duration_ns: u64,
        failed: bool,
    ) {
        let keep_duration = self.state.config.latency_tracking;
        session.commands += 1;
        self.state.stats.count_call(id as usize, duration_ns, failed, keep_duration);
        let cost = cost(session, duration_ns);
        if is_notable(&self.state, cost) {
            let spec = self.table.entry(id).spec;
            let at_ms = self.store.now_ms;
            self.delivered += observe(&mut self.state, session, (spec, args), cost, at_ms, Part::Whole);
        }
    }

    /// Notes that a call waits: it is counted when it is over.
    pub(super) fn count_begun(&mut self, session: &mut Session, id: CommandId, blocked: &Blocked) {
        let cost = cost(session, blocked.duration_ns);
        if is_notable(&self.state, cost) {
            let call = (self.table.entry(id).spec, blocked.args.args());
            let at_ms = self.store.now_ms;
            self.delivered += observe(&mut self.state, session, call, cost, at_ms, Part::Begun);
        }
    }

    /// Counts a call that waited.
    pub(super) fn count_ended(
        &mut self,
        session: &mut Session,
        id: CommandId,
        blocked: &Blocked,
        failed: bool,
        part: Part,
    ) {
        let keep_duration = self.state.config.latency_tracking;
        session.commands += 1;
        self.state.stats.count_call(id as usize, blocked.duration_ns, failed, keep_duration);
        let cost = cost(session, blocked.duration_ns);
        if is_notable(&self.state, cost) {
            let call = (self.table.entry(id).spec, blocked.args.args());
            let at_ms = self.store.now_ms;
            if let Some(stats) = &mut self.state.slot_stats {
                stats.current = blocked.keys.first().map(|key| slot::of_key(key));
            }
            self.delivered += observe(&mut self.state, session, call, cost, at_ms, part);
        }
    }

    /// Counts what a call took of the wire that is queued or refused.
    pub(super) fn count_unrun(&mut self, session: &Session) {
        if let Some(stats) = &mut self.state.slot_stats
            && let Some(slot) = stats.current.take()
        {
            stats.of(slot).net_in_bytes += session.request_bytes as u64;
        }
    }
}

/// What a call cost. In a transaction the request is EXEC, and the reply what EXEC replied so far.
#[inline]
pub(super) fn cost(session: &Session, duration_ns: u64) -> Cost {
    let reply_bytes = session.out.pending_bytes().saturating_sub(session.pending_before);
    Cost { duration_ns, request_bytes: session.request_bytes as u64, reply_bytes: reply_bytes as u64 }
}

/// Whether anyone may want to see a call.
#[inline]
pub(super) fn is_notable(state: &State, cost: Cost) -> bool {
    let from = &state.notable_from;
    cost.duration_ns >= from.duration_ns
        || cost.request_bytes >= from.request_bytes
        || cost.reply_bytes >= from.reply_bytes
}

/// Shows a call to the latency monitor, the command log and those who called MONITOR. Returns how many of these saw it.
#[cold]
pub(super) fn observe(
    state: &mut State,
    session: &mut Session,
    (spec, args): (&CommandSpec, Args<'_>),
    cost: Cost,
    at_ms: i64,
    part: Part,
) -> usize {
    // CLIENT REPLY ON is heard, though what stands before it is not.
    let unheard = session.out.is_muted() && session.reply != ReplyMode::On;
    let cost = Cost { reply_bytes: if unheard { 0 } else { cost.reply_bytes }, ..cost };
    if let Some(stats) = &mut state.slot_stats {
        charge(stats, session, spec, cost, part);
    }
    let at_s = at_ms.div_euclid(1000);
    let us = cost.duration_ns / 1000;
    let least_ms = state.config.latency_monitor_ms as u64;
    if least_ms > 0 && us / 1000 >= least_ms {
        let event = if spec.flags.has(Flags::FAST) { "fast-command" } else { "command" };
        state.latency.add(event, us / 1000, at_s);
    }
    let secrets = spec.secrets.map_or_else(Vec::new, |secrets| secrets(args));
    if part != Part::Begun && !spec.flags.has(Flags::SKIP_COMMANDLOG) {
        for reason in Reason::ALL {
            let value = match reason {
                Reason::Slow => us,
                Reason::LargeRequest => cost.request_bytes,
                Reason::LargeReply => cost.reply_bytes,
            };
            let limit = state.config.commandlog[reason as usize];
            state.commandlog[reason as usize].push(limit, value, at_s, (session, args, &secrets));
        }
    }
    let hidden = spec.flags.has(Flags::SKIP_MONITOR.or(Flags::ADMIN));
    if matches!(part, Part::Ended | Part::GivenUp) || hidden || state.monitors.is_empty() {
        return 0;
    }
    let at = (state.clock.now_us(), state.config.output_limits[0].most_bytes());
    state.monitors.show(&mut state.sessions, &mut state.dirty, at, (session, args, &secrets))
}

/// The request `MULTI`, in bytes.
const MULTI_BYTES: u64 = 15;

/// Has a slot bear the cost of a call, as Valkey does: of a transaction the reply so far counts after each command, and
/// what a script is replied counts like a reply to the client.
fn charge(stats: &mut SlotStats, session: &Session, spec: &CommandSpec, cost: Cost, part: Part) {
    // Inside of another call that goes on.
    let ends = part != Part::Inside || session.in_script.is_some() && stats.ends_with_call;
    let slot = if ends { stats.current.take() } else { stats.current };
    let Some(slot) = slot else { return };
    let bears = stats.of(slot);
    match part {
        Part::Begun => return,
        Part::GivenUp => {}
        Part::Inside if session.in_script.is_some() => {
            bears.net_out_bytes += session.out.pending_bytes() as u64;
        }
        Part::Inside => bears.net_out_bytes += cost.reply_bytes,
        Part::Whole | Part::Ended => {
            let multi_bytes = if spec.behaviour.has(Behaviour::RUNS_QUEUE) { MULTI_BYTES } else { 0 };
            bears.net_in_bytes += cost.request_bytes + multi_bytes;
            bears.net_out_bytes += cost.reply_bytes;
        }
    }
    bears.cpu_ns += match part {
        // The time of what is around it comprises its own.
        Part::Inside if !spec.flags.has(Flags::BLOCKING) => 0,
        // Whole microseconds, so that the sum agrees with the statistics of the commands that ended the wait.
        Part::Ended => cost.duration_ns / 1000 * 1000,
        _ => cost.duration_ns,
    };
}
