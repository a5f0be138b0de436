"""The wire: splits, pipelines, inline commands, protocol errors, HELLO and AUTH, with raw sockets."""

import pytest

import harness
from harness import encode

SESSION = [
    (["SET", "k", "v"], (b"+", b"OK")),
    (["GET", "k"], (b"$", b"v")),
    (["GET", "none"], (b"$", None)),
    (["RPUSH", "l", "a", "", "c\r\n"], (b":", b"3")),
    (["LRANGE", "l", "0", "-1"], (b"*", [(b"$", b"a"), (b"$", b""), (b"$", b"c\r\n")])),
    (["INCR", "k"], (b"-", b"ERR value is not an integer or out of range")),
    (["MULTI"], (b"+", b"OK")),
    (["GET", "k"], (b"+", b"QUEUED")),
    (["EXEC"], (b"*", [(b"$", b"v")])),
    (["NOSUCH", "a"], (b"-", b"ERR unknown command 'NOSUCH', with args beginning with: 'a' ")),
    (["ECHO", "\0binary\xff"], (b"$", "\0binary\xff".encode())),
]


def test_any_split_answers_the_same(server):
    data = b"".join(encode(*command) for command, _ in SESSION) + b"PING\r\n" + b'ECHO "a\\x41 b"\r\n'
    expected = [reply for _, reply in SESSION] + [(b"+", b"PONG"), (b"$", b"aA b")]
    for size in (1, 2, 3, 7, 50, len(data)):
        with server.connect() as connection:
            connection.call("DEL", "k", "l")
            for first in range(0, len(data), size):
                connection.send_raw(data[first : first + size])
            assert [connection.read() for _ in expected] == expected, f"in pieces of {size} bytes"


def test_large_value_in_pieces(connection):
    value = bytes(range(256)) * 40_000
    data = encode("SET", "big", value) + encode("GET", "big")
    for first in range(0, len(data), 65_537):
        connection.send_raw(data[first : first + 65_537])
    assert connection.read() == (b"+", b"OK")
    assert connection.read() == (b"$", value)


def test_million_commands_sent_before_anything_is_read(server):
    count = 1_000_000
    with server.connect() as connection, server.connect() as beside:
        connection.send_raw(encode("INCR", "n") * count)
        assert beside.call("PING") == "PONG"
        for number in range(1, count + 1):
            assert connection.read() == (b":", b"%d" % number)


def test_pipeline_to_a_client_that_never_reads(server):
    with server.connect() as connection, server.connect() as beside:
        beside.call("SET", "k", "x" * 1000)
        connection.send_raw(encode("GET", "k") * 50_000)
        connection.close()
        assert beside.call("PING") == "PONG"


@pytest.mark.parametrize(
    "line, reply",
    [
        (b"PING\r\n", (b"+", b"PONG")),
        (b"ping\n", (b"+", b"PONG")),
        (b"  ECHO   hello  \r\n", (b"$", b"hello")),
        (b'ECHO "two words"\r\n', (b"$", b"two words")),
        (b"ECHO 'it\\'s'\r\n", (b"$", b"it's")),
        (b'ECHO "\\n\\t\\x00\\xfF\\q"\r\n', (b"$", b"\n\t\x00\xffq")),
        (b"ECHO '\\x41'\r\n", (b"$", b"\\x41")),
        (b'ECHO ""\r\n', (b"$", b"")),
        (b"\r\n\r\nPING\r\n", (b"+", b"PONG")),
        (b"*0\r\nPING\r\n", (b"+", b"PONG")),
        (b"*-1\r\nPING\r\n", (b"+", b"PONG")),
    ],
)
def test_inline(connection, line, reply):
    connection.send_raw(line)
    assert connection.read() == reply


@pytest.mark.parametrize(
    "data, text",
    [
        (b'ECHO "unbalanced\r\n', b"Protocol error: unbalanced quotes in request"),
        (b'ECHO "a"b\r\n', b"Protocol error: unbalanced quotes in request"),
        (b"*1048577000000\r\n", b"Protocol error: invalid multibulk length"),
        (b"*abc\r\n", b"Protocol error: invalid multibulk length"),
        (b"*1\r\nPING\r\n", b"Protocol error: expected '$', got 'P'"),
        (b"*1\r\n$-1\r\n", b"Protocol error: invalid bulk length"),
        (b"*1\r\n$abc\r\n", b"Protocol error: invalid bulk length"),
        (b"*1\r\n$536870913\r\n", b"Protocol error: invalid bulk length"),
        (b"x" * 70_000, b"Protocol error: too big inline request"),
        (b"*" + b"1" * 70_000, b"Protocol error: too big mbulk count string"),
        (b"*1\r\n$" + b"1" * 70_000, b"Protocol error: too big bulk count string"),
    ],
)
def test_protocol_errors_answer_what_came_before_and_close(server, data, text):
    with server.connect() as connection:
        connection.send_raw(encode("PING") + data)
        assert connection.read_to_close() == b"+PONG\r\n-ERR " + text + b"\r\n"
    with server.connect() as beside:
        assert beside.call("PING") == "PONG"


@pytest.mark.parametrize("request_line", [b"POST / HTTP/1.1\r\n", b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"])
def test_http_is_cut_off(server, request_line):
    with server.connect() as connection:
        connection.send_raw(request_line + encode("SET", "cross-protocol", "x"))
        assert b"+OK" not in connection.read_to_close()
    with server.connect() as beside:
        assert beside.call("EXISTS", "cross-protocol") == 0


def test_announced_bulks_cost_no_memory(server):
    with server.connect() as control:
        control.call("PING")
        before = server.rss_bytes()
        waiting = [server.connect() for _ in range(200)]
        for connection in waiting:
            connection.send_raw(b"*1\r\n$536870912\r\n")
        used = lambda: int(harness.info(control, "clients")["connected_clients"])
        harness.eventually(lambda: used() >= 201, "all clients are connected")
        assert control.call("PING") == "PONG"
        assert server.rss_bytes() - before < 32 << 20
        for connection in waiting:
            connection.close()


def test_quit_answers_and_closes(server):
    with server.connect() as connection:
        connection.send_raw(encode("PING") + encode("QUIT") + encode("PING"))
        assert connection.read_to_close() == b"+PONG\r\n+OK\r\n"


def test_hello(connection):
    assert connection.error("HELLO", 4) == "NOPROTO unsupported protocol version"
    connection.send("HELLO", 3, "SETNAME", "me")
    kind, pairs = connection.read()
    greeting = {name[1]: value for name, value in pairs}
    assert kind == b"%"
    assert greeting[b"proto"] == (b":", b"3")
    assert greeting[b"role"] == (b"$", b"master")
    assert greeting[b"mode"] == (b"$", b"standalone")
    assert connection.call("CLIENT", "GETNAME") == b"me"
    connection.send("GET", "none")
    assert connection.read() == (b"_", b"")
    connection.send("HELLO", 2)
    kind, items = connection.read()
    assert kind == b"*" and len(items) == 14
    connection.send("GET", "none")
    assert connection.read() == (b"$", None)


@pytest.mark.staywire
def test_hello_names_redis(connection):
    assert connection.call("HELLO", 3)[b"server"] == b"redis"
    assert connection.call("HELLO", 3)[b"version"] == b"7.2.4"


@pytest.fixture(scope="module")
def guarded():
    with harness.Server(requirepass="secret") as server:
        yield server


def test_authentication(guarded):
    with guarded.connect() as connection:
        assert connection.error("GET", "k") == "NOAUTH Authentication required."
        assert connection.error("PING") == "NOAUTH Authentication required."
        assert connection.error("HELLO", 3).startswith("NOAUTH HELLO must be called with the client already")
        wrong = "WRONGPASS invalid username-password pair or user is disabled."
        assert connection.error("AUTH", "guess") == wrong
        assert connection.error("AUTH", "nobody", "secret") == wrong
        assert connection.call("AUTH", "secret") == "OK"
        assert connection.call("PING") == "PONG"
        assert connection.call("RESET") == "RESET"
        assert connection.error("PING") == "NOAUTH Authentication required."
    with guarded.connect() as connection:
        connection.send("HELLO", 3, "AUTH", "default", "secret", "SETNAME", "worker")
        assert connection.read()[0] == b"%"
        assert connection.call("CLIENT", "GETNAME") == b"worker"


@pytest.mark.parametrize(
    "data, text",
    [
        (b"*11\r\n", b"Protocol error: unauthenticated multibulk length"),
        (b"*1\r\n$16385\r\n", b"Protocol error: unauthenticated bulk length"),
    ],
)
def test_limits_before_authentication(guarded, data, text):
    with guarded.connect() as connection:
        connection.send_raw(data)
        assert connection.read_to_close() == b"-ERR " + text + b"\r\n"
    with guarded.connect() as connection:
        connection.call("AUTH", "secret")
        assert len(connection.call("ECHO", "x" * 20_000)) == 20_000
        assert connection.call("DEL", *range(100)) == 0


def test_auth_without_password_set(connection):
    assert connection.error("AUTH", "x").startswith("ERR AUTH <password> called without any password configured")


def test_client_reply(connection):
    connection.send("CLIENT", "REPLY", "OFF")
    connection.send("SET", "k", "1")
    connection.send("CLIENT", "REPLY", "ON")
    assert connection.read() == (b"+", b"OK")
    connection.send("CLIENT", "REPLY", "SKIP")
    connection.send("INCR", "k")
    assert connection.call("GET", "k") == b"2"


def test_client_list_kill_and_unblock(server):
    with server.connect() as control, server.connect() as worker, server.connect() as victim:
        worker.call("CLIENT", "SETNAME", "worker")
        worker_id, victim_id = worker.call("CLIENT", "ID"), victim.call("CLIENT", "ID")
        worker.send("BLPOP", "queue", 0)
        harness.until_blocked(control, 1)
        line = control.call("CLIENT", "LIST", "ID", worker_id).decode()
        fields = dict(part.split("=", 1) for part in line.split())
        assert fields["name"] == "worker" and fields["flags"] == "b" and fields["cmd"] == "blpop"
        assert control.call("CLIENT", "UNBLOCK", worker_id, "ERROR") == 1
        assert worker.read()[1].startswith(b"UNBLOCKED client unblocked via CLIENT UNBLOCK")
        assert control.call("CLIENT", "KILL", "ID", victim_id) == 1
        assert victim.read_to_close() == b""
        assert worker.call("PING") == "PONG"


def test_resp3_pushes_beside_commands(server):
    with server.connect(protocol=3) as subscriber, server.connect() as publisher:
        subscriber.send("SUBSCRIBE", "news")
        assert subscriber.read() == (b">", [(b"$", b"subscribe"), (b"$", b"news"), (b":", b"1")])
        assert subscriber.call("SET", "k", "1") == "OK"
        publisher.call("PUBLISH", "news", "hello")
        assert subscriber.read() == (b">", [(b"$", b"message"), (b"$", b"news"), (b"$", b"hello")])
        assert subscriber.call("GET", "k") == b"1"


def test_resp2_subscribed_mode(connection):
    connection.call("SUBSCRIBE", "news")
    assert connection.error("GET", "k").startswith("ERR Can't execute 'get': only (P|S)SUBSCRIBE / ")
    assert connection.call("PING") == [b"pong", b""]
    assert connection.call("PING", "x") == [b"pong", b"x"]
    assert connection.call("UNSUBSCRIBE") == [b"unsubscribe", b"news", 0]
    assert connection.call("PING") == "PONG"


@pytest.mark.parametrize("section", ["server", "clients", "memory", "persistence", "stats", "replication", "keyspace"])
def test_info_has_the_fields_that_tools_read(server, connection, section):
    fields = {
        "server": {"redis_version": "7.2.4", "tcp_port": str(server.port), "process_id": str(server.pid)},
        "clients": {"connected_clients": None, "blocked_clients": None, "maxclients": None},
        "memory": {"used_memory": None, "used_memory_human": None, "used_memory_rss": None, "maxmemory": "0"},
        "persistence": {"loading": "0", "rdb_changes_since_last_save": None, "aof_enabled": "0"},
        "stats": {"total_connections_received": None, "total_commands_processed": None, "expired_keys": None},
        "replication": {"role": "master", "connected_slaves": "0"},
        "keyspace": {"db0": None},
    }
    connection.call("SET", "k", "v")
    shown = harness.info(connection, section)
    for name, value in fields[section].items():
        assert name in shown and value in (None, shown[name]), name
