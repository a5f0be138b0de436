//! What an allocation costs.

/// The bytes that an allocator of jemalloc's kind takes for `n` bytes: 8, multiples of 16 up to 128, then
/// four classes per doubling. 0 stays 0.
#[inline]
pub const fn rounded(n: usize) -> usize {
    match n {
        0 => 0,
        1..=8 => 8,
        9..=128 => n.next_multiple_of(16),
        _ => n.next_multiple_of(1 << ((n - 1).ilog2() - 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_classes() {
        let mut classes: Vec<usize> = (0..=1024).map(rounded).collect();
        classes.dedup();
        let small = [
            0, 8, 16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896,
            1024,
        ];
        assert_eq!(classes, small);
        assert_eq!(rounded(8193), 10_240);
        assert_eq!(rounded((1 << 20) + 1), (1 << 20) + (1 << 18));
    }
}
