"""DUMP and RESTORE between Staywire and other servers, both ways: every type in every encoding.

With the servers that are installed, and those that STAYWIRE_PEERS names, as paths with colons between them.
"""

import os

import pytest

import differential
import harness


def numbered(count, *words):
    return [word.format(n) if isinstance(word, str) else word(n) for n in range(count) for word in words]


STREAM = [
    ["XADD", "k", "1-1", "a", "1", "b", "2"],
    ["XADD", "k", "1-2", "a", "x", "b", "y"],
    ["XADD", "k", "2-0", "other", "\xff\x00"],
    ["XADD", "k", "7-7", "a", "", "b", "12345678901"],
    ["XDEL", "k", "1-2"],
    ["XGROUP", "CREATE", "k", "g", "0"],
    ["XGROUP", "CREATE", "k", "late", "5-0", "ENTRIESREAD", 3],
    ["XREADGROUP", "GROUP", "g", "alice", "COUNT", 1, "STREAMS", "k", ">"],
    ["XREADGROUP", "GROUP", "g", "bob", "STREAMS", "k", ">"],
    ["XCLAIM", "k", "g", "alice", 0, "2-0", "TIME", 1_600_000_000_000, "RETRYCOUNT", 7],
    ["XGROUP", "CREATECONSUMER", "k", "g", "idle"],
]
VALUES = {
    "empty": [["SET", "k", ""]],
    "integer": [["SET", "k", "-1234567"]],
    "large integer": [["SET", "k", str(2**63 - 1)]],
    "number as text": [["APPEND", "k", "1"], ["APPEND", "k", "2"]],
    "text": [["SET", "k", "text\r\n\x00\xff"]],
    "long text": [["SET", "k", "".join(numbered(3000, "{0:x}"))]],
    "compressible text": [["SET", "k", "ab" * 20_000]],
    "bits": [["SETBIT", "k", 1000, 1]],
    "sparse log": [["PFADD", "k", *numbered(30, "e{0}")]],
    "dense log": [["PFADD", "k", *numbered(5000, "e{0}")]],
    "list": [["RPUSH", "k", "a", "1", "-5000000000", "", "\xff" * 40]],
    "long list": [["RPUSH", "k", *numbered(9000, "element {0}", "{0}")]],
    "list with large elements": [["RPUSH", "k", "a", "x" * 9000, "b", "y" * 70_000]],
    "short integers": [["SADD", "k", 1, -2, 300]],
    "integers": [["SADD", "k", 1, 70_000, -3]],
    "long integers": [["SADD", "k", *numbered(500, lambda n: n * 10**15)]],
    "many integers": [["SADD", "k", *numbered(600, "{0}")]],
    "set": [["SADD", "k", "a", "1", "", "\x00\xff"]],
    "large set": [["SADD", "k", *numbered(1000, "member {0}", "{0}")]],
    "set with a long member": [["SADD", "k", "a", "x" * 65]],
    "hash": [["HSET", "k", "f", "v", "1", "2", "", "", "\xff", "-70000"]],
    "large hash": [["HSET", "k", *numbered(1000, "field {0}", "{0}")]],
    "hash with a long value": [["HSET", "k", "f", "x" * 5000]],
    "sorted set": [["ZADD", "k", "1.5", "a", "-inf", "b", "inf", "c", "-0", "d", "1e300", "7", "0.1", ""]],
    "large sorted set": [["ZADD", "k", *numbered(1000, lambda n: n / 7 - 3, "member {0}")], ["ZADD", "k", "inf", "x"]],
    "sorted set with a long member": [["ZADD", "k", "5e-324", "x" * 65]],
    "stream": STREAM,
    "long stream": [["XADD", "k", f"{n}-1", "field", str(n), *(["odd", "one"] if n % 3 else [])] for n in range(1, 400)],
    "trimmed stream": [*STREAM, ["XTRIM", "k", "MAXLEN", 1], ["XSETID", "k", "9-9", "ENTRIESADDED", 50, "MAXDELETEDID", "9-1"]],
    "emptied stream": [*STREAM, ["XTRIM", "k", "MAXLEN", 0]],
    "fields that expire": [
        ["HSET", "k", "f", "v", "g", "1", "h", "w"],
        ["HPEXPIREAT", "k", 4_000_000_000_123, "FIELDS", 2, "f", "g"],
    ],
    "many fields that expire": [
        ["HSET", "k", *numbered(1000, "field {0}", "{0}")],
        ["HEXPIREAT", "k", 4_000_000_000, "FIELDS", 500, *numbered(500, "field {0}")],
    ],
}
READERS = {
    "string": [["GET", "k"]],
    "list": [["LRANGE", "k", 0, -1]],
    "set": [["SMEMBERS", "k"]],
    "zset": [["ZRANGE", "k", 0, -1, "WITHSCORES"]],
    "hash": [["HGETALL", "k"]],
    "stream": [["XRANGE", "k", "-", "+"], ["XINFO", "STREAM", "k", "FULL", "COUNT", 0]],
}
# Of these a server's layout and how much its version knows decide.
LAYOUT = {b"radix-tree-keys", b"radix-tree-nodes"}
CONSUMERS_TIMES = {b"active-time", b"seen-time"}


def encoded(command):
    return [arg.encode("latin-1") if isinstance(arg, str) else arg for arg in command]


def without(names, value):
    """A value without some of its maps' entries."""
    if isinstance(value, dict):
        return {name: without(names, item) for name, item in value.items() if name not in names}
    return [without(names, item) for item in value] if isinstance(value, list) else value


def content(connection, kind, names):
    replies = []
    for command in READERS[kind]:
        connection.send(*command)
        reply = connection.read()
        reply = (reply[0], sorted(reply[1])) if kind in ("set", "hash") else reply
        replies.append(without(names, harness.plain(reply)))
    return replies


def exchange(source, target, name, valkey, tells_times):
    """Moves one value, and compares all that is seen of it at both ends."""
    for connection in (source, target):
        connection.call("DEL", "k")
    for command in VALUES[name]:
        source.call(*encoded(command))
    payload = source.call("DUMP", "k")
    assert target.call("RESTORE", "k", 0, payload) == "OK"
    kind = source.call("TYPE", "k")
    names = LAYOUT if tells_times else LAYOUT | CONSUMERS_TIMES
    assert content(source, kind, names) == content(target, kind, names)
    if valkey or kind != "zset":
        # The digests of Redis 7.0 have scores in another form.
        assert source.call("DEBUG", "DIGEST-VALUE", "k") == target.call("DEBUG", "DIGEST-VALUE", "k")
    if kind == "hash" and "expire" in name:
        times = ["HPEXPIRETIME", "k", "FIELDS", 4, "f", "g", "h", "field 7"]
        assert source.call(*times) == target.call(*times)
    # A number that was written as text becomes one.
    source.call("RESTORE", "k", 0, payload, "REPLACE")
    return payload, source.call("OBJECT", "ENCODING", "k"), target.call("OBJECT", "ENCODING", "k")


@pytest.fixture(params=differential.peers(), ids=os.path.basename)
def ends(request):
    """Staywire and another server: a connection to each, whether the other is Valkey, and its version."""
    debug = {"enable_debug_command": "yes"}
    with harness.Server(**debug) as ours, harness.Server(binary=request.param, **debug) as theirs:
        with ours.connect(protocol=3) as left, theirs.connect(protocol=3) as right:
            server = harness.info(right, "server")
            version = server.get("valkey_version", server["redis_version"])
            major, minor = map(int, version.split(".")[:2])
            valkey = "valkey_version" in server
            if not valkey and (major, minor) > (7, 2):
                pytest.skip("Redis's own formats")
            yield left, right, valkey, (major, minor)


@pytest.mark.skipif(not differential.peers(), reason="no other server is installed")
@pytest.mark.parametrize("name", VALUES)
def test_values_move_both_ways(ends, name):
    ours, theirs, valkey, version = ends
    if "expire" in name and not (valkey and version >= (9, 0)):
        pytest.skip("fields do not expire there")
    _, was, encoding = exchange(theirs, ours, name, valkey, version >= (7, 2))
    # Which strings are `embstr` is another matter in each version.
    same_names = valkey and (version[0] == 8 or theirs.call("TYPE", "k") != "string")
    assert encoding == was or not same_names
    # What Redis 7.0 reads, too, does not say when a consumer was last served.
    payload, was, encoding = exchange(ours, theirs, name, valkey, False)
    assert encoding == was or not same_names
    if "expire" in name:
        assert (payload[0], payload[-10:-8]) == (22, b"\x50\x00")
    else:
        assert payload[-10:-8] == b"\x0a\x00"
