//! MEMORY DOCTOR: what is wrong with the use of memory, in words.

use crate::{
    command::{Ctx, Flow, Outcome},
    state::memory::Memory,
};
use std::fmt::Write;

/// With less than this nothing can be said.
const LITTLE_BYTES: usize = 5 << 20;
/// From this ratio on memory counts as fragmented, from so many bytes on.
const FRAGMENTED: f64 = 1.4;
const FRAGMENTED_BYTES: i64 = 10 << 20;
/// The peak counts as far from now from this ratio on.
const PEAK: f64 = 1.5;
/// More than this for each client on average counts as much.
const CLIENT_BYTES: usize = 200 << 10;

/// <https://valkey.io/commands/memory-doctor/>
pub(super) fn doctor(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.state.totals.recount(ctx.session);
    let memory = Memory::of(ctx.state, ctx.store);
    let report = report(&memory, ctx.state.sessions.len());
    ctx.out().verbatim("txt", report.as_bytes());
    Ok(Flow::Done)
}

fn report(memory: &Memory, clients: usize) -> String {
    if memory.used < LITTLE_BYTES {
        return "This instance is empty or uses little memory; there is nothing to examine yet.\n".into();
    }
    let fragmented = |(ratio, bytes): (f64, i64)| ratio > FRAGMENTED && bytes > FRAGMENTED_BYTES;
    let mut found = Vec::new();
    if memory.peak as f64 / memory.used as f64 > PEAK {
        found.push(
            "Peak: the server once used more than 150% of what it uses now. The allocator may hold on to the \
             difference, and the memory of the process stays large until it is used again.",
        );
    }
    if fragmented(memory.fragmentation()) {
        found.push(
            "Fragmentation: the process holds over 1.4 times what the server uses. If no peak explains it, look at \
             allocator_frag_ratio, allocator_rss_ratio and rss_overhead_ratio in INFO for the share of each.",
        );
    }
    if fragmented(memory.allocator_fragmentation()) {
        found.push(
            "Allocator: its pages are over 1.4 times what was asked for. MEMORY MALLOC-STATS has more.",
        );
    }
    if fragmented(memory.allocator_rss()) {
        found
            .push("Allocator: it holds over 1.4 times the pages that it uses. MEMORY PURGE gives them back.");
    }
    if fragmented(memory.rss_overhead()) {
        found.push(
            "Process: it holds over 1.4 times what its allocator does: code, stacks, or other parts of it.",
        );
    }
    if memory.sessions / clients.max(1) > CLIENT_BYTES {
        found.push(
            "Clients: they use over 200 KiB each. Look in CLIENT LIST (omem, qbuf, multi-mem) for those that send \
             much at once or read too slowly.",
        );
    }
    if found.is_empty() {
        return "Nothing is wrong with the use of memory.\n".into();
    }
    let mut text = String::from("The use of memory could be better:\n\n");
    for line in found {
        writeln!(text, " * {line}").expect("a string takes it");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_symptom_is_named() {
        let well = Memory {
            used: 100 << 20,
            peak: 110 << 20,
            overhead: 1 << 20,
            sessions: 1 << 20,
            allocated: 100 << 20,
            active: 105 << 20,
            resident: 110 << 20,
            rss: 115 << 20,
            is_told: true,
        };
        assert!(report(&Memory { used: 1, ..well }, 10).contains("little memory"));
        assert_eq!(report(&well, 10), "Nothing is wrong with the use of memory.\n");
        for (memory, symptoms) in [
            (Memory { peak: 200 << 20, ..well }, vec!["Peak:"]),
            (Memory { rss: 200 << 20, ..well }, vec!["Fragmentation:", "Process:"]),
            (
                Memory { active: 200 << 20, resident: 200 << 20, rss: 200 << 20, ..well },
                vec!["Fragmentation:", "Allocator: its"],
            ),
            (Memory { resident: 180 << 20, rss: 139 << 20, ..well }, vec!["Allocator: it holds"]),
            (Memory { sessions: 10 << 20, ..well }, vec!["Clients:"]),
        ] {
            let text = report(&memory, 10);
            assert_eq!(text.matches(" * ").count(), symptoms.len(), "{text}");
            assert!(symptoms.iter().all(|symptom| text.contains(symptom)), "{text}");
        }
    }
}
