//! Reading a tree by rank.

use super::{Node, RankTree, last_child};

impl<T: Copy> RankTree<T> {
    /// How many elements from the first on are `before` something: all those, and no later ones.
    pub fn partition(&self, before: impl Fn(&T) -> bool) -> usize {
        let (mut node, mut rank) = (&self.root, 0);
        loop {
            match node {
                Node::Leaf(items) => return rank + items.partition_point(&before),
                Node::Inner(children) => {
                    let at = last_child(children, &before);
                    rank += children[..at].iter().map(|child| child.count).sum::<usize>();
                    node = &children[at].node;
                }
            }
        }
    }

    /// The leaf with the element of a rank, and its place there.
    fn leaf_at(&self, mut rank: usize) -> Option<(&[T], usize)> {
        let mut node = &self.root;
        loop {
            match node {
                Node::Leaf(items) => return (rank < items.len()).then_some((items, rank)),
                Node::Inner(children) => {
                    node = &children
                        .iter()
                        .find(|child| {
                            let here = rank < child.count;
                            rank -= if here { 0 } else { child.count };
                            here
                        })?
                        .node;
                }
            }
        }
    }

    /// The element with a rank.
    pub fn get(&self, rank: usize) -> Option<T> {
        self.leaf_at(rank).map(|(leaf, at)| leaf[at])
    }

    /// The elements from a rank on.
    pub fn iter_from(&self, rank: usize) -> Iter<'_, T> {
        Iter { tree: self, leaf: [].iter(), next: rank }
    }

    /// The elements before a rank, the last one first.
    pub fn rev_from(&self, rank: usize) -> RevIter<'_, T> {
        RevIter { tree: self, leaf: [].iter(), next: rank.min(self.len) }
    }
}

/// Elements in order. Each leaf is looked up by its rank, which is little beside the elements that it has.
pub struct Iter<'a, T> {
    tree: &'a RankTree<T>,
    leaf: std::slice::Iter<'a, T>,
    /// The rank behind the leaf.
    next: usize,
}

impl<T: Copy> Iterator for Iter<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        if let Some(&item) = self.leaf.next() {
            return Some(item);
        }
        let (leaf, at) = self.tree.leaf_at(self.next)?;
        self.next += leaf.len() - at;
        self.leaf = leaf[at..].iter();
        self.leaf.next().copied()
    }
}

/// Elements from the last to the first.
pub struct RevIter<'a, T> {
    tree: &'a RankTree<T>,
    leaf: std::slice::Iter<'a, T>,
    /// The rank of the leaf's first element.
    next: usize,
}

impl<T: Copy> Iterator for RevIter<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        if let Some(&item) = self.leaf.next_back() {
            return Some(item);
        }
        let (leaf, at) = self.tree.leaf_at(self.next.checked_sub(1)?)?;
        self.next -= at + 1;
        self.leaf = leaf[..=at].iter();
        self.leaf.next_back().copied()
    }
}
