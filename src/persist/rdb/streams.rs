//! Streams: nodes as they are kept, then the counters, then the groups with what is pending.

use super::{Broken, Reader, Writer, kind};
use crate::{
    ds::listpack::Listpack,
    value::{
        Stream,
        stream::{Group, StreamId},
    },
};

/// In the place of a count that is not known.
const UNKNOWN: u64 = -1i64 as u64;

pub(super) fn write(out: &mut Writer, stream: &Stream) {
    let log = &stream.log;
    out.byte(if out.newest { kind::STREAM_3 } else { kind::STREAM_2 });
    let nodes = log.nodes();
    out.count(nodes.len());
    for (id, pack) in nodes {
        out.string(&id.to_be_bytes());
        out.string(&pack.to_redis_bytes());
    }
    out.u64(log.len());
    for id in [log.last_id, log.first_id(), log.max_deleted_id] {
        write_id(out, id);
    }
    out.u64(log.entries_added);
    let groups = stream.groups.iter();
    out.count(groups.len());
    for (name, group) in groups {
        write_group(out, name, group);
    }
}

fn write_id(out: &mut Writer, id: StreamId) {
    out.u64(id.ms);
    out.u64(id.seq);
}

fn write_group(out: &mut Writer, name: &[u8], group: &Group) {
    out.string(name);
    write_id(out, group.last_id);
    out.u64(group.entries_read.map_or(UNKNOWN, |n| n as u64));
    out.count(group.pending_len());
    for (id, pending) in group.pending_from(StreamId::MIN) {
        out.raw(&id.to_be_bytes());
        out.i64(pending.delivered_ms);
        out.u64(pending.deliveries);
    }
    out.count(group.consumer_len());
    for consumer in group.consumers() {
        out.string(consumer.name());
        out.i64(consumer.seen_ms);
        if out.newest {
            out.i64(consumer.active_ms);
        }
        out.count(consumer.pending_len());
        consumer.pending_from(StreamId::MIN).for_each(|id| out.raw(&id.to_be_bytes()));
    }
}

/// Each version of the form says a little more than the one before.
pub(super) fn read(input: &mut Reader<'_>, kind: u8) -> Result<Stream, Broken> {
    let mut stream = Stream::new();
    let log = &mut stream.log;
    for _ in 0..input.count()? {
        let id: [u8; 16] = input.string()?.as_ref().try_into().map_err(|_| Broken::Corrupt)?;
        let pack = Listpack::from_redis_bytes(&input.string()?).map_err(|_| Broken::Corrupt)?;
        log.append_node(StreamId::from_be_bytes(id), pack).map_err(|_| Broken::Corrupt)?;
    }
    let len = input.u64()?;
    let last_id = read_id(input)?;
    let (max_deleted_id, entries_added) = match kind {
        kind::STREAM => (StreamId::MIN, len),
        _ => {
            // The first ID follows from the entries.
            read_id(input)?;
            (read_id(input)?, input.u64()?)
        }
    };
    if len != log.len() {
        return Err(Broken::Corrupt);
    }
    log.load_counters(last_id, max_deleted_id, entries_added).map_err(|_| Broken::Corrupt)?;
    for _ in 0..input.count()? {
        let name = input.string()?;
        let mut group = read_group(input, kind)?;
        if kind == kind::STREAM {
            // The oldest form says nothing of it.
            group.entries_read = stream.log.entries_up_to(group.last_id);
        }
        if !stream.groups.insert(&name, group) {
            return Err(Broken::Corrupt);
        }
    }
    Ok(stream)
}

fn read_id(input: &mut Reader<'_>) -> Result<StreamId, Broken> {
    Ok(StreamId { ms: input.u64()?, seq: input.u64()? })
}

fn read_raw_id(input: &mut Reader<'_>) -> Result<StreamId, Broken> {
    let bytes: [u8; 16] = input.take(16)?.try_into().map_err(|_| Broken::Truncated)?;
    Ok(StreamId::from_be_bytes(bytes))
}

fn read_group(input: &mut Reader<'_>, kind: u8) -> Result<Group, Broken> {
    let last_id = read_id(input)?;
    let entries_read = match kind {
        kind::STREAM => None,
        _ => Some(input.u64()?).filter(|&n| n != UNKNOWN).map(|n| n as i64),
    };
    let mut group = Group::new(last_id, entries_read);
    for _ in 0..input.count()? {
        let id = read_raw_id(input)?;
        if !group.load_pending(id, input.i64()?, input.u64()?) {
            return Err(Broken::Corrupt);
        }
    }
    for _ in 0..input.count()? {
        let name = input.string()?;
        let seen_ms = input.i64()?;
        // Only the last version tells both times.
        let active_ms = if kind == kind::STREAM_3 { input.i64()? } else { seen_ms };
        if group.find_consumer(&name).is_some() {
            return Err(Broken::Corrupt);
        }
        let owner = group.add_consumer(&name, seen_ms, active_ms);
        for _ in 0..input.count()? {
            if !group.load_owner(read_raw_id(input)?, owner) {
                return Err(Broken::Corrupt);
            }
        }
    }
    if group.is_whole() { Ok(group) } else { Err(Broken::Corrupt) }
}
