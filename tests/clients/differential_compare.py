"""What may differ between the replies and keyspaces of two correct servers, and the report on what does."""

from collections import Counter

import differential_hashes
import differential_sets
import differential_streams
import differential_zsets

TIME_LEFT = {"TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"}
UNORDERED = {"KEYS"} | differential_hashes.UNORDERED | differential_sets.UNORDERED
# Of these nothing but the kind can be compared: chance, clocks and ids are in them, and other layouts.
ONLY_KIND = {"RANDOMKEY", "HELLO", "TIME", "CLIENT", "DUMP", "MEMORY"}
# Random picks, and what has all that can be picked.
PICKS = {"SPOP": "SMEMBERS", "SRANDMEMBER": "SMEMBERS", "HRANDFIELD": "HGETALL", "ZRANDMEMBER": "ZRANGE"}

class Comparer:
    """Knows which parts of which replies may differ between two correct servers."""

    def __init__(self, version):
        # Which strings are `embstr` and which `raw` is as in Valkey 8.1; other versions have other rules.
        self.same_embstr = version < (9, 0)
        self.queued = []
        # The last read of a whole collection and the last pick from it, on each side.
        self.whole, self.picked = None, None

    def same(self, command, ours, theirs):
        name = command[0].decode("latin-1").upper()
        if ours == (b"+", b"QUEUED") and ours == theirs:
            self.queued.append(command)
            return True
        if name == "EXEC":
            queued, self.queued = self.queued, []
            if ours[0] == theirs[0] == b"*" and ours[1] and theirs[1] and len(queued) == len(ours[1]) == len(theirs[1]):
                return all(list(map(self.same_reply, queued, ours[1], theirs[1])))
        elif name == "DISCARD":
            self.queued = []
        return self.same_reply(command, ours, theirs)

    def same_reply(self, command, ours, theirs):
        name = command[0].decode("latin-1").upper()
        if name in PICKS.values() and self.picked:
            # What is left of a set after a pop.
            left, right = (sorted(rest[1] + picks) for rest, picks in zip((ours, theirs), self.picked))
            same, self.picked = left == right == sorted(self.whole[1][1]), None
            return same and len(ours[1]) == len(theirs[1])
        if name in PICKS.values() and len(command) > 1:
            self.whole = (command[1], ours, theirs)
        if name in PICKS:
            return self.same_pick(name, command, ours, theirs)
        if ours == theirs:
            return True
        if ours[0] != theirs[0] or b"-" == ours[0]:
            return False
        if name in TIME_LEFT and ours[0] == b":":
            # Both servers took the command within seconds of each other; their clocks' readings differ by that.
            near = 30_000 if name.startswith("P") else 30
            return int(ours[1]) > 0 < int(theirs[1]) and abs(int(ours[1]) - int(theirs[1])) <= near
        if name.startswith("X"):
            return differential_streams.timeless(command, ours) == differential_streams.timeless(command, theirs)
        verdict = differential_zsets.same_reply(name, command, ours, theirs)
        verdict = differential_hashes.same_reply(name, ours, theirs) if verdict is None else verdict
        if verdict is not None:
            return verdict
        if name in UNORDERED and ours[0] in (b"*", b"~"):
            return sorted(ours[1]) == sorted(theirs[1])
        if name in ("SSCAN", "SCAN"):
            return differential_sets.same_walk(ours, theirs)
        if name in ("SORT", "SORT_RO"):
            return same_sorting(command, ours, theirs)
        if name == "OBJECT" and ours[0] == b"$":
            return not self.same_embstr and {ours[1], theirs[1]} == {b"embstr", b"raw"}
        if name == "OBJECT":  # IDLETIME: the other OBJECT replies are equal or no integers above zero.
            return ours[0] == b":" and abs(int(ours[1]) - int(theirs[1])) <= 30
        return name in ONLY_KIND and (ours[1] is None) == (theirs[1] is None)

    def same_pick(self, name, command, ours, theirs):
        """Whether both picked as many, and what was there to pick."""
        if ours[0] in b"-_" or ours[1] in (None, []) or not self.whole or self.whole[0] != command[1]:
            return ours == theirs
        if differential_hashes.shape(ours) != differential_hashes.shape(theirs):
            return False
        if name == "SPOP":
            self.picked = [reply[1] if reply[0] in b"*~" else [reply] for reply in (ours, theirs)]
        distinct = len(command) < 3 or not command[2].startswith(b"-")
        sides = zip((ours, theirs), self.whole[1:])
        return all(picked_fairly(reply, whole, name, len(command) > 3, distinct) for reply, whole in sides)


def picked_fairly(reply, whole, name, with_values, distinct):
    """Whether all that was picked is there, and nothing twice where that was not asked for."""
    there = whole[1]
    if name in ("HRANDFIELD", "ZRANDMEMBER"):
        there = pairs_of(whole)
        there = there if with_values else [pair[0] for pair in there]
    picks = [reply] if reply[0] == b"$" else pairs_of(reply) if with_values else reply[1]
    return all(pick in there for pick in picks) and (not distinct or len(set(picks)) == len(picks))


def pairs_of(reply):
    """Fields with values or members with scores, in whatever form."""
    kind, items = reply
    if kind == b"%":
        return items
    if items and items[0][0] == b"*":
        return [tuple(item[1]) for item in items]
    return list(zip(items[::2], items[1::2]))


def same_sorting(command, ours, theirs):
    """Whether two sortings differ in nothing but an order that was not asked for.

    Sets have none under BY a constant, and equal texts have none: which of them comes first hangs on the algorithm.
    """
    words = [arg.upper() for arg in command]
    if ours[0] == b"*" and b"ALPHA" in words and b"BY" not in words:
        # Collation sees a text up to its first zero byte.
        visible = lambda reply: [text.partition(b"\0")[0] for _, text in reply[1] if text is not None]
        return visible(ours) == visible(theirs) or b"GET" in words and sorted(ours[1], key=repr) == sorted(theirs[1], key=repr)
    by = command[words.index(b"BY") + 1] if b"BY" in words[2:-1] else None
    open_order = by is not None and (b"*" not in by or b"ALPHA" in words)
    if not open_order or ours[0] != b"*" or len(ours[1]) != len(theirs[1]):
        return False
    return b"LIMIT" in words or sorted(ours[1], key=repr) == sorted(theirs[1], key=repr)


READERS = {
    "string": lambda key: ["GET", key],
    "list": lambda key: ["LRANGE", key, 0, -1],
    "zset": lambda key: ["ZRANGE", key, 0, -1, "WITHSCORES"],
    "hash": lambda key: ["HGETALL", key],
    "set": lambda key: ["SMEMBERS", key],
    "stream": lambda key: ["XINFO", "STREAM", key, "FULL", "COUNT", 0],
}


def keyspace(connection):
    """All databases' contents, as {(database, key): what can be seen of it}. OBJECT ENCODING was asked often before."""
    seen = {}
    for database in range(16):
        connection.call("SELECT", database)
        for key in connection.call("KEYS", "*"):
            kind = connection.call("TYPE", key)
            connection.send(*READERS[kind](key))
            value = connection.read()
            if kind == "stream":
                value = differential_streams.without_times(value)
            elif kind == "hash":
                value = sorted(pairs_of(value))
            elif kind == "set":
                value = sorted(value[1])
            encoding = kind == "string" or connection.call("OBJECT", "ENCODING", key)
            seen[database, key] = (kind, encoding, value, connection.call("PTTL", key) > 0)
    connection.call("SELECT", 0)
    return seen


def known_commands(connection):
    connection.send("COMMAND", "LIST")
    return {name.decode().upper() for name in plain_names(connection.read())}


def plain_names(reply):
    return [item[1] for item in reply[1]]


class Report:
    """Collects differences, a few of them in full."""

    def __init__(self, seed):
        self.seed, self.lines, self.count, self.by_name = seed, [], 0, Counter()

    def add(self, at, command, ours, theirs, history=()):
        self.count += 1
        name = command[0].decode("latin-1").upper()
        self.by_name[name] += 1
        if self.by_name[name] > 3 or len(self.lines) > 60:
            return
        self.lines += [f"#{at} {show(command)}", f"    ours:   {short(ours)}", f"    theirs: {short(theirs)}"]
        self.lines += [f"      after #{when} {show(earlier)}" for when, earlier in history]

    def text(self):
        names = ", ".join(f"{name} {count}" for name, count in self.by_name.most_common())
        return "\n".join([f"seed {self.seed}: {self.count} differences ({names})", *self.lines])


def show(command):
    return short(" ".join(repr(arg)[1:] for arg in command))


def short(value):
    text = repr(value)
    return text if len(text) < 300 else text[:280] + f"... ({len(text)})"
