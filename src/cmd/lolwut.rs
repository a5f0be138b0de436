//! LOLWUT: a picture that is different each time, and the version.

use crate::{
    base::rng::Rng,
    command::{Arg, ArgKind, CommandSpec, Ctx, Flags, Flow, Group, Outcome},
};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[CommandSpec::new("lolwut", -1, Group::Server, lolwut)
    .flags(&[Flags::READONLY, Flags::FAST])
    .doc("5.0.0", "Draws a picture and tells the version.", "")
    .args(&[Arg::new("version", ArgKind::Integer).token("VERSION").optional()])];

/// Columns and rows where nobody says, and the most of them.
const SIZE: [i64; 2] = [66, 16];
const SIZE_MAX: i64 = 1000;

/// <https://valkey.io/commands/lolwut/>
fn lolwut(ctx: &mut Ctx<'_>) -> Outcome {
    let mut first = usize::MAX;
    let mut size = SIZE;
    if ctx.args.len() >= 3 && ctx.is_word(1, "version") {
        // Versions differ in their pictures, which are Redis's own, and in whether these have a size.
        first = if matches!(ctx.int_arg(2)?, 5 | 6) { 3 } else { usize::MAX };
    }
    for (i, side) in (first..ctx.args.len()).zip(&mut size) {
        *side = ctx.int_arg(i)?.clamp(1, SIZE_MAX);
    }
    let mut text = waves(&mut ctx.state.rng, size.map(|side| side as usize));
    text.push_str("\nThree stones in a pond. Redis ver. 7.2.4, Staywire ");
    text.push_str(concat!(env!("CARGO_PKG_VERSION"), "\n"));
    ctx.out().verbatim("txt", text.as_bytes());
    Ok(Flow::Done)
}

/// Rings around three places, which add up.
fn waves(rng: &mut Rng, [columns, rows]: [usize; 2]) -> String {
    const SHADES: [char; 6] = [' ', '·', '-', '=', '≡', '█'];
    let mut below = |n: usize| rng.below(n as u64) as f64;
    // A character is about twice as high as it is wide.
    let stones: [(f64, f64, f64); 3] =
        std::array::from_fn(|_| (below(columns), 2.0 * below(rows), 1.5 + below(20) / 10.0));
    let mut text = String::with_capacity(rows * (columns * 2 + 1));
    for row in 0..rows {
        for column in 0..columns {
            let height: f64 = stones
                .iter()
                .map(|(x, y, length)| {
                    let distance = (column as f64 - x).hypot(2.0 * row as f64 - y);
                    (distance / length).cos() / (1.0 + distance / 40.0)
                })
                .sum();
            let shade = (height + 3.0) / 6.0 * SHADES.len() as f64;
            text.push(SHADES[(shade as usize).min(SHADES.len() - 1)]);
        }
        text.push('\n');
    }
    text
}
