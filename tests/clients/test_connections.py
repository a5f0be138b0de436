"""Connections that end at bad moments, limits on clients, and addresses to listen on."""

import os
import resource
import socket
import stat

import pytest

import harness
from harness import encode


def half_close(connection):
    connection.socket.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("end", [harness.Connection.close, harness.Connection.reset, half_close])
@pytest.mark.parametrize(
    "command", [["BLPOP", "q", 0], ["BRPOP", "other", "q", 0], ["BLMOVE", "q", "d", "LEFT", "LEFT", 0]]
)
def test_ended_while_blocked_gets_no_element(server, end, command):
    with server.connect() as control:
        waiting = [server.connect() for _ in range(5)]
        for connection in waiting:
            connection.send(*command)
        harness.until_blocked(control, 5)
        for connection in waiting:
            end(connection)
        harness.until_blocked(control, 0)
        assert control.call("RPUSH", "q", "a", "b") == 2
        assert control.call("LRANGE", "q", 0, -1) == [b"a", b"b"]
        assert control.call("EXISTS", "d") == 0
        for connection in waiting:
            connection.close()


def test_swapdb_and_rename_wake_the_blocked(server):
    with server.connect() as control, server.connect() as waiting:
        for bring in (["RENAME", "other", "q"], ["COPY", "other", "q"], ["SWAPDB", 0, 1]):
            waiting.send("BLPOP", "q", 0)
            harness.until_blocked(control, 1)
            control.call("SELECT", 1 if bring[0] == "SWAPDB" else 0)
            control.call("RPUSH", "q" if bring[0] == "SWAPDB" else "other", "a")
            control.call(*bring)
            assert waiting.read() == (b"*", [(b"$", b"q"), (b"$", b"a")])
            control.call("FLUSHALL")


def test_half_close_after_a_pipeline(server):
    with server.connect() as connection:
        connection.send_raw(encode("PING") + encode("SET", "k", "v"))
        half_close(connection)
        connection.read_to_close()
    with server.connect() as beside:
        assert beside.call("GET", "k") == b"v"


def test_maxclients():
    with harness.Server(maxclients=10) as server:
        admitted = [server.connect() for _ in range(10)]
        assert [connection.call("PING") for connection in admitted] == ["PONG"] * 10
        with server.connect() as refused:
            assert refused.read_to_close() == b"-ERR max number of clients reached\r\n"
        admitted.pop().close()

        def welcome():
            with server.connect() as connection:
                try:
                    return connection.call("PING") == "PONG"
                except (harness.ReplyError, harness.Closed, ConnectionError):
                    return False

        harness.eventually(welcome, "a place has become free")
        for connection in admitted:
            assert connection.call("PING") == "PONG"
            connection.close()


def test_maxclients_is_lowered_to_what_descriptors_allow():
    with harness.Server(nofile=100, maxclients=5000) as server, server.connect() as connection:
        allowed = int(connection.call("CONFIG", "GET", "maxclients")[1])
        assert 10 <= allowed < 100
        server.wait_for_log("maxclients")


@pytest.mark.staywire
def test_running_out_of_descriptors():
    with harness.Server() as server, server.connect() as control:
        served = [server.connect() for _ in range(20)]
        assert [connection.call("PING") for connection in served] == ["PONG"] * 20
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (server.open_descriptors(), hard))
        waiting = [server.connect() for _ in range(10)]
        for connection in waiting:
            connection.send("PING")
        for connection in served:
            assert connection.call("SET", "k", "v") == "OK"
        # A BLPOP is the clock: while it waits, a loop that spins on accept uses all of the processor.
        before = server.cpu_s()
        assert control.call("BLPOP", "none", 2) is None
        assert server.cpu_s() - before < 1
        for connection in served:
            connection.close()
        for connection in waiting:
            assert connection.read() == (b"+", b"PONG")
            connection.close()


def test_subscriber_that_does_not_read_is_closed_alone(server):
    limit = "pubsub 1048576 0 0"
    with server.connect() as publisher, server.connect() as deaf, server.connect() as reader:
        publisher.call("CONFIG", "SET", "client-output-buffer-limit", limit)
        deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.call("SUBSCRIBE", "feed")
        reader.call("SUBSCRIBE", "feed")
        payload, sent = "x" * 10_000, 0
        while publisher.call("PUBSUB", "NUMSUB", "feed")[1] == 2:
            assert publisher.call("PUBLISH", "feed", payload) >= 1
            sent += 1
            assert reader.read()[1][2] == (b"$", payload.encode())
            assert sent < 20_000, "the subscriber that does not read is never closed"
        server.wait_for_log("output buffer limits")
        assert publisher.call("PUBLISH", "feed", "after") == 1
        assert reader.read()[1][2] == (b"$", b"after")
        publisher.call("CONFIG", "SET", "client-output-buffer-limit", "pubsub 32mb 8mb 60")


def test_normal_client_over_its_output_limit_is_closed(server):
    with server.connect() as control, server.connect() as greedy:
        control.call("CONFIG", "SET", "client-output-buffer-limit", "normal 1mb 0 0")
        control.call("SET", "big", "x" * 100_000)
        greedy.send_raw(encode("GET", "big") * 200)
        greedy.read_to_close()
        assert control.call("PING") == "PONG"
        control.call("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0")


def test_query_buffer_limit(server):
    with server.connect() as control, server.connect() as connection:
        control.call("CONFIG", "SET", "client-query-buffer-limit", 1 << 20)
        try:
            connection.send_raw(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3000000\r\n" + b"x" * 2_900_000)
        except (BrokenPipeError, ConnectionResetError):
            pass  # It was closed before all had been sent.
        assert connection.read_to_close() == b""
        assert control.call("EXISTS", "k") == 0
        control.call("CONFIG", "SET", "client-query-buffer-limit", 1 << 30)


def test_proto_max_bulk_len(server):
    with server.connect() as control, server.connect() as connection:
        control.call("CONFIG", "SET", "proto-max-bulk-len", 1 << 20)
        connection.send_raw(b"*1\r\n$1048577\r\n")
        assert connection.read_to_close() == b"-ERR Protocol error: invalid bulk length\r\n"
        control.call("CONFIG", "SET", "proto-max-bulk-len", 512 << 20)


def test_timeout_spares_subscribers_and_blocked():
    with harness.Server(timeout=1) as server:
        with server.connect() as idle, server.connect() as subscriber, server.connect() as blocked:
            subscriber.call("SUBSCRIBE", "c")
            blocked.send("BLPOP", "q", 0)
            assert idle.read_to_close() == b""
            with server.connect() as control:
                control.call("RPUSH", "q", "a")
                assert blocked.read()[0] == b"*"
                assert control.call("PUBLISH", "c", "m") == 1


def test_unix_socket_alone_with_its_permissions():
    with harness.Server(port=0, unixsocketperm=700) as server:
        assert stat.S_IMODE(os.stat(server.unix_path).st_mode) == 0o700
        with server.connect_unix() as connection:
            assert connection.call("SET", "k", "v") == "OK"
            assert connection.call("GET", "k") == b"v"


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            return True
    except OSError:
        return False


def test_ipv4_and_ipv6_addresses():
    if not has_ipv6():
        pytest.skip("no IPv6 on this machine")
    with harness.Server(bind=["127.0.0.1", "::1"]) as server:
        for host in ("127.0.0.1", "::1"):
            with harness.Connection((host, server.port)) as connection:
                assert connection.call("PING") == "PONG"
                assert b"laddr=" in connection.call("CLIENT", "INFO")


def test_optional_address_that_is_not_there():
    with harness.Server(bind=["127.0.0.1", "-192.0.2.77"]) as server, server.connect() as connection:
        assert connection.call("PING") == "PONG"


def outer_address():
    """An address of this machine that is not the loopback's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            address = probe.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith("127.") else address


def test_protected_mode():
    address = outer_address()
    if not address:
        pytest.skip("no address besides the loopback's")
    with harness.Server(bind="*") as server:
        with harness.Connection((address, server.port)) as stranger:
            assert stranger.read_to_close().startswith(b"-DENIED ")
        with server.connect() as local:
            local.call("CONFIG", "SET", "protected-mode", "no")
        with harness.Connection((address, server.port)) as admitted:
            assert admitted.call("PING") == "PONG"


def test_many_connections_come_and_go(server):
    with server.connect() as control:
        assert control.call("PING") == "PONG"
        before = server.open_descriptors()
        for _ in range(20):
            crowd = [server.connect() for _ in range(50)]
            for connection in crowd:
                connection.send("PING")
            for connection in crowd:
                assert connection.read() == (b"+", b"PONG")
                connection.close()
        harness.eventually(lambda: server.open_descriptors() <= before, "all descriptors are closed")
        assert control.call("PING") == "PONG"
