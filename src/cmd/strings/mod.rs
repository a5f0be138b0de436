//! Strings: reading, writing and counting.

mod counters;
mod edit;
mod lcs;
mod read;
mod write;

use crate::{
    base::num::MAX_INT_LEN,
    command::{Arg, ArgKind, Categories, CmdError, CommandSpec, Flags, Group, KeyFlags, KeySpec},
    value::ValueRef,
};

/// The commands of this family.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("append", 3, Group::String, edit::append)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::INSERT), 1, 1, 1)])
        .doc("2.0.0", "Adds to the end of a string, creating it where there is none.", "O(1)")
        .args(&[Arg::key("key", 0), Arg::new("value", ArgKind::String)]),
    CommandSpec::new("decr", 2, Group::String, counters::decr)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("1.0.0", "Subtracts one from an integer.", "O(1)")
        .args(&[Arg::key("key", 0)]),
    CommandSpec::new("decrby", 3, Group::String, counters::decrby)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("1.0.0", "Subtracts a number from an integer.", "O(1)")
        .args(&[Arg::key("key", 0), Arg::new("decrement", ArgKind::Integer)]),
    CommandSpec::new("get", 2, Group::String, read::get)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("1.0.0", "Reads a string.", "O(1)")
        .args(&[Arg::key("key", 0)]),
    CommandSpec::new("delifeq", 3, Group::String, write::delifeq)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::RM.or(KeyFlags::DELETE), 1, 1, 1)])
        .doc("9.0.0", "Deletes a key if its string is the one given.", "O(1)")
        .args(&[Arg::key("key", 0), Arg::new("value", ArgKind::String)]),
    CommandSpec::new("getdel", 2, Group::String, read::getdel)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1, 1, 1)])
        .doc("6.2.0", "Reads a string and deletes its key.", "O(1)")
        .args(&[Arg::key("key", 0)]),
    CommandSpec::new("getex", -2, Group::String, write::getex)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE), 1, 1, 1)
            .notes("Changes only the expiry.")])
        .doc("6.2.0", "Reads a string and changes when its key expires.", "O(1)")
        .args(&[
            Arg::key("key", 0),
            Arg::new(
                "expiration",
                ArgKind::OneOf(&[
                    Arg::new("seconds", ArgKind::Integer).token("EX"),
                    Arg::new("milliseconds", ArgKind::Integer).token("PX"),
                    Arg::new("unix-time-seconds", ArgKind::UnixTime).token("EXAT"),
                    Arg::new("unix-time-milliseconds", ArgKind::UnixTime).token("PXAT"),
                    Arg::word("persist", "PERSIST"),
                ]),
            )
            .optional(),
        ]),
    CommandSpec::new("getrange", 4, Group::String, read::getrange)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("2.4.0", "Reads a part of a string by byte offsets.", "O(N)")
        .args(&[Arg::key("key", 0), Arg::new("start", ArgKind::Integer), Arg::new("end", ArgKind::Integer)]),
    CommandSpec::new("getset", 3, Group::String, write::getset)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("1.0.0", "Replaces a string and answers the old one.", "O(1)")
        .args(&[Arg::key("key", 0), Arg::new("value", ArgKind::String)])
        .deprecated("6.2.0", "`SET` with the `!GET` argument"),
    CommandSpec::new("incr", 2, Group::String, counters::incr)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("1.0.0", "Adds one to an integer.", "O(1)")
        .args(&[Arg::key("key", 0)]),
    CommandSpec::new("incrby", 3, Group::String, counters::incrby)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("1.0.0", "Adds a number to an integer.", "O(1)")
        .args(&[Arg::key("key", 0), Arg::new("increment", ArgKind::Integer)]),
    CommandSpec::new("incrbyfloat", 3, Group::String, counters::incrbyfloat)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("2.6.0", "Adds a floating-point number to a number.", "O(1)")
        .args(&[Arg::key("key", 0), Arg::new("increment", ArgKind::Double)]),
    CommandSpec::new("lcs", -3, Group::String, lcs::lcs)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 2, 1)])
        .doc("7.0.0", "Finds the longest common subsequence of two strings.", "O(N*M)")
        .args(&[
            Arg::key("key1", 0),
            Arg::key("key2", 0),
            Arg::word("len", "LEN").optional(),
            Arg::word("idx", "IDX").optional(),
            Arg::new("min-match-len", ArgKind::Integer).token("MINMATCHLEN").optional(),
            Arg::word("withmatchlen", "WITHMATCHLEN").optional(),
        ]),
    CommandSpec::new("mget", -2, Group::String, read::mget)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, -1, 1)])
        .doc("1.0.0", "Reads several strings at once.", "O(N)")
        .args(&[Arg::key("key", 0).multiple()])
        .tips(&["request_policy:multi_shard"]),
    CommandSpec::new("mset", -3, Group::String, write::mset)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::OW.or(KeyFlags::UPDATE), 1, -1, 2)])
        .doc("1.0.1", "Writes several strings at once.", "O(N)")
        .args(&[Arg::new("data", ArgKind::Block(&[Arg::key("key", 0), Arg::new("value", ArgKind::String)]))
            .multiple()])
        .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"]),
    CommandSpec::new("msetex", -4, Group::String, write::msetex)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::counted_by(KeyFlags::OW.or(KeyFlags::UPDATE), 1, 2)])
        .doc("9.1.0", "Writes several strings, with a condition and an expiry for all of them.", "O(N)")
        .args(&[
            Arg::new("numkeys", ArgKind::Integer),
            Arg::new("data", ArgKind::Block(&[Arg::key("key", 0), Arg::new("value", ArgKind::String)]))
                .multiple(),
            Arg::new("condition", ArgKind::OneOf(&[Arg::word("nx", "NX"), Arg::word("xx", "XX")])).optional(),
            Arg::new(
                "expiration",
                ArgKind::OneOf(&[
                    Arg::new("seconds", ArgKind::Integer).token("EX"),
                    Arg::new("milliseconds", ArgKind::Integer).token("PX"),
                    Arg::new("unix-time-seconds", ArgKind::UnixTime).token("EXAT"),
                    Arg::new("unix-time-milliseconds", ArgKind::UnixTime).token("PXAT"),
                    Arg::word("keepttl", "KEEPTTL"),
                ]),
            )
            .optional(),
        ])
        .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"]),
    CommandSpec::new("msetnx", -3, Group::String, write::msetnx)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::OW.or(KeyFlags::INSERT), 1, -1, 2)])
        .doc("1.0.1", "Writes several strings if none of the keys exists.", "O(N)")
        .args(&[Arg::new("data", ArgKind::Block(&[Arg::key("key", 0), Arg::new("value", ArgKind::String)]))
            .multiple()]),
    CommandSpec::new("psetex", 4, Group::String, write::psetex)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::OW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("2.6.0", "Writes a string that expires after some milliseconds.", "O(1)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("milliseconds", ArgKind::Integer),
            Arg::new("value", ArgKind::String),
        ])
        .deprecated("2.6.12", "`SET` with the `PX` argument"),
    CommandSpec::new("set", -3, Group::String, write::set)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(
            KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE).or(KeyFlags::VARIABLE_FLAGS),
            1,
            1,
            1,
        )
        .notes("Read only with GET.")])
        .find_keys(write::set_keys)
        .doc(
            "1.0.0",
            "Writes a string whatever the key held, under conditions and with an expiry if wanted.",
            "O(1)",
        )
        .args(&[
            Arg::key("key", 0),
            Arg::new("value", ArgKind::String),
            Arg::new(
                "condition",
                ArgKind::OneOf(&[
                    Arg::word("nx", "NX").since("2.6.12"),
                    Arg::word("xx", "XX").since("2.6.12"),
                    Arg::new("comparison-value", ArgKind::String)
                        .token("IFEQ")
                        .since("8.1.0")
                        .summary("Writes only where the key holds this value."),
                ]),
            )
            .optional(),
            Arg::word("get", "GET").since("6.2.0").optional(),
            Arg::new(
                "expiration",
                ArgKind::OneOf(&[
                    Arg::new("seconds", ArgKind::Integer).token("EX").since("2.6.12"),
                    Arg::new("milliseconds", ArgKind::Integer).token("PX").since("2.6.12"),
                    Arg::new("unix-time-seconds", ArgKind::UnixTime).token("EXAT").since("6.2.0"),
                    Arg::new("unix-time-milliseconds", ArgKind::UnixTime).token("PXAT").since("6.2.0"),
                    Arg::word("keepttl", "KEEPTTL").since("6.0.0"),
                ]),
            )
            .optional(),
        ])
        .history(&[
            ("2.6.12", "EX, PX, NX and XX."),
            ("6.0.0", "KEEPTTL."),
            ("6.2.0", "GET, EXAT and PXAT."),
            ("7.0.0", "NX and GET may stand together."),
            ("8.1.0", "IFEQ."),
        ]),
    CommandSpec::new("setex", 4, Group::String, write::setex)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::OW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("2.0.0", "Writes a string that expires after some seconds.", "O(1)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("seconds", ArgKind::Integer),
            Arg::new("value", ArgKind::String),
        ])
        .deprecated("2.6.12", "`SET` with the `EX` argument"),
    CommandSpec::new("setnx", 3, Group::String, write::setnx)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::OW.or(KeyFlags::INSERT), 1, 1, 1)])
        .doc("1.0.0", "Writes a string if the key does not exist.", "O(1)")
        .args(&[Arg::key("key", 0), Arg::new("value", ArgKind::String)])
        .deprecated("2.6.12", "`SET` with the `NX` argument"),
    CommandSpec::new("setrange", 4, Group::String, edit::setrange)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("2.2.0", "Overwrites a part of a string from an offset on, padding with zero bytes.", "O(1)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("offset", ArgKind::Integer),
            Arg::new("value", ArgKind::String),
        ]),
    CommandSpec::new("strlen", 2, Group::String, read::strlen)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::RO, 1, 1, 1)])
        .doc("2.2.0", "Counts the bytes of a string.", "O(1)")
        .args(&[Arg::key("key", 0)]),
    CommandSpec::new("substr", 4, Group::String, read::getrange)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::STRING])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("1.0.0", "Reads a part of a string by byte offsets.", "O(N)")
        .args(&[Arg::key("key", 0), Arg::new("start", ArgKind::Integer), Arg::new("end", ArgKind::Integer)])
        .deprecated("2.0.0", "`GETRANGE`"),
];

/// The text of a string value. That of a number is written into `digits`.
fn text<'a>(value: ValueRef<'a>, digits: &'a mut [u8; MAX_INT_LEN]) -> Result<&'a [u8], CmdError> {
    value.text(digits).ok_or(CmdError::WRONG_TYPE)
}
