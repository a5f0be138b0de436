"""What the slots of a cluster of one cost, for differential.py: keys and bytes of each slot after each command."""

import harness
from differential_cluster import Play, exchange, owns_all
from differential_compare import Report

METRICS = ["key-count", "network-bytes-in", "network-bytes-out"]
# Its slot, that no other key of the play has, comes and goes.
LOOSE_KEY, LOOSE_SLOT = "zz", 14415
# How to wait for a key, and what ends that.
WAITS = [
    (["BLPOP", "{0}", 0], ["RPUSH", "{0}", "x"]),
    (["BRPOP", "{0}", "{0}", 0], ["RPUSH", "{0}", "x", "y"]),
    (["BLMOVE", "{0}", "{0}", "LEFT", "RIGHT", 0], ["RPUSH", "{0}", "x"]),
    (["BLMPOP", 0, 1, "{0}", "LEFT", "COUNT", 2], ["RPUSH", "{0}", "x", "y"]),
    (["BZPOPMIN", "{0}", 0], ["ZADD", "{0}", 1, "m"]),
    (["XREAD", "BLOCK", 0, "STREAMS", "{0}", "$"], ["XADD", "{0}", "1-1", "f", "v"]),
    (["BLPOP", "{0}", 0], ["CLIENT", "UNBLOCK", "{1}"]),
    (["BLPOP", "{0}", 0], ["CLIENT", "UNBLOCK", "{1}", "ERROR"]),
]


def costs(connection, *order):
    """The slots in this order with all that both servers count alike."""
    rows = []
    for slot, cost in connection.call("CLUSTER", "SLOT-STATS", *order):
        named = dict(zip(cost[::2], cost[1::2]))
        rows.append((slot, *(named[name.encode()] for name in METRICS)))
    return rows


class Slots(Play):
    def command(self):
        one, key, chance = self.one, self.key, self.random.random()
        if chance < 0.75:
            return super().command()
        return one(
            ["SET", key(), "x" * self.random.randint(0, 300)], ["APPEND", key(), "y"], ["MGET", key(), key(), key()],
            ["GET"], ["LPUSH", key(), 1], ["RPUSH", key(), 1], ["GET", LOOSE_KEY], ["SET", LOOSE_KEY, 1], ["CONFIG", "RESETSTAT"],
            ["CLUSTER", one("ADDSLOTS", "DELSLOTS"), LOOSE_SLOT], ["CLUSTER", "COUNTKEYSINSLOT", one(LOOSE_SLOT, 15495, 0)],
            ["SPUBLISH", key(), "m" * self.random.randint(0, 2000)], ["BLPOP", key(), 0.01], ["DEL", key()],
            ["SET", key(), 1, "EX", 100], ["GETDEL", key()], ["RANDOMKEY", 1],
        )  # fmt: skip

    def wait(self):
        return self.one(*WAITS), self.key()


def serve_wait(server, wait, key):
    """One client waits, another one ends that; what both are told."""
    with server.connect() as waiter, server.connect() as other:
        number = waiter.call("CLIENT", "ID")
        other.call("DEL", key)
        begins, ends = ([str(word).format(key, number) for word in words] for words in wait)
        waiter.send(*begins)
        harness.eventually(lambda: "blocked_clients:1" in other.call("INFO", "clients").decode(), "it waits")
        other.send(*ends)
        return other.read(), waiter.read()


def play(ours, theirs, seed, commands):
    """One client each in both versions of the protocol, and now and then one that waits for a key."""
    chooser, report, history = Slots(seed), Report(seed), []
    servers = (ours, theirs)
    admins = [server.connect() for server in servers]
    ends = [[server.connect(), server.connect(protocol=3)] for server in servers]
    for server, admin in zip(servers, admins):
        owns_all(server, admin)
        admin.call("CONFIG", "SET", "cluster-require-full-coverage", "no", "cluster-slot-stats-enabled", "yes")
    for at in range(commands):
        number, command = chooser.one(0, 1), chooser.command()
        if "publish" in " ".join(map(str, command)).lower():
            # Valkey lets a slot pay for what others sent to a client since its last command.
            if command[0] == "PUBLISH":
                continue
            number = 0
        if number == 1 and command == ["RESET"]:
            continue
        if chooser.random.random() < 0.02:
            wait, key = chooser.wait()
            line = [str(word).encode() for words in (wait[0], [key], wait[1]) for word in words]
            replies = [serve_wait(server, wait, key) for server in servers]
        else:
            line = [str(word).encode() for word in command]
            replies = [exchange(connections[number], command, b"marker-%d" % at) for connections in ends]
        history = [*history[-10:], (at, [b"%d>" % number, *line])]
        order = ["ORDERBY", chooser.one(*METRICS), "LIMIT", 30, chooser.one("ASC", "DESC", "DESC", "DESC")]
        found = [(reply, costs(admin, *order)) for reply, admin in zip(replies, admins)]
        if found[0] != found[1]:
            report.add(at, line, *found, history)
            for admin in admins:
                admin.call("CONFIG", "RESETSTAT")
    for connection in [*admins, *(connection for connections in ends for connection in connections)]:
        connection.close()
    return report
