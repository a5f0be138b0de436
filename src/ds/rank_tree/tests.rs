use super::*;
use crate::base::rng::Rng;

/// Checks a node's shape; returns its height and bytes.
fn check_node<T: Copy + PartialEq + std::fmt::Debug>(node: &Node<T>, context: &str) -> (usize, usize) {
    match node {
        Node::Leaf(items) => {
            assert!(items.len() <= LEAF_MAX && items.capacity() <= LEAF_MAX, "{context}");
            (0, bytes_of(items))
        }
        Node::Inner(children) => {
            assert!((1..=INNER_MAX).contains(&children.len()), "{context}");
            let mut height = None;
            let mut bytes = bytes_of(children);
            for child in children {
                assert_eq!(child.first, child.node.first(), "{context}");
                assert_eq!(child.count, child.node.count(), "{context}");
                assert!(child.count > 0, "{context}");
                let (below, of_child) = check_node(&child.node, context);
                assert_eq!(*height.get_or_insert(below), below, "{context}");
                bytes += of_child;
            }
            (height.unwrap_or(0) + 1, bytes)
        }
    }
}

fn check(tree: &RankTree<u64>, model: &[u64], context: &str) {
    assert_eq!(tree.len(), model.len(), "{context}");
    let (height, bytes) = check_node(&tree.root, context);
    assert_eq!(tree.mem_bytes(), bytes, "{context}");
    assert!(height <= 6, "{context}");
    assert!(tree.iter_from(0).eq(model.iter().copied()), "{context}");
    assert!(tree.rev_from(usize::MAX).eq(model.iter().rev().copied()), "{context}");
}

#[test]
fn as_a_sorted_vector() {
    for seed in 0..24 {
        let mut rng = Rng::new(seed);
        let (mut tree, mut model) = (RankTree::<u64>::new(), Vec::<u64>::new());
        let range = [50, 1000, 100_000][seed as usize % 3];
        for step in 0..6000 {
            let context = format!("seed {seed}, step {step}");
            // Waves of growing and shrinking; rising keys now and then.
            let growing = step / 1500 % 2 == 0;
            let key = if seed % 4 == 0 && growing { step } else { rng.below(range) };
            let at = model.partition_point(|&other| other < key);
            let there = model.get(at) == Some(&key);
            assert_eq!(tree.partition(|&other| other < key), at, "{context}");
            match rng.below(if growing { 12 } else { 4 }) {
                0 | 1 if there => {
                    model.remove(at);
                    assert_eq!(tree.remove(|other| other.cmp(&key)), Some(key), "{context}");
                }
                2 if !model.is_empty() => {
                    let rank = rng.below(model.len() as u64) as usize;
                    assert_eq!(tree.remove_at(rank), Some(model.remove(rank)), "{context}");
                }
                3 if !model.is_empty() => {
                    let from = rng.below(model.len() as u64) as usize;
                    let (old, new) = (model[from], model[from].wrapping_add(rng.below(9)).wrapping_sub(4));
                    let taken = new != old && model.contains(&new);
                    if !taken && tree.shift(new, |other| other.cmp(&old), |other| other.cmp(&new)) {
                        model.remove(from);
                        model.insert(model.partition_point(|&other| other < new), new);
                    }
                }
                _ if !there => {
                    model.insert(at, key);
                    tree.insert(key, |other| other.cmp(&key));
                }
                _ => {}
            }
            let rank = rng.below(model.len() as u64 + 2) as usize;
            assert_eq!(tree.get(rank), model.get(rank).copied(), "{context}");
            if step % 97 == 0 {
                check(&tree, &model, &context);
                let from = rank.min(model.len());
                assert!(tree.iter_from(rank).eq(model[from..].iter().copied()), "{context}");
                assert!(tree.rev_from(rank).eq(model[..from].iter().rev().copied()), "{context}");
            }
        }
        while !model.is_empty() {
            let popped = tree.pop_leaf();
            assert!(popped > 0);
            model.truncate(model.len() - popped);
            check(&tree, &model, "emptied");
        }
        assert_eq!((tree.pop_leaf(), tree.mem_bytes(), tree.remove_at(0)), (0, 0, None));
    }
}

#[test]
fn little_is_empty_whatever_the_order() {
    const N: u64 = 100_000;
    let mut rng = Rng::new(5);
    let rising: Vec<u64> = (0..N).collect();
    let falling: Vec<u64> = (0..N).rev().collect();
    let mut shuffled = rising.clone();
    for i in (1..shuffled.len()).rev() {
        shuffled.swap(i, rng.below(i as u64 + 1) as usize);
    }
    for (name, keys, max_bytes) in
        [("rising", rising, 10.0), ("falling", falling, 10.0), ("shuffled", shuffled, 11.0)]
    {
        let mut tree = RankTree::new();
        for key in keys {
            tree.insert(key, |other: &u64| other.cmp(&key));
        }
        check(&tree, &(0..N).collect::<Vec<_>>(), name);
        let bytes = tree.mem_bytes() as f64 / N as f64;
        assert!(bytes < max_bytes, "{name}: {bytes} bytes for 8");
    }
}
