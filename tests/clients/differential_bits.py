"""Random commands about bitmaps and HyperLogLogs: see differential.py."""

KEYS = ["b0", "b1", "b2", "b3", "p0", "p1", "p2"]
BITMAPS, LOGS = KEYS[:4], KEYS[4:]
EDGES = [0, 1, 7, 8, 63, 64, -1, -8, -100, 2**63 - 1, -(2**63)]


class Bits:
    """The families of commands about bits; what chooses comes from the generator they are mixed into."""

    def bitmap_key(self):
        return self.key(BITMAPS)

    def bit_offset(self):
        if self.chance(0.9):
            return self.random.randrange(200)
        return self.one(-1, 2**32, 2**32 - 1 if self.chance(0.02) else 3000, 2**63 - 1, "abc", "", "#1", "1.5")

    def part(self):
        bound = lambda: self.random.randint(-30, 30) if self.chance(0.8) else self.one(*EDGES)
        unit = self.one([], [], ["BIT"], ["BYTE"], ["bit"], ["BOGUS" if self.chance(0.2) else "BIT"])
        return self.one([], [bound()], [bound(), bound()], [bound(), bound(), *unit], [bound(), *unit])

    def bits(self):
        key = self.bitmap_key()
        return self.one(
            ["SETBIT", key, self.bit_offset(), self.one(0, 1, 1, 1, 2 if self.chance(0.1) else 1)],
            ["SETBIT", key, self.bit_offset(), 1],
            ["GETBIT", key, self.bit_offset()],
            ["BITCOUNT", key, *self.part()],
            ["BITPOS", key, self.one(0, 1, 0, 1, 2 if self.chance(0.1) else 0), *self.part()],
            ["SET", key, self.one("\xff" * self.random.randrange(27), "\x00" * self.random.randrange(27), "12345", self.value())],
            ["OBJECT", "ENCODING", key],
        )

    def bitops(self):
        name = self.one("AND", "OR", "XOR", "NOT", "and", "NOPE" if self.chance(0.1) else "or")
        sources = [self.bitmap_key() for _ in range(self.one(1, 1, 2, 3, 20))]
        return ["BITOP", name, self.bitmap_key(), *sources]

    def bitfields(self):
        operations = []
        for _ in range(self.one(1, 1, 2, 5, 0)):
            width = self.one(1, 2, 3, 5, 7, 8, 12, 16, 31, 32, 33, 62, 63, 64)
            if self.chance(0.02):
                width = self.one(0, 65, -1, "", "08")
            kind = f"{self.one('u', 'i', 'i', 'U' if self.chance(0.02) else 'u')}{width}"
            offset = self.bit_offset() if self.chance(0.7) else f"#{self.random.randrange(20)}"
            value = self.one(0, 1, -1, 100, -100, 2**31, 2**62, 2**63 - 1, -(2**63), self.random.randrange(-300, 300))
            if self.chance(0.4):
                operations += ["OVERFLOW", self.one("WRAP", "SAT", "FAIL", "fail", "NOPE" if self.chance(0.1) else "sat")]
            operations += self.one(["GET", kind, offset], ["SET", kind, offset, value], ["INCRBY", kind, offset, value],
                                   ["INCRBY", kind, offset, value])  # fmt: skip
        if self.chance(0.2):
            operations = ["GET", self.one("u8", "i5", "u63", "i64"), self.bit_offset()] * self.one(1, 3)
            return ["BITFIELD_RO", self.bitmap_key(), *operations]
        return [self.one("BITFIELD", "BITFIELD", "BITFIELD", "BITFIELD_RO"), self.bitmap_key(), *operations]

    def log_key(self):
        return self.key(LOGS)

    def logs(self):
        key = self.log_key()
        first = self.random.randrange(10**6)
        many = [f"e{first + number}" for number in range(self.one(0, 1, 5, 100, 1000))]
        return self.one(
            ["PFADD", key, *many],
            ["PFADD", key, *many],
            ["PFADD", key, *self.values()],
            ["PFADD", key, *self.values()],
            ["PFCOUNT", key],
            ["PFCOUNT", key, self.log_key(), self.log_key()],
            ["PFMERGE", key, *[self.log_key() for _ in range(self.random.randrange(3))]],
            ["GET", key],
            ["PFDEBUG", self.one("ENCODING", "DECODE", "decode", "ENCODING", "TODENSE", "GETREG", "BOGUS"), key],
            ["CONFIG", "SET", "hll-sparse-max-bytes", self.one(100, 300, 3000, 16000)],
        )

    def broken_logs(self):
        """A HyperLogLog of which some bytes are others."""
        key = self.log_key()
        if self.chance(0.5):
            return ["DEL", key]
        # What adds to it may or may not meet the broken place, so it is not kept.
        self.next = [[b"PFCOUNT", key.encode()], [b"PFMERGE", b"p-merged", key.encode()], [b"DEL", key.encode(), b"p-merged"]]
        return self.one(
            ["SETRANGE", key, self.random.randrange(20 if self.chance(0.5) else 60), self.one("\x00", "\x7f", "\xff", "Y")],
            ["APPEND", key, self.one("\x00", "\x7f\xff", "\x80")],
        )

    def bit_families(self):
        return {self.bits: 14, self.bitops: 4, self.bitfields: 8, self.logs: 10, self.broken_logs: 2}
