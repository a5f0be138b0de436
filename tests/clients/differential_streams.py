"""Random commands about few streams, for differential.py: every reply, every event and all that XINFO shows."""

import random

KEYS = ["x0", "x1", "x2", "{x}x3", "other"]
GROUPS = ["g", "h", "", "g\x00"]
CONSUMERS = ["alice", "bob", "carol"]
MAX = 2**64 - 1
ODD_IDS = ["", "-", "+", "$", ">", "*", "(", "abc", "1-", "-1", "1-2-3", "1-*", "0-*", " 1", "+1-01", "1-x", "0", "0-0",
           f"{MAX}", f"{MAX}-{MAX}", f"{MAX}-{MAX - 1}", f"{MAX + 1}-0", f"0-{MAX}", "(1", "((1", "5--3"]  # fmt: skip
ODD_NUMBERS = ["", "abc", "-1", "-2", "1.5", str(2**63 - 1), str(-(2**63)), str(2**63), "0x1"]
WORDS = ["a", "b", "f", "field", "1", "-7", "", "x" * 70, "\x00\xff", "123456789012", "007"]
EPOCHS_MS = [0, 1, 1_600_000_000_000]  # Long ago for every min-idle-time below.
IDLE_MS = [0, 0, 0, 1_000_000, 10**15]


class Commands:
    """Streams with explicit IDs, so that no reply hangs on a clock but those that say how long ago something was."""

    def __init__(self, chooser):
        self.random = chooser

    def one(self, *choices):
        return self.random.choice(choices)

    def chance(self, probability):
        return self.random.random() < probability

    def key(self):
        return self.random.choice(KEYS[:4] if self.chance(0.97) else KEYS)

    def id(self):
        if self.chance(0.04):
            return self.random.choice(ODD_IDS)
        ms = self.random.randint(0, 40)
        return self.one(str(ms), f"{ms}-{self.random.randint(0, 3)}", f"{ms}-{self.random.randint(0, 3)}")

    def ids(self, most=4):
        return [self.id() for _ in range(self.random.randint(1, most))]

    def edge(self):
        return self.one("-", "+", self.id(), self.id(), "(" + self.id())

    def number(self, *usual):
        return self.random.choice(ODD_NUMBERS) if self.chance(0.05) else self.random.choice(usual)

    def group(self):
        return self.random.choice(GROUPS if self.chance(0.2) else GROUPS[:2])

    def consumer(self):
        return self.random.choice(CONSUMERS)

    def pairs(self):
        if self.chance(0.6):
            return ["a", self.random.choice(WORDS), "b", self.random.choice(WORDS)]
        count = self.random.randint(1, 5) if self.chance(0.97) else 0
        words = [self.random.choice(WORDS) for _ in range(2 * count)]
        return words + ["odd"] if self.chance(0.02) else words

    def trim(self):
        how = self.one([], ["="], ["~"], ["~"])
        to = ["MAXLEN", *how, self.number(0, 1, 3, 10, 50)] if self.chance(0.5) else ["MINID", *how, self.id()]
        return to + (["LIMIT", self.number(0, 1, 5, 100)] if self.chance(0.3) else [])

    def add(self):
        options = []
        if self.chance(0.15):
            options += self.trim()
        if self.chance(0.1):
            options.append("NOMKSTREAM")
        if self.chance(0.02):
            options += self.one(["LIMIT", 3], ["BOGUS"], ["MAXLEN"], self.trim())
        # Mostly behind the last one: the sequence number of a late millisecond.
        id = self.one("40-*", "41-*", "42-*", f"{self.random.randint(0, 60)}-*", self.id(), self.id())
        if id == "*":
            id = "43-*"  # The two clocks differ.
        return ["XADD", self.key(), *options, id, *self.pairs()]

    def remove(self):
        key = self.key()
        return self.one(["XDEL", key, *self.ids()], ["XDEL", key, *self.ids()], ["XTRIM", key, *self.trim()],
                        ["XTRIM", key, *self.one([], ["BOGUS"], ["LIMIT", 3], self.trim() + self.trim())])  # fmt: skip

    def ranges(self):
        name = self.one("XRANGE", "XREVRANGE")
        count = self.one([], [], ["COUNT", self.number(0, 1, 2, 5, 100)], ["BOGUS"])
        return self.one([name, self.key(), self.edge(), self.edge(), *count], [name, self.key(), *self.one("-+", "+-"), *count],
                        ["XLEN", self.key()])  # fmt: skip

    def streams(self, last):
        keys = [self.key() for _ in range(self.one(1, 1, 2, 3))]
        ids = [self.one(last, self.id()) for _ in keys]
        if self.chance(0.02):
            ids.append("0")
        return ["STREAMS", *keys, *ids]

    def read_options(self, *more):
        options = [["COUNT", self.number(0, 1, 2, 10)], *more]
        chosen = [option for option in options if self.chance(0.4)]
        if self.chance(0.03):
            chosen.append(["BLOCK", self.one("-1", "abc", "1.5", 2**63 - 1)])
        elif self.chance(0.02):
            chosen.append(["BLOCK", 1])
        if self.chance(0.01):
            chosen.append(self.one(["BOGUS"], ["GROUP", "g"], ["NOACK"]))
        return [arg for option in chosen for arg in option]

    def read(self):
        return ["XREAD", *self.read_options(), *self.streams(self.one("$", "+", "0", ">"))]

    def read_group(self):
        group = ["GROUP", self.group(), self.consumer()]
        options = self.read_options(["NOACK"])
        start = options + group if self.chance(0.1) else group + options
        return ["XREADGROUP", *start, *self.streams(">" if self.chance(0.95) else self.one("$", "+"))]

    def groups(self):
        key, group = self.key(), self.group()
        entries_read = ["ENTRIESREAD", self.number(0, 1, 5, 100, -1)] if self.chance(0.3) else []
        start = self.one("0", "$", "$", self.id())
        return self.one(
            ["XGROUP", "CREATE", key, group, start, *self.one([], ["MKSTREAM"]), *entries_read],
            ["XGROUP", "CREATE", key, group, start, "MKSTREAM", *entries_read],
            ["XGROUP", "SETID", key, group, start, *entries_read],
            ["XGROUP", "DESTROY", key, group] if self.chance(0.3) else ["XGROUP", "SETID", key, group, "-"],
            ["XGROUP", "CREATECONSUMER", key, group, self.consumer()],
            ["XGROUP", "DELCONSUMER", key, group, self.consumer()],
            ["XGROUP", self.one("HELP", "BOGUS", "CREATE", "SETID"), *self.one([], [key], [key, group, "0", "BOGUS"])],
        )

    def pending(self):
        key, group = self.key(), self.group()
        consumer = self.one([], [self.consumer()], ["nobody"])
        idle = ["IDLE", self.number(*IDLE_MS)] if self.chance(0.3) else []
        return self.one(
            ["XPENDING", key, group],
            ["XPENDING", key, group, *idle, self.edge(), self.edge(), self.number(0, 1, 5, 100), *consumer],
            ["XPENDING", key, group, *idle, "-", "+", 100, *consumer],
            ["XPENDING", key, group, *self.one(["IDLE"], ["-"], ["-", "+"], ["IDLE", 0, "-", "+"], ["-", "+", 1, "a", "b"])],
        )

    def claim_options(self):
        options = [["FORCE"], ["JUSTID"], ["RETRYCOUNT", self.number(0, 1, 7)], ["LASTID", self.id()],
                   self.one(["TIME", self.random.choice(EPOCHS_MS)], ["IDLE", self.number(2_000_000, 10**14, 0)])]  # fmt: skip
        chosen = [option for option in options if self.chance(0.25)]
        if self.chance(0.03):
            chosen.append(self.one(["BOGUS"], ["IDLE"], ["TIME", "abc"], ["5-5"]))
        self.random.shuffle(chosen)
        return [arg for option in chosen for arg in option]

    def claim(self):
        key, group, consumer = self.key(), self.group(), self.consumer()
        idle = self.number(*IDLE_MS)
        count = ["COUNT", self.number(1, 2, 5)] if self.chance(0.4) else []
        return self.one(
            ["XACK", key, group, *self.ids()],
            ["XCLAIM", key, group, consumer, idle, *self.ids(), *self.claim_options()],
            ["XCLAIM", key, group, consumer, idle, *self.ids(), *self.claim_options()],
            ["XAUTOCLAIM", key, group, consumer, idle, self.edge(), *count, *self.one([], ["JUSTID"])],
            ["XAUTOCLAIM", key, group, consumer, idle, "0", *count, *self.one([], ["BOGUS"])],
        )

    def info(self):
        key = self.key()
        full = self.one([], ["FULL"], ["FULL", "COUNT", self.number(0, 1, 3)], ["full", "count"], ["BOGUS"])
        return self.one(
            ["XINFO", "STREAM", key, *full],
            ["XINFO", "STREAM", key, "FULL"],
            ["XINFO", "GROUPS", key],
            ["XINFO", "CONSUMERS", key, self.group()],
            ["XINFO", self.one("HELP", "BOGUS", "GROUPS", "CONSUMERS"), *self.one([], [key], [key, "a", "b"])],
        )

    def set_id(self):
        options = []
        if self.chance(0.4):
            options += ["ENTRIESADDED", self.number(0, 10, 100)]
        if self.chance(0.4):
            options += ["MAXDELETEDID", self.id()]
        return ["XSETID", self.key(), self.one(self.id(), "50-0", "60-3"), *options, *(["BOGUS"] if self.chance(0.03) else [])]

    def others(self):
        key, other = self.key(), self.key()
        return self.one(
            ["DEL", key],
            ["SET", "other", "text"],
            ["RPUSH", "other", "a"],
            ["RENAME", key, other],
            ["COPY", key, other, "REPLACE"],
            ["COPY", key, other, "REPLACE"],
            ["TYPE", key],
            ["OBJECT", "ENCODING", key],
            ["DEBUG", "DIGEST-VALUE", key],
            ["DEBUG", "DIGEST-VALUE", key],
            ["MULTI"],
            ["EXEC"],
            ["WATCH", key],
            ["CONFIG", "SET", "stream-node-max-entries", self.one(0, 1, 2, 5, 100)],
            ["CONFIG", "SET", "stream-node-max-bytes", self.one(0, 100, 300, 4096)],
        )

    def command(self):
        """The next command, as a list of byte strings."""
        makers = [self.add, self.remove, self.ranges, self.read, self.read_group, self.groups, self.pending, self.claim,
                  self.info, self.set_id, self.others]  # fmt: skip
        weights = [30, 8, 8, 5, 14, 8, 6, 10, 7, 1, 4]
        command = self.random.choices(makers, weights)[0]()
        if self.chance(0.01):
            del command[self.random.randrange(1, len(command) + 1) :]
        return [arg if isinstance(arg, bytes) else str(arg).encode("latin-1") for arg in command]


TIMES = {b"idle", b"inactive", b"seen-time", b"active-time"}


def timeless(command, reply):
    """A reply without how long ago things were: only whether that was long."""
    name, subcommand = command[0].upper(), b" ".join(command[1:2]).upper()
    if name == b"XPENDING" and reply[0] == b"*" and len(command) > 3:
        return reply[0], [(kind, [*item[:2], rough(item[2]), *item[3:]]) for kind, item in reply[1]]
    if name == b"XINFO" and subcommand in (b"STREAM", b"CONSUMERS"):
        return without_times(reply)
    return reply


def rough(number):
    """A time or a time span: negative, within the test, or neither."""
    value = int(number[1])
    return number[0], "negative" if value < 0 else value > 1_000_000


def without_times(reply):
    kind, value = reply
    if kind == b"%":
        return kind, [(key, rough(item) if key[1] in TIMES else pending(key, item)) for key, item in value]
    if kind == b"*" and value and value[0] == (b"$", b"name"):
        pairs = zip(value[::2], value[1::2])
        return kind, [x for key, item in pairs for x in (key, rough(item) if key[1] in TIMES else pending(key, item))]
    if kind == b"*" and value:
        pairs = list(zip([None, *value], value))
        return kind, [pending(before, item) if before else without_times(item) for before, item in pairs]
    return reply


def pending(key, item):
    if key == (b"$", b"pending") and item[0] == b"*":
        at = lambda entry: 2 if len(entry) == 4 else 1
        return item[0], [(k, [*e[: at(e)], rough(e[at(e)]), *e[at(e) + 1 :]]) for k, e in item[1]]
    return without_times(item)


def play(ours, theirs, seed, commands, report, known, batch=50):
    """One connection each for commands and one for events; both versions of the protocol in turn."""
    maker = Commands(random.Random(seed))
    protocol = 2 + seed % 2
    pairs = [(server.connect(protocol=protocol), server.connect(protocol=3)) for server in (ours, theirs)]
    for connection, listener in pairs:
        connection.call("CONFIG", "SET", "notify-keyspace-events", "KEAmn")
        listener.send("PSUBSCRIBE", "__key*")
        listener.read()
    history, queued = [], []
    for first in range(0, commands, batch):
        block = [command for command in (maker.command() for _ in range(batch)) if command[0].decode().upper() in known]
        # A transaction ends with its block, and what stops here stops there.
        block += [[b"EXEC"], [b"UNWATCH"]]
        for connection, _ in pairs:
            for command in block:
                connection.send(*command)
        for offset, command in enumerate(block):
            replies = [connection.read() for connection, _ in pairs]
            if replies[0] == (b"+", b"QUEUED"):
                queued.append(command)
                seen = replies
            elif command[0] == b"EXEC" and all(reply[0] == b"*" and reply[1] is not None for reply in replies):
                seen = [(kind, [timeless(c, r) for c, r in zip(queued, each)]) for kind, each in replies]
                queued = []
            else:
                queued = [] if command[0] == b"EXEC" else queued
                seen = [timeless(command, reply) for reply in replies]
            if seen[0] != seen[1]:
                report.add(first + offset, command, *seen, history[-12:])
            history.append((first + offset, command))
        marker = b"marker-%d" % first
        events = []
        for connection, listener in pairs:
            connection.send("PUBLISH", "__key-marker", marker)
            connection.read()
            events.append([])
            while (message := listener.read()[1])[3][1] != marker:
                events[-1].append((message[2][1], message[3][1]))
        if events[0] != events[1]:
            at = next((i for i, (a, b) in enumerate(zip(*events)) if a != b), min(map(len, events)))
            report.add(first, [b"EVENTS"], *[(len(e), e[at : at + 3]) for e in events], history[-len(block) :])
        if report.count > 20:
            break
    for connection, listener in pairs:
        connection.close()
        listener.close()
    return report


def blocking_command(chooser):
    """A command about two streams, half of them waiting without a timeout; what ends a stream or a group, too."""
    key = lambda: chooser.choice(["s", "t"])
    group = ["GROUP", chooser.choice(["g", "g", "h"]), chooser.choice(["alice", "bob"])]
    keys = [key() for _ in range(chooser.choice([1, 1, 2]))]
    count = chooser.choice([[], ["COUNT", 1], ["COUNT", 2]])
    new = [f"{chooser.randrange(60)}-*", "f", f"v{chooser.randrange(1000)}"]
    choices = [
        ["XREADGROUP", *group, *count, "BLOCK", 0, "STREAMS", *keys, *(">" for _ in keys)],
        ["XREAD", *count, "BLOCK", 0, "STREAMS", *keys, *(chooser.choice(["$", "$", "0", "20", "+"]) for _ in keys)],
        ["XADD", key(), "60-*", *new[1:]],
        ["XADD", key(), *new],
        ["XGROUP", "CREATE", key(), group[1], chooser.choice(["0", "$"]), "MKSTREAM"],
        ["XGROUP", "DESTROY", key(), group[1]],
        ["DEL", key()],
        ["SET", key(), "text"],
        ["RPUSH", key(), "a"],
        ["RENAME", key(), key()],
        ["COPY", key(), key(), "REPLACE"],
        ["MOVE", key(), 1],
        ["FLUSHDB"],
        ["PEXPIRE", key(), 0],
        ["XDEL", key(), "60-0", "60-1"],
        ["XTRIM", key(), "MAXLEN", 0],
        ["BLPOP", *keys, 0],
        ["MULTI"],
        ["EXEC"],
    ]
    weights = [12, 8, 10, 4, 8, 2, 2, 1, 1, 2, 1, 0.5, 0.3, 0.5, 2, 1, 1, 2, 7]
    command = chooser.choices(choices, weights)[0]
    return [str(arg).encode() for arg in command]
