"""A cluster of one node, for differential.py: what belongs to one slot and what does not, and what the node says of itself."""

import random
import re

import harness
from differential_compare import Report

KEYS = ["a", "b", "c", "{t}1", "{t}2", "{t}3", "{u}1", "{u}2", "", "{}x", "x{", "{{a}}", "a}b{c}", "{}{a}"]
# All but those that would change who owns the slots, and that describe the node.
SUBCOMMANDS = ["COUNT-FAILURE-REPORTS", "COUNTKEYSINSLOT", "FAILOVER", "FORGET", "GETKEYSINSLOT", "KEYSLOT", "REPLICAS", "REPLICATE",
               "SAVECONFIG", "SLAVES", "SLOT-STATS", "LINKS", "nosuch", "HELP"]  # fmt: skip
ARGUMENTS = ["0", "1", "10", "16383", "16384", "-1", "abc", "", "99999999999999999999", "a", "{t}1", "+1", " 1", "1.0", "FORCE",
             "TAKEOVER", "SLOTSRANGE", "ORDERBY", "key-count", "LIMIT", "DESC", "ASC"]  # fmt: skip
SHEBANGS = ["", "", "", "#!lua\n", "#!lua flags=allow-cross-slot-keys\n", "#!lua flags=no-writes\n", "#!lua flags=no-cluster\n",
            "#!lua flags=no-cluster,allow-cross-slot-keys\n"]  # fmt: skip
CALLS = ["redis.call('set', {0}, 1)", "redis.call('get', {0})", "redis.pcall('mget', {0}, {1})", "redis.pcall('mset', {0}, 1, {1}, 2)",
         "redis.call('del', {0}, {1})", "redis.pcall('rename', {0}, {1})", "redis.pcall('spublish', {0}, 1)", "redis.pcall('dbsize')",
         "redis.pcall('select', 0)", "redis.pcall('select', 1)"]  # fmt: skip
UNORDERED = {"KEYS", "SCAN", "PUBSUB", "GETKEYSINSLOT"}


class Play:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.one = lambda *choices: self.random.choice(choices)
        self.key = lambda: self.random.choice(KEYS)

    def script(self):
        keys = [self.key() for _ in range(self.random.randint(0, 3))]
        name = lambda: self.one("KEYS[1]", "KEYS[2]", f"'{self.one('a', '{t}1', 'b')}'")
        lines = [self.one(*CALLS).format(name(), name()) for _ in range(self.random.randint(1, 3))]
        result = self.one("1", "redis.call('get', KEYS[1])", "redis.pcall('get', 'b')")
        return [self.one("EVAL", "EVAL", "EVAL_RO"), f"{self.one(*SHEBANGS)}{' '.join(lines)} return {result}", len(keys), *keys]

    def command(self):
        one, key, chance = self.one, self.key, self.random.random()
        if chance < 0.25:
            return ["CLUSTER", one(*SUBCOMMANDS), *(one(*ARGUMENTS) for _ in range(self.random.randint(0, 4)))]
        if chance < 0.45:
            return self.script()
        return one(
            ["SET", key(), 1], ["GET", key()], ["MGET", key(), key()], ["MSET", key(), 1, key(), 2], ["DEL", key(), key()],
            ["RENAME", key(), key()], ["COPY", key(), key()], ["COPY", key(), key(), "DB", one(0, 1)], ["MOVE", key(), one(0, 1)],
            ["SELECT", one(0, 1, -1, 16, "x")], ["SWAPDB", 0, one(0, 1)], ["FLUSHALL"], ["FLUSHDB"], ["SSUBSCRIBE", key()],
            ["SSUBSCRIBE", key(), key()], ["SUNSUBSCRIBE", key()], ["SUNSUBSCRIBE", key(), key()], ["SPUBLISH", key(), "m"],
            ["PUBLISH", key(), "m"], ["SUBSCRIBE", key()], ["UNSUBSCRIBE", key()], ["PUBSUB", "SHARDCHANNELS"],
            ["PUBSUB", "SHARDNUMSUB", key(), key()], ["MULTI"], ["EXEC"], ["DISCARD"], ["WATCH", key(), key()], ["UNWATCH"], ["ASKING"],
            ["READONLY"], ["READWRITE"], ["SUNION", key(), key()], ["SINTERSTORE", key(), key(), key()], ["BLPOP", key(), key(), "0.01"],
            ["LMOVE", key(), key(), "LEFT", "LEFT"], ["SORT", key(), "BY", "w_*"], ["SORT", key(), "STORE", key()],
            ["SORT", key(), "GET", key()], ["SORT", key(), "GET", "#"], ["SORT", key(), "BY", "nosort"], ["SORT", key(), "BY", "{t}*"],
            ["GEORADIUS", key(), 1, 1, 1, "m", "STORE", key()], ["XREAD", "STREAMS", key(), key(), 0, 0], ["DBSIZE"], ["KEYS", "*"],
            ["KEYS", "{t}*"], ["SCAN", 0, "COUNT", 1000, "MATCH", "{t}*"], ["PFCOUNT", key(), key()], ["LCS", key(), key()],
            ["ZUNIONSTORE", key(), 2, key(), key()], ["BITOP", "AND", key(), key(), key()], ["FCALL", "f", 1, key()], ["RESET"],
            ["REPLICAOF", "127.0.0.1", "1"], ["CONFIG", "GET", "databases"], ["COMMAND", "GETKEYS", "SSUBSCRIBE", key()],
            ["PUBSUB", "NUMSUB", key()], ["ROLE"], ["WAIT", 0, 0], ["OBJECT", "ENCODING", key()],
        )  # fmt: skip


def exchange(connection, command, marker):
    """All that comes of a command, up to what comes of a PING behind it."""
    connection.send(*command)
    connection.send("PING", marker)
    frames = []
    while True:
        frame = connection.read()
        if marker in repr(frame).encode() or frame == (b"+", b"QUEUED") and frames:
            break
        frames.append(frame)
    if {str(command[0]), str(command[-2:][0])} & UNORDERED or "GETKEYSINSLOT" in command:
        return sorted(repr(frames))
    if command[:2] == ["CLUSTER", "HELP"]:
        return [frame[0] for frame in frames]
    return re.sub(r"[0-9a-f]{40}", "DIGEST", repr(frames))


def owns_all(server, connection):
    """Gives all slots to a node that has none yet."""
    state = lambda: connection.call("CLUSTER", "INFO").decode()
    if "cluster_slots_assigned:16384" not in state():
        connection.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    harness.eventually(lambda: "cluster_state:ok" in state(), "the cluster works")


def play(ours, theirs, seed, commands):
    """One client each in both versions of the protocol."""
    chooser, report, history = Play(seed), Report(seed), []
    ends = [[server.connect(), server.connect(protocol=3)] for server in (ours, theirs)]
    for server, (first, _) in zip((ours, theirs), ends):
        owns_all(server, first)
    for at in range(commands):
        number, command = chooser.one(0, 1), chooser.command()
        if number == 1 and command == ["RESET"]:
            continue
        replies = [exchange(connections[number], command, b"marker-%d" % at) for connections in ends]
        line = [str(word).encode() for word in command]
        history = [*history[-10:], (at, [b"%d>" % number, *line])]
        if replies[0] != replies[1]:
            report.add(at, line, *replies, history)
    for connection in (connection for connections in ends for connection in connections):
        connection.close()
    return report
