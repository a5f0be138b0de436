//! A node: a pack of elements, or one large element, plain or compressed.

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use crate::ds::listpack::{Elem, Entries, Listpack, Needle};
use crate::ds::size::rounded;

/// Smaller nodes are not worth compressing, in bytes.
const MIN_COMPRESS_LEN: usize = 48;
/// Compression that saves fewer bytes is thrown away.
const MIN_COMPRESS_GAIN: usize = 8;

/// One large element.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    bytes: Box<[u8]>,
}

/// A node's bytes, compressed.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    lzf: Box<[u8]>,
    raw_len: usize,
    /// 0 for a large element, which has no entries.
    count: usize,
}

/// Two words, so that a node costs little beside its elements.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Pack(Listpack),
    Plain(Box<Plain>),
    Lzf(Box<Packed>),
}

/// A node's elements, for reading.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// Entries of a listpack.
    Pack(Entries<'a>),
    /// One element, whatever its bytes look like.
    Plain(&'a [u8]),
}

impl<'a> Part<'a> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Part::Pack(entries) => entries.len(),
            Part::Plain(_) => 1,
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Element `index`.
    pub fn get(&self, index: usize) -> Option<Elem<'a>> {
        match *self {
            Part::Pack(entries) => entries.get(index),
            Part::Plain(bytes) => (index == 0).then_some(Elem::Bytes(bytes)),
        }
    }

    /// Calls `f` with the elements `start..start + n`, from the last to the first if `rev`.
    #[inline]
    pub fn for_range(&self, start: usize, n: usize, rev: bool, mut f: impl FnMut(Elem<'a>)) {
        match *self {
            Part::Pack(entries) => entries.for_range(start, n, rev, f),
            Part::Plain(bytes) if start == 0 && n > 0 => f(Elem::Bytes(bytes)),
            Part::Plain(_) => {}
        }
    }

    /// Calls `f` with all elements until it breaks, from the last to the first if `rev`. `true` if it went
    /// through.
    pub fn try_each(&self, rev: bool, mut f: impl FnMut(Elem<'a>) -> bool) -> bool {
        match *self {
            Part::Pack(entries) if rev => entries.rev_from(entries.len()).all(f),
            Part::Pack(entries) => entries.iter().all(f),
            Part::Plain(bytes) => f(Elem::Bytes(bytes)),
        }
    }

    /// Whether some element is the needle.
    pub(super) fn contains(&self, needle: Needle<'_>) -> bool {
        !self.try_each(false, |elem| !needle.matches(elem))
    }
}

impl Node {
    pub(super) fn plain(bytes: &[u8]) -> Node {
        Node::Plain(Box::new(Plain { bytes: bytes.into() }))
    }

    /// A pack of one element.
    pub(super) fn pack_of(value: &[u8]) -> Node {
        let mut pack = Listpack::new();
        pack.push_back(value);
        Node::Pack(pack)
    }

    /// Number of elements.
    #[inline]
    pub(super) fn len(&self) -> usize {
        match self {
            Node::Pack(pack) => pack.len(),
            Node::Plain(_) => 1,
            Node::Lzf(packed) => packed.count.max(1),
        }
    }

    /// Whether the node holds one large element, compressed or not.
    pub(super) fn is_plain(&self) -> bool {
        match self {
            Node::Pack(_) => false,
            Node::Plain(_) => true,
            Node::Lzf(packed) => packed.count == 0,
        }
    }

    /// Bytes before compression, as limits count them: of the serialized pack, or of the large element.
    #[inline]
    pub(super) fn raw_len(&self) -> usize {
        match self {
            Node::Pack(pack) => pack.lp_bytes(),
            Node::Plain(plain) => plain.bytes.len(),
            Node::Lzf(packed) if packed.count == 0 => packed.raw_len,
            // Compressed are the entries alone.
            Node::Lzf(packed) => packed.raw_len + 7,
        }
    }

    /// Heap bytes behind an `Arc` of this node, with the `Arc`.
    #[inline]
    pub(super) fn mem_bytes(&self) -> usize {
        ARC_NODE_MEM
            + match self {
                Node::Pack(pack) => pack.mem_bytes(),
                Node::Plain(plain) => rounded(size_of::<Plain>()) + rounded(plain.bytes.len()),
                Node::Lzf(packed) => rounded(size_of::<Packed>()) + rounded(packed.lzf.len()),
            }
    }

    /// Shows the elements to `f`, from a temporary copy if they are compressed.
    #[inline]
    pub(super) fn read<R>(&self, f: impl FnOnce(Part<'_>) -> R) -> R {
        match self {
            Node::Pack(pack) => f(Part::Pack(pack.entries())),
            Node::Plain(plain) => f(Part::Plain(&plain.bytes)),
            Node::Lzf(packed) => {
                let raw = packed.decompress();
                f(if packed.count == 0 {
                    Part::Plain(&raw)
                } else {
                    Part::Pack(Entries::new(&raw, packed.count))
                })
            }
        }
    }

    pub(super) fn is_compressed(&self) -> bool {
        matches!(self, Node::Lzf(_))
    }

    /// The node compressed, if it is not yet and that pays.
    pub(super) fn compressed(&self) -> Option<Node> {
        let (raw, count) = match self {
            Node::Pack(pack) => (pack.entries().as_bytes(), pack.len()),
            Node::Plain(plain) => (&*plain.bytes, 0),
            Node::Lzf(_) => return None,
        };
        if raw.len() < MIN_COMPRESS_LEN {
            return None;
        }
        let lzf = lzf::compress(raw).ok().filter(|lzf| lzf.len() + MIN_COMPRESS_GAIN < raw.len())?;
        Some(Node::Lzf(Box::new(Packed { lzf: lzf.into(), raw_len: raw.len(), count })))
    }

    pub(super) fn decompress(&mut self) {
        if let Node::Lzf(packed) = self {
            let raw = packed.decompress();
            *self = match packed.count {
                0 => Node::Plain(Box::new(Plain { bytes: raw.into() })),
                count => Node::Pack(Listpack::from_entries(Entries::new(&raw, count))),
            };
        }
    }
}

impl Packed {
    fn decompress(&self) -> Vec<u8> {
        lzf::decompress(&self.lzf, self.raw_len).expect("what was compressed here")
    }
}

/// An `Arc`'s two counters and the node.
const ARC_NODE_MEM: usize = rounded(2 * size_of::<usize>() + size_of::<Node>());

/// The only owner's way to a shared value: copies it first if a snapshot holds it too.
///
/// Like `Arc::make_mut`, but without its locked instructions, which cost more than a push.
#[inline]
pub(super) fn unshared<T: Clone>(arc: &mut Arc<T>) -> &mut T {
    if Arc::strong_count(arc) == 1 {
        // Whoever held the value too has let go of it: see what was done before.
        fence(Ordering::Acquire);
    } else {
        *arc = Arc::new(T::clone(arc));
    }
    // SAFETY: there is one `Arc` of the value, borrowed mutably here so that nobody can clone it; weak
    // references are made nowhere in this module, from where the values never leave.
    unsafe { &mut *Arc::as_ptr(arc).cast_mut() }
}
