use super::*;
use crate::base::rng::Rng;
use std::collections::{BTreeMap, BTreeSet};

fn config(max_intset_entries: usize, max_listpack_entries: usize) -> SetConfig {
    SetConfig { max_intset_entries, max_listpack_entries, max_listpack_value: 20, seed: [1, 2] }
}

fn text(member: Elem<'_>) -> Vec<u8> {
    with_bytes(member, <[u8]>::to_vec)
}

fn of(members: &[&str], cfg: &SetConfig) -> Set {
    let mut set = Set::new();
    members.iter().for_each(|member| assert!(set.insert(member.as_bytes(), cfg)));
    set
}

/// That the set has the model's members, and accounts for what it takes.
fn check(set: &Set, model: &BTreeSet<Vec<u8>>) {
    assert_eq!(set.len(), model.len());
    assert_eq!(&set.iter().map(text).collect::<BTreeSet<_>>(), model);
    assert_eq!(set.iter().count(), model.len());
    if let Set::Table(members) = set {
        let bytes: usize = model.iter().map(|member| member_bytes(member.len())).sum();
        assert_eq!(members.member_bytes, bytes);
    }
    let copy = set.clone();
    assert_eq!(&copy, set);
    assert_eq!(copy.encoding(), set.encoding());
    if !matches!(set, Set::Table(_)) {
        assert_eq!(copy.mem_bytes(), set.mem_bytes());
    }
}

/// A member: an integer of any size, a short or a long text.
fn member(rng: &mut Rng, range: u64, only_ints: bool) -> Vec<u8> {
    let n = rng.below(range);
    match if only_ints { 0 } else { n % 4 } {
        0 => ((n as i64 - range as i64 / 2) << (n % 3 * 18)).to_string().into_bytes(),
        1 => format!("member:{n}").into_bytes(),
        2 => format!("{n:040}").into_bytes(),
        _ => vec![n as u8; (n % 19) as usize],
    }
}

#[test]
fn it_holds_what_a_set_holds() {
    for seed in 0..60 {
        println!("seed {seed}");
        let mut rng = Rng::new(seed);
        let cfg = config([0, 5, 500][seed as usize % 3], [0, 10, 1000][seed as usize / 3 % 3]);
        let range = [8, 60, 900][seed as usize / 9 % 3];
        let (mut set, mut model) = (Set::new(), BTreeSet::new());
        for step in 0..1500 {
            let one = member(&mut rng, range, step < 500);
            match rng.below(8) {
                0..=4 => assert_eq!(set.insert(&one, &cfg), model.insert(one.clone())),
                5 | 6 => assert_eq!(set.remove(&one), model.remove(&one)),
                _ => {
                    let popped = set.pop(&mut rng, text);
                    assert_eq!(popped.is_none(), model.is_empty());
                    assert!(popped.is_none_or(|popped| model.remove(&popped)));
                }
            }
            assert_eq!(set.contains(&one), model.contains(&one));
            if step % 100 == 0 {
                check(&set, &model);
            }
            if rng.below(100) == 0 && !model.is_empty() {
                let n = rng.below(model.len() as u64) as usize;
                let mut popped = BTreeSet::new();
                let rest = set.pop_many(n, &mut rng, &cfg, |member| assert!(popped.insert(text(member))));
                assert_eq!(popped.len(), n);
                assert!(popped.iter().all(|member| model.remove(member)));
                assert!(rest.is_none_or(|rest| rest.iter().all(|member| popped.contains(&text(member)))));
                check(&set, &model);
            }
            if rng.below(50) == 0 {
                let n = rng.below(range) as usize;
                let mut seen = BTreeSet::new();
                set.sample_distinct(n, &mut rng, |member| assert!(seen.insert(text(member))));
                assert_eq!(seen.len(), n.min(model.len()));
                assert!(seen.is_subset(&model));
            }
        }
        check(&set, &model);
        while !set.free_some(7) {}
        assert!(set.parts() <= 1 || set.is_empty());
    }
}

#[test]
fn encodings_change_as_in_the_reference() {
    let cfg = config(3, 4);
    let mut set = of(&["3", "1", "2"], &cfg);
    assert_eq!(set.encoding(), "intset");
    assert!(!set.insert(b"2", &cfg));
    set.insert(b"4", &cfg);
    assert_eq!(set.encoding(), "hashtable");
    let mut set = of(&["3", "1", "2"], &cfg);
    set.insert(b"x", &cfg);
    assert_eq!(set.encoding(), "listpack");
    assert!(set.iter().map(text).eq(["1", "2", "3", "x"].map(|member| member.as_bytes().to_vec())));
    assert!(!set.insert(b"x", &cfg) && !set.insert(b"1", &cfg));
    set.insert(b"5", &cfg);
    assert_eq!(set.encoding(), "hashtable");
    // The last short member that fits, and one that is too long.
    assert_eq!(of(&["a", "12345678901234567890"], &cfg).encoding(), "listpack");
    assert_eq!(of(&["a", "123456789012345678901"], &cfg).encoding(), "hashtable");
    // Integers count by their texts.
    let narrow = SetConfig { max_listpack_value: 5, ..cfg };
    assert_eq!(of(&["12345", "x"], &narrow).encoding(), "listpack");
    assert_eq!(of(&["-12345", "x"], &narrow).encoding(), "hashtable");
    // What is known beforehand.
    for (first, hint, encoding) in
        [("1", 3, "intset"), ("1", 4, "listpack"), ("1", 5, "hashtable"), ("x", 4, "listpack")]
    {
        assert_eq!(Set::for_member(first.as_bytes(), hint, &cfg).encoding(), encoding);
    }
    let mut set = of(&["1"], &cfg);
    set.expect(3, &cfg);
    assert_eq!(set.encoding(), "intset");
    set.expect(4, &cfg);
    assert_eq!(set.encoding(), "hashtable");
    // And back, where a result has nothing but integers.
    set.pack_ints(&cfg);
    assert_eq!(set.encoding(), "intset");
    let mut set = of(&["1", "x"], &cfg);
    set.pack_ints(&cfg);
    assert_eq!(set.encoding(), "listpack");
}

#[test]
fn members_of_one_set_are_looked_for_in_others() {
    let cfg = config(10, 10);
    let members = ["1", "-70000", "9223372036854775807"];
    let ints = of(&members, &cfg);
    let mut pack = of(&["x"], &cfg);
    let mut table = Set::table(&cfg);
    for member in ints.iter() {
        assert!(!pack.contains_elem(member) && !table.contains_elem(member));
        assert!(pack.insert_elem(member, &cfg) && table.insert_elem(member, &cfg));
    }
    for set in [&ints, &pack, &table] {
        assert!(members.iter().all(|member| set.contains(member.as_bytes())));
        assert!(table.iter().all(|member| set.contains_elem(member)));
    }
    let mut copy = ints.clone();
    assert!(copy.insert_elem(Elem::Bytes(b"7"), &cfg) && !copy.insert_elem(Elem::Bytes(b"1"), &cfg));
    assert_eq!(copy.encoding(), "intset");
    assert!(table.iter().all(|member| copy.remove_elem(member)));
    assert!(ints.iter().all(|member| pack.remove_elem(member)));
    assert_eq!((copy.len(), pack.len()), (1, 1));
}

#[test]
fn a_scan_meets_all() {
    let cfg = config(10, 10);
    for n in [0, 3, 10, 1000] {
        let mut set = Set::new();
        let members: BTreeSet<Vec<u8>> = (0..n).map(|n| format!("m{n}").into_bytes()).collect();
        members.iter().for_each(|member| assert!(set.insert(member, &cfg)));
        let (mut seen, mut cursor, mut steps) = (BTreeSet::new(), 0, 0);
        loop {
            cursor = set.scan(cursor, |member| assert!(seen.insert(text(member))));
            steps += 1;
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(seen, members);
        assert_eq!(steps > 1, n > 100);
    }
}

/// How often each member comes out of `rounds` calls of `draw`.
fn counts(rounds: usize, mut draw: impl FnMut(&mut dyn FnMut(Elem<'_>))) -> BTreeMap<Vec<u8>, usize> {
    let mut counts = BTreeMap::new();
    for _ in 0..rounds {
        draw(&mut |member| *counts.entry(text(member)).or_default() += 1);
    }
    counts
}

#[test]
fn all_members_are_equally_likely() {
    let mut rng = Rng::new(3);
    let numbers: Vec<String> = (0..60).map(|n| n.to_string()).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    for cfg in [config(100, 100), config(0, 100), config(0, 0)] {
        let mut set = Set::for_member(b"0", 1, &cfg);
        numbers.iter().for_each(|n| assert!(set.insert(n.as_bytes(), &cfg)));
        // Each is expected 600 times: 6 standard deviations are 150.
        let check = |counts: BTreeMap<Vec<u8>, usize>| {
            assert_eq!(counts.len(), 60);
            assert!(counts.values().all(|count| (450..750).contains(count)), "{counts:?}");
        };
        check(counts(36_000, |f| f(set.random(&mut rng).unwrap())));
        for n in [5, 15, 30] {
            check(counts(36_000 / n, |f| set.sample_distinct(n, &mut rng, f)));
            check(counts(36_000 / n, |f| {
                let mut left = n;
                set.sample(&mut rng, |member| {
                    f(member);
                    left -= 1;
                    left > 0
                });
            }));
        }
        for n in [1, 6, 20, 50, 55] {
            check(counts(36_000 / n, |f| {
                set.clone().pop_many(n, &mut rng, &cfg, f);
            }));
        }
        check(counts(36_000, |f| {
            set.clone().pop(&mut rng, f);
        }));
    }
}

#[test]
fn small_members_take_little() {
    let cfg = config(10, 10);
    let mut set = Set::new();
    for n in 0..100_000 {
        set.insert(format!("member:{n:09}").as_bytes(), &cfg);
    }
    let per_member = set.mem_bytes() as f64 / 100_000.0;
    assert!(per_member <= 34.5, "{per_member}");
}
