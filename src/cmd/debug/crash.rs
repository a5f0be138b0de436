//! DEBUG ASSERT, PANIC, OOM and SEGFAULT: ends that a defect would bring about. The first two end this server alone:
//! whoever embeds it goes on.

use crate::{
    command::{Ctx, Outcome},
    sys::process,
};
use std::alloc::{Layout, handle_alloc_error};

pub(super) fn assert(ctx: &mut Ctx<'_>) -> Outcome {
    assert!(ctx.args.is_empty(), "called by DEBUG ASSERT");
    ctx.ok()
}

pub(super) fn panic(_: &mut Ctx<'_>) -> Outcome {
    panic!("called by DEBUG PANIC")
}

pub(super) fn oom(_: &mut Ctx<'_>) -> Outcome {
    let much = Layout::array::<u8>(isize::MAX as usize / 2).expect("a size that exists");
    handle_alloc_error(much)
}

pub(super) fn segfault(_: &mut Ctx<'_>) -> Outcome {
    process::end_by_segv()
}
