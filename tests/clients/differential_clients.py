"""Plays with several clients at once, for differential.py: those that wait for lists, and those that listen."""

import random

import harness
from differential_compare import Report


class Group:
    """Several connections to one server, some of which may be blocked, stepped so that the order is certain."""

    def __init__(self, server, count):
        self.control = server.connect()
        self.connections = [server.connect(protocol=2 + number % 2) for number in range(count)]
        self.ids = [connection.call("CLIENT", "ID") for connection in self.connections]
        self.blocked = set()

    def step(self, who, command):
        """Sends a command and returns the replies that came of it: [(connection's number, reply)]."""
        self.connections[who].send(*command)
        self.blocked.add(who)
        # The command has been taken when its client is blocked or answered; who else was woken shows then, too.
        if command[0] == b"CLIENT":
            self.blocked.discard(who)
            replies = [(who, self.connections[who].read())]
        else:
            harness.eventually(lambda: self.taken(who), f"{command} is taken")
            replies = []
        still = self.waiting()
        for number in sorted(self.blocked - still):
            replies.append((number, self.connections[number].read()))
        self.blocked = still & self.blocked
        return replies

    def taken(self, who):
        if who in self.waiting():
            return True
        connection = self.connections[who].socket
        connection.settimeout(0.0)
        try:
            return bool(connection.recv(1, harness.socket.MSG_PEEK))
        except BlockingIOError:
            return False
        finally:
            connection.settimeout(harness.DEADLINE_S)

    def waiting(self):
        lines = self.control.call("CLIENT", "LIST").decode().splitlines()
        fields = [dict(part.split("=", 1) for part in line.split(" ")) for line in lines]
        blocked_ids = {int(line["id"]) for line in fields if "b" in line["flags"]}
        return {number for number, client_id in enumerate(self.ids) if client_id in blocked_ids}

    def close(self):
        for connection in [self.control, *self.connections]:
            connection.close()


def blocking_command(chooser):
    """A command about few lists, half of them blocking without a timeout.

    No SWAPDB: it makes several keys ready at once, and serves them in the order of a hash table.
    """
    key = lambda: f"q{chooser.randrange(4)}"
    side = lambda: chooser.choice(["LEFT", "RIGHT"])
    keys = [key() for _ in range(chooser.randint(1, 3))]
    values = [f"v{chooser.randrange(1000)}" for _ in range(chooser.choice([1, 1, 1, 2, 5]))]
    choices = [
        [chooser.choice(["BLPOP", "BRPOP"]), *keys, 0],
        ["BLMOVE", key(), key(), side(), side(), 0],
        ["BRPOPLPUSH", key(), key(), 0],
        ["BLMPOP", 0, len(keys), *keys, side(), *chooser.choice([[], ["COUNT", 2]])],
        [chooser.choice(["LPUSH", "RPUSH"]), key(), *values],
        [chooser.choice(["LPUSH", "RPUSH"]), key(), *values],
        ["LMOVE", key(), key(), side(), side()],
        ["RENAME", key(), key()],
        ["COPY", key(), key(), "REPLACE"],
        ["SET", key(), "string"],
        ["DEL", key()],
        ["LINSERT", key(), "BEFORE", values[0], "w"],
        ["MULTI"],
        ["EXEC"],
        ["MOVE", key(), 1],
        ["LRANGE", key(), 0, -1],
    ]
    weights = [9, 7, 3, 4, 9, 9, 3, 1, 1, 1, 2, 1, 2, 6, 1, 1]
    command = chooser.choices(choices, weights)[0]
    return [str(arg).encode() for arg in command]


def play_blocking(ours, theirs, seed, commands, connections=7, command_of=blocking_command):
    """Blocked clients, woken in chains: who wakes, with what, and in which order on each list."""
    chooser, report, history = random.Random(seed), Report(seed), []
    groups = [Group(server, connections) for server in (ours, theirs)]
    for at in range(commands):
        free = sorted(set(range(connections)) - groups[0].blocked)
        if len(free) < 2:
            # Nobody is left to push: one blocked client is let go, with or without an error.
            who = chooser.choice(sorted(groups[0].blocked))
            how = chooser.choice([b"TIMEOUT", b"ERROR"])
            results = []
            for group in groups:
                command = [b"CLIENT", b"UNBLOCK", b"%d" % group.ids[who], how]
                results.append(group.step(free[0], command) if free else [])
            command = [b"CLIENT", b"UNBLOCK", b"#%d" % who, how]
        else:
            who, command = chooser.choice(free), command_of(chooser)
            results = [group.step(who, command) for group in groups]
        history.append((at, [b"%d>" % who, *command]))
        if results[0] != results[1] or groups[0].blocked != groups[1].blocked:
            report.add(at, command, *[(r, sorted(g.blocked)) for r, g in zip(results, groups)], history[-25:])
            break  # From here on the two differ, and everything after would be noise.
    for group in groups:
        group.close()
    return report


def pubsub_commands(chooser, at):
    """One command, or a transaction as a whole."""
    channel = lambda: chooser.choice(["news", "news.a", "news.b", "chat", ""])
    pattern = lambda: chooser.choice(["*", "news*", "news.?", "[cn]*", "chat"])
    choices = [
        ["SUBSCRIBE", channel(), channel()],
        ["PSUBSCRIBE", pattern()],
        ["SSUBSCRIBE", channel()],
        ["UNSUBSCRIBE", channel()],
        ["PUNSUBSCRIBE", pattern()],
        ["SUNSUBSCRIBE", channel()],
        [chooser.choice(["UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"])],
        ["PUBLISH", channel(), f"m{at}"],
        ["SPUBLISH", channel(), f"m{at}"],
        ["PUBSUB", "NUMSUB", channel(), channel()],
        ["PUBSUB", chooser.choice(["CHANNELS", "SHARDCHANNELS"]), *chooser.choice([[], [pattern()]])],
        ["PUBSUB", "SHARDNUMSUB", channel()],
        ["PUBSUB", "NUMPAT"],
        ["GET", "k"],
        ["RESET"],
        ["HELLO", chooser.choice([2, 3])],
        ["SUBSCRIBE"],
        ["PUBLISH", channel()],
    ]
    weights = [10, 5, 4, 5, 3, 2, 1, 30, 8, 3, 3, 1, 1, 2, 0.5, 1, 1, 1]
    commands = [chooser.choices(choices, weights)[0]]
    if chooser.random() < 0.05:
        inside = chooser.choice([["SUBSCRIBE", channel()], ["PUBLISH", channel(), f"x{at}"], ["SSUBSCRIBE", channel()]])
        commands = [["MULTI"], inside, ["PUBLISH", channel(), f"m{at}"], ["EXEC"]]
    return [[str(arg).encode() for arg in command] for command in commands]


def canonical(frames):
    """Frames in an order that does not depend on a hash table's.

    Patterns that match one message, and channels left all at once, come in any order.
    """
    result, run = [], []

    def group_of(frame):
        kind, items = frame
        if kind not in (b"*", b">") or not items or items[0][0] != b"$":
            return None
        word = items[0][1]
        if word == b"pmessage":
            return (word, items[2], items[3])
        return (word,) if word and word.endswith(b"unsubscribe") else None

    def flush():
        if run and group_of(run[0])[0] == b"pmessage":
            result.extend(sorted(run, key=repr))
        elif run:
            names = sorted((frame[1][1] for frame in run), key=repr)
            result.extend((f[0], [f[1][0], name, f[1][2]]) for f, name in zip(run, names))
        run.clear()

    for frame in frames:
        if run and group_of(frame) != group_of(run[0]):
            flush()
        if group_of(frame) is None:
            result.append(frame)
        else:
            run.append(frame)
    flush()
    return result


def is_pong(frame, text):
    """RESP2's subscribed mode answers PING with an array."""
    return frame[0] == b"*" and frame[1] == [(b"$", b"pong"), (b"$", text)]


def play_pubsub(ours, theirs, seed, steps, connections=6):
    """Every connection's stream of replies, messages and pushes, up to a marker after each command."""
    chooser, report, history = random.Random(seed), Report(seed), []
    groups = [[server.connect(protocol=2 + n % 2) for n in range(connections)] for server in (ours, theirs)]
    for at in range(steps):
        who, commands = chooser.randrange(connections), pubsub_commands(chooser, at)
        command, marker = commands[-1], b"marker-%d" % at
        streams = []
        for group in groups:
            connection = group[who]
            connection.send_raw(b"".join(harness.encode(*each) for each in [*commands, [b"PING", marker]]))
            frames = []
            while marker not in (frame := connection.read())[1:] and not is_pong(frame, marker):
                frames.append(frame)
            if command[0] == b"HELLO":
                frames = [(kind, None) if kind in (b"%", b"*") else (kind, value) for kind, value in frames]
            if command[0] == b"PUBSUB" and b"CHANNELS" in command[1] and frames[-1][0] == b"*":
                frames[-1] = (b"*", sorted(frames[-1][1]))
            streams.append(canonical(frames))
        history += [(at, [b"%d>" % who, *each]) for each in commands]
        if streams[0] != streams[1]:
            report.add(at, command, *streams, history[-12:])
            break
    for group in groups:
        for connection in group:
            connection.close()
    return report
