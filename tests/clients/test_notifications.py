"""Keyspace notifications of clients that wait, in their order, as Valkey publishes them. Those of random commands are
compared by differential.py.

By hand: python tests/clients/test_notifications.py --commands 20000 --seed 7
"""

import argparse
import random
import sys

import pytest

import differential
import harness
from differential_clients import Group, blocking_command
from differential_compare import Report
from test_command import valkey_8

CHANNELS = "__key*@*__:*"
# With every class, keys that are not found (m) and keys that are new (n) among them.
OPTIONS = {"notify-keyspace-events": "AKEmn", "enable-debug-command": "yes"}


class Listener:
    """A subscriber to all events of a server, and a client that says when they have come."""

    def __init__(self, server):
        self.listener, self.control, self.markers = server.connect(), server.connect(), 0
        for command in (["PSUBSCRIBE", CHANNELS], ["SUBSCRIBE", "marker"]):
            self.listener.send(*command)
            self.listener.read()

    def events(self):
        """Those since the last call, as (channel, message)."""
        self.markers += 1
        marker = b"%d" % self.markers
        self.control.call("PUBLISH", "marker", marker)
        events = []
        while (frame := [item for _, item in self.listener.read()[1]])[1:] != [b"marker", marker]:
            events.append(tuple(frame[2:]))
        return events


def play_waiting(ours, theirs, seed, commands, connections=5):
    """Clients that wait for lists: what they take, once others push, tells its events too."""
    chooser, report, history = random.Random(seed), Report(seed), []
    sides = [(Group(server, connections), Listener(server)) for server in (ours, theirs)]
    for at in range(commands):
        free = sorted(set(range(connections)) - sides[0][0].blocked)
        who, command = chooser.choice(free), blocking_command(chooser)
        if len(free) == 1 and command[0] in (b"BLPOP", b"BRPOP", b"BLMOVE", b"BRPOPLPUSH", b"BLMPOP"):
            continue
        history = history[-12:] + [(at, [b"%d>" % who, *command])]
        seen = []
        for group, listener in sides:
            group.step(who, command)
            seen.append((sorted(group.blocked), listener.events()))
        if seen[0] != seen[1]:
            report.add(at, command, *seen, history)
            break
    for group, _ in sides:
        group.close()
    return report


def run(seed, commands, peer):
    with harness.Server(**OPTIONS) as ours, harness.Server(binary=peer, **OPTIONS) as theirs:
        return play_waiting(ours, theirs, seed, commands)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_same_events(seed):
    report = run(seed, 600, valkey_8())
    assert report.count == 0, report.text()


def test_keys_that_expire_unnoticed():
    with harness.Server(**OPTIONS) as server, server.connect() as connection:
        listener = Listener(server)
        connection.call("SET", "k", "v", "PX", 1)
        events = listener.events()
        harness.eventually(lambda: events.extend(listener.events()) or len(events) == 8, "it expires")
        assert [message for channel, message in events if channel.startswith(b"__keyspace")] == [
            b"new", b"set", b"expire", b"expired"
        ]  # fmt: skip


@pytest.mark.parametrize("given", ["", "A", "KA", "KEA", "Kg", "Eg$", "EKlshzxetdmn", "g$lshzxetd", "nm", "KEmnA", "KK"])
def test_parameter_is_shown_as_by_valkey(given):
    shown = []
    for binary in (None, valkey_8()):
        with harness.Server(binary=binary) as server, server.connect() as connection:
            connection.call("CONFIG", "SET", "notify-keyspace-events", given)
            shown.append(connection.call("CONFIG", "GET", "notify-keyspace-events"))
    assert shown[0] == shown[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commands", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--peer", default=differential.peer_binary(), help="the server to compare with")
    options = parser.parse_args()
    if not options.peer:
        sys.exit("no server to compare with: set STAYWIRE_PEER or install valkey-server")
    report = run(options.seed, options.commands, options.peer)
    print(report.text())
    sys.exit(1 if report.count else 0)


if __name__ == "__main__":
    main()
