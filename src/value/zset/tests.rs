use std::collections::BTreeMap;

use super::*;
use crate::base::rng::Rng;

const CFG: ZSetConfig = ZSetConfig { max_entries: 16, max_value: 20, seed: [1, 2] };

/// Members with their scores, in no order.
type Model = BTreeMap<Vec<u8>, f64>;

/// The model in the order of a sorted set.
fn sorted(model: &Model) -> Vec<(Vec<u8>, f64)> {
    let mut pairs: Vec<_> = model.iter().map(|(member, &score)| (member.clone(), score)).collect();
    pairs.sort_by(|a, b| a.1.partial_cmp(&b.1).expect("no NaN").then_with(|| a.0.cmp(&b.0)));
    pairs
}

fn owned<'a>(pairs: impl Iterator<Item = (Elem<'a>, f64)>) -> Vec<(Vec<u8>, f64)> {
    pairs.map(|(member, score)| (member.to_vec(), score)).collect()
}

fn member(rng: &mut Rng, range: u64) -> Vec<u8> {
    match rng.below(20) {
        0 => vec![b'x'; rng.below(range.min(600)) as usize],
        1..4 => rng.below(range).to_string().into_bytes(),
        _ => format!("m{}", rng.below(range)).into_bytes(),
    }
}

fn score(rng: &mut Rng) -> f64 {
    const EDGES: [f64; 8] = [0.0, -0.0, 1.5, f64::INFINITY, f64::NEG_INFINITY, 1e300, -5e-324, 1e17];
    match rng.below(4) {
        0 => EDGES[rng.below(8) as usize],
        1 => rng.below(5) as f64,
        2 => rng.next_u64() as i64 as f64 / 1e10,
        _ => rng.below(100_000) as f64 / 10.0,
    }
}

fn check(zset: &ZSet, model: &Model, context: &str) {
    let wanted = sorted(model);
    assert_eq!(zset.len(), wanted.len(), "{context}");
    assert_eq!(owned(zset.iter_from(0)), wanted, "{context}");
    let mut back = owned(zset.rev_from(zset.len()));
    back.reverse();
    assert_eq!(back, wanted, "{context}");
    let mut scanned = Vec::new();
    let mut cursor = 0;
    loop {
        cursor = zset.scan(cursor, |member, score| scanned.push((member.to_vec(), score)));
        if cursor == 0 {
            break;
        }
    }
    scanned.sort_by(|a, b| a.0.cmp(&b.0));
    let by_member: Vec<_> = model.iter().map(|(member, &score)| (member.clone(), score)).collect();
    assert_eq!(scanned, by_member, "{context}");
    match zset {
        ZSet::Pack(pack) => {
            assert!(wanted.len() <= CFG.max_entries, "{context}");
            let bytes = pack.to_redis_bytes();
            let loaded = ZSet::from_pack(Listpack::from_redis_bytes(&bytes).expect("its own bytes"), &CFG);
            assert_eq!(loaded.as_ref(), Ok(zset), "{context}");
        }
        ZSet::Indexed(indexed) => {
            assert_eq!(indexed.mem_bytes(), indexed.recount_mem(), "{context}");
        }
    }
}

fn step(rng: &mut Rng, zset: &mut ZSet, model: &mut Model, range: u64, growing: bool) {
    let name = member(rng, range);
    match rng.below(if growing { 12 } else { 24 }) {
        0..8 => {
            let new = score(rng);
            let was = model.insert(name.clone(), new);
            let added = zset.insert(&name, new, &CFG);
            assert_eq!(added, was.map_or(Added::New, Added::Was));
        }
        8..10 => {
            // A small step, which often stays inside of a leaf.
            let old = model.get(&name).copied();
            let new = old.filter(|old| old.is_finite()).map(|old| old + rng.below(3) as f64 - 1.0);
            let got = zset.update(&name, &CFG, |seen| {
                assert_eq!(seen, old);
                new
            });
            assert_eq!(got, (old, new.or(old)));
            if let Some(new) = new {
                model.insert(name, new);
            }
        }
        10..20 => assert_eq!(zset.remove(&name), model.remove(&name).is_some()),
        20 => {
            let all = sorted(model);
            let start = rng.below(all.len() as u64 + 1) as usize;
            let n = rng.below(6) as usize;
            for (member, _) in all.iter().skip(start).take(n) {
                model.remove(member);
            }
            zset.remove_range(start, n);
        }
        21 => *zset = zset.clone(),
        22 => zset.make_pack_if_small(&CFG),
        _ => zset.make_room(model.len(), 0, &CFG),
    }
}

fn look(rng: &mut Rng, zset: &ZSet, model: &Model, range: u64, context: &str) {
    let all = sorted(model);
    let name = member(rng, range);
    assert_eq!(zset.score(&name), model.get(&name).copied(), "{context}");
    let rank = all.iter().position(|(member, _)| *member == name);
    assert_eq!(zset.rank(&name), rank.map(|rank| (rank, all[rank].1)), "{context}");
    let bound = |rng: &mut Rng| ScoreBound { score: score(rng), exclusive: rng.below(2) == 0 };
    let (min, max) = (bound(rng), bound(rng));
    let inside = |score: f64| {
        (score > min.score || score == min.score && !min.exclusive)
            && (score < max.score || score == max.score && !max.exclusive)
    };
    let found = zset.range_by_score(min, max);
    let wanted: Vec<_> = all.iter().filter(|(_, score)| inside(*score)).cloned().collect();
    let mut got = Vec::new();
    zset.for_range(found.start, found.len, false, |member, score| got.push((member.to_vec(), score)));
    assert_eq!(got, wanted, "{context}");
    let (start, n) = (rng.below(all.len() as u64 + 2) as usize, rng.below(9) as usize);
    let mut got = Vec::new();
    zset.for_range(start, n, true, |member, score| got.push((member.to_vec(), score)));
    let mut wanted: Vec<_> = all.iter().skip(start).take(n).cloned().collect();
    wanted.reverse();
    assert_eq!(got, wanted, "{context}");
}

#[test]
fn as_a_sorted_vector() {
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let (mut zset, mut model) = (ZSet::new(), Model::new());
        let range = [12, 60, 800, 5000][seed as usize % 4];
        for n in 0..4000 {
            let context = format!("seed {seed}, step {n}");
            step(&mut rng, &mut zset, &mut model, range, n / 1000 % 2 == 0);
            if n % 29 == 0 {
                look(&mut rng, &zset, &model, range, &context);
            }
            if n % 173 == 0 {
                check(&zset, &model, &context);
            }
        }
        check(&zset, &model, "at the end");
        while !zset.free_some(100) {}
    }
}

#[test]
fn names_in_a_range_where_scores_are_equal() {
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let mut names: Vec<Vec<u8>> =
            (0..[8, 300][seed as usize % 2]).map(|_| member(&mut rng, 200)).collect();
        let mut zset = ZSet::new();
        names.iter().for_each(|name| _ = zset.insert(name, 0.0, &CFG));
        names.sort();
        names.dedup();
        for _ in 0..200 {
            let (low, high) = (member(&mut rng, 200), member(&mut rng, 200));
            fn bound<'a>(rng: &mut Rng, name: &'a [u8]) -> LexBound<'a> {
                match rng.below(8) {
                    0 => LexBound::Min,
                    1 => LexBound::Max,
                    2..5 => LexBound::Inclusive(name),
                    _ => LexBound::Exclusive(name),
                }
            }
            let (min, max) = (bound(&mut rng, &low), bound(&mut rng, &high));
            let above = |name: &Vec<u8>| match min {
                LexBound::Min => true,
                LexBound::Max => false,
                LexBound::Inclusive(low) => name.as_slice() >= low,
                LexBound::Exclusive(low) => name.as_slice() > low,
            };
            let below = |name: &Vec<u8>| match max {
                LexBound::Min => false,
                LexBound::Max => true,
                LexBound::Inclusive(high) => name.as_slice() <= high,
                LexBound::Exclusive(high) => name.as_slice() < high,
            };
            let wanted: Vec<_> = names.iter().filter(|name| above(name) && below(name)).cloned().collect();
            let Range { start, len } = zset.range_by_lex(min, max);
            let got: Vec<_> =
                owned(zset.iter_from(start).take(len)).into_iter().map(|(name, _)| name).collect();
            assert_eq!(got, wanted, "seed {seed}: {min:?} {max:?}");
        }
    }
}

#[test]
fn packs_that_are_no_sorted_sets_are_refused() {
    let pack = |elems: &[&str]| {
        let mut pack = Listpack::new();
        elems.iter().for_each(|elem| pack.push_back(elem.as_bytes()));
        ZSet::from_pack(pack, &CFG)
    };
    assert!(pack(&[]).is_ok());
    assert!(pack(&["b", "1", "a", "2.5", "c", "inf"]).is_ok());
    for bad in [&["a"][..], &["a", "x"], &["a", "nan"], &["a", "2", "b", "1"], &["b", "1", "a", "1"]] {
        assert_eq!(pack(bad), Err(Corrupt), "{bad:?}");
    }
    assert_eq!(pack(&["a", "1", "a", "2"]), Err(Corrupt));
    assert_eq!(pack(&["a", "1", "a", "1"]), Err(Corrupt));
}

#[test]
fn a_million_members_take_little() {
    const N: usize = 100_000;
    let mut zset = ZSet::new();
    for i in 0..N {
        let i = i * 7919 % N;
        zset.insert(format!("element:{i:012}").as_bytes(), i as f64, &CFG);
    }
    assert_eq!(zset.len(), N);
    let bytes = zset.mem_bytes() / N;
    assert!(bytes <= 62, "{bytes} bytes a member of 20");
}
