"""redis-cli and redis-benchmark against the server. Skipped in one line where they are not installed."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time

import pytest

import harness


def tool(name):
    path = shutil.which(name)
    if not path:
        pytest.skip(f"no {name}: install redis-tools to run this")
    return path


def cli(server, *args, stdin=None):
    """Runs redis-cli to its end and returns what it printed."""
    ended = subprocess.run(
        [tool("redis-cli"), "-p", str(server.port), *args],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=harness.DEADLINE_S,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


class Terminal:
    """redis-cli in a terminal, as a person at a keyboard has it."""

    def __init__(self, *command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", HOME="/nonexistent")
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
            os.execv(command[0], command)
        self.seen = ""

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, text):
        give_up = time.monotonic() + harness.DEADLINE_S
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(0, give_up - time.monotonic()))
            assert ready, f"{text!r} is not in {self.seen!r}"
            self.seen += os.read(self.fd, 65536).decode(errors="replace")
        before, _, self.seen = self.seen.partition(text)
        return before

    def close(self):
        os.close(self.fd)
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.pid, 0)


@pytest.mark.parametrize("protocol", [[], ["-3"]], ids=["resp2", "resp3"])
def test_interactive_with_hints(server, protocol):
    terminal = Terminal(tool("redis-cli"), "-p", str(server.port), *protocol)
    prompt = f"127.0.0.1:{server.port}> "
    try:
        terminal.expect(prompt)
        terminal.type("set ")
        terminal.expect("key value")  # The hint, from COMMAND DOCS.
        terminal.type("greeting hello\r")
        terminal.expect("OK")
        terminal.expect(prompt)
        terminal.type("get greeting\r")
        terminal.expect('"hello"')
        terminal.expect(prompt)
        terminal.type("lpush ")
        terminal.expect("element [element ...]")
        terminal.type("l a b c\r")
        terminal.expect("(integer) 3")
        terminal.expect(prompt)
        terminal.type("help blpop\r")
        terminal.expect("key [key ...] timeout")
        terminal.expect("summary:")
        terminal.expect(prompt)
    finally:
        terminal.close()
    with server.connect() as connection:
        docs = [
            line
            for line in connection.call("INFO", "commandstats").decode().splitlines()
            if line.startswith("cmdstat_command|docs")
        ]
        assert docs and "failed_calls=0" in docs[0]


def test_scan(server):
    with server.connect() as connection:
        for number in range(1000):
            connection.send("SET", f"key:{number}", number)
        assert all(connection.read() == (b"+", b"OK") for _ in range(1000))
    assert sorted(cli(server, "--scan").split()) == sorted(f"key:{number}" for number in range(1000))
    found = cli(server, "--scan", "--pattern", "key:9?").split()
    assert sorted(found) == sorted(f"key:{number}" for number in range(90, 100))


def test_stat(server):
    stat = subprocess.Popen(
        [tool("redis-cli"), "-p", str(server.port), "-i", "0.1", "--stat"], stdout=subprocess.PIPE, text=True
    )
    try:
        lines = [stat.stdout.readline() for _ in range(5)]
    finally:
        stat.kill()
        stat.wait()
        stat.stdout.close()
    assert "keys" in lines[1] and "requests" in lines[1]
    assert re.match(r"\d+ +[\d.]+[KMG] +\d+ +\d+ +\d+ \(\+\d+\) +\d+", lines[3]), lines


def test_resp3_and_mass_insertion(server):
    assert cli(server, "-3", "HELLO").startswith("1# \"server\" => ") or "server" in cli(server, "-3", "HELLO")
    commands = b"".join(harness.encode("SET", f"k{number}", number) for number in range(10_000))
    ended = subprocess.run(
        [tool("redis-cli"), "-p", str(server.port), "--pipe"],
        input=commands,
        capture_output=True,
        timeout=harness.DEADLINE_S,
    )
    assert b"errors: 0, replies: 10000" in ended.stdout
    assert cli(server, "dbsize").strip() == "10000"
    assert cli(server, "--raw", "get", "k77").strip() == "77"


def test_subscribe(server):
    process = subprocess.Popen(
        [tool("redis-cli"), "-p", str(server.port), "subscribe", "news"], stdout=subprocess.PIPE, text=True
    )
    try:
        with server.connect() as control:
            harness.eventually(lambda: control.call("PUBSUB", "NUMSUB", "news")[1] == 1, "redis-cli has subscribed")
            control.call("PUBLISH", "news", "hello")
        seen = ""
        while '"hello"' not in seen and "\nhello\n" not in seen:
            line = process.stdout.readline()
            assert line, seen
            seen += line
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("pipeline", [1, 16, 64])
def test_benchmark(server, pipeline):
    names = "ping,set,get,incr,lpush,rpush,lpop,rpop,lrange,mset"
    command = [tool("redis-benchmark"), "-p", str(server.port), "-q", "-n", "5000", "-P", str(pipeline), "-t", names]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    output = ended.stdout + ended.stderr
    assert ended.returncode == 0, output
    assert not re.search("error|warning", output, re.I), output
    results = set(re.findall(r"(?:^|\r|\n)(\w+)(?: \([^)]*\))?: [\d.]+ req", output))
    expected = {"PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "LPUSH", "RPUSH", "LPOP", "RPOP", "LRANGE_100",
                "LRANGE_300", "LRANGE_500", "LRANGE_600", "MSET"}  # fmt: skip
    assert expected <= results, output


def test_latency_and_bigkeys(server):
    with server.connect() as connection:
        connection.call("RPUSH", "biggest", *range(100))
        connection.call("SET", "text", "x" * 100)
    assert "biggest" in cli(server, "--bigkeys")


def test_monitor(server):
    process = subprocess.Popen(
        [tool("redis-cli"), "-p", str(server.port), "monitor"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "OK\n"
        with server.connect() as connection:
            connection.call("SET", "a", "b c")
        assert process.stdout.readline().endswith('] "SET" "a" "b c"\n')
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_sizes_of_keys(server):
    with server.connect() as connection:
        connection.call("SET", "small", "x")
        connection.call("SET", "large", "x" * 10_000)
    report = cli(server, "--memkeys")
    assert re.search(r"Biggest string found .*large.* has 1\d{4} bytes", report), report


@pytest.mark.parametrize(
    "option, shown",
    [
        (("--latency",), "samples)"),
        (("--latency-history", "-i", "1"), "samples)"),
        (("--latency-dist", "-i", "1"), "milliseconds"),
    ],
)
def test_latency_modes(server, option, shown):
    """They go on until they are ended; the first of what they show is enough."""
    terminal = Terminal(tool("redis-cli"), "-p", str(server.port), *option)
    try:
        terminal.expect(shown)
    finally:
        terminal.close()


def test_intrinsic_latency(server):
    assert "total runs" in cli(server, "--intrinsic-latency", "1")
