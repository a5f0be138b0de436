//! A sequence of small elements in order, reached by their order or by their rank.
//!
//! It is a B+ tree whose inner nodes know of each child its first element and how many are below it. All elements are in
//! leaves of at most `LEAF_MAX`; a leaf's allocation grows by the allocator's size classes, so that little of it is
//! empty whatever the order of insertion. A step moves a bounded number of elements: a leaf's, and a node's at each
//! level.
//!
//! The tree does not compare elements: callers say how an element stands to what they look for.

mod walk;

#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use crate::ds::size::rounded;
pub use walk::{Iter, RevIter};

/// Most elements of a leaf.
const LEAF_MAX: usize = 64;
/// Most children of an inner node.
const INNER_MAX: usize = 64;

/// A child of an inner node.
struct Child<T> {
    /// The first of its elements.
    first: T,
    /// How many elements are below it.
    count: usize,
    node: Node<T>,
}

enum Node<T> {
    Leaf(Vec<T>),
    Inner(Vec<Child<T>>),
}

/// A sequence in order; see the module.
pub struct RankTree<T> {
    root: Node<T>,
    len: usize,
    /// Bytes of all nodes' allocations.
    bytes: usize,
}

/// How to choose where to go down, and which element in the end.
trait Seek<T> {
    fn child(&mut self, children: &[Child<T>]) -> usize;
    fn slot(&self, leaf: &[T]) -> Option<usize>;
}

/// The element with this rank.
struct ByRank(usize);

impl<T> Seek<T> for ByRank {
    fn child(&mut self, children: &[Child<T>]) -> usize {
        let mut at = 0;
        while at + 1 < children.len() && self.0 >= children[at].count {
            self.0 -= children[at].count;
            at += 1;
        }
        at
    }

    fn slot(&self, leaf: &[T]) -> Option<usize> {
        (self.0 < leaf.len()).then_some(self.0)
    }
}

/// The element of which the function says that it is equal.
struct ByOrder<F>(F);

impl<T, F: Fn(&T) -> Ordering> Seek<T> for ByOrder<F> {
    #[inline]
    fn child(&mut self, children: &[Child<T>]) -> usize {
        last_child(children, |first| (self.0)(first).is_le())
    }

    #[inline]
    fn slot(&self, leaf: &[T]) -> Option<usize> {
        leaf.binary_search_by(&self.0).ok()
    }
}

/// The last child whose first element fits, or the first child.
#[inline]
fn last_child<T>(children: &[Child<T>], fits: impl Fn(&T) -> bool) -> usize {
    children.partition_point(|child| fits(&child.first)).saturating_sub(1)
}

/// Bytes of a vector's allocation.
#[inline]
fn bytes_of<T>(items: &Vec<T>) -> usize {
    rounded(items.capacity() * size_of::<T>())
}

/// How many elements a size class that holds `len` of them holds.
#[inline]
fn class_for<T>(len: usize) -> usize {
    rounded(len * size_of::<T>()) / size_of::<T>()
}

/// Makes room for one more.
#[inline]
fn grow<T>(items: &mut Vec<T>, bytes: &mut usize) {
    if items.len() == items.capacity() {
        *bytes -= bytes_of(items);
        items.reserve_exact(class_for::<T>(items.len() + 1) - items.len());
        *bytes += bytes_of(items);
    }
}

/// Gives back what is unused, where it is much.
fn shrink<T>(items: &mut Vec<T>, bytes: &mut usize) {
    if items.len() * 2 <= items.capacity() {
        *bytes -= bytes_of(items);
        items.shrink_to(class_for::<T>(items.len()));
        *bytes += bytes_of(items);
    }
}

/// Adds `item` at `at`. Where there are `max` already it splits first, and returns what goes to the right. What is added
/// at an end splits off alone: rising or falling insertions leave full nodes.
#[inline]
fn insert_at<T>(items: &mut Vec<T>, at: usize, item: T, max: usize, bytes: &mut usize) -> Option<Vec<T>> {
    if items.len() < max {
        grow(items, bytes);
        items.insert(at, item);
        return None;
    }
    let middle = match at {
        0 => 0,
        _ if at == items.len() => at,
        _ => items.len() / 2,
    };
    let mut right = Vec::with_capacity(class_for::<T>((items.len() - middle).max(1)));
    right.extend(items.drain(middle..));
    *bytes += bytes_of(&right);
    shrink(items, bytes);
    // In the middle, to the left, so that the first element on the right stays the one that was moved there.
    if at < middle || middle == 0 || at == middle && !right.is_empty() {
        grow(items, bytes);
        items.insert(at, item);
    } else {
        grow(&mut right, bytes);
        right.insert(at - middle, item);
    }
    Some(right)
}

impl<T: Copy> Node<T> {
    fn first(&self) -> T {
        match self {
            Node::Leaf(items) => items[0],
            Node::Inner(children) => children[0].first,
        }
    }

    fn count(&self) -> usize {
        match self {
            Node::Leaf(items) => items.len(),
            Node::Inner(children) => children.iter().map(|child| child.count).sum(),
        }
    }

    fn width(&self) -> usize {
        match self {
            Node::Leaf(items) => items.len(),
            Node::Inner(children) => children.len(),
        }
    }

    fn max_width(&self) -> usize {
        match self {
            Node::Leaf(_) => LEAF_MAX,
            Node::Inner(_) => INNER_MAX,
        }
    }

    fn into_child(self) -> Child<T> {
        Child { first: self.first(), count: self.count(), node: self }
    }

    /// Adds an element; returns what splits off to the right.
    fn insert(&mut self, item: T, order: &impl Fn(&T) -> Ordering, bytes: &mut usize) -> Option<Child<T>> {
        match self {
            Node::Leaf(items) => {
                let at = items.partition_point(|other| order(other).is_lt());
                insert_at(items, at, item, LEAF_MAX, bytes).map(|right| Node::Leaf(right).into_child())
            }
            Node::Inner(children) => {
                let at = last_child(children, |first| order(first).is_le());
                let child = &mut children[at];
                let right = child.node.insert(item, order, bytes);
                child.count += 1;
                child.first = child.node.first();
                let right = right?;
                child.count -= right.count;
                insert_at(children, at + 1, right, INNER_MAX, bytes)
                    .map(|right| Node::Inner(right).into_child())
            }
        }
    }

    /// Takes an element out.
    fn remove(&mut self, seek: &mut impl Seek<T>, bytes: &mut usize) -> Option<T> {
        match self {
            Node::Leaf(items) => {
                let at = seek.slot(items)?;
                let item = items.remove(at);
                shrink(items, bytes);
                Some(item)
            }
            Node::Inner(children) => {
                let at = seek.child(children);
                let child = &mut children[at];
                let item = child.node.remove(seek, bytes)?;
                child.count -= 1;
                if child.count == 0 {
                    children.remove(at);
                    shrink(children, bytes);
                } else {
                    child.first = child.node.first();
                    merge_small(children, at, bytes);
                }
                Some(item)
            }
        }
    }

    /// Drops the last leaf; returns how many elements it had.
    fn pop_leaf(&mut self, bytes: &mut usize) -> usize {
        match self {
            Node::Leaf(items) => {
                let items = std::mem::take(items);
                *bytes -= bytes_of(&items);
                items.len()
            }
            Node::Inner(children) => {
                let Some(last) = children.last_mut() else { return 0 };
                let popped = last.node.pop_leaf(bytes);
                last.count -= popped;
                if last.count == 0 {
                    children.pop();
                    shrink(children, bytes);
                }
                popped
            }
        }
    }
}

/// Joins a child that has become small with a neighbour, if the two are no large node together.
fn merge_small<T: Copy>(children: &mut Vec<Child<T>>, at: usize, bytes: &mut usize) {
    let node = &children[at].node;
    let max = node.max_width();
    if node.width() >= max / 4 {
        return;
    }
    let fits = |&left: &usize| {
        left + 1 < children.len()
            && children[left].node.width() + children[left + 1].node.width() <= max / 4 * 3
    };
    let Some(left) = [at, at.wrapping_sub(1)].into_iter().filter(|&left| left < children.len()).find(fits)
    else {
        return;
    };
    let right = children.remove(left + 1);
    shrink(children, bytes);
    let child = &mut children[left];
    child.count += right.count;
    match (&mut child.node, right.node) {
        (Node::Leaf(items), Node::Leaf(more)) => append(items, more, bytes),
        (Node::Inner(items), Node::Inner(more)) => append(items, more, bytes),
        _ => unreachable!("all children of a node are of one height"),
    }
}

fn append<T>(items: &mut Vec<T>, more: Vec<T>, bytes: &mut usize) {
    *bytes -= bytes_of(items) + bytes_of(&more);
    let wanted = class_for::<T>(items.len() + more.len());
    items.reserve_exact(wanted.saturating_sub(items.len()));
    items.extend(more);
    *bytes += bytes_of(items);
}

impl<T: Copy> RankTree<T> {
    /// An empty sequence, without an allocation.
    pub const fn new() -> RankTree<T> {
        RankTree { root: Node::Leaf(Vec::new()), len: 0, bytes: 0 }
    }

    /// Number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Heap bytes, as the allocator rounds them.
    #[inline]
    pub fn mem_bytes(&self) -> usize {
        self.bytes
    }

    /// Adds an element where `order`, which says how another one stands to it, wants it.
    pub fn insert(&mut self, item: T, order: impl Fn(&T) -> Ordering) {
        self.len += 1;
        if let Some(right) = self.root.insert(item, &order, &mut self.bytes) {
            let left = std::mem::replace(&mut self.root, Node::Leaf(Vec::new())).into_child();
            let mut children = Vec::with_capacity(class_for::<Child<T>>(2));
            children.extend([left, right]);
            self.bytes += bytes_of(&children);
            self.root = Node::Inner(children);
        }
    }

    /// Takes out the element that `order` says is equal.
    pub fn remove(&mut self, order: impl Fn(&T) -> Ordering) -> Option<T> {
        self.remove_sought(ByOrder(order))
    }

    /// Takes out the element with a rank.
    pub fn remove_at(&mut self, rank: usize) -> Option<T> {
        self.remove_sought(ByRank(rank))
    }

    fn remove_sought(&mut self, mut seek: impl Seek<T>) -> Option<T> {
        let item = self.root.remove(&mut seek, &mut self.bytes)?;
        self.len -= 1;
        self.lower_root();
        Some(item)
    }

    /// A root with one child gives way to it.
    fn lower_root(&mut self) {
        while let Node::Inner(children) = &mut self.root
            && children.len() <= 1
        {
            let only = children.pop();
            self.bytes -= bytes_of(children);
            self.root = only.map_or(Node::Leaf(Vec::new()), |child| child.node);
        }
    }

    /// Puts `item` in the place of the element that `old` says is equal, moving it to where `new` wants it, if all that
    /// happens inside of one leaf. `false` if it does not, and nothing changed.
    pub fn shift(&mut self, item: T, old: impl Fn(&T) -> Ordering, new: impl Fn(&T) -> Ordering) -> bool {
        let mut node = &mut self.root;
        let leaf = loop {
            match node {
                Node::Leaf(items) => break items,
                Node::Inner(children) => {
                    let at = last_child(children, |first| old(first).is_le());
                    let behind = children.get(at + 1).is_some_and(|next| new(&next.first).is_le());
                    if behind || new(&children[at].first).is_gt() {
                        return false;
                    }
                    node = &mut children[at].node;
                }
            }
        };
        // The outermost places are left alone: the parents know a leaf's first element, and what comes behind the last
        // one is not seen from here.
        let Ok(from) = leaf.binary_search_by(&old) else { return false };
        let to = leaf.partition_point(|other| new(other).is_lt());
        if from == 0 || to == 0 || to == leaf.len() {
            return false;
        }
        if to > from {
            leaf[from..to].rotate_left(1);
            leaf[to - 1] = item;
        } else {
            leaf[to..=from].rotate_right(1);
            leaf[to] = item;
        }
        true
    }

    /// Frees a leaf at the end; returns how many elements it had.
    pub fn pop_leaf(&mut self) -> usize {
        let popped = self.root.pop_leaf(&mut self.bytes);
        self.len -= popped;
        self.lower_root();
        popped
    }
}

impl<T: Copy> Default for RankTree<T> {
    fn default() -> RankTree<T> {
        RankTree::new()
    }
}
