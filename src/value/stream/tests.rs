use super::*;
use crate::{base::rng::Rng, ds::listpack::Listpack};
use std::collections::{BTreeMap, BTreeSet};

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// What a stream is, without nodes.
#[derive(Default)]
struct Model {
    entries: BTreeMap<StreamId, Fields>,
    last_id: StreamId,
    max_deleted_id: StreamId,
    added: u64,
}

/// Few IDs close to each other, now and then a jump.
fn id(rng: &mut Rng) -> StreamId {
    StreamId::new(rng.below(60), rng.below(4))
}

fn bytes(rng: &mut Rng) -> Vec<u8> {
    match rng.below(6) {
        0 => rng.below(300).to_string().into_bytes(),
        1 => ["", "-1", "007", "9223372036854775807", "-9223372036854775808"][rng.below(5) as usize].into(),
        2 => vec![b'x'; rng.below(200) as usize],
        _ => vec![b'a' + rng.below(4) as u8; 1 + rng.below(2) as usize],
    }
}

fn fields(rng: &mut Rng) -> Fields {
    if rng.below(3) > 0 {
        return vec![(b"a".to_vec(), bytes(rng)), (b"7".to_vec(), bytes(rng))];
    }
    (0..1 + rng.below(4)).map(|_| (bytes(rng), bytes(rng))).collect()
}

fn owned(entry: &Entry<'_>) -> (StreamId, Fields) {
    (entry.id, entry.fields().map(|(field, value)| (field.to_vec(), value.to_vec())).collect())
}

fn contents(log: &Log, range: IdRange, rev: bool) -> Vec<(StreamId, Fields)> {
    let mut all = Vec::new();
    log.each(range, rev, |entry| {
        all.push(owned(entry));
        true
    });
    all
}

/// Counts the nodes of a radix tree in a straightforward way: from a trie with one byte a node.
fn plain_radix_nodes(log: &Log) -> usize {
    let ids: BTreeSet<[u8; 16]> = log.nodes().map(|(id, _)| id.to_be_bytes()).collect();
    let children = |prefix: &[u8]| {
        let below = ids.iter().filter(|id| id.starts_with(prefix));
        below.filter_map(|id| id.get(prefix.len())).collect::<BTreeSet<_>>().len()
    };
    let mut prefixes: BTreeSet<Vec<u8>> = BTreeSet::from([Vec::new()]);
    prefixes.extend(ids.iter().flat_map(|id| (0..=16).map(|n| id[..n].to_vec())));
    // A byte with one child is one node with the bytes before it that have one child, too.
    let own_node = |prefix: &Vec<u8>| {
        let in_chain = children(prefix) == 1;
        !(in_chain && !prefix.is_empty() && children(&prefix[..prefix.len() - 1]) == 1)
    };
    prefixes.iter().filter(|prefix| own_node(prefix)).count()
}

fn check(log: &Log, model: &Model, rng: &mut Rng, context: &str) {
    assert_eq!(log.len(), model.entries.len() as u64, "{context}");
    assert_eq!((log.last_id, log.max_deleted_id), (model.last_id, model.max_deleted_id), "{context}");
    assert_eq!(log.entries_added, model.added, "{context}");
    assert_eq!(log.first_id(), model.entries.keys().next().copied().unwrap_or_default(), "{context}");
    assert_eq!(log.last_entry_id(), model.entries.keys().next_back().copied(), "{context}");
    let (a, b) = (id(rng), id(rng));
    for (start, end) in [(StreamId::MIN, StreamId::MAX), (a.min(b), a.max(b)), (a, StreamId::MAX), (b, b)] {
        let range = IdRange { start, end };
        let mut wanted: Vec<(StreamId, Fields)> =
            model.entries.range(start..=end).map(|(id, fields)| (*id, fields.clone())).collect();
        assert_eq!(log.count(range, u64::MAX), wanted.len() as u64, "{context} {range:?}");
        assert_eq!(log.count(range, 3), wanted.len().min(3) as u64, "{context} {range:?}");
        assert_eq!(contents(log, range, false), wanted, "{context} {range:?}");
        wanted.reverse();
        assert_eq!(contents(log, range, true), wanted, "{context} {range:?}");
    }
    assert_eq!(log.contains(a), model.entries.contains_key(&a), "{context}");
    let packs: usize = log.nodes().map(|(_, pack)| pack.mem_bytes()).sum();
    let per_node = log.mem_bytes() - packs;
    assert_eq!(per_node % log.node_count().max(1), 0, "{context}");
    assert_eq!(log.radix_nodes(), plain_radix_nodes(log), "{context}");
}

fn trim_model(model: &mut Model, keep: Keep, stays: &dyn Fn(StreamId) -> bool) {
    let ids: Vec<StreamId> = model.entries.keys().copied().collect();
    for id in ids {
        let enough = match keep {
            Keep::Newest(n) => model.entries.len() as u64 <= n,
            Keep::From(first) => id >= first,
        };
        if enough {
            break;
        }
        if !stays(id) {
            model.entries.remove(&id);
        }
    }
}

fn step(log: &mut Log, model: &mut Model, cfg: &StreamConfig, rng: &mut Rng, context: &str) {
    match rng.below(20) {
        0..12 => {
            let wanted = match rng.below(8) {
                0 => NewId::Exact(id(rng)),
                1 => NewId::Ms(rng.below(60)),
                2 => NewId::Auto,
                _ => NewId::Exact(StreamId::new(
                    model.last_id.ms + rng.below(2),
                    model.last_id.seq + rng.below(3),
                )),
            };
            let new = log.next_id(wanted, rng.below(60) as i64);
            let entry = fields(rng);
            let pairs: Vec<&[u8]> = entry.iter().flat_map(|(f, v)| [&f[..], &v[..]]).collect();
            match new {
                Some(new) => {
                    assert_eq!(log.append(new, pairs.into_iter(), cfg), Ok(()), "{context}");
                    assert!(new > model.last_id, "{context}");
                    model.last_id = new;
                    model.added += 1;
                    model.entries.insert(new, entry);
                }
                None => {
                    let last_id = log.last_id;
                    assert_eq!(
                        log.append(last_id, pairs.into_iter(), cfg),
                        Err(NotAdded::Behind),
                        "{context}"
                    );
                }
            }
        }
        12..17 => {
            let live: Vec<StreamId> = model.entries.keys().copied().collect();
            let gone = if rng.below(4) == 0 || live.is_empty() {
                id(rng)
            } else {
                live[rng.below(live.len() as u64) as usize]
            };
            let was_there = model.entries.remove(&gone).is_some();
            assert_eq!(log.delete(gone), was_there, "{context} {gone}");
            if was_there {
                model.max_deleted_id = model.max_deleted_id.max(gone);
            }
        }
        _ => {
            let keep = if rng.below(2) == 0 { Keep::Newest(rng.below(40)) } else { Keep::From(id(rng)) };
            let odd = |id: StreamId| id.seq % 2 == 1;
            let stays: Option<&dyn Fn(StreamId) -> bool> = if rng.below(2) == 0 { Some(&odd) } else { None };
            let trim = Trim { keep, approximate: rng.below(2) == 0, limit: rng.below(2) * rng.below(20) };
            let before = log.len();
            let removed = log.trim(&trim, stays);
            assert_eq!(before - log.len(), removed, "{context}");
            if trim.approximate || trim.limit > 0 {
                // What is left is a part of the model's entries, with all that had to stay.
                let left: BTreeSet<StreamId> =
                    contents(log, IdRange::ALL, false).into_iter().map(|e| e.0).collect();
                let mut exact = Model { entries: model.entries.clone(), ..Model::default() };
                trim_model(&mut exact, keep, stays.unwrap_or(&|_| false));
                assert!(exact.entries.keys().all(|id| left.contains(id)), "{context}");
                assert!(trim.limit == 0 || removed <= trim.limit, "{context}");
                model.entries.retain(|id, _| left.contains(id));
            } else {
                trim_model(model, keep, stays.unwrap_or(&|_| false));
            }
        }
    }
}

#[test]
fn a_log_is_what_a_plain_model_is() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let cfg = StreamConfig {
            node_max_bytes: [0, 60, 300, 4096][rng.below(4) as usize],
            node_max_entries: [0, 1, 3, 10][rng.below(4) as usize],
        };
        let (mut log, mut model) = (Log::default(), Model::default());
        for i in 0..150 {
            let context = format!("seed {seed} step {i} {cfg:?}");
            step(&mut log, &mut model, &cfg, &mut rng, &context);
            check(&log, &model, &mut rng, &context);
        }
        // Node by node, as a file takes it.
        let mut loaded = Log::default();
        for (id, pack) in log.nodes() {
            let pack = Listpack::from_redis_bytes(&pack.to_redis_bytes()).expect("its own bytes");
            loaded.append_node(id, pack).expect("its own node");
        }
        loaded.load_counters(log.last_id, log.max_deleted_id, log.entries_added).expect("its own counters");
        assert_eq!(loaded, log, "seed {seed}");
        check(&loaded, &model, &mut rng, &format!("seed {seed} loaded"));
        let mut stream = Stream { log, ..Stream::default() };
        while !stream.free_some(2) {}
        assert_eq!(stream.mem_bytes(), 0, "seed {seed}");
    }
}

#[test]
fn corrupt_nodes_are_refused_or_can_be_read() {
    let cfg = StreamConfig { node_max_bytes: 0, node_max_entries: 0 };
    for seed in 0..3000 {
        let mut rng = Rng::new(seed);
        let (mut log, mut model) = (Log::default(), Model::default());
        for i in 0..1 + rng.below(12) {
            step(&mut log, &mut model, &cfg, &mut rng, &format!("seed {seed} step {i}"));
        }
        let Some((node_id, pack)) = log.nodes().next() else { continue };
        // One element of a well-formed pack is another one, or is missing, or is there twice.
        let mut pack = pack.clone();
        let at = pack.entries().seek(rng.below(pack.len() as u64) as usize);
        let number = [-1, 0, 1, 2, 3, 5, 200, i64::MAX, i64::MIN][rng.below(9) as usize];
        match rng.below(3) {
            0 => pack.delete_at(at),
            1 => pack.replace_at(at, number.to_string().as_bytes()),
            _ => pack.insert_at(at, number.to_string().as_bytes()),
        }
        let mut loaded = Log::default();
        if loaded.append_node(node_id, pack).is_ok() {
            loaded.last_id = StreamId::MAX;
            let all = contents(&loaded, IdRange::ALL, false);
            assert_eq!(contents(&loaded, IdRange::ALL, true).len(), all.len(), "seed {seed}");
            for (id, _) in all {
                loaded.delete(id);
            }
            loaded.trim(&Trim { keep: Keep::Newest(0), approximate: false, limit: 0 }, None);
        }
    }
    assert!(Log::default().append_node(StreamId::MIN, Listpack::new()).is_err());
}

/// What a group is, without the second index.
#[derive(Default)]
struct GroupModel {
    pending: BTreeMap<StreamId, (i64, u64, Vec<u8>)>,
    consumers: BTreeSet<Vec<u8>>,
}

fn check_group(group: &Group, model: &GroupModel, rng: &mut Rng, context: &str) {
    let name = |key: ConsumerKey| group.consumer(key).name().to_vec();
    let from = id(rng);
    let pending: Vec<_> =
        group.pending_from(from).map(|(id, p)| (id, (p.delivered_ms, p.deliveries, name(p.owner)))).collect();
    let wanted: Vec<_> = model.pending.range(from..).map(|(id, p)| (*id, p.clone())).collect();
    assert_eq!(pending, wanted, "{context}");
    assert_eq!(group.pending_len(), model.pending.len(), "{context}");
    let names: BTreeSet<Vec<u8>> = group.consumers().map(|consumer| consumer.name().to_vec()).collect();
    assert_eq!((&names, group.consumer_len()), (&model.consumers, names.len()), "{context}");
    for consumer in group.consumers() {
        let own: Vec<StreamId> = consumer.pending_from(StreamId::MIN).collect();
        let wanted = model.pending.iter().filter(|(_, p)| p.2 == consumer.name()).map(|(id, _)| *id);
        assert_eq!(own, wanted.collect::<Vec<_>>(), "{context}");
    }
    assert!(group.is_whole(), "{context}");
}

fn step_group(group: &mut Group, model: &mut GroupModel, rng: &mut Rng) {
    let (consumer, id) = (vec![b'c', b'0' + rng.below(5) as u8], id(rng));
    match rng.below(10) {
        0..6 => {
            let (owner, added) = group.find_or_add_consumer(&consumer, 5);
            assert_eq!(added, model.consumers.insert(consumer.clone()));
            let pending = Pending { delivered_ms: rng.below(100) as i64, deliveries: rng.below(5), owner };
            group.deliver(id, pending);
            model.pending.insert(id, (pending.delivered_ms, pending.deliveries, consumer));
        }
        6..9 => assert_eq!(group.acknowledge(id), model.pending.remove(&id).is_some()),
        _ => {
            let before = model.pending.len();
            model.pending.retain(|_, pending| pending.2 != consumer);
            let removed = model.consumers.remove(&consumer).then(|| before - model.pending.len());
            assert_eq!(group.remove_consumer(&consumer), removed);
        }
    }
}

/// A group as a file has it: first what is pending, then who has what.
fn loaded(group: &Group) -> Group {
    let mut loaded = Group::new(group.last_id, group.entries_read);
    for (id, pending) in group.pending_from(StreamId::MIN) {
        assert!(loaded.load_pending(id, pending.delivered_ms, pending.deliveries));
        assert!(!loaded.load_pending(id, 0, 0));
    }
    assert_eq!(loaded.is_whole(), group.pending_len() == 0);
    for consumer in group.consumers() {
        let key = loaded.add_consumer(consumer.name(), consumer.seen_ms, consumer.active_ms);
        for id in consumer.pending_from(StreamId::MIN) {
            assert!(loaded.load_owner(id, key) && !loaded.load_owner(id, key));
        }
    }
    assert!(loaded.is_whole());
    loaded
}

#[test]
fn groups_are_what_a_plain_model_is() {
    for seed in 0..100 {
        let mut rng = Rng::new(seed);
        let (mut groups, mut models) = (Groups::default(), BTreeMap::<Vec<u8>, GroupModel>::new());
        for i in 0..300 {
            let context = format!("seed {seed} step {i}");
            let name = vec![b'g', b'0' + rng.below(3) as u8];
            match rng.below(40) {
                0 => assert_eq!(groups.remove(&name).is_some(), models.remove(&name).is_some(), "{context}"),
                1 => {
                    let (from, to) = (id(&mut rng), id(&mut rng));
                    groups.forget(from, to);
                    models.values_mut().for_each(|m| m.pending.retain(|id, _| !(from..=to).contains(id)));
                }
                _ => {
                    if groups.get(&name).is_none() {
                        let group = Group::new(id(&mut rng), Some(3));
                        assert!(groups.insert(&name, group), "{context}");
                        assert!(!groups.insert(&name, Group::default()), "{context}");
                        models.insert(name.clone(), GroupModel::default());
                    }
                    let mut group = groups.edit(&name).expect("it is there");
                    let model = models.get_mut(&name).expect("both are there");
                    step_group(&mut group, model, &mut rng);
                    check_group(&group, model, &mut rng, &context);
                }
            }
            let mut again = Groups::default();
            groups.iter().for_each(|(name, group)| assert!(again.insert(name, loaded(group))));
            assert_eq!((&again, again.mem_bytes()), (&groups, groups.mem_bytes()), "{context}");
            assert_eq!(groups.clone(), groups, "{context}");
        }
        let mut stream = Stream { groups, ..Stream::default() };
        while !stream.free_some(3) {}
        assert_eq!(stream.mem_bytes(), 0, "seed {seed}");
    }
}
