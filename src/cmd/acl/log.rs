//! ACL LOG: <https://valkey.io/commands/acl-log/>.

use super::misused;
use crate::command::{Ctx, Flow, Outcome};

/// Entries that are shown where nobody says how many.
const SHOWN: i64 = 10;

pub(super) fn acl_log(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.args.len() > 3 {
        return Err(misused(ctx));
    }
    if ctx.is_word(2, "reset") {
        ctx.state.acl.log.clear();
        return ctx.ok();
    }
    let n = if ctx.args.len() == 3 { ctx.int_arg(2)? } else { SHOWN };
    let now_ms = ctx.now_ms();
    let (entries, out) = (ctx.state.acl.log.entries(), &mut ctx.session.out);
    let n = usize::try_from(n).unwrap_or(0).min(entries.len());
    out.array(n);
    for entry in entries.take(n) {
        out.map(10);
        out.bulk(b"count");
        out.int(entry.count as i64);
        for (name, value) in [
            ("reason", entry.reason.name().as_bytes()),
            ("context", entry.context.name().as_bytes()),
            ("object", &entry.object),
            ("username", &entry.username),
        ] {
            out.bulk(name.as_bytes());
            out.bulk(value);
        }
        out.bulk(b"age-seconds");
        out.number((now_ms - entry.updated_ms) as f64 / 1000.0);
        out.bulk(b"client-info");
        out.bulk(&entry.client);
        for (name, value) in [
            ("entry-id", entry.id as i64),
            ("timestamp-created", entry.created_ms),
            ("timestamp-last-updated", entry.updated_ms),
        ] {
            out.bulk(name.as_bytes());
            out.int(value);
        }
    }
    Ok(Flow::Done)
}
