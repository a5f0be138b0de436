//! LCS: the longest common subsequence of two strings.
//!
//! The table of lengths for all pairs of prefixes, and a walk back through it (Wagner and Fischer, "The string-to-string
//! correction problem", 1974). It takes 4 bytes for each pair of bytes, which `proto-max-bulk-len` bounds.

use super::text;
use crate::{
    base::num::MAX_INT_LEN,
    command::{CmdError, Ctx, Flow, Outcome, ctx::int},
    ds::table::Pos,
    resp::output::Output,
    store::Store,
};

/// What LCS answers.
struct Options {
    len: bool,
    ranges: bool,
    with_len: bool,
    min_len: usize,
}

impl Options {
    fn parse(ctx: &Ctx<'_>) -> Result<Options, CmdError> {
        let mut options = Options { len: false, ranges: false, with_len: false, min_len: 0 };
        let mut i = 3;
        while i < ctx.args.len() {
            if ctx.is_word(i, "idx") {
                options.ranges = true;
            } else if ctx.is_word(i, "len") {
                options.len = true;
            } else if ctx.is_word(i, "withmatchlen") {
                options.with_len = true;
            } else if ctx.is_word(i, "minmatchlen") && i + 1 < ctx.args.len() {
                i += 1;
                options.min_len = usize::try_from(int(ctx.args.at(i))?).unwrap_or(0);
            } else {
                return Err(CmdError::SYNTAX);
            }
            i += 1;
        }
        if options.len && options.ranges {
            return Err(CmdError::new("ERR If you want both the length and indexes, please just use IDX."));
        }
        Ok(options)
    }
}

/// <https://valkey.io/commands/lcs/>
pub(super) fn lcs(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let first = ctx.store.read(db, args.at(1)).is_some();
    let second = ctx.store.read(db, args.at(2));
    // Found again: the second lookup may have deleted an expired key and so moved the first.
    let first = if first { ctx.store.find(db, args.at(1)) } else { None };
    let (a, b) = (bytes(ctx.store, db, first)?, bytes(ctx.store, db, second)?);
    let options = Options::parse(ctx)?;
    if a.len() >= u32::MAX as usize - 1 || b.len() >= u32::MAX as usize - 1 {
        return Err(CmdError::new("ERR String too long for LCS"));
    }
    // Both are below 2^32, so the product is below 2^66.
    let table_bytes = (a.len() as u128 + 1) * (b.len() as u128 + 1) * 4;
    if table_bytes > ctx.state.config.string_max_bytes() as u128 {
        return Err(CmdError::new(
            "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
        ));
    }
    let table = Lengths::new(&a, &b);
    let out = ctx.out();
    if options.len {
        out.count(table.at(a.len(), b.len()));
    } else if options.ranges {
        reply_ranges(out, &a, &b, &table, &options);
    } else {
        let mut common = Vec::with_capacity(table.at(a.len(), b.len()));
        walk_back(&a, &b, &table, |i, _| common.push(a[i]));
        common.reverse();
        out.bulk(&common);
    }
    Ok(Flow::Done)
}

/// A copy of the string at a place; empty where there is none.
fn bytes(store: &Store, db: usize, pos: Option<Pos>) -> Result<Vec<u8>, CmdError> {
    let Some(pos) = pos else { return Ok(Vec::new()) };
    let entry = store.entry(db, pos);
    match text(entry.value(), &mut [0; MAX_INT_LEN]) {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(_) => Err(CmdError::new("ERR The specified keys must contain string values")),
    }
}

/// Lengths of the longest common subsequences of all pairs of prefixes.
struct Lengths {
    rows: Vec<u32>,
    width: usize,
}

impl Lengths {
    fn new(a: &[u8], b: &[u8]) -> Lengths {
        let width = b.len() + 1;
        let mut rows = vec![0u32; (a.len() + 1) * width];
        for (i, &x) in a.iter().enumerate() {
            let (above, row) = rows[i * width..(i + 2) * width].split_at_mut(width);
            for (j, &y) in b.iter().enumerate() {
                row[j + 1] = if x == y { above[j] + 1 } else { above[j + 1].max(row[j]) };
            }
        }
        Lengths { rows, width }
    }

    /// For the first `i` bytes of the one and the first `j` of the other.
    fn at(&self, i: usize, j: usize) -> usize {
        self.rows[i * self.width + j] as usize
    }
}

/// Visits the pairs of positions of one longest common subsequence, last first. Where two are as long, it leaves out a
/// byte of the second string, as Redis does.
fn walk_back(a: &[u8], b: &[u8], table: &Lengths, mut f: impl FnMut(usize, usize)) {
    let (mut i, mut j) = (a.len(), b.len());
    while i > 0 && j > 0 {
        if a[i - 1] == b[j - 1] {
            (i, j) = (i - 1, j - 1);
            f(i, j);
        } else if table.at(i - 1, j) > table.at(i, j - 1) {
            i -= 1;
        } else {
            j -= 1;
        }
    }
}

/// Replies where the runs of common bytes are, last first.
fn reply_ranges(out: &mut Output, a: &[u8], b: &[u8], table: &Lengths, options: &Options) {
    // Starts in both, and length.
    let mut runs: Vec<(usize, usize, usize)> = Vec::new();
    walk_back(a, b, table, |i, j| match runs.last_mut() {
        Some(run) if (run.0, run.1) == (i + 1, j + 1) => *run = (i, j, run.2 + 1),
        _ => runs.push((i, j, 1)),
    });
    runs.retain(|run| run.2 >= options.min_len);
    out.map(2);
    out.bulk(b"matches");
    out.array(runs.len());
    for (i, j, len) in runs {
        out.array(if options.with_len { 3 } else { 2 });
        for start in [i, j] {
            out.array(2);
            out.count(start);
            out.count(start + len - 1);
        }
        if options.with_len {
            out.count(len);
        }
    }
    out.bulk(b"len");
    out.count(table.at(a.len(), b.len()));
}
