use super::*;
use crate::{
    base::rng::Rng,
    ds::listpack::Listpack,
    value::{
        Hash, Set, ZSet,
        hash::Until,
        list::{End, List, ListConfig},
    },
};
use old::Ziplist;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// The limits of the default parameters.
fn limits() -> Limits {
    crate::state::config::Config::default().limits([1, 2])
}

fn round_trip(value: &Value, limits: &Limits) -> Value {
    let payload = dump(value.as_ref());
    restore(&payload, true, limits).expect("what was written can be read")
}

#[test]
fn strings_come_back_as_set_would_store_them() {
    let limits = limits();
    let texts: [&[u8]; 12] = [
        b"",
        b"a",
        b"0",
        b"-1",
        b"127",
        b"-32768",
        b"2147483648",
        b"9223372036854775807",
        b"007",
        b"1.5",
        &[b'x'; 5000],
        b"\x00\xff\r\n",
    ];
    for text in texts {
        let value = Value::string(text);
        assert_eq!(round_trip(&value, &limits), value);
    }
    // Compressed, as more than 264 equal bytes are.
    assert!(saved_len(ValueRef::Str(&[b'x'; 5000])) < 100);
}

#[test]
fn lengths_of_all_sizes() {
    for n in [0, 1, 63, 64, 16_383, 16_384, u32::MAX as usize, u32::MAX as usize + 1, usize::MAX] {
        let mut out = Writer::default();
        out.count(n);
        let mut input = Reader::new(out.bytes());
        assert_eq!((input.count(), input.is_at_end()), (Ok(n), true));
    }
}

#[test]
fn lists_come_back_in_their_encoding() {
    let mut rng = Rng::new(3);
    for fill in [-2, 4, 128] {
        let limits = Limits { list: ListConfig { fill, ..ListConfig::default() }, ..limits() };
        for n in [1, 5, 200, 3000] {
            let mut list = List::new();
            for _ in 0..n {
                let text = match rng.below(10) {
                    0 => vec![b'y'; 9000],
                    1..5 => rng.next_u64().to_string().into_bytes(),
                    _ => vec![b'z'; rng.below(40) as usize],
                };
                list.push(End::Right, &text, &limits.list);
            }
            let value = Value::List(list);
            let back = round_trip(&value, &limits);
            assert_eq!((back.encoding(), &back), (value.encoding(), &value), "{fill} {n}");
        }
    }
}

fn hash_of(fields: u32, limits: &Limits) -> Hash {
    let mut hash = Hash::new();
    for i in 0..fields {
        let until = if fields > 100 && i % 3 == 0 { Until::At(i64::from(i) + 1) } else { Until::Forever };
        hash.set(format!("field:{i}").as_bytes(), i.to_string().as_bytes(), until, 0, &limits.hash);
    }
    hash
}

#[test]
fn hashes_come_back_with_the_expiries_of_their_fields() {
    let limits = limits();
    for n in [1, 5, 512, 513, 2000] {
        let value = Value::Hash(hash_of(n, &limits));
        let back = round_trip(&value, &limits);
        assert_eq!((back.encoding(), &back), (value.encoding(), &value), "{n}");
    }
    let expiring = dump(Value::Hash(hash_of(200, &limits)).as_ref());
    assert_eq!((expiring[0], &expiring[expiring.len() - 10..][..2]), (22, &[80, 0][..]));
}

#[test]
fn sets_come_back_in_their_encoding() {
    let limits = limits();
    let set_of = |n: u32, word: &str| {
        let mut set = Set::new();
        (0..n).for_each(|i| {
            set.insert(format!("{word}{i}").as_bytes(), &limits.set);
        });
        Value::Set(set)
    };
    for (n, word, kind) in [(5, "", 11), (512, "", 11), (600, "", 2), (5, "m", 2), (1000, "m", 2)] {
        let value = set_of(n, word);
        let payload = dump(value.as_ref());
        let back = restore(&payload, true, &limits).expect("what was written can be read");
        assert_eq!((payload[0], back.encoding(), &back), (kind, value.encoding(), &value), "{n} {word}");
    }
    // Twice the same member.
    let mut twice = vec![2, 2, 1, b'a', 1, b'a'];
    twice.extend_from_slice(&[10, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(restore(&twice, false, &limits), Err(RestoreError::Body(Broken::Corrupt)));
}

#[test]
fn sorted_sets_come_back_in_their_encoding() {
    let limits = limits();
    for n in [1u32, 5, 128, 129, 2000] {
        let mut zset = ZSet::new();
        for i in 0..n {
            let score = [f64::INFINITY, -0.0, 1e300, f64::from(i)][i as usize % 4] / f64::from(i % 7 + 1);
            zset.insert(format!("member:{i}").as_bytes(), score, &limits.zset);
        }
        let value = Value::ZSet(zset);
        let back = round_trip(&value, &limits);
        assert_eq!((back.encoding(), &back), (value.encoding(), &value), "{n}");
    }
    // Text for the scores, as of old; a member twice; a score that is no number.
    let read = |bytes: &[u8]| read_value(&mut Reader::new(&bytes[1..]), bytes[0], &limits);
    let Ok(Value::ZSet(old)) = read(b"\x03\x02\x01a\x031.5\x01b\xff") else { panic!("a sorted set") };
    assert_eq!((old.score(b"a"), old.score(b"b")), (Some(1.5), Some(f64::NEG_INFINITY)));
    assert_eq!(read(b"\x03\x02\x01a\x031.5\x01a\x012"), Err(Broken::Corrupt));
    assert_eq!(read(b"\x03\x01\x01a\xfd"), Err(Broken::Corrupt));
    assert_eq!(read(b"\x05\x00"), Err(Broken::Empty));
}

#[test]
fn what_is_broken_is_refused() {
    let limits = limits();
    let good = dump(ValueRef::Str(b"some text that is long enough to be compressed, compressed, compressed"));
    assert!(restore(&good, true, &limits).is_ok());
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        assert_eq!(restore(&bad, true, &limits), Err(RestoreError::Footer), "{at}");
        assert!(restore(&good[..at], true, &limits).is_err());
    }
    // Versions that are Redis's own.
    for version in [12u16, 79, 81] {
        let mut foreign = good[..good.len() - 10].to_vec();
        foreign.extend_from_slice(&version.to_le_bytes());
        foreign.extend_from_slice(&[0; 8]);
        assert_eq!(restore(&foreign, false, &limits), Err(RestoreError::Footer));
    }
}

/// Whatever bytes come: an answer, and no more memory than they are worth.
#[test]
fn any_bytes_are_answered() {
    let limits = limits();
    let mut rng = Rng::new(11);
    let mut list = List::new();
    (0..100u32).for_each(|i| list.push(End::Right, i.to_string().as_bytes(), &limits.list));
    let seeds = [
        dump(Value::List(list).as_ref()),
        dump(ValueRef::Str(&[b'x'; 100])),
        dump(Value::Hash(hash_of(20, &limits)).as_ref()),
        dump(Value::Hash(hash_of(600, &limits)).as_ref()),
    ];
    for round in 0..20_000 {
        let mut bytes = seeds[round % seeds.len()].clone();
        let body = bytes.len() - 10;
        for _ in 0..=rng.below(4) {
            bytes[rng.below(body as u64) as usize] = rng.next_u64() as u8;
        }
        if rng.below(3) == 0 {
            bytes[0] = rng.below(24) as u8;
        }
        let _ = restore(&bytes, false, &limits);
    }
}

#[test]
fn ziplists_are_taken_apart() {
    // Redis 6.2's RPUSH l a 1 -2 12 100 70000 5000000000 and 70 times b.
    let mut long = hex(
        "00 01 61  03 f2  02 fe fe  03 fe 0c  03 fe 64  03 f0 70 11 01  05 e0 00 f2 05 2a 01 00 00 00  0a 40 46",
    );
    long.extend_from_slice(&[b'b'; 70]);
    let tail = 10 + long.len() as u32 - 73;
    let mut bytes = (10 + long.len() as u32 + 1).to_le_bytes().to_vec();
    bytes.extend_from_slice(&tail.to_le_bytes());
    bytes.extend_from_slice(&8u16.to_le_bytes());
    bytes.extend_from_slice(&long);
    bytes.push(255);
    let pack = Ziplist::check(&bytes).expect("it is well formed").to_listpack();
    let b = vec![b'b'; 70];
    let mut wanted = Listpack::new();
    for text in [&b"a"[..], b"1", b"-2", b"12", b"100", b"70000", b"5000000000", &b] {
        wanted.push_back(text);
    }
    assert_eq!(pack.to_redis_bytes(), wanted.to_redis_bytes());
    for at in 0..bytes.len() {
        assert!(Ziplist::check(&bytes[..at]).is_err(), "{at}");
    }
}
