use super::*;
use crate::base::rng::Rng;

/// Values at every boundary of the encodings, and some beside them.
pub(crate) fn value(rng: &mut Rng, max_len: u64) -> Vec<u8> {
    match rng.below(8) {
        0 => {
            const EDGES: [i64; 9] =
                [0, 127, 4095, 0x7fff, 0x7f_ffff, 0x7fff_ffff, i64::MAX, 1_000_000_007, 99_999_999_999];
            let edge = EDGES[rng.below(9) as usize].wrapping_add(rng.below(3) as i64 - 1);
            let n =
                if rng.below(2) == 0 { edge } else { edge.wrapping_neg().wrapping_sub(rng.below(3) as i64) };
            n.to_string().into_bytes()
        }
        1 => ["", "-0", "+1", "007", " 1", "1 ", "-", "9223372036854775808", "-9223372036854775809", "1e3"]
            [rng.below(10) as usize]
            .into(),
        2 | 3 => rng.below(8).to_string().into_bytes(),
        4 => {
            let len = [63, 64, 126, 127, 128, 4095, 4096][rng.below(7) as usize];
            vec![b'a' + rng.below(3) as u8; len.min(max_len as usize)]
        }
        _ => {
            let len = rng.below(rng.clone().below(max_len) + 1);
            (0..len).map(|_| rng.next_u64() as u8).collect()
        }
    }
}

fn contents(pack: &Listpack) -> Vec<Vec<u8>> {
    pack.iter().map(|elem| elem.to_vec()).collect()
}

#[test]
fn a_pack_is_six_bytes_and_empty_costs_nothing() {
    assert_eq!(size_of::<Listpack>(), 6);
    assert_eq!(size_of::<Option<Elem<'_>>>(), 24);
    let mut pack = Listpack::new();
    assert_eq!((pack.mem_bytes(), pack.lp_bytes(), pack.first(), pack.get(0)), (0, 7, None, None));
    pack.push_back(b"abc");
    assert_eq!((pack.mem_bytes(), pack.lp_bytes()), (16, 12));
    pack.pop_back(|elem| assert_eq!(elem, Elem::Bytes(b"abc")));
    assert_eq!(pack.mem_bytes(), 0);
    assert_eq!(pack.pop_front(|_| ()), None);
}

/// Bytes as a real server dumps them.
#[test]
fn known_bytes() {
    let mut pack = Listpack::new();
    for value in ["1", "-1", "300", "hello", "70000", "-3000000000", "9000000"] {
        pack.push_back(value.as_bytes());
    }
    let expected = [
        44, 0, 0, 0, 7, 0, // header
        1, 1, 0xdf, 0xff, 2, 0xc1, 0x2c, 2, 0x85, b'h', b'e', b'l', b'l', b'o', 6, // 1, -1, 300, hello
        0xf2, 0x70, 0x11, 0x01, 4, 0xf4, 0x00, 0xa2, 0x2f, 0x4d, 0xff, 0xff, 0xff, 0xff,
        9, // 70000, -3000000000
        0xf3, 0x40, 0x54, 0x89, 0, 5, 0xff,
    ];
    let bytes = pack.to_redis_bytes();
    assert_eq!(bytes[6..], expected[6..]);
    assert_eq!(bytes.len(), pack.lp_bytes());
    assert_eq!(u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize, bytes.len());
    assert_eq!(bytes[4..6], [7, 0]);
}

#[test]
fn long_strings_and_many_elements() {
    let mut pack = Listpack::new();
    for len in
        [62, 63, 64, 125, 126, 127, 4095, 4096, 16_377, 16_378, 16_379, 1 << 20, (1 << 21) - 6, (1 << 21) + 1]
    {
        let value = vec![b'x'; len];
        pack.push_front(&value);
        assert_eq!(pack.first(), Some(Elem::Bytes(&value)), "{len}");
        assert_eq!(pack.last().map(|elem| elem.to_vec().len()), Some(62));
        let copy = Listpack::from_redis_bytes(&pack.to_redis_bytes()).unwrap();
        assert_eq!(contents(&copy), contents(&pack));
    }
    let mut pack = Listpack::new();
    for i in 0..70_000 {
        pack.push_back(i.to_string().as_bytes());
    }
    let bytes = pack.to_redis_bytes();
    assert_eq!(bytes[4..6], [0xff, 0xff]);
    assert_eq!(Listpack::from_redis_bytes(&bytes).unwrap().len(), 70_000);
    assert_eq!(pack.get(69_000), Some(Elem::Int(69_000)));
}

#[test]
fn against_a_model() {
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let mut pack = Listpack::new();
        let mut model: Vec<Vec<u8>> = Vec::new();
        let max_len = [4, 40, 300][rng.below(3) as usize];
        let target = 1 + rng.below(400);
        for step in 0..1_500 {
            let new = value(&mut rng, max_len);
            let at = rng.below(model.len() as u64 + 1) as usize;
            // Grow and shrink in turns.
            let grow = (step / 300) % 2 == 0 && (model.len() as u64) < target;
            match rng.below(if grow { 10 } else { 20 }) {
                0..3 => {
                    pack.push_back(&new);
                    model.push(new);
                }
                3..6 => {
                    pack.push_front(&new);
                    model.insert(0, new);
                }
                6 => {
                    pack.insert(at, &new);
                    model.insert(at, new);
                }
                7 => {
                    assert_eq!(pack.replace(at, &new), at < model.len());
                    if at < model.len() {
                        model[at] = new;
                    }
                }
                8 => {
                    let n = rng.below(10) as usize;
                    pack.delete_range(at, n);
                    model.drain(at..(at + n).min(model.len()));
                }
                9 => {
                    let (limit, from_tail) = (rng.below(4) as usize, rng.below(2) == 0);
                    let removed = pack.delete_value(&new, limit, from_tail);
                    let mut expected = 0;
                    for _ in 0..limit {
                        let found = if from_tail {
                            model.iter().rposition(|value| *value == new)
                        } else {
                            model.iter().position(|value| *value == new)
                        };
                        let Some(found) = found else { break };
                        model.remove(found);
                        expected += 1;
                    }
                    assert_eq!(removed, expected, "seed {seed}");
                }
                10 => {
                    let tail = pack.split_off(at);
                    assert_eq!(contents(&tail), model[at.min(model.len())..], "seed {seed}");
                    pack.append(tail.entries());
                }
                11..15 => {
                    let popped = pack.pop_front(|elem| elem.to_vec());
                    assert_eq!(popped, (!model.is_empty()).then(|| model.remove(0)), "seed {seed}");
                }
                _ => assert_eq!(pack.pop_back(|elem| elem.to_vec()), model.pop(), "seed {seed}"),
            }
            assert_eq!(pack.len(), model.len(), "seed {seed}");
            assert_eq!(pack.get(at).map(|elem| elem.to_vec()), model.get(at).cloned(), "seed {seed}");
            if step % 50 == 0 {
                check(&pack, &model, seed);
            }
        }
    }
}

fn check(pack: &Listpack, model: &[Vec<u8>], seed: u64) {
    assert_eq!(contents(pack), model, "seed {seed}");
    let entries = pack.entries();
    let mut back: Vec<_> = entries.rev_from(entries.len()).map(|elem| elem.to_vec()).collect();
    back.reverse();
    assert_eq!(back, model, "seed {seed}");
    for (i, value) in model.iter().enumerate() {
        let first = model.iter().position(|other| other == value);
        assert_eq!(pack.find(value), first, "seed {seed}");
        let even = model.iter().step_by(2).position(|other| other == value).map(|pair| pair * 2);
        assert_eq!(entries.find_every(value, 0, 2).map(|(index, _)| index), even, "seed {seed}");
        assert!(entries.get(i).is_some_and(|elem| elem.eq_bytes(value)), "seed {seed}");
    }
    let bytes = pack.to_redis_bytes();
    let copy = Listpack::from_redis_bytes(&bytes).expect("its own bytes");
    assert_eq!(copy.to_redis_bytes(), bytes, "seed {seed}");
    let clone = pack.clone();
    assert_eq!((contents(&clone), clone.mem_bytes()), (model.to_vec(), pack.mem_bytes()), "seed {seed}");
    // Not more than four times what is needed, and never much for the small.
    assert!(
        pack.mem_bytes() <= 4 * pack.lp_bytes() + 64,
        "seed {seed}: {} {}",
        pack.mem_bytes(),
        pack.lp_bytes()
    );
}

#[test]
fn corrupt_bytes_are_refused_or_read_safely() {
    let seed = 5;
    let mut rng = Rng::new(seed);
    let (mut refused, mut taken) = (0, 0);
    for _ in 0..20_000 {
        let mut pack = Listpack::new();
        for _ in 0..rng.below(12) {
            pack.push_back(&value(&mut rng, 100));
        }
        let mut bytes = pack.to_redis_bytes();
        for _ in 0..=rng.below(3) {
            let at = rng.below(bytes.len() as u64) as usize;
            match rng.below(4) {
                0 => bytes.truncate(at + 1),
                1 => bytes.insert(at, rng.next_u64() as u8),
                _ => bytes[at] = rng.next_u64() as u8,
            }
        }
        if rng.below(2) == 0 && bytes.len() > 6 {
            let len = bytes.len() as u32;
            bytes[..4].copy_from_slice(&len.to_le_bytes());
        }
        match Listpack::from_redis_bytes(&bytes) {
            Ok(pack) => {
                taken += 1;
                assert_eq!(pack.iter().count(), pack.len(), "seed {seed}");
                assert_eq!(pack.entries().rev_from(pack.len()).count(), pack.len(), "seed {seed}");
            }
            Err(Corrupt) => refused += 1,
        }
    }
    assert!(refused > 1_000 && taken > 100, "{refused} {taken}");
    for bytes in [&b""[..], b"\xff", &[7, 0, 0, 0, 0, 0], &[6, 0, 0, 0, 0, 0xff]] {
        assert!(Listpack::from_redis_bytes(bytes).is_err());
    }
    assert!(Listpack::from_redis_bytes(&[7, 0, 0, 0, 0, 0, 0xff]).is_ok_and(|pack| pack.is_empty()));
}

#[test]
fn a_back_length_that_goes_on_is_corrupt() {
    // 1, then an empty string whose back length claims to have a byte more.
    let good = [11, 0, 0, 0, 2, 0, 1, 1, 0x80, 1, 0xff];
    assert!(Listpack::from_redis_bytes(&good).is_ok());
    let mut bad = good;
    bad[9] = 0x81;
    assert!(Listpack::from_redis_bytes(&bad).is_err());
}
