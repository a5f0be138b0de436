use std::sync::Arc;

use super::node::Node;
use super::*;

/// Recounts everything that is kept incrementally, and checks which nodes are compressed.
pub(crate) fn check(list: &Quicklist, cfg: &ListConfig) {
    let (mut count, mut nodes) = (0, Vec::new());
    let mut next = list.first_node();
    while let Some(at) = next {
        let node = list.node(at);
        let elements = node.read(|part| {
            let mut n = 0;
            part.try_each(false, |_| {
                n += 1;
                true
            });
            n
        });
        assert_eq!(elements, node.len());
        assert!(elements > 0, "an empty node");
        count += elements;
        nodes.push(at);
        next = list.next_node(at);
    }
    assert_eq!((count, nodes.len()), (list.len(), list.node_count()));
    assert_eq!(list.mem_bytes(), list.recount_mem());
    let mut back = Vec::new();
    let mut next = list.last_node();
    while let Some(at) = next {
        back.push(at);
        next = list.prev_node(at);
    }
    back.reverse();
    assert_eq!(back, nodes);
    let depth = cfg.compress_depth as usize;
    if depth == 0 {
        return;
    }
    for (i, &at) in nodes.iter().enumerate() {
        let interior = i >= depth && nodes.len() - 1 - i >= depth;
        assert_eq!(list.is_interior(at, depth), interior);
        let node = list.node(at);
        let pays = node.is_compressed() || node.compressed().is_some();
        assert_eq!(node.is_compressed(), interior && pays, "node {i} of {}", nodes.len());
    }
}

fn number(i: usize) -> Vec<u8> {
    format!("element:{i}").into_bytes()
}

fn read(list: &Quicklist, index: usize) -> Option<Vec<u8>> {
    list.get(index, |elem| elem.to_vec())
}

#[test]
fn two_words_a_node() {
    assert_eq!(size_of::<Node>(), 16);
}

#[test]
fn limits_of_nodes() {
    let fill = |fill| ListConfig { fill, ..ListConfig::default() };
    assert_eq!(fill(-1).node_limit().0, 4096);
    assert_eq!(fill(-5).node_limit().0, 65_536);
    assert_eq!(fill(-9).node_limit().0, 65_536);
    assert_eq!(fill(i32::MIN).node_limit().0, 65_536);
    assert_eq!(fill(0).node_limit().1, 1);
    assert!(!fill(-2).exceeds_limit(8192, 1_000_000) && fill(-2).exceeds_limit(8193, 1));
    assert!(!fill(3).exceeds_limit(8192, 3) && fill(3).exceeds_limit(8, 4) && fill(3).exceeds_limit(8193, 1));
    assert!(!fill(-1).is_large(4096) && fill(-1).is_large(4097));
    assert!(!fill(5).is_large(8192) && fill(5).is_large(8193));
    let low = ListConfig { packed_threshold: 10, ..fill(-5) };
    assert!(!low.is_large(9) && low.is_large(10));
}

/// Many chunks, changed in the middle, with a snapshot that must not notice.
#[test]
fn long_lists_split_and_merge_locally() {
    for depth in [0, 1, 3] {
        let cfg = ListConfig { fill: 4, compress_depth: depth, packed_threshold: 0 };
        let mut list = Quicklist::new();
        for i in 0..4_000 {
            list.push(End::Right, &number(i), &cfg);
        }
        let snapshot = list.clone();
        assert_eq!(snapshot.mem_bytes(), snapshot.recount_mem());
        for i in 0..1_000 {
            list.insert(2_000, Place::Before, &number(10_000 + i), &cfg);
        }
        check(&list, &cfg);
        assert_eq!(read(&list, 2_000), Some(number(10_999)));
        assert_eq!(read(&list, 3_000), Some(number(2_000)));
        list.delete_range(2_000, 1_000, &cfg);
        check(&list, &cfg);
        list.delete_range(3, 3_994, &cfg);
        check(&list, &cfg);
        assert_eq!(list.len(), 6);
        assert!(list.chunks.len() <= 2, "{}", list.chunks.len());
        assert_eq!(read(&list, 3), Some(number(3_997)));
        check(&snapshot, &cfg);
        for i in 0..4_000 {
            assert_eq!(read(&snapshot, i), Some(number(i)));
        }
    }
}

#[test]
fn a_snapshot_copies_only_what_changes() {
    let cfg = ListConfig { fill: 16, ..ListConfig::default() };
    let mut list = Quicklist::new();
    for i in 0..10_000 {
        list.push(End::Right, &number(i), &cfg);
    }
    let snapshot = list.clone();
    list.set(5_000, b"changed", &cfg);
    let (mut a, mut b, mut differ) = (list.first_node(), snapshot.first_node(), 0);
    while let (Some(x), Some(y)) = (a, b) {
        differ += usize::from(!Arc::ptr_eq(&list.node_arc(x), &snapshot.node_arc(y)));
        (a, b) = (list.next_node(x), snapshot.next_node(y));
    }
    assert_eq!(differ, 1);
    assert_eq!(read(&snapshot, 5_000), Some(number(5_000)));
}

#[test]
fn freed_in_slices() {
    let cfg = ListConfig { fill: 1, ..ListConfig::default() };
    let mut list = Quicklist::new();
    for i in 0..1_000 {
        list.push(End::Left, &number(i), &cfg);
    }
    let mut slices = 1;
    while !list.free_some(100) {
        slices += 1;
        check(&list, &cfg);
    }
    assert_eq!((slices, list.len(), list.mem), (10, 0, 0));
}
