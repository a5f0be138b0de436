"""One client's random commands over all families: see differential.py."""

import random
import re
import time

import differential_bits
import differential_hashes
import differential_plain
import differential_sets
import differential_streams
import differential_zsets
import harness
from differential_compare import PICKS, Comparer, Report, keyspace, known_commands
from differential_plain import INTEGERS, MAY_EXPIRE, NOT_SOON, ODD_NUMBERS

KEYS = sorted({
    *differential_plain.STRING_KEYS,
    *differential_plain.LIST_KEYS,
    *differential_plain.SORT_KEYS,
    *differential_hashes.KEYS,
    *differential_sets.KEYS,
    *differential_bits.KEYS,
    *differential_zsets.KEYS,
    *differential_streams.KEYS,
})
PAYLOADS_MAX = 40
PICKS = {name.encode(): whole.encode() for name, whole in PICKS.items()}


class Generator(
    differential_plain.Plain,
    differential_hashes.Hashes,
    differential_sets.Sets,
    differential_bits.Bits,
    differential_zsets.SortedSets,
):
    """Random commands, most of them valid, over few keys so that types and encodings meet."""

    def __init__(self, seed, only=()):
        self.random = random.Random(seed)
        self.every_key = KEYS
        # Parameters that change on the way, and those that do not: Valkey's longer lists keep to the limit under which they
        # were made.
        self.limits = {**differential_hashes.LIMITS, **differential_zsets.LIMITS}
        self.chosen = {
            "list-max-listpack-size": self.one(-1, -2, 2, 5, 128),
            "set-max-intset-entries": self.one(0, 6, 512, 512),
            **{name: self.one(*values) for name, values in self.limits.items()},
        }
        self.in_multi = False
        self.payloads = []
        self.wait_ms = 0
        # What must follow at once.
        self.next = []
        self.stream_commands = differential_streams.Commands(self.random)
        makers = {maker: weight for maker, weight in self.families().items() if not only or maker.__name__ in only}
        self.makers = list(makers)
        self.weights = list(makers.values())

    def streams(self):
        return self.stream_commands.command()

    def keep_payloads(self, payloads):
        """What DUMP answered, to be restored later on."""
        self.payloads = [*self.payloads, *(payload for payload in payloads if len(payload) < 20_000)][-PAYLOADS_MAX:]

    def families(self):
        return {
            self.set: 10,
            self.strings: 13,
            self.counters: 9,
            self.many_strings: 4,
            self.lcs: 2,
            self.expire: 8,
            self.time_left: 4,
            self.key_space: 10,
            self.databases: 2,
            self.push: 13,
            self.lists: 15,
            self.lpos: 4,
            self.moves: 6,
            self.blocking: 3,
            self.transactions: 4,
            self.others: 2,
            self.scan: 1,
            self.sorting: 8,
            self.dumps: 5,
            self.soon: 0.4,
            self.inside: 2,
            self.streams: 15,
            self.sorted_sets: 30,
            self.geo: 8,
            self.hash_writes: 14,
            self.hash_counters: 5,
            self.hash_reads: 14,
            self.hash_keys: 2,
            self.field_expiry: 12,
            self.field_times: 5,
            **self.set_families(),
            **self.bit_families(),
        }



    def command(self):
        """The next command, as a list of byte strings. Afterwards `wait_ms` says when something ends, if not 0."""
        self.wait_ms = 0
        if self.next:
            return self.next.pop(0)
        if not self.in_multi and self.chance(0.002):
            return [b"HELLO", self.one(b"2", b"3", b"3", b"4", b"x")]
        if self.in_multi and self.chance(0.15):
            command = ["EXEC"]
        else:
            command = self.random.choices(self.makers, self.weights)[0]()
        command = [arg if isinstance(arg, bytes) else str(arg).encode("latin-1") for arg in command]
        name = command[0].upper()
        if name == b"MULTI":
            self.in_multi = True
        elif name in (b"EXEC", b"DISCARD"):
            self.in_multi = False
        elif name not in (b"HELLO", b"CONFIG", b"COMMAND", b"DEBUG") and name[:1] != b"X" and not self.wait_ms:
            command = self.mutated(command)
        command = differential_zsets.harmless(command)
        if name in (b"SETBIT", b"SETRANGE", b"BITFIELD"):
            # A string of hundreds of megabytes would be sent and compared again and again.
            command = [b"9999999999999" if re.fullmatch(rb"#?\+?\d{6,12}", arg) else arg for arg in command]
        command = self.never_waiting(differential_hashes.bounded(command))
        if name == b"SCAN" and len(command) > 1:
            command = differential_plain.whole_walk(command)
        command = differential_sets.predictable(command)
        return self.with_company(command)

    def with_company(self, command):
        """What chance decides is checked against all that there is, and then forgotten."""
        name = command[0].upper()
        if name == b"RANDOMKEY":
            # It deletes the expired keys that it meets: none is left to meet.
            self.next = [command]
            return [b"EXISTS", *(key.encode("latin-1") for key in KEYS)]
        if name in (b"SORT", b"SORT_RO"):
            # Valkey looks at an error number that an earlier command may have left; reading a number clears it.
            self.next = [command]
            return [b"ZADD", b"nobody", b"XX", b"0", b"m"]
        if name in PICKS and len(command) > 1:
            whole = [PICKS[name], command[1], *([b"0", b"-1", b"WITHSCORES"] if name == b"ZRANDMEMBER" else [])]
            self.next = [command, whole]
            if name == b"SPOP":
                self.next.append([b"DEL", command[1]])
            return whole
        return command

    def mutated(self, command):
        """Now and then a wrong number of arguments, an odd argument or other letters' case."""
        if self.chance(0.02):
            del command[self.random.randrange(1, len(command) + 1) :]
        if self.chance(0.015):
            command.append(self.value().encode("latin-1"))
        if len(command) > 1 and self.chance(0.02):
            at = self.random.randrange(1, len(command))
            numbers = ODD_NUMBERS + (NOT_SOON if command[0].upper() in MAY_EXPIRE else INTEGERS)
            command[at] = str(self.random.choice(numbers)).encode("latin-1")
        if self.chance(0.1):
            command[0] = command[0].lower()
        return command

    def never_waiting(self, command):
        """Outside of MULTI a blocking command must not wait long: there is nobody to wake it."""
        name = command[0].upper()
        if self.in_multi or len(command) < 2:
            return command
        if name in (b"BLPOP", b"BRPOP", b"BLMOVE", b"BRPOPLPUSH", b"BZPOPMIN", b"BZPOPMAX"):
            at = len(command) - 1
        elif name in (b"BLMPOP", b"BZMPOP"):
            at = 1
        else:
            return command
        if re.search(rb"0x|nan", command[at], re.I):
            command[at] = b"abc"
        try:
            wait_s = float(command[at])
        except ValueError:
            return command
        if 0 <= wait_s < 1e15 and not 0 < wait_s <= 0.02:
            command[at] = b"0.01"
        return command


def play(ours, theirs, seed, commands, only=(), batch=64, wrapped=lambda chooser, command: command):
    """One connection each, alternating between RESP2 and RESP3, and one that sees every event.

    `wrapped` makes of a command what is sent for it.
    """
    generator, report = Generator(seed, only), Report(seed)
    pairs = [(server.connect(), server.connect(protocol=3)) for server in (ours, theirs)]
    (our_client, our_listener), (their_client, their_listener) = pairs
    known = known_commands(their_client)
    version = plain_version(their_client)
    comparer, has_ifeq = Comparer(version), version >= (8, 1)
    history = []
    parameters = {**generator.chosen, "notify-keyspace-events": "KEAmn"}
    for client, listener in pairs:
        for name, value in parameters.items():
            client.call("CONFIG", "SET", name, value)
        # What has expired goes when a command meets it: at the same one on both sides.
        client.call("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        listener.send("PSUBSCRIBE", "__key*")
        listener.read()
    at, waiting = 0, []
    while at < commands:
        block = []
        while len(block) < min(batch, commands - at) and not (block and generator.wait_ms):
            command = waiting.pop() if waiting else generator.command()
            if generator.wait_ms and block:
                # What ends soon is a block of its own.
                waiting.append(command)
                break
            name = command[0].upper().decode("latin-1")
            if (name in known or name in ("NOSUCHCOMMAND", "")) and (has_ifeq or b"IFEQ" not in command):
                block.append(command)
        data = b"".join(harness.encode(*wrapped(generator, command)) for command in block)
        for client, _ in pairs:
            client.send_raw(data)
        for offset, command in enumerate(block):
            replies = our_client.read(), their_client.read()
            if not comparer.same(command, *replies):
                touching = set(command[1:3])
                related = [entry for entry in history[-400:] if touching & set(entry[1][1:])][-4:]
                report.add(at + offset, command, *replies, related)
            if command[0].upper() == b"DUMP":
                generator.keep_payloads(reply[1] for reply in replies if reply[0] == b"$" and reply[1])
            history.append((at + offset, command))
        del history[:-1000]
        our_events, their_events = (events(listener, at) for listener in (our_listener, their_listener))
        if our_events != their_events:
            differs = (i for i, (left, right) in enumerate(zip(our_events, their_events)) if left != right)
            first = next(differs, min(len(our_events), len(their_events)))
            left, right = our_events[first : first + 3], their_events[first : first + 3]
            keys = {key for event in [*left[:2], *right[:2]] for key in (event[1], event[0].partition(b":")[2])}
            related = [entry for entry in history[-len(block) - 200 :] if keys & set(entry[1][1:])]
            report.add(at, [b"EVENTS"], left, right, related[-12:])
        at += len(block)
        if generator.wait_ms and not waiting:
            due_s = time.time() + (generator.wait_ms + 1) / 1000
            harness.eventually(lambda: time.time() > due_s, "the clock goes on")
            generator.wait_ms = 0
    for client, _ in pairs:
        for last in (b"DISCARD", b"UNWATCH"):
            client.send(last)
            client.read()
        client.send("HELLO", 2)
        client.read()
    left, right = keyspace(our_client), keyspace(their_client)
    for place in sorted(left.keys() | right.keys()):
        if left.get(place) != right.get(place):
            report.add("end", [b"KEYSPACE", str(place).encode()], left.get(place), right.get(place))
    for connection in (connection for pair in pairs for connection in pair):
        connection.close()
    return report


def events(listener, at):
    """All events up to now: the replies to all commands have been read, so their events have been sent.

    Keys that are missed or expire one after another come in any order: SORT looks up those for a set in the order of its
    table.
    """
    marker = b"marker-%d" % at
    listener.send("PING", marker)
    seen, misses = [], []
    while (message := listener.read()) != (b"$", marker):
        channel, text = message[1][2][1], message[1][3][1]
        if {b"keymiss", b"expired"} & {text, channel.partition(b":")[2]}:
            misses.append((channel, text))
        else:
            seen += [*sorted(misses), (channel, text)]
            misses = []
    return seen + sorted(misses)


def plain_version(connection):
    server = harness.info(connection, "server")
    return tuple(map(int, server.get("valkey_version", server["redis_version"]).split(".")[:2]))
