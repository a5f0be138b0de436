"""Clients that cache, for differential.py: what each is told of keys that change, after each command of any of them."""

import re
import time

import differential_mixed
import harness
from differential_compare import Comparer, Report, plain_names

CHANNEL = "__redis__:invalidate"
CONNECTIONS = 8
PREFIXES = ["k", "l", "h", "k1", "z", "s", "{tag}", "", "x", "o0"]
WORD_OPTIONS = ["OPTIN", "OPTOUT", "NOLOOP", "NOLOOP", "BCAST", "noloop", "nosuch", "REDIRECT", "PREFIX"]
COUNTS = ("tracking_clients", "tracking_total_keys", "tracking_total_items", "tracking_total_prefixes")
# Each reads or writes what it is given.
LUA = [
    "redis.call('get', {0})", "redis.pcall('get', {0})", "redis.call('set', {0}, 'x')", "redis.call('del', {0})", "redis.pcall('incr', {0})",
    "redis.call('mget', {0}, {1})", "redis.call('exists', {0}, {1})", "redis.pcall('rename', {0}, {1})", "redis.call('type', {0})",
    "redis.call('copy', {0}, {1}, 'replace')", "redis.call('select', 1)", "redis.call('select', 0)", "redis.call('pexpire', {0}, 100000)",
    "redis.call('unlink', {0})", "redis.call('flushdb')", "redis.call('ttl', {0})",
]  # fmt: skip


def is_message(frame):
    """Whether it came unasked: nobody else publishes."""
    kind, items = frame
    return kind in (b"*", b">") and bool(items) and items[0][1] in (b"invalidate", b"tracking-redir-broken", b"message")


def without_protocol(frame):
    """A message whose null is that of either version of the protocol: Valkey writes that of who tracks, not of who receives."""
    kind, items = frame
    return kind, [(b"_", b"") if item[1] in (None, b"") and item[0] in (b"$", b"*", b"_") else item for item in items]


class Side:
    """All connections to one server."""

    def __init__(self, server):
        self.server = server
        self.control = server.connect()
        self.control.call("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        self.ends, self.ids = [], {}
        for number in range(CONNECTIONS):
            self.ends.append(None)
            self.open(number, protocol=2 + number % 2)
        self.gone = max(self.ids) + 1_000_000

    def open(self, number, protocol):
        if self.ends[number]:
            mine = next(client_id for client_id, other in self.ids.items() if other == number)
            self.ids[mine] = f"was {number}"
            self.ends[number].close()
            gone = lambda: self.control.call("CLIENT", "LIST", "ID", mine) == b""
            harness.eventually(gone, "the server has seen it close")
        self.ends[number] = self.server.connect(protocol=protocol)
        self.ids[self.ends[number].call("CLIENT", "ID")] = number

    def named(self, value):
        """A reply in which clients have their numbers here, not those of the server."""
        if isinstance(value, tuple) and value[0] == b":":
            return (b":", self.ids.get(int(value[1]), value[1]))
        if isinstance(value, (list, tuple)):
            return type(value)(self.named(item) for item in value)
        return value

    def read(self, number, frames):
        """Reads up to the next reply, with the messages before it."""
        while True:
            frame = self.ends[number].read()
            if is_message(frame):
                frames.append(without_protocol(self.named(frame)))
            else:
                return frame

    def collect(self, number, frames, mode):
        """Reads what the server has sent up to now. Whoever listens in RESP2 may call nothing but PING."""
        if mode == "queues":
            return
        self.ends[number].send(*(["PING"] if mode == "listens" else ["CLIENT", "KILL", "ID", 1 << 50]))
        self.read(number, frames)

    def counts(self):
        stats = harness.info(self.control, "stats") | harness.info(self.control, "clients")
        return [stats[name] for name in COUNTS]

    def close(self):
        for connection in [self.control, *self.ends]:
            connection.close()


class Play:
    """What is played, and in which state the connections are."""

    def __init__(self, seed, broadcasts, known):
        self.generator = differential_mixed.Generator(seed)
        self.random, self.one, self.chance = self.generator.random, self.generator.one, self.generator.chance
        self.broadcasts, self.known = broadcasts, known
        self.protocols = [2 + number % 2 for number in range(CONNECTIONS)]
        self.channels = [set() for _ in range(CONNECTIONS)]
        self.queueing = None
        # Who called the first of the commands that belong together.
        self.last = 0

    def mode(self, number):
        if number == self.queueing:
            return "queues"
        return "listens" if self.channels[number] and self.protocols[number] == 2 else "calls"

    def keys(self, most):
        return [self.one(*differential_mixed.KEYS) for _ in range(self.random.randint(1, most))]

    def tracking(self):
        """CLIENT TRACKING: connections are numbers, which each server replaces by its ids."""
        words = []
        if self.chance(0.45):
            words += ["REDIRECT", ("id", self.one(*range(CONNECTIONS), *range(CONNECTIONS), "gone"))]
        if self.broadcasts and self.chance(0.35):
            words.append("BCAST")
            prefixes = self.random.sample(PREFIXES, self.random.choice([0, 1, 1, 2]))
            # Of three that overlap in their second and third Valkey both complains and obeys.
            words += [word for prefix in prefixes for word in ("PREFIX", prefix)]
        if self.chance(0.35):
            words.append(self.one(*WORD_OPTIONS[: None if self.broadcasts else 4]))
        return ["CLIENT", "TRACKING", self.one("ON", "on", "ON", "ON", "OFF", "x" if self.chance(0.1) else "ON"), *words]

    def switch(self):
        return self.one(
            self.tracking(), self.tracking(), self.tracking(), self.tracking(),
            ["CLIENT", "CACHING", self.one("YES", "NO", "yes", "x")], ["CLIENT", "CACHING", self.one("YES", "NO")],
            ["CLIENT", "TRACKINGINFO"], ["CLIENT", "GETREDIR"], ["CLIENT", "TRACKING"],
            ["SUBSCRIBE", CHANNEL], ["SUBSCRIBE", CHANNEL], ["UNSUBSCRIBE", CHANNEL], ["PSUBSCRIBE", "__redis__*"], ["PUNSUBSCRIBE", "__redis__*"],
            ["HELLO", self.one("2", "3", "3")], ["RESET"] if self.chance(0.3) else ["PING"], ["OPEN"] if self.chance(0.5) else ["PING"],
        )  # fmt: skip

    def script(self):
        keys = self.keys(4)
        names = [f"KEYS[{at + 1}]" for at in range(len(keys))]
        lines = [self.one(*LUA).format(self.one(*names), self.one(*names)) for _ in range(self.random.randint(1, 5))]
        return ["EVAL_RO" if self.chance(0.1) else "EVAL", " ".join(lines), len(keys), *keys]

    def reading(self):
        keys = self.keys(8)
        return self.one(["EXISTS", *keys], ["MGET", *keys], ["TOUCH", *keys], ["TYPE", keys[0]], ["GET", keys[0]], ["TTL", keys[0]],
                        ["OBJECT", "ENCODING", keys[0]], ["MEMORY", "USAGE", keys[0]], ["DUMP", keys[0]], ["WATCH", *keys])  # fmt: skip

    def step(self):
        """A connection's number, and its command."""
        if self.queueing is not None:
            return self.queueing, self.generated(), True
        if self.generator.next:
            return self.last, self.generated(), True
        number, chance = self.random.randrange(CONNECTIONS), self.random.random()
        if chance < 0.4:
            calling = [number for number in range(CONNECTIONS) if self.mode(number) == "calls"]
            if not calling:
                return number, ["RESET"], False
            self.last = self.one(*calling)
            return self.last, self.generated(), True
        if chance < 0.6:
            return number, self.switch(), False
        if chance < 0.85:
            return number, self.reading(), False
        if chance < 0.95:
            return number, self.script(), False
        return number, self.one(["FLUSHDB"], ["FLUSHALL"], ["SWAPDB", 0, 1], ["SELECT", self.one(0, 0, 1)], ["CONFIG", "SET", "appendonly", "no"],
                                ["MOVE", *self.keys(1), 1], ["COPY", *self.keys(1), *self.keys(1), "DB", 1], ["DEL", *self.keys(9)]), False  # fmt: skip

    def generated(self):
        while True:
            command = self.generator.command()
            name = command[0].upper().decode("latin-1")
            # An id too many makes Valkey forget of which keys it complains.
            is_uneven = name.startswith("XREAD") and b"STREAMS" in command and (len(command) - command.index(b"STREAMS")) % 2 == 0
            if name in self.known and name not in ("HELLO", "CONFIG") and not is_uneven:
                return command

    def note(self, number, command, reply):
        """Follows the state of a connection."""
        name = command[0].upper() if isinstance(command[0], str) else command[0].upper().decode("latin-1")
        if name == "MULTI" and reply == (b"+", b"OK"):
            self.queueing = number
        elif name in ("EXEC", "DISCARD") and not (reply[0] == b"-" and b"nested" in reply[1]):
            self.queueing = None if number == self.queueing else self.queueing
        elif name in ("RESET", "OPEN") and reply[0] == b"+":
            self.protocols[number] = 2 if name == "RESET" else int(reply[1])
            self.channels[number].clear()
            self.queueing = None if number == self.queueing else self.queueing
        elif name == "HELLO" and reply[0] != b"-":
            self.protocols[number] = int(command[1])
        elif name in ("SUBSCRIBE", "PSUBSCRIBE") and reply[0] in b"*>":
            self.channels[number].add(command[1])
        elif name in ("UNSUBSCRIBE", "PUNSUBSCRIBE") and reply[0] in b"*>":
            self.channels[number].discard(command[1])


def call(side, number, command, frames, modes, protocol):
    """Sends a command. Returns its reply, and fills `frames` with the messages that each connection got."""
    if command[0] == "OPEN":
        side.open(number, protocol)
        reply = (b"+", b"%d" % protocol)
    else:
        ids = {other: client_id for client_id, other in side.ids.items()}
        args = [ids.get(arg[1], side.gone) if isinstance(arg, tuple) else arg for arg in command]
        side.ends[number].send(*(arg.encode("latin-1") if isinstance(arg, str) else arg for arg in args))
        reply = side.read(number, frames[number])
    for other in range(CONNECTIONS):
        mode = modes(other, reply)
        side.collect(other, frames[other], mode)
    return reply


def cleaned(command, reply, side):
    words = [word.upper() for word in command if isinstance(word, str)]
    if words[:1] == ["HELLO"]:
        return reply[0], None
    if words[:1] == ["CLIENT"]:
        return side.named(reply)
    if words[:2] == ["MEMORY", "USAGE"] or words[:1] == ["DUMP"]:
        return reply[0], None
    return reply


def play(ours, theirs, seed, commands):
    """Steps of one connection at a time, with all messages that come of each."""
    sides = [Side(server) for server in (ours, theirs)]
    known = []
    for side in sides:
        side.control.send("COMMAND", "LIST")
        known.append({name.decode().upper() for name in plain_names(side.control.read())})
    report, broadcasts = Report(seed), seed % 2 == 1
    state, comparer, history = Play(seed, broadcasts, known[0] & known[1]), Comparer((8, 1)), []
    for side in sides:
        for name, value in state.generator.chosen.items():
            side.control.call("CONFIG", "SET", name, value)
    for at in range(commands):
        number, command, is_generated = state.step()
        protocol = state.one(2, 3)
        frames = [[[] for _ in range(CONNECTIONS)] for _ in sides]
        replies = []
        for side, messages in zip(sides, frames):
            # The state behind this command, seen from each side's own reply.
            saved = (list(state.protocols), [set(channels) for channels in state.channels], state.queueing)

            def modes(other, reply):
                state.note(number, command, reply)
                return state.mode(other)

            try:
                replies.append(call(side, number, command, messages, modes, protocol))
            except (harness.Closed, TimeoutError, OSError) as why:
                replies.append((b"-", repr(why).encode()))
            after = (state.protocols, state.channels, state.queueing)
            state.protocols, state.channels, state.queueing = saved
        state.protocols, state.channels, state.queueing = after
        shown = [b"%d>" % number, *(str(arg).encode() if not isinstance(arg, bytes) else arg for arg in command)]
        history.append((at, shown))
        if is_generated:
            same = comparer.same([arg if isinstance(arg, bytes) else arg.encode("latin-1") for arg in command], *replies)
            if command[0].upper() == b"DUMP":
                state.generator.keep_payloads(reply[1] for reply in replies if reply[0] == b"$" and reply[1])
        else:
            same = cleaned(command, replies[0], sides[0]) == cleaned(command, replies[1], sides[1])
            if number == state.queueing and replies[0] == (b"+", b"QUEUED"):
                comparer.queued.append([str(arg).encode("latin-1") for arg in command])
        if not same:
            report.add(at, [str(command[0] if isinstance(command[0], str) else command[0].decode("latin-1")).encode(), *shown], *replies, history[-6:])
        for other in range(CONNECTIONS):
            left, right = frames[0][other], frames[1][other]
            # Those who broadcast are told in the order of their addresses, on Valkey; sets are sorted in that of their table.
            is_open = broadcasts or re.match(rb"(?i)sort|exec|eval", shown[1])
            if left != right and not (is_open and sorted(left, key=repr) == sorted(right, key=repr)):
                report.add(at, [b"MESSAGES", b"to %d" % other, *shown], left, right, history[-12:])
        if at % 10 == 0:
            counts = [side.counts() for side in sides]
            if counts[0] != counts[1]:
                report.add(at, [b"COUNTS"], *counts, history[-12:])
        if report.count > 5:
            break
        if state.generator.wait_ms:
            due_s = time.time() + (state.generator.wait_ms + 1) / 1000
            harness.eventually(lambda: time.time() > due_s, "the clock goes on")
            state.generator.wait_ms = 0
        del history[:-50]
    for side in sides:
        side.close()
    return report
