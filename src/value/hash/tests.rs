use std::collections::BTreeMap;

use super::*;

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

const SMALL: HashConfig = HashConfig { max_pack_entries: 16, max_pack_value: 20, seed: [1, 2] };

fn contents(hash: &Hash) -> Model {
    let mut model = Model::new();
    hash.each(|name, value, expire_at_ms| {
        assert!(model.insert(name.to_vec(), (value.to_vec(), expire_at_ms)).is_none());
    });
    model
}

/// Texts of all kinds: numbers, short, long, and so long that a length takes four bytes.
fn some_text(rng: &mut Rng, kinds: u64) -> Vec<u8> {
    match rng.below(40) {
        0 => vec![b'x'; 255 + rng.below(3) as usize],
        1 => vec![b'y'; 1 + rng.below(3000) as usize],
        2 => Vec::new(),
        n if n % 3 == 0 => rng.below(kinds).to_string().into_bytes(),
        n if n % 3 == 1 => format!("-{}", rng.below(kinds)).into_bytes(),
        _ => format!("text {}", rng.below(kinds)).into_bytes(),
    }
}

/// Everything that must hold between operations.
fn check(hash: &Hash, model: &Model) {
    assert_eq!(&contents(hash), model);
    assert_eq!((hash.len(), hash.is_empty()), (model.len(), model.is_empty()));
    assert_eq!(hash.volatile_len(), model.values().filter(|(_, expiry)| expiry.is_some()).count());
    if let Form::Table(fields) = &hash.0 {
        fields.check_bytes();
    }
    assert_eq!(&hash.clone(), hash);
}

/// One random operation on both.
fn step(rng: &mut Rng, hash: &mut Hash, model: &mut Model, now_ms: i64, kinds: u64, volatile: bool) {
    let name = some_text(rng, kinds);
    let until = match rng.below(4) {
        0 if volatile => Until::At(now_ms + rng.below(50) as i64 - 10),
        1 => Until::Keep,
        _ => Until::Forever,
    };
    let known = model.get(&name).cloned();
    let live = known.clone().filter(|(_, expiry)| expiry.is_none_or(|at_ms| at_ms > now_ms));
    assert_eq!(hash.get(&name, now_ms).map(|value| value.to_vec()), live.clone().map(|(value, _)| value));
    let spot = hash.find(&name);
    assert_eq!(spot.map(|spot| hash.expire_at_ms(spot)), known.clone().map(|(_, expiry)| expiry));
    match rng.below(5) {
        0 => {
            if let Some(spot) = spot {
                hash.remove(spot);
                model.remove(&name);
            }
        }
        1 if volatile => {
            if let Some(spot) = spot {
                let expiry = until.expiry(None);
                hash.set_expire(spot, expiry, &SMALL);
                model.entry(name).and_modify(|field| field.1 = expiry);
            }
        }
        _ => {
            let value = some_text(rng, 100);
            let written = hash.set(&name, &value, until, now_ms, &SMALL);
            let wanted = match (&known, &live) {
                (None, _) => Written::Created,
                (Some(_), None) => Written::OverExpired,
                (Some(_), Some(_)) => Written::Replaced,
            };
            assert_eq!(written, wanted);
            model.insert(name, (value, until.expiry(live.and_then(|(_, expiry)| expiry))));
        }
    }
}

#[test]
fn it_holds_what_a_map_holds() {
    for seed in 0..30 {
        println!("seed {seed}");
        let mut rng = Rng::new(seed);
        let (mut hash, mut model, mut now_ms) = (Hash::new(), Model::new(), 1000);
        let kinds = [4, 10, 400, 4000][seed as usize % 4];
        for n in 0..3000 {
            step(&mut rng, &mut hash, &mut model, now_ms, kinds, seed % 3 == 2);
            now_ms += rng.below(2) as i64;
            if n % 100 == 0 {
                check(&hash, &model);
            }
        }
        check(&hash, &model);
        while hash.volatile_len() > 0 {
            let mut looked_at = 0;
            let due = hash.due_fields(i64::MAX, 10, &mut looked_at);
            assert!(due.len() == looked_at && looked_at < 200);
            for name in due {
                let spot = hash.find(&name).unwrap();
                hash.remove(spot);
            }
        }
        model.retain(|_, (_, expiry)| expiry.is_none());
        check(&hash, &model);
        while !hash.free_some(100) {
            assert!(hash.mem_bytes() > 0);
        }
        assert!(hash.is_empty());
    }
}

#[test]
fn the_encoding_follows_the_limits() {
    let set = |hash: &mut Hash, name: &str, value: &str| {
        hash.set(name.as_bytes(), value.as_bytes(), Until::Forever, 0, &SMALL);
        hash.encoding()
    };
    let (mut many, mut long) = (Hash::new(), Hash::new());
    for n in 0..16 {
        assert_eq!(set(&mut many, &n.to_string(), "v"), "listpack");
    }
    assert_eq!(set(&mut many, "3", "w"), "listpack");
    assert_eq!(set(&mut many, "16", "v"), "hashtable");
    assert_eq!(set(&mut long, "12345678901234567890", "12345678901234567890"), "listpack");
    assert_eq!(set(&mut long, "a", "123456789012345678901"), "hashtable");
    assert_eq!((many.len(), long.len()), (17, 2));
    let texts = |n: usize, text: &'static [u8]| vec![text; n].into_iter();
    for (texts, encoding) in [
        (texts(32, b"x"), "listpack"),
        (texts(34, b"x"), "hashtable"),
        (texts(2, b"123456789012345678901"), "hashtable"),
    ] {
        let mut hash = Hash::new();
        hash.make_room(texts, &SMALL);
        assert_eq!(hash.encoding(), encoding);
    }
}

#[test]
fn packs_from_elsewhere_are_checked() {
    let pack = |elems: &[&str]| {
        let mut pack = Listpack::new();
        elems.iter().for_each(|elem| pack.push_back(elem.as_bytes()));
        Hash::from_pack(pack, &SMALL).map(|hash| (hash.len(), hash.encoding()))
    };
    assert_eq!(pack(&["a", "1", "2", "b"]), Ok((2, "listpack")));
    assert_eq!(pack(&["a", "123456789012345678901"]), Ok((1, "listpack")));
    assert_eq!(pack(&["x"; 2]), Ok((1, "listpack")));
    let names: Vec<String> = (0..34).map(|n| n.to_string()).collect();
    assert_eq!(pack(&names.iter().map(String::as_str).collect::<Vec<_>>()), Ok((17, "hashtable")));
    assert_eq!(pack(&["a", "1", "b"]), Err(Corrupt));
    assert_eq!(pack(&["a", "1", "a", "2"]), Err(Corrupt));
}

/// A hash of fields `0..n` whose values are the same numbers; every `every`th lives, the others have expired at 10.
fn numbered(n: i64, every: i64, cfg: &HashConfig) -> Hash {
    let mut hash = Hash::new();
    for number in 0..n {
        let text = number.to_string().into_bytes();
        let until = if number % every == 0 { Until::Forever } else { Until::At(10) };
        hash.set(&text, &text, until, 0, cfg);
    }
    hash
}

#[test]
fn a_scan_meets_all_that_live() {
    let mut rng = Rng::new(3);
    for (n, every) in [(10, 1), (300, 1), (3000, 1), (3000, 3)] {
        let mut hash = numbered(n, every, &SMALL);
        let (mut seen, mut cursor) = (HashSet::new(), 0);
        loop {
            let (next, _) = hash.scan(cursor, 10, |name, value| {
                assert_eq!(name.to_vec(), value.to_vec());
                seen.insert(name.to_vec());
            });
            cursor = next;
            if cursor == 0 {
                break;
            }
            // Guests come and go.
            let name = format!("guest {}", rng.below(4000)).into_bytes();
            match hash.find(&name) {
                Some(spot) => hash.remove(spot),
                None => assert_eq!(hash.set(&name, &name, Until::Forever, 10, &SMALL), Written::Created),
            }
        }
        for number in (0..n).step_by(every as usize) {
            assert!(seen.contains(number.to_string().as_bytes()), "{number} of {n}");
        }
    }
}

#[test]
fn picks_are_fair() {
    for (n, every) in [(10, 1), (16, 1), (60, 1), (60, 2), (120, 10), (200, 100)] {
        let hash = numbered(n, every, &SMALL);
        let live = hash.live_len(10);
        assert_eq!(live as i64, (n + every - 1) / every);
        for limit in [0, 1, live - 1, live, live + 1] {
            assert_eq!(hash.live_len_up_to(limit, 10), limit.min(live));
        }
        let mut rng = Rng::new(n as u64);
        let mut counts = vec![0.0f64; n as usize];
        let rounds = 400;
        let number = |elem: Elem<'_>| String::from_utf8(elem.to_vec()).unwrap().parse::<usize>().unwrap();
        let mut picks = 0;
        for round in 0..rounds {
            hash.each_random(live, 10, &mut rng, |name, _| {
                counts[number(name)] += 1.0;
                true
            });
            picks += live;
            let wanted = 1 + round % live;
            let mut once = HashSet::new();
            hash.each_random_once(wanted, 10, &mut rng, |name, value| {
                assert_eq!(name.to_vec(), value.to_vec());
                counts[number(name)] += 1.0;
                assert!(once.insert(number(name)));
            });
            assert_eq!(once.len(), wanted);
            picks += wanted;
        }
        let mean = picks as f64 / live as f64;
        for (number, &count) in counts.iter().enumerate() {
            if number as i64 % every == 0 {
                assert!((count - mean).abs() < 6.0 * mean.sqrt(), "{number} of {n}: {count}, not {mean}");
            } else {
                assert_eq!(count, 0.0);
            }
        }
        let mut all = 0;
        hash.each_random_once(usize::MAX, 10, &mut rng, |_, _| all += 1);
        assert_eq!(all, live);
        let mut first = 0;
        hash.each_random(usize::MAX, 10, &mut rng, |_, _| {
            first += 1;
            false
        });
        assert_eq!(first, 1);
    }
}

#[test]
fn nothing_is_picked_where_all_have_expired() {
    let mut hash = Hash::new();
    for name in [b"a", b"b"] {
        hash.set(name, b"1", Until::At(10), 0, &SMALL);
    }
    let mut rng = Rng::new(1);
    let mut picked = 0;
    hash.each_random(5, 10, &mut rng, |_, _| {
        picked += 1;
        true
    });
    hash.each_random_once(5, 10, &mut rng, |_, _| picked += 1);
    assert_eq!((picked, hash.live_len(10), hash.len()), (0, 0, 2));
    hash.each_random(5, 9, &mut rng, |_, _| {
        picked += 1;
        true
    });
    assert_eq!(picked, 5);
}

#[test]
fn fields_are_small() {
    let mut hash = Hash::new_table([3, 4]);
    let empty_bytes = hash.mem_bytes();
    for n in 0..100_000 {
        hash.set(format!("field:{n:06}").as_bytes(), b"value", Until::Forever, 0, &SMALL);
    }
    let per_field = (hash.mem_bytes() - empty_bytes) as f64 / 100_000.0;
    assert!(per_field <= 24.0 + 10.8, "{per_field}");
}

#[test]
fn what_has_expired_is_dropped_unless_it_is_all() {
    let mut hash = numbered(5, 1, &SMALL);
    for (name, at_ms) in [(b"a", 10), (b"b", 11)] {
        hash.set(name, b"1", Until::At(at_ms), 0, &SMALL);
    }
    let len = hash.len();
    hash.drop_expired(9);
    assert_eq!(hash.len(), len);
    hash.drop_expired(10);
    assert_eq!((hash.len(), hash.find(b"a").is_none(), hash.find(b"b").is_some()), (len - 1, true, true));
    let mut last = Hash::new();
    last.set(b"a", b"1", Until::At(10), 0, &SMALL);
    last.drop_expired(10);
    assert_eq!(last.len(), 1);
}
