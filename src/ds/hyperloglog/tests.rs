use super::*;
use crate::base::rng::Rng;
use std::collections::HashSet;

const SPARSE_MAX: usize = 3000;

#[test]
fn the_hash_is_that_of_the_reference() {
    // Registers and values that Valkey's PFADD chooses for these elements.
    let mut bytes = new();
    assert_eq!(bytes, [b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\0", &b"\x7f\xff"[..]].concat());
    assert_eq!(add(&mut bytes, b"a", SPARSE_MAX), Ok(true));
    assert_eq!(add(&mut bytes, b"a", SPARSE_MAX), Ok(false));
    assert_eq!(estimate(&bytes), Ok(1));
}

/// Both encodings and the model agree.
fn check(bytes: &[u8], model: &Registers) {
    assert_eq!(registers(bytes).as_deref(), Ok(model));
    assert_eq!(estimate(bytes), Ok(estimate_of_registers(model)));
    let mut dense = bytes.to_vec();
    make_dense(&mut dense).unwrap();
    assert_eq!((encoding(&dense), dense.len()), (Ok(Encoding::Dense), DENSE_LEN));
    assert_eq!(registers(&dense).as_deref(), Ok(model));
    assert_eq!(estimate(&dense), estimate(bytes));
    assert_eq!(&dense[ESTIMATE_AT..HEADER], &bytes[ESTIMATE_AT..HEADER]);
}

#[test]
fn it_keeps_the_largest_value_of_each_register() {
    for seed in 0..30 {
        println!("seed {seed}");
        let mut rng = Rng::new(seed);
        let sparse_max = [0, 20, 100, 3000, 20_000][seed as usize % 5];
        let (mut bytes, mut model) = (new(), [0; REGISTERS]);
        let range = [10, 200, REGISTERS as u64][seed as usize % 3];
        for step in 0..3000 {
            let (index, value) = (rng.below(range) as usize, 1 + rng.below([3, 32, 51][step % 3]) as u8);
            let raised = raise(&mut bytes, index, value, sparse_max).unwrap();
            assert_eq!(raised, value > model[index]);
            model[index] = model[index].max(value);
            if encoding(&bytes) == Ok(Encoding::Sparse) {
                assert!(bytes.len() <= sparse_max.max(HEADER + 2));
                assert!(value <= 32);
            }
            if step % 500 == 0 {
                check(&bytes, &model);
            }
        }
        check(&bytes, &model);
        let mut merged = [1; REGISTERS];
        merge(&bytes, &mut merged).unwrap();
        assert!(merged.iter().zip(&model).all(|(&merged, &model)| merged == model.max(1)));
    }
}

#[test]
fn estimates_are_near() {
    let (mut sparse, mut dense) = (new(), new());
    make_dense(&mut dense).unwrap();
    let mut next_check = 1u64;
    for n in 1..=200_000u64 {
        let element = n.to_string();
        let changed = add(&mut sparse, element.as_bytes(), SPARSE_MAX).unwrap();
        assert_eq!(add(&mut dense, element.as_bytes(), SPARSE_MAX), Ok(changed));
        if n == next_check {
            let found = estimate(&sparse).unwrap();
            assert_eq!(estimate(&dense), Ok(found));
            assert!(found.abs_diff(n) as f64 <= 1.0 + n as f64 * 0.03, "{found} of {n}");
            next_check = next_check * 3 / 2 + 1;
        }
    }
    assert_eq!(encoding(&sparse), Ok(Encoding::Dense));
    assert_eq!(sparse[HEADER..], dense[HEADER..]);
}

#[test]
fn runs_are_split_and_joined() {
    let mut bytes = new();
    let show = |bytes: &[u8]| runs(bytes).map(|(run, _)| run).collect::<Vec<_>>();
    raise(&mut bytes, 100, 3, SPARSE_MAX).unwrap();
    assert_eq!(show(&bytes), [Run::Zeros(100), Run::Values(3, 1), Run::Zeros(16283)]);
    for index in [101, 102, 103, 104] {
        raise(&mut bytes, index, 3, SPARSE_MAX).unwrap();
    }
    let joined = [Run::Zeros(100), Run::Values(3, 4), Run::Values(3, 1), Run::Zeros(16279)];
    assert_eq!(show(&bytes), joined);
    raise(&mut bytes, 101, 9, SPARSE_MAX).unwrap();
    let split = [Run::Values(3, 1), Run::Values(9, 1), Run::Values(3, 3), Run::Zeros(16279)];
    assert_eq!(show(&bytes)[1..], split);
    raise(&mut bytes, 0, 1, SPARSE_MAX).unwrap();
    raise(&mut bytes, REGISTERS - 1, 1, SPARSE_MAX).unwrap();
    assert_eq!(show(&bytes)[..2], [Run::Values(1, 1), Run::Zeros(99)]);
    assert_eq!(show(&bytes).last(), Some(&Run::Values(1, 1)));
    assert_eq!(runs(&bytes).map(|(run, _)| run.len()).sum::<usize>(), REGISTERS);
}

#[test]
fn the_last_estimate_is_kept() {
    let mut bytes = new();
    assert_eq!(last_estimate(&bytes), Some(0));
    add(&mut bytes, b"a", SPARSE_MAX).unwrap();
    assert_eq!(last_estimate(&bytes), None);
    keep_estimate(&mut bytes, 77);
    assert_eq!(last_estimate(&bytes), Some(77));
    forget_estimate(&mut bytes);
    assert_eq!(last_estimate(&bytes), None);
    assert_eq!(last_estimate(b"HYLL"), None);
}

#[test]
fn nothing_is_taken_for_granted() {
    let mut outcomes = HashSet::new();
    for seed in 0..4000 {
        let mut rng = Rng::new(seed);
        let mut bytes = new();
        for n in 0..rng.below(200) {
            add(&mut bytes, &n.to_le_bytes(), SPARSE_MAX).unwrap();
        }
        if rng.below(8) == 0 {
            make_dense(&mut bytes).unwrap();
        }
        for _ in 0..1 + rng.below(4) {
            let at = rng.below(bytes.len() as u64) as usize;
            match rng.below(4) {
                0 => bytes[at] = rng.next_u64() as u8,
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, rng.next_u64() as u8),
                _ => drop(bytes.remove(at)),
            }
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
        let found = encoding(&bytes);
        outcomes.insert((found.is_ok(), estimate(&bytes).is_ok()));
        assert_eq!(estimate(&bytes).is_ok(), registers(&bytes).is_ok());
        assert_eq!(estimate(&bytes).is_ok(), make_dense(&mut bytes.clone()).is_ok());
        runs(&bytes).for_each(drop);
        let mut copy = bytes.clone();
        for n in 0..50u64 {
            let added = add(&mut copy, &n.to_be_bytes(), [100, 3000][seed as usize % 2]);
            assert!(added.is_ok() || estimate(&bytes).is_err());
        }
    }
    assert_eq!(outcomes, HashSet::from([(false, false), (true, false), (true, true)]));
}
