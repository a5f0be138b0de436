"""Servers to test against, and a client that sees every byte of the protocol.

The binary under test is `target/release/staywire` or `target/debug/staywire`, whichever was built last, unless
STAYWIRE_TEST_SERVER names another one (a Valkey or Redis server works too: a good test passes on those).
"""

import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = float(os.environ.get("STAYWIRE_TEST_DEADLINE_S", 60))
"""How long a condition may take to come true. A hang ends here; no test measures time against it."""


def server_binary():
    """Path of the binary under test."""
    named = os.environ.get("STAYWIRE_TEST_SERVER")
    if named:
        return str(Path(named).absolute())
    built = [ROOT / "target" / profile / "staywire" for profile in ("release", "debug")]
    built = [path for path in built if path.exists()]
    if not built:
        raise SystemExit("no staywire binary: run `cargo build` or set STAYWIRE_TEST_SERVER")
    return str(max(built, key=lambda path: path.stat().st_mtime))


def is_staywire(binary=None):
    return Path(binary or server_binary()).name == "staywire"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(condition, what, deadline_s=DEADLINE_S):
    """Polls until `condition()` is true, and returns its value."""
    give_up = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > give_up:
            raise AssertionError(f"not within {deadline_s:.0f} s: {what}")
        time.sleep(0.01)


class StartFailed(Exception):
    """The server ended before it was ready; `code` is its exit code and `output` all it printed."""

    def __init__(self, code, output):
        super().__init__(f"exit code {code}:\n{output}")
        self.code, self.output = code, output


class Server:
    """A running server process. Options are given as on its command line: port=7000, save='' and so on."""

    def __init__(self, binary=None, config=None, stdin=None, wait=True, nofile=None, extra=(), **options):
        self.binary = binary or server_binary()
        self.dir = tempfile.mkdtemp(prefix="staywire-test-")
        self.unix_path = os.path.join(self.dir, "s")
        options.setdefault("port", free_port())
        options.setdefault("unixsocket", self.unix_path)
        options.setdefault("save", "")
        options.setdefault("dir", self.dir)
        self.port = int(options["port"]) if options["port"] is not None else None
        command = [self.binary]
        if stdin is not None:
            command.append("-")
        elif config is not None:
            path = os.path.join(self.dir, "test.conf")
            Path(path).write_text(config)
            command.append(path)
        for name, value in options.items():
            if value is not None:
                values = value if isinstance(value, (list, tuple)) else [value]
                command += ["--" + name.replace("_", "-"), *map(str, values)]
        command += extra

        def limit_descriptors():
            if nofile:
                resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))

        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=limit_descriptors,
            cwd=self.dir,
        )
        self.pid = self.process.pid
        self._lines, self._ended, self._changed = [], False, threading.Condition()
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        if stdin is not None:
            self.process.stdin.write(stdin.encode())
            self.process.stdin.close()
        if wait:
            try:
                self.wait_for_log("Server initialized")
            except AssertionError:
                code = self.stop(signal.SIGKILL)
                raise StartFailed(code, self.log) from None

    def _read_log(self):
        for line in self.process.stdout:
            with self._changed:
                self._lines.append(line.decode(errors="replace"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def log(self):
        with self._changed:
            return "".join(self._lines)

    def wait_for_log(self, text, deadline_s=DEADLINE_S):
        with self._changed:
            self._changed.wait_for(lambda: self._ended or any(text in line for line in self._lines), deadline_s)
            log = "".join(self._lines)
        assert text in log, f"{text!r} is not in the log:\n{log}"

    def wait(self, deadline_s=DEADLINE_S):
        """Waits for the process to end by itself, and returns its exit code."""
        code = self.process.wait(deadline_s)
        self._reader.join(deadline_s)
        return code

    def stop(self, how=signal.SIGTERM):
        """Ends the process and removes its directory. Returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        code = self.wait()
        self.process.stdout.close()
        shutil.rmtree(self.dir, ignore_errors=True)
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def connect(self, **options):
        """A `Connection` over TCP."""
        return Connection(("127.0.0.1", self.port), **options)

    def connect_unix(self, **options):
        return Connection(self.unix_path, **options)

    def rss_bytes(self):
        with open(f"/proc/{self.pid}/statm") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()

    def cpu_s(self):
        """Processor time of the process so far, user and system."""
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def open_descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))


def encode(*args):
    """A command as a RESP array of bulk strings."""
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        if not isinstance(arg, bytes):
            arg = str(arg).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(arg), arg))
    return b"".join(parts)


class Closed(Exception):
    """The server closed the connection."""


class ReplyError(Exception):
    """An error reply, when `call` was asked for a plain value."""


class Connection:
    """A raw client. `read` returns replies with their types: (b'+', text), (b'$', bytes or None), (b'*', list)..."""

    def __init__(self, address, protocol=2, timeout_s=DEADLINE_S):
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout_s)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address, timeout_s)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer, self._at = b"", 0
        if protocol == 3:
            self.send("HELLO", 3)
            reply = self.read()
            assert reply[0] == b"%", reply

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Ends the connection with a TCP reset instead of a close."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()

    def send(self, *args):
        self.socket.sendall(encode(*args))

    def send_raw(self, data):
        self.socket.sendall(data)

    def _fill(self):
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Closed
        self._buffer = self._buffer[self._at :] + data
        self._at = 0

    def _line(self):
        while True:
            end = self._buffer.find(b"\r\n", self._at)
            if end >= 0:
                line = self._buffer[self._at : end]
                self._at = end + 2
                return line
            self._fill()

    def _exactly(self, size):
        while len(self._buffer) - self._at < size:
            self._fill()
        data = self._buffer[self._at : self._at + size]
        self._at += size
        return data

    def read(self):
        """The next reply (or push), with its types."""
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind in b"+-:,#(_":
            return (kind, rest)
        if kind in b"$=!":
            size = int(rest)
            return (kind, None) if size < 0 else (kind, self._exactly(size + 2)[:-2])
        if kind in b"*~>":
            count = int(rest)
            return (kind, None) if count < 0 else (kind, [self.read() for _ in range(count)])
        if kind in b"%|":
            return (kind, [(self.read(), self.read()) for _ in range(int(rest))])
        raise AssertionError(f"not a reply: {line!r}")

    def call(self, *args):
        """Sends a command and returns its reply as plain Python values. Error replies raise `ReplyError`."""
        self.send(*args)
        return plain(self.read())

    def error(self, *args):
        """Sends a command that must fail, and returns the error's text."""
        self.send(*args)
        kind, text = self.read()
        assert kind == b"-", (args, kind, text)
        return text.decode()

    def read_to_close(self):
        """Everything until the server closes the connection."""
        data = [self._buffer[self._at :]]
        self._buffer, self._at = b"", 0
        while True:
            try:
                chunk = self.socket.recv(1 << 16)
            except ConnectionResetError:
                break
            if not chunk:
                break
            data.append(chunk)
        return b"".join(data)


def plain(reply):
    """A typed reply as plain Python values."""
    kind, value = reply
    if kind in (b"-", b"!"):
        raise ReplyError(value.decode())
    if kind == b"_":
        return None
    if kind in (b":", b"("):
        return int(value)
    if kind == b",":
        return float(value)
    if kind == b"#":
        return value == b"t"
    if kind == b"+":
        return value.decode()
    if kind in (b"*", b"~", b">"):
        return None if value is None else [plain(item) for item in value]
    if kind == b"%":
        return {plain(name): plain(item) for name, item in value}
    return value


def info(connection, section):
    """One section of INFO as a dict of texts."""
    text = connection.call("INFO", section).decode()
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def until_blocked(control, count):
    """Waits until `count` clients are blocked."""
    eventually(lambda: int(info(control, "clients")["blocked_clients"]) == count, f"{count} clients are blocked")
