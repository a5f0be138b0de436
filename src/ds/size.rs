//! What an allocation of a given size really takes.

/// The size class in bytes that jemalloc, built with a quantum of 8, serves `size` bytes from: the multiples of 8 up to
/// 64, those of 16 up to 128, then four classes a doubling. All meters of memory add these, so that `used_memory` is a function of what is stored and
/// not of the allocator underneath.
#[inline]
pub const fn rounded(size: usize) -> usize {
    match size {
        0 => 0,
        1..=64 => (size + 7) & !7,
        65..=128 => (size + 15) & !15,
        _ => {
            let spacing = 1 << ((size - 1).ilog2() - 2);
            (size + spacing - 1) & !(spacing - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn the_classes_of_jemalloc() {
        let classes = [
            8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640,
            768, 896, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 5120,
        ];
        for size in 1..=5120 {
            let class = *classes.iter().find(|&&class| class >= size).unwrap();
            assert_eq!(rounded(size), class, "{size}");
        }
        assert_eq!(rounded(0), 0);
        assert_eq!(rounded((512 << 20) + 1), 640 << 20);
    }
}
