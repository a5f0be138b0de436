//! DEBUG REPLYBUFFER: how the room for the replies of clients follows its use.

use crate::{
    command::{Ctx, Outcome},
    state::reply_room::RoomRules,
};

pub(super) fn replybuffer(ctx: &mut Ctx<'_>) -> Outcome {
    let rules = ctx.state.room_rules;
    if ctx.is_word(2, "peak-reset-time") {
        let peak_ms = match () {
            () if ctx.is_word(3, "never") => None,
            () if ctx.is_word(3, "reset") => RoomRules::default().peak_ms,
            () => Some(ctx.int_arg(3)?).filter(|&ms| ms >= 0),
        };
        ctx.state.room_rules = RoomRules { peak_ms, ..rules };
        return ctx.ok();
    }
    if ctx.is_word(2, "resizing") {
        ctx.state.room_rules = RoomRules { resizing: super::is_on(ctx.args.at(3)), ..rules };
        return ctx.ok();
    }
    Err(ctx.wrong_subcommand())
}
