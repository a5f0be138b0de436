//! Finding keys without knowing them: SCAN, KEYS, RANDOMKEY.

use crate::{
    base::glob,
    command::{
        Ctx, Flow, Outcome,
        scan::{self, ScanOptions, Walked},
    },
    resp::output::Output,
};

/// <https://valkey.io/commands/scan/>. A step visits a group of some 32 keys: COUNT bounds from below how many keys are
/// looked at, and from above, ten times, how many groups.
pub(super) fn scan(ctx: &mut Ctx<'_>) -> Outcome {
    let db = ctx.db();
    let mut cursor = scan::cursor(ctx.args.at(1))?;
    let options = ScanOptions::parse(ctx, 2, Walked::Keys)?;
    let (mut found, mut n, mut looked_at) = (Output::default(), 0, 0);
    let mut overdue = Vec::new();
    for _ in 0..options.max_steps() {
        cursor = ctx.store.scan(db, cursor, |entry, is_over| {
            looked_at += 1;
            if !options.kind.is_none_or(|kind| kind == entry.kind()) || !options.matches(entry.key()) {
                return;
            }
            if is_over {
                overdue.push(entry.key().to_vec());
            } else {
                found.bulk(entry.key());
                n += 1;
            }
        });
        if cursor == 0 || looked_at >= options.count {
            break;
        }
    }
    for key in overdue {
        // The lookup itself deletes what has expired; not earlier, as a table that shrinks under the walk shows keys twice.
        ctx.store.find(db, &key);
    }
    let out = ctx.out();
    out.array(2);
    out.bulk(cursor.to_string().as_bytes());
    out.array(n);
    out.append(&mut found);
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/keys/>
pub(super) fn keys(ctx: &mut Ctx<'_>) -> Outcome {
    let (pattern, db) = (ctx.args.at(1), ctx.db());
    let (mut found, mut n) = (Output::default(), 0);
    ctx.store.each_entry(db, |entry| {
        if pattern == b"*" || glob::matches(pattern, entry.key()) {
            found.bulk(entry.key());
            n += 1;
        }
    });
    let out = ctx.out();
    out.array(n);
    out.append(&mut found);
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/randomkey/>
pub(super) fn randomkey(ctx: &mut Ctx<'_>) -> Outcome {
    match ctx.store.random_key(ctx.session.db, &mut ctx.state.rng) {
        Some(key) => ctx.out().bulk(&key),
        None => ctx.out().null(),
    }
    Ok(Flow::Done)
}
