"""Every parameter beside those of Valkey 8.1: names, defaults, and what CONFIG SET answers to many values."""

import pytest

import harness
from test_differential import peer

OPTIONS = {"enable_debug_command": "yes", "enable_protected_configs": "yes"}

# Values that differ from one server to the other, or are no mere values: changing them closes a port or a password.
OWN = {"bind", "dir", "port", "requirepass", "syslog-ident", "unixsocket"}

# Where the reference wraps around the ends of its integers, raises what it was given, or is built without something.
DIFFERENT = {
    "cluster-blacklist-ttl": "negative numbers are huge ones there",
    "maxmemory": "numbers above 2^63 are taken there",
    "maxmemory-clients": "these are negative ones there",
    "rdma-bind": "refused there with its default, too",
    "repl-backlog-size": "at least 16384 there",
    "save": "nothing is saved, whatever is asked for",
}

HIDDEN = {
    "aof-disable-auto-gc",
    "cluster-ping-interval",
    "debug-context",
    "enable-debug-assert",
    "events-per-io-thread",
    "key-load-delay",
    "loading-process-events-interval-bytes",
    "lua-enable-insecure-api",
    "rdb-key-save-delay",
    "use-exit-on-panic",
    "watchdog-period",
}

# To the reference these do something that a test had better not do: waiting, or opening descriptors.
NOT_BY_NUMBERS = {"maxclients", "watchdog-period"}

WORDS = ["", " ", "x", "yes", "NO", "1 2", "a/b", "1.5", "nan", "5%", "101%", "-5%", "1kb", "1GB", "save"]
NUMBERS = [-(2**63), -(2**31) - 1, -(2**31), -2, -1, 0, 1, 2, 64, 65, 99, 100, 101, 128, 129, 1000, 1001, 65535, 65536]
NUMBERS += [2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1, 2**64]


@pytest.fixture(scope="module")
def both():
    reference = peer()
    with harness.Server(**OPTIONS) as ours, harness.Server(binary=reference, **OPTIONS) as theirs:
        with ours.connect() as a, theirs.connect() as b:
            yield a, b


def parameters(connection):
    pairs = connection.call("CONFIG", "GET", "*")
    return {name.decode(): value.decode() for name, value in zip(pairs[::2], pairs[1::2])}


@pytest.mark.staywire
def test_names_and_defaults(both):
    ours, theirs = map(parameters, both)
    assert set(ours) == set(theirs)
    assert {name: value for name, value in ours.items() if name not in OWN} == {
        name: value for name, value in theirs.items() if name not in OWN
    }
    for name in HIDDEN:
        values = [connection.call("CONFIG", "GET", name) for connection in both]
        assert values[0] == values[1] != [], name


def answers(connection, name, value):
    connection.send("CONFIG", "SET", name, value)
    connection.send("CONFIG", "GET", name)
    return connection.read(), connection.read()


@pytest.mark.staywire
def test_values(both):
    defaults = parameters(both[0])
    names = set(defaults) | HIDDEN
    # A build without TLS does not survive these.
    names -= OWN | set(DIFFERENT) | {name for name in names if name.startswith("tls-")}
    differences = []
    for name in sorted(names):
        values = WORDS if name in NOT_BY_NUMBERS else WORDS + NUMBERS
        for value in values:
            ours, theirs = (answers(connection, name, value) for connection in both)
            if ours != theirs and b"not built yet" not in ours[0][1]:
                differences.append((name, value, ours, theirs))
            for connection in both:
                if name in defaults:
                    connection.send("CONFIG", "SET", name, defaults[name])
                    connection.read()
    assert differences == []
