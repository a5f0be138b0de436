"""What watches a server: INFO's fields beside those of Valkey, MONITOR and the like through real tools and sockets."""

import re
import subprocess

import pytest

import differential
import harness

# Valkey names itself where Staywire does; what only one of them has.
RENAMED = {"valkey_version": "staywire_version"}
VALKEYS_OWN = {"valkey_release_stage"}
OWN = {"redis_mode", "expired_fields"}


def valkey_8():
    binary = differential.peer_binary()
    if binary:
        version = subprocess.run([binary, "--version"], capture_output=True, text=True).stdout
        if version.startswith("Valkey") and "v=8." in version:
            return binary
    pytest.skip("no Valkey 8 to compare with")


def fields(server, *sections):
    """The heads and names of fields, in their order."""
    with server.connect() as connection:
        connection.call("SET", "k", "v")
        connection.error("NOSUCH")
        text = connection.call("INFO", *sections).decode()
    lines = [line for line in text.split("\r\n") if line]
    return [line if line.startswith("#") else line.split(":")[0] for line in lines]


@pytest.mark.parametrize("sections", [(), ("everything",), ("debug",), ("all", "nosuch"), ("Memory", "SERVER")])
def test_info_has_the_fields_of_valkey(sections):
    binary = valkey_8()
    with harness.Server(binary, save="") as theirs, harness.Server(save="") as ours:
        expected = [RENAMED.get(name, name) for name in fields(theirs, *sections) if name not in VALKEYS_OWN]
        seen = [name for name in fields(ours, *sections) if name not in OWN]
    by_command = re.compile("cmdstat_|latency_percentiles_usec_")
    assert [n for n in seen if not by_command.match(n)] == [n for n in expected if not by_command.match(n)]
    assert {n for n in seen if by_command.match(n)} == {n for n in expected if by_command.match(n)}


def test_memory_stats_has_the_fields_of_valkey():
    binary = valkey_8()
    with harness.Server(binary, save="") as theirs, harness.Server(save="") as ours:
        names = []
        for server in (theirs, ours):
            with server.connect(protocol=3) as connection:
                stats = connection.call("MEMORY", "STATS")
                names.append([(name, type(value)) for name, value in stats.items()])
    assert names[0] == names[1]


def test_figures_are_true(server):
    if not harness.is_staywire():
        pytest.skip("of Staywire's own allocator")
    with server.connect() as connection:
        before = harness.info(connection, "memory")
        connection.call("SET", "large", "x" * 20_000_000)

        def grown():
            now = harness.info(connection, "memory")
            return [int(now[name]) - int(before[name]) for name in ("used_memory", "allocator_allocated")]

        # What the allocator tells is a sample that is taken now and then.
        harness.eventually(lambda: all(20_000_000 <= n < 25_000_000 for n in grown()), "both have grown by the value")
        after = harness.info(connection, "memory")
        allocator = [int(after[f"allocator_{what}"]) for what in ("allocated", "active", "resident")]
        assert allocator == sorted(allocator)
        assert after["mem_allocator"] == "jemalloc"
        assert connection.call("MEMORY", "PURGE") == "OK"
        assert b"jemalloc statistics" in connection.call("MEMORY", "MALLOC-STATS")


def test_monitor_over_a_unix_socket(server):
    with server.connect() as monitor:
        assert monitor.call("MONITOR") == "OK"
        with server.connect_unix() as connection:
            connection.call("SET", "a", "b")
        _, line = monitor.read()
    shown = rf'\d+\.\d{{6}} \[0 unix:{re.escape(server.unix_path)}\] "SET" "a" "b"'
    assert re.fullmatch(shown, line.decode()), line
