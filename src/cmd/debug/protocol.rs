//! DEBUG PROTOCOL: a reply of each type.

use crate::{
    command::{CmdError, Ctx, Flow, Outcome},
    resp::Proto,
};

/// A reply of each type, for tests of clients.
pub(super) fn protocol(ctx: &mut Ctx<'_>) -> Outcome {
    let kind = ctx.args.at(2).to_ascii_lowercase();
    let out = ctx.out();
    let resp3 = out.proto == Proto::Resp3;
    match kind.as_slice() {
        b"string" => out.bulk(b"Hello World"),
        b"integer" => out.int(12345),
        b"double" => out.double("3.141"),
        b"bignum" => out.big_number("1234567999999999999999999999999999999"),
        b"null" => out.null(),
        b"array" => {
            out.array(3);
            (0..3).for_each(|i| out.int(i));
        }
        b"set" => {
            out.set(3);
            (0..3).for_each(|i| out.int(i));
        }
        b"map" => {
            out.map(3);
            for i in 0..3 {
                out.int(i);
                out.boolean(i == 1);
            }
        }
        b"attrib" => {
            if resp3 {
                out.attributes(1);
                out.bulk(b"key-popularity");
                out.array(2);
                out.bulk(b"key:123");
                out.int(90);
            }
            out.bulk(b"Some real reply following the attribute");
        }
        b"push" if !resp3 => return Err(CmdError::new("ERR RESP2 is not supported by this command")),
        b"push" => {
            // What is pushed comes behind the reply of the command that made it.
            out.bulk(b"Some real reply following the push reply");
            out.push(2);
            out.bulk(b"server-cpu-usage");
            out.int(42);
        }
        b"verbatim" => out.verbatim("txt", b"This is a verbatim\nstring"),
        b"true" => out.boolean(true),
        b"false" => out.boolean(false),
        _ => {
            return Err(CmdError::new(
                "ERR Wrong protocol type name. Please use one of the following: \
                 string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
            ));
        }
    }
    Ok(Flow::Done)
}
