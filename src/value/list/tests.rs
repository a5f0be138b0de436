use std::collections::VecDeque;

use super::*;
use crate::base::rng::Rng;
use crate::ds::quicklist;

type Model = VecDeque<Vec<u8>>;

fn contents(list: &List) -> Model {
    let mut out = Model::new();
    list.for_range(0, usize::MAX, false, |elem| out.push_back(elem.to_vec()));
    out
}

/// Values from a small pool, so that searches find some; numbers at the encodings' boundaries; now and then
/// large.
fn value(rng: &mut Rng, max_len: u64) -> Vec<u8> {
    match rng.below(10) {
        0..3 => rng.below(12).to_string().into_bytes(),
        3 => {
            let edge = 1i64.wrapping_shl(rng.below(64) as u32);
            edge.wrapping_add(rng.below(3) as i64 - 1).to_string().into_bytes()
        }
        4 => ["", "-0", "01", "+5", "-9223372036854775808", "9223372036854775808"][rng.below(6) as usize]
            .into(),
        5..8 => vec![b'a' + rng.below(4) as u8; rng.below(max_len) as usize],
        _ => (0..rng.below(max_len)).map(|_| rng.next_u64() as u8).collect(),
    }
}

fn check(list: &List, model: &Model, cfg: &ListConfig, context: &str) {
    assert_eq!(list.len(), model.len(), "{context}");
    assert_eq!(contents(list), *model, "{context}");
    let mut back = Model::new();
    list.for_range(0, list.len(), true, |elem| back.push_front(elem.to_vec()));
    assert_eq!(back, *model, "{context}");
    if let List::Quick(quick) = list {
        quicklist::tests::check(quick, cfg);
        assert_eq!(list.mem_bytes(), rounded(size_of::<Quicklist>()) + quick.recount_mem(), "{context}");
    }
    // Node by node, as a file takes it.
    let (mut next, mut nodes, mut loaded) = (list.first_node(), 0, List::new());
    while let Some(pos) = next {
        list.with_node(pos, |part| match part {
            Part::Pack(entries) => {
                let bytes = Listpack::from_entries(entries).to_redis_bytes();
                loaded.append_pack_node(Listpack::from_redis_bytes(&bytes).expect("its own bytes"));
            }
            Part::Plain(bytes) => loaded.append_plain_node(bytes),
        });
        nodes += 1;
        next = list.next_node(pos);
    }
    assert!(nodes == list.node_count() || list.is_empty(), "{context}");
    loaded.finish_load(cfg);
    assert_eq!(contents(&loaded), *model, "{context}");
    if let List::Quick(quick) = &loaded {
        quicklist::tests::check(quick, cfg);
    }
}

fn step(rng: &mut Rng, list: &mut List, model: &mut Model, cfg: &ListConfig, max_len: u64, grow: bool) {
    let new = value(rng, max_len);
    let end = if rng.below(2) == 0 { End::Left } else { End::Right };
    let at = rng.below(model.len() as u64 + 1) as usize;
    match rng.below(if grow { 14 } else { 26 }) {
        0..4 => {
            list.push(end, &new, cfg);
            if end == End::Left { model.push_front(new) } else { model.push_back(new) }
        }
        4 | 5 => {
            let values: Vec<Vec<u8>> = (0..rng.below(20)).map(|_| value(rng, max_len)).collect();
            list.push_all(end, values.iter().map(Vec::as_slice), cfg);
            for value in values {
                if end == End::Left { model.push_front(value) } else { model.push_back(value) }
            }
        }
        6 | 7 => {
            let index = at as i64 - if rng.below(2) == 0 { 0 } else { model.len() as i64 };
            let exists = index < model.len() as i64;
            assert_eq!(list.set(index, &new, cfg), exists);
            if exists {
                let index = if index < 0 { index + model.len() as i64 } else { index };
                model[index as usize] = new;
            }
        }
        8..11 => {
            let pivot = model.get(at).cloned().unwrap_or_else(|| value(rng, max_len));
            let place = if rng.below(2) == 0 { Place::Before } else { Place::After };
            let found = model.iter().position(|other| *other == pivot);
            assert_eq!(list.insert(place, &pivot, &new, cfg), found.map(|_| ()));
            if let Some(found) = found {
                model.insert(found + usize::from(place == Place::After), new);
            }
        }
        11 => {
            let count = rng.below(7) as i64 - 3;
            let mut expected = 0;
            while count == 0 || expected < count.unsigned_abs() as usize {
                let found = if count < 0 {
                    model.iter().rposition(|other| *other == new)
                } else {
                    model.iter().position(|other| *other == new)
                };
                let Some(found) = found else { break };
                model.remove(found);
                expected += 1;
            }
            assert_eq!(list.remove(count, &new, cfg), expected);
        }
        12 => {
            let query = PositionQuery {
                rank: [1, 2, 5, -1, -2][rng.below(5) as usize],
                count: rng.below(3) as usize,
                max_len: rng.below(2) as usize * rng.below(50) as usize,
            };
            let mut found = Vec::new();
            list.positions(&new, query, |index| found.push(index));
            let mut order: Vec<usize> = (0..model.len()).collect();
            if query.rank < 0 {
                order.reverse();
            }
            let looked_at = if query.max_len == 0 { order.len() } else { query.max_len };
            let matches = order.into_iter().take(looked_at).filter(|&index| model[index] == new);
            let counted = if query.count == 0 { usize::MAX } else { query.count };
            let expected: Vec<_> =
                matches.skip(query.rank.unsigned_abs() as usize - 1).take(counted).collect();
            assert_eq!(found, expected);
        }
        13 => {
            let (n, rev) = (rng.below(30) as usize, rng.below(2) == 0);
            let mut seen = Vec::new();
            list.for_range(at, n, rev, |elem| seen.push(elem.to_vec()));
            let mut expected: Vec<_> = model.iter().skip(at).take(n).cloned().collect();
            if rev {
                expected.reverse();
            }
            assert_eq!(seen, expected);
        }
        14..20 => {
            let popped = list.pop(end, cfg, |elem| elem.to_vec());
            assert_eq!(popped, if end == End::Left { model.pop_front() } else { model.pop_back() });
        }
        20 | 21 => {
            let n = rng.below(12) as usize;
            let (mut popped, mut expected) = (Vec::new(), Vec::new());
            assert_eq!(list.pop_n(end, n, cfg, |elem| popped.push(elem.to_vec())), n.min(model.len()));
            for _ in 0..n.min(model.len()) {
                expected.extend(if end == End::Left { model.pop_front() } else { model.pop_back() });
            }
            assert_eq!(popped, expected);
        }
        22 | 23 => {
            let n = rng.below(20) as usize;
            list.delete_range(at, n, cfg);
            model.drain(at..(at + n).min(model.len()));
        }
        24 => {
            let (start, n) =
                (rng.below(4) as usize, model.len() - rng.below(4).min(model.len() as u64) as usize);
            list.trim(start, n, cfg);
            model.truncate((start + n).min(model.len()));
            model.drain(..start.min(model.len()));
        }
        _ => {
            let index = at as i64 - model.len() as i64;
            let expected = if index < 0 { model.get(at).cloned() } else { model.front().cloned() };
            assert_eq!(list.get(index, |elem| elem.to_vec()), expected);
        }
    }
}

#[test]
fn against_a_model() {
    for seed in 0..80 {
        let mut rng = Rng::new(seed);
        let cfg = ListConfig {
            fill: [-2, -1, -5, 0, 1, 2, 5, 16, 128][rng.below(9) as usize],
            compress_depth: [0, 0, 1, 2, 5][rng.below(5) as usize],
            packed_threshold: [0, 0, 1, 20, 100][rng.below(5) as usize],
        };
        let max_len = [3, 30, 200, 5_000][rng.below(4) as usize];
        let (mut list, mut model) = (List::new(), Model::new());
        let mut snapshot = (list.clone(), model.clone());
        for round in 0..600 {
            let grow = (round / 150) % 2 == 0;
            step(&mut rng, &mut list, &mut model, &cfg, max_len, grow);
            let context = format!("seed {seed} round {round} {cfg:?}");
            assert_eq!(list.len(), model.len(), "{context}");
            if round % 25 == 0 {
                check(&list, &model, &cfg, &context);
            }
            if round % 120 == 60 {
                check(&snapshot.0, &snapshot.1, &cfg, &context);
                snapshot = (list.clone(), model.clone());
                assert_eq!(snapshot.0.mem_bytes(), list.mem_bytes(), "{context}");
            }
        }
        check(&list, &model, &cfg, &format!("seed {seed}"));
        while !list.free_some(3) {}
        assert!(list.is_empty(), "seed {seed}");
    }
}

#[test]
fn changed_configuration_meets_old_nodes() {
    let seed = 3;
    let mut rng = Rng::new(seed);
    let (mut list, mut model) = (List::new(), Model::new());
    for round in 0..2_000 {
        let cfg = ListConfig {
            fill: [-2, 1, 4, 16][rng.below(4) as usize],
            compress_depth: rng.below(3) as u32,
            packed_threshold: [0, 50][rng.below(2) as usize],
        };
        step(&mut rng, &mut list, &mut model, &cfg, 200, (round / 500) % 2 == 0);
        assert_eq!(list.len(), model.len(), "seed {seed} round {round}");
        if round % 50 == 0 {
            assert_eq!(contents(&list), model, "seed {seed} round {round}");
        }
        if let List::Quick(quick) = &list {
            assert_eq!(quick.mem_bytes(), quick.recount_mem(), "seed {seed} round {round}");
        }
    }
}

#[test]
fn one_word_and_sendable() {
    fn sendable<T: Send + Sync>() {}
    sendable::<List>();
    assert_eq!(size_of::<List>(), 8);
}

#[test]
fn encoding_follows_the_limit() {
    let cfg = ListConfig { fill: 4, ..ListConfig::default() };
    let mut list = List::new();
    for i in 0..4 {
        list.push(End::Right, &[b'a' + i], &cfg);
        assert_eq!(list.encoding(), "listpack");
    }
    list.push(End::Right, b"e", &cfg);
    assert_eq!(list.encoding(), "quicklist");
    // Back at half of the limit, in one node.
    list.pop(End::Right, &cfg, |_| ());
    list.pop(End::Right, &cfg, |_| ());
    assert_eq!((list.len(), list.encoding()), (3, "quicklist"));
    list.pop(End::Left, &cfg, |_| ());
    assert_eq!((list.len(), list.encoding()), (2, "listpack"));

    // By size: what is added counts, not what it would take.
    let cfg = ListConfig { fill: -1, ..ListConfig::default() };
    let mut list = List::new();
    list.push(End::Right, &[b'x'; 4096 - 7], &cfg);
    assert_eq!(list.encoding(), "listpack");
    let mut list = List::new();
    list.push(End::Right, &[b'x'; 4096 - 6], &cfg);
    assert_eq!(list.encoding(), "quicklist");
    assert!(list.set(0, b"small", &cfg));
    assert_eq!(list.encoding(), "listpack");
    // The growing comes before the look for the pivot or the index.
    assert_eq!(list.insert(Place::Before, b"absent", &[b'x'; 5000], &cfg), None);
    assert_eq!(list.encoding(), "quicklist");
}

#[test]
fn large_binary_and_empty_elements() {
    let cfg = ListConfig::default();
    let large: Vec<u8> = (0..1 << 20).map(|i: u32| (i ^ (i >> 8)) as u8).collect();
    let mut list = List::new();
    list.push_all(End::Right, [&b""[..], &large, b"\0\xff", b"-0"], &cfg);
    assert_eq!((list.encoding(), list.node_count()), ("quicklist", 3));
    assert_eq!(list.get(1, |elem| elem.to_vec()), Some(large.clone()));
    assert_eq!(list.get(-4, |elem| elem.to_vec()), Some(Vec::new()));
    assert_eq!(list.remove(0, &large, &cfg), 1);
    assert_eq!(contents(&list), [&b""[..], b"\0\xff", b"-0"]);
}
