"""Keys that expire while nobody touches them."""

import time

import pytest

import harness
from harness import encode

FAR, SOON = 700_000, 300_000


def load(connection, commands, batch=10_000):
    """Sends commands in batches and checks that each is answered with OK."""
    block = []
    for command in commands:
        block.append(command)
        if len(block) == batch:
            flush(connection, block)
    flush(connection, block)


def flush(connection, block):
    connection.send_raw(b"".join(block))
    for _ in block:
        assert connection.read() == (b"+", b"OK")
    block.clear()


@pytest.mark.staywire
def test_a_wave_of_expiries_among_far_ones():
    with harness.Server() as server, server.connect() as connection:
        far_ms = int(time.time() * 1000) + 10_000_000
        load(connection, (encode("SET", f"far:{n}", n, "PXAT", far_ms + n) for n in range(FAR)))
        # One millisecond for all of them, late enough that most of the loading ends before.
        due_ms = int(time.time() * 1000) + 6000
        load(connection, (encode("SET", f"soon:{n}", n, "PXAT", due_ms) for n in range(SOON)))
        harness.eventually(lambda: connection.call("DBSIZE") == FAR, "all that was due is gone")
        assert int(harness.info(connection, "stats")["expired_keys"]) > 0
        assert connection.call("EXISTS", "far:0", f"far:{FAR - 1}") == 2


def test_no_stale_read(connection):
    connection.call("SET", "k", "v", "PX", 20)
    connection.call("RPUSH", "l", "a")
    connection.call("PEXPIRE", "l", 20)
    # BLPOP on an empty list is the server's own clock here.
    assert connection.call("BLPOP", "none", 0.1) is None
    assert connection.call("GET", "k") is None
    assert connection.call("LLEN", "l") == 0
    assert connection.call("EXISTS", "k", "l") == 0
    assert connection.call("DBSIZE") == 0
