"""DEBUG: ends that a defect would bring about, and what it says of itself beside Valkey."""

import signal

import pytest

import harness
from test_command import valkey_8

pytestmark = pytest.mark.staywire
ALLOWED = {"enable-debug-command": "yes"}


@pytest.mark.parametrize("how, code", [("SEGFAULT", -signal.SIGSEGV), ("OOM", -signal.SIGABRT)])
def test_ends_of_the_process(how, code):
    with harness.Server(**ALLOWED) as server, server.connect() as connection:
        connection.send("DEBUG", how)
        assert server.wait() == code


@pytest.mark.parametrize("how", ["PANIC", "ASSERT"])
def test_ends_of_the_server(how):
    with harness.Server(**ALLOWED) as server, server.connect() as connection:
        connection.send("DEBUG", how)
        assert server.wait() not in (0, -signal.SIGSEGV)
        assert f"called by DEBUG {how}" in server.log


def test_messages_are_logged():
    with harness.Server(**ALLOWED) as server, server.connect() as connection:
        connection.call("DEBUG", "LOG", "hello from a test")
        server.wait_for_log("DEBUG LOG: hello from a test")


def test_help_has_the_syntax_of_valkey():
    lines = []
    for binary in (None, valkey_8()):
        with harness.Server(binary=binary, **ALLOWED) as server, server.connect() as connection:
            lines.append([line for line in connection.call("DEBUG", "HELP") if not line.startswith(" ")])
    # Valkey has it, too, but says nothing of it.
    ours = [line for line in lines[0] if line != "SET-DISABLE-DENY-SCRIPTS <0|1>"]
    assert [line for line in ours if line not in lines[1]] == []
    assert [line for line in lines[1] if line in ours] == ours, "the order"
