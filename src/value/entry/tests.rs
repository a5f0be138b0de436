use super::*;
use crate::base::rng::Rng;
use crate::ds::quicklist::{End, ListConfig};
use crate::value::List;

/// What an entry should hold.
#[derive(Clone, Debug)]
struct Model {
    key: Vec<u8>,
    value: Value,
    expire_at_ms: Option<i64>,
    clock: u32,
}

impl Model {
    fn check(&self, entry: &Entry) {
        assert_eq!(entry.key(), self.key);
        assert_eq!(entry.expire_at_ms(), self.expire_at_ms);
        assert_eq!(entry.volatile(), self.expire_at_ms.is_some());
        assert_eq!(entry.lru(), self.clock);
        let (kind, encoding) = match (&self.value, entry.value()) {
            (Value::Int(want), ValueRef::Int(is)) => {
                assert_eq!(is, *want);
                ("string", "int")
            }
            (Value::Str(want), ValueRef::Str(is)) => {
                assert_eq!(is, &want[..]);
                let fits = want.len() + self.key.len() <= embstr::MAX;
                ("string", if fits { entry.encoding() } else { "raw" })
            }
            (Value::Raw(want), ValueRef::Str(is)) => {
                assert_eq!(is, want);
                ("string", "raw")
            }
            (Value::List(want), ValueRef::List(is)) => {
                assert_eq!(is, want);
                ("list", is.encoding())
            }
            (want, is) => panic!("{is:?} in place of {want:?}"),
        };
        assert_eq!((entry.kind().name(), entry.encoding()), (kind, encoding));
        let block = entry.shape().block_size();
        assert_eq!(block, rounded(block));
        let used = entry.shape().text_at() + entry.shape().text_len;
        assert!(used <= block);
    }

    /// The value as SET stores it.
    fn set(&mut self, bytes: &[u8]) {
        self.value = Value::string(bytes);
    }
}

const LENGTHS: [usize; 17] =
    [0, 1, 2, 7, 8, 9, 15, 16, 17, 43, 44, 45, 100, INLINE_MAX - 1, INLINE_MAX, INLINE_MAX + 1, 5000];

fn random_bytes(rng: &mut Rng) -> Vec<u8> {
    if rng.below(3) == 0 {
        return (rng.next_u64() as i64 >> rng.below(64)).to_string().into_bytes();
    }
    let len = LENGTHS[rng.below(LENGTHS.len() as u64) as usize];
    (0..len).map(|_| rng.next_u64() as u8).collect()
}

fn random_list(rng: &mut Rng) -> List {
    let mut list = List::default();
    for _ in 0..rng.below(5) {
        list.push(End::Right, &random_bytes(rng), &ListConfig::default());
    }
    list
}

fn random_value(rng: &mut Rng) -> Value {
    match rng.below(4) {
        0 => Value::Int(rng.next_u64() as i64),
        1 => Value::Str(random_bytes(rng).into()),
        2 => Value::Raw(random_bytes(rng)),
        _ => Value::List(random_list(rng)),
    }
}

fn random_expiry(rng: &mut Rng) -> Option<i64> {
    (rng.below(2) == 0).then(|| rng.next_u64() as i64)
}

fn text_of(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Int(number) => Some(number.to_string().into_bytes()),
        Value::Str(bytes) => Some(bytes.to_vec()),
        Value::Raw(bytes) => Some(bytes.clone()),
        Value::Set(_) | Value::ZSet(_) | Value::Hash(_) | Value::Stream(_) => {
            unreachable!("none is made here")
        }
        _ => None,
    }
}

/// A long string is kept in a buffer, which changes neither its text nor its encoding.
fn kept(value: Value) -> Value {
    match value {
        Value::Str(bytes) if bytes.len() > INLINE_MAX => Value::Raw(bytes.into_vec()),
        value => value,
    }
}

/// The same value, or the same text: a short one is taken away with the encoding that it had.
fn alike(left: &Value, right: &Value) -> bool {
    left == right || text_of(left).is_some() && text_of(left) == text_of(right)
}

fn step(rng: &mut Rng, entry: &mut Entry, model: &mut Model) {
    match rng.below(11) {
        0 => {
            let bytes = random_bytes(rng);
            entry.set_string(&bytes);
            model.set(&bytes);
        }
        1 | 2 => {
            let (bytes, expire_at_ms) = (random_bytes(rng), random_expiry(rng));
            entry.overwrite_string(&bytes, expire_at_ms);
            model.set(&bytes);
            model.expire_at_ms = expire_at_ms;
        }
        3 => {
            let number = rng.next_u64() as i64;
            entry.set_int(number);
            model.value = Value::Int(number);
        }
        4 | 5 => {
            model.expire_at_ms = random_expiry(rng);
            entry.set_expire(model.expire_at_ms);
        }
        6 => {
            let value = random_value(rng);
            entry.set_value(value.clone());
            model.value = value;
        }
        7 => {
            let value = entry.take_value();
            assert_eq!(kept(value), kept(mem::replace(&mut model.value, Value::Str([].into()))));
        }
        8 => {
            let clock = rng.next_u64() as u32;
            entry.set_lru(clock);
            model.clock = clock & 0xff_ffff;
        }
        9 => {
            if let Some(mut text) = text_of(&model.value) {
                entry.edit_string().extend_from_slice(b"more");
                text.extend_from_slice(b"more");
                model.value = Value::Raw(text);
            }
        }
        _ => {
            if let Value::List(want) = &mut model.value {
                let ValueMut::List(list) = entry.value_mut() else { panic!("a list") };
                list.push(End::Right, b"more", &ListConfig::default());
                want.push(End::Right, b"more", &ListConfig::default());
            } else {
                assert!(matches!(entry.value_mut(), ValueMut::Str));
            }
        }
    }
}

#[test]
fn it_holds_what_a_plain_struct_holds() {
    for seed in 0..60 {
        println!("seed {seed}");
        let mut rng = Rng::new(seed);
        let key_len = [0, 1, 8, 15, 16, 17, 44, 200, 65_535, 65_536, 70_000][seed as usize % 11];
        let key: Vec<u8> = (0..key_len).map(|_| rng.next_u64() as u8).collect();
        let (value, expire_at_ms) = (random_value(&mut rng), random_expiry(&mut rng));
        let mut entry = Entry::new(&key, value.clone(), expire_at_ms);
        let mut model = Model { key, value, expire_at_ms, clock: 0 };
        model.check(&entry);
        for _ in 0..if key_len > 1000 { 100 } else { 1000 } {
            step(&mut rng, &mut entry, &mut model);
            model.check(&entry);
            if rng.below(16) == 0 {
                // SAFETY: the one pointer becomes the one owner again.
                entry = unsafe { Entry::from_ptr(entry.into_ptr()) };
            }
        }
        assert!(alike(&entry.clone_value(), &model.value));
        assert!(alike(&entry.into_value(), &model.value));
    }
}

#[test]
fn every_length_beside_every_key() {
    let text = vec![b'x'; 5000];
    for key_len in [0, 1, 16, 65_535, 65_536] {
        let key = vec![b'k'; key_len];
        for len in LENGTHS {
            for expire_at_ms in [None, Some(-1)] {
                let mut entry = Entry::string(&key, &text[..len], expire_at_ms);
                let value = Value::string(&text[..len]);
                let mut model = Model { key: key.clone(), value, expire_at_ms, clock: 0 };
                model.check(&entry);
                for expire_at_ms in [Some(i64::MAX), None, Some(i64::MIN)] {
                    entry.set_expire(expire_at_ms);
                    model.expire_at_ms = expire_at_ms;
                    model.check(&entry);
                }
            }
        }
    }
}

#[test]
fn a_common_entry_takes_40_bytes_and_48_with_an_expiry() {
    let (key, text) = (&[b'k'; 16], &[b'x'; 16]);
    let mut entry = Entry::string(key, text, None);
    assert_eq!(entry.mem_bytes(), 40);
    assert_eq!(entry.shape().text_at() + entry.shape().text_len, 40);
    entry.set_expire(Some(1));
    assert_eq!(entry.mem_bytes(), 48);
    let block = entry.0;
    entry.overwrite_string(b"xxxxxxxxyyyyyyyy", Some(3));
    entry.overwrite_string(b"yyyyyyyyy", Some(2));
    entry.set_string(b"abcdefghi");
    assert_eq!((entry.mem_bytes(), entry.0), (48, block), "all of it in place");
    entry.set_int(7);
    assert_eq!(entry.mem_bytes(), 40);
    assert_eq!(entry.expire_at_ms(), Some(2));
    // A buffer is used again, but not one that would be mostly empty.
    entry.set_string(&[b'x'; 4000]);
    assert_eq!(entry.mem_bytes(), 56 + 4096);
    entry.set_string(&[b'y'; 3000]);
    assert_eq!(entry.mem_bytes(), 56 + 4096);
    entry.set_string(&[b'z'; 1500]);
    assert_eq!(entry.mem_bytes(), 56 + 1536);
    entry.set_string(text);
    assert_eq!(entry.mem_bytes(), 48);
}

#[test]
#[should_panic(expected = "only strings")]
fn a_list_is_not_edited_as_a_string() {
    Entry::new(b"k", Value::List(List::default()), None).edit_string();
}

/// Whether a short text is `embstr` hangs on the key and on what was there before, as in Valkey 8.1.
#[test]
fn embedded_texts() {
    let text = |len: usize| vec![b'x'; len];
    let longest = |key_len: usize, make: &dyn Fn(&[u8], &[u8]) -> Entry| {
        let key = vec![b'k'; key_len];
        (1..60)
            .take_while(|&len| make(&key, &text(len)).encoding() == "embstr")
            .last()
            .map(|len| len + key_len)
    };
    let fresh = |key: &[u8], text: &[u8]| Entry::string(key, text, None);
    let expiring = |key: &[u8], text: &[u8]| Entry::string(key, text, Some(1));
    let later = |key: &[u8], text: &[u8]| {
        let mut entry = Entry::string(key, text, None);
        entry.set_expire(Some(1));
        entry
    };
    let persisted = |key: &[u8], text: &[u8]| {
        let mut entry = Entry::string(key, text, Some(1));
        entry.set_expire(None);
        entry
    };
    let in_place = |key: &[u8], text: &[u8]| {
        let mut entry = Entry::string(key, b"a", Some(1));
        entry.overwrite_string(text, None);
        entry
    };
    for key_len in [0, 1, 20, 31] {
        for make in [&fresh as &dyn Fn(&[u8], &[u8]) -> Entry, &expiring, &later, &persisted] {
            assert_eq!(longest(key_len, make), Some(41));
        }
        assert_eq!(longest(key_len, &in_place), Some(33));
    }
    for key_len in [32, 38] {
        assert_eq!(longest(key_len, &fresh), Some(41));
        for make in [&expiring as &dyn Fn(&[u8], &[u8]) -> Entry, &later, &persisted] {
            assert_eq!(longest(key_len, make), Some(39));
        }
    }
    assert_eq!((longest(41, &fresh), longest(39, &expiring), longest(33, &in_place)), (None, None, None));
    // It stays what it is under another key.
    let raw = Entry::string(&[b'k'; 60], b"text", None);
    assert_eq!(Entry::new(b"k", raw.clone_value(), None).encoding(), "raw");
    assert_eq!(Entry::new(b"k", raw.into_value(), None).encoding(), "raw");
}
