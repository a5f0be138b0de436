"""What is measured. Each workload takes a fresh server and returns one figure: the lower, the better."""

import os
import selectors
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

LOAD = str(Path(__file__).resolve().parent.parent / "target" / "release" / "examples" / "load")

KEYS = 100_000
"""Distinct keys, fields and members that the request workloads touch."""


@dataclass
class Workload:
    """`measure(server, scale)` returns the figure in `unit`; `scale` below 1 asks for a shorter run.

    `ratio_goal` is the most that the figure may be of Valkey's; `goal` the most that it may be at all. `long` ones are
    left out of a quick run.
    """

    name: str
    title: str
    unit: str
    measure: Callable
    ratio_goal: float | None = None
    goal: float | None = None
    needs: str | None = None
    long: bool = False


def encode(*args):
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        if not isinstance(arg, bytes):
            arg = str(arg).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(arg), arg))
    return b"".join(parts)


def read_lines(connection, count):
    """Reads `count` replies of one line each."""
    seen, last = 0, b""
    while seen < count:
        data = connection.recv(1 << 18)
        if not data:
            raise SystemExit("the server closed a connection")
        if data.startswith(b"-") or b"\n-" in data:
            raise SystemExit(f"the server answered with an error: {data[:200]!r}")
        seen += data.count(b"\n")
        last = data
    return last


def read_bytes(connection, count):
    while count > 0:
        data = connection.recv(min(count, 1 << 18))
        if not data:
            raise SystemExit("the server closed a connection")
        count -= len(data)


def send_all(connection, commands, batch=1000):
    """Pipelines commands that answer in one line each."""
    for first in range(0, len(commands), batch):
        part = commands[first : first + batch]
        connection.sendall(b"".join(part))
        read_lines(connection, len(part))


# Requests and replies, with 50 clients.


def spent_us(server, count, tool):
    """Server time per request in us while `tool` sends `count` of them."""
    before = server.cpu_ns()
    ended = subprocess.run(tool, capture_output=True, text=True)
    spent = server.cpu_ns() - before
    if ended.returncode or "rror" in ended.stdout + ended.stderr:
        raise SystemExit(f"{' '.join(tool)} failed:\n{ended.stdout}{ended.stderr}")
    return spent / count / 1000


def requests(pipeline, most, lines, *command, prepare=None):
    """Server time per request in us under bench/load.rs: a load that is cheaper than the servers keeps them busy, so
    that what they spend on going to sleep and waking up is not counted as the command's. `lines` is what each command
    answers, and `most` the number of requests of a whole run."""

    def measure(server, scale):
        count = max(20_000, int(most * scale)) // pipeline * pipeline
        with server.connect() as connection:
            if prepare:
                prepare(connection, count)
        run = ["50", str(pipeline), str(count), str(KEYS), str(lines)]
        return spent_us(server, count, [LOAD, f"127.0.0.1:{server.port}", *run, *command])

    return measure


def redis_benchmark(pipeline, most, *command):
    """The same with redis-benchmark, which cannot keep a server busy that is faster than itself."""

    def measure(server, scale):
        count = max(20_000, int(most * scale))
        with server.connect() as connection:
            fill_strings(connection, count)
        tool = [shutil.which("redis-benchmark"), "-p", str(server.port), "-c", "50", "-P", str(pipeline), "-q"]
        return spent_us(server, count, [*tool, "-r", str(KEYS), "-n", str(count), *command])

    return measure


def fill_strings(connection, _):
    send_all(connection, [encode("SET", f"key:{number:012}", "xxx") for number in range(KEYS)])


def fill_list(count):
    def fill(connection, requests):
        send_all(connection, [encode("RPUSH", "mylist", *["xxx"] * 100)] * -(-(count or requests) // 100))

    return fill


GET = ("GET", "__key__")
SET = ("SET", "__key__", "xxx")
MSET = ("MSET", *["__key__", "xxx"] * 10)


# Messages and hand-offs.


def publish(server, scale, subscribers=100, batch=100):
    """Server time per delivery in us: pipelined PUBLISH to subscribers that read."""
    messages = max(2_000, int(20_000 * scale) // batch * batch)
    payload = b"x" * 16
    size = len(encode("message", "channel", payload))
    crowd, waiting = [], selectors.EpollSelector()
    for _ in range(subscribers):
        connection = server.connect()
        connection.sendall(encode("SUBSCRIBE", "channel"))
        read_bytes(connection, len(b"*3\r\n$9\r\nsubscribe\r\n$7\r\nchannel\r\n:1\r\n"))
        crowd.append(connection)
    block = encode("PUBLISH", "channel", payload) * batch
    with server.connect() as publisher:
        before = server.cpu_ns()
        for _ in range(messages // batch):
            missing = {connection: size * batch for connection in crowd}
            for connection in crowd:
                waiting.register(connection, selectors.EVENT_READ)
            publisher.sendall(block)
            while missing:
                for ready, _ in waiting.select():
                    connection = ready.fileobj
                    missing[connection] -= len(connection.recv(1 << 18))
                    if not missing[connection]:
                        waiting.unregister(connection)
                        del missing[connection]
            read_lines(publisher, batch)
        spent = server.cpu_ns() - before
    for connection in crowd:
        connection.close()
    return spent / (messages * subscribers) / 1000


def hand_off(waiters):
    """Server time per hand-off in us: RPUSH to blocked BLPOPs, each of which waits again once it is served."""

    def measure(server, scale):
        # A server that looks at all waiters each time would take minutes for more.
        count = max(1_000, int(20_000 * scale)) // 100 * 100
        tool = [LOAD, f"127.0.0.1:{server.port}", "hand-off", str(waiters), str(count)]
        load = subprocess.Popen(tool, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        times = []
        for word in ("ready", "done"):
            if load.stdout.readline().strip() != word:
                raise SystemExit(f"{' '.join(tool)} failed")
            times.append(server.cpu_ns())
            print(file=load.stdin, flush=True)
        load.wait()
        return (times[1] - times[0]) / count / 1000

    return measure


# Memory.


def settled_rss(server):
    """Resident memory once the server has finished what it does after a load."""
    lowest = server.rss_bytes()
    for _ in range(10):
        time.sleep(0.1)
        lowest = min(lowest, server.rss_bytes())
    return lowest


def key_memory(count, expiry=()):
    """Resident bytes per key, with a key and a value of 16 bytes each."""

    def measure(server, _):
        with server.connect() as connection:
            send_all(connection, [encode("SET", "warm", "up")] * 1000)
            before = settled_rss(server)
            # One large format a batch: a generator of single commands is too slow for millions.
            batch = 1000
            block = encode("SET", b"key:%012d", b"val:%012d", *expiry).replace(b"$9\r\n", b"$16\r\n") * batch
            for first in range(0, count, batch):
                connection.sendall(block % tuple(n for n in range(first, first + batch) for _ in range(2)))
                read_lines(connection, batch)
            return (settled_rss(server) - before) / count

    return measure


def collection_memory(count, commands):
    """Resident bytes per `count`, of what `commands(key, number)` adds for the thousand from `number` on. It is done
    once in small before, so that buffers and code pages that it needs are there."""

    def measure(server, _):
        with server.connect() as connection:
            for key in ["warm"] * 10 + [None]:
                before = settled_rss(server) if key is None else None
                for first in range(0, 1000 if key else count, 1000):
                    block = commands(key or "main", first)
                    connection.sendall(b"".join(block))
                    connection.sendall(encode("PING", "end"))
                    last = b""
                    while not last.endswith(b"$3\r\nend\r\n"):
                        last = last[-16:] + connection.recv(1 << 18)
                if key:
                    send_all(connection, [encode("FLUSHALL")])
            return (settled_rss(server) - before) / count

    return measure


def one_collection(command, member):
    """A million members of one key: `member(number)` gives the words that add one."""

    def commands(key, first):
        words = [word for number in range(first, first + 1000) for word in member(number)]
        return [encode(command, key, *words)]

    return collection_memory(1_000_000, commands)


def small_collections(command, members):
    """100,000 keys: `members(number)` gives the words that fill one."""

    def commands(key, first):
        return [encode(command, f"{key}:{number:09}", *members(number)) for number in range(first, first + 1000)]

    return collection_memory(100_000, commands)


def stream_entries(key, first):
    for n in range(first, first + 1000):
        fields = ("sensor", n % 1000, "temperature", 20 + n % 100 / 10, "note", "abcdefgh")
        yield encode("XADD", key, f"{1_700_000_000_000 + 3 * n}-0", *fields)


TEN = range(10)

COLLECTIONS = [
    Workload(f"memory-{name}", title, "bytes", measure, goal)
    for name, title, goal, measure in (
        (
            "zset",
            "a member of a sorted set of 1.0 million",
            0.85,
            one_collection("ZADD", lambda n: (n * 37 % 1_000_003, f"member:{n:09}")),
        ),
        ("set", "a member of a set of 1.0 million", 0.85, one_collection("SADD", lambda n: (f"member:{n:09}",))),
        (
            "hash",
            "a field of a hash of 1.0 million",
            0.85,
            one_collection("HSET", lambda n: (f"field:{n:09}", f"value:{n:09}")),
        ),
        (
            "hashes",
            "a hash of ten fields, of 100,000",
            0.90,
            small_collections("HSET", lambda n: [word for i in TEN for word in (f"field:{i}", f"value:{n + i}")]),
        ),
        (
            "lists",
            "a list of ten elements, of 100,000",
            0.95,
            small_collections("RPUSH", lambda n: [f"element:{n + i}" for i in TEN]),
        ),
        (
            "list",
            "an element of a list of 1.0 million",
            1.0,
            one_collection("RPUSH", lambda n: (f"element:{n:09}",)),
        ),
        ("stream", "an entry of a stream of 500,000", 1.0, collection_memory(500_000, stream_entries)),
    )
]


def subscriber_memory(server, scale, most=10_000):
    """Resident bytes per idle subscriber, each with a channel of its own."""
    import resource

    count = min(most, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500)
    with server.connect() as connection:
        send_all(connection, [encode("SET", "warm", "up")] * 1000)
    before = settled_rss(server)
    crowd = []
    for number in range(count):
        connection = server.connect()
        channel = b"channel:%06d" % number
        connection.sendall(encode("SUBSCRIBE", channel))
        read_bytes(connection, len(b"*3\r\n$9\r\nsubscribe\r\n$14\r\n" + channel + b"\r\n:1\r\n"))
        crowd.append(connection)
    used = settled_rss(server) - before
    for connection in crowd:
        connection.close()
    return used / count


# Waiting.

LOADER = """
import socket, sys
port, count, batch = map(int, sys.argv[1:])
connection = socket.create_connection(("127.0.0.1", port))
block = b"*3\\r\\n$3\\r\\nSET\\r\\n$16\\r\\nkey:%012d\\r\\n$16\\r\\nval:%012d\\r\\n" * batch
for first in range(0, count, batch):
    connection.sendall(block % tuple(n for n in range(first, first + batch) for _ in range(2)))
    missing = 5 * batch
    while missing:
        missing -= len(connection.recv(1 << 16))
"""


def longest_ping(pick):
    """Round trips of PING in ms while two million keys load: `pick` chooses one of them, sorted."""

    def measure(server, _):
        command = [sys.executable, "-c", LOADER, str(server.port), "2000000", "100"]
        loader = subprocess.Popen(command, preexec_fn=lambda: os.nice(10))
        trips, ping = [], encode("PING")
        with server.connect() as connection:
            while loader.poll() is None:
                begun = time.perf_counter()
                connection.sendall(ping)
                connection.recv(64)
                trips.append(time.perf_counter() - begun)
                time.sleep(0.0005)
        if loader.returncode:
            raise SystemExit("the loader failed")
        return pick(sorted(trips)) * 1000

    return measure


@dataclass
class Other:
    """A command that is measured in pipelines of 16: what it answers, how many are sent, and its goal."""

    command: tuple
    lines: int = 1
    most: int = 500_000
    goal: float | None = None
    prepare: Callable | None = None
    title: str | None = None


OTHERS = {
    "lpush": Other(("LPUSH", "mylist", "xxx"), goal=0.60),
    "rpush": Other(("RPUSH", "mylist", "xxx")),
    "lpop": Other(("LPOP", "mylist"), lines=2, prepare=fill_list(None)),
    "rpop": Other(("RPOP", "mylist"), lines=2, prepare=fill_list(None), goal=0.60),
    "incr": Other(("INCR", "counter:__key__")),
    "hset": Other(("HSET", "myhash", "__key__", "xxx"), goal=0.60),
    "sadd": Other(("SADD", "myset", "__key__"), goal=0.60),
    "zadd": Other(("ZADD", "myzset", "__number__", "__key__"), goal=0.55),
    "lrange100": Other(
        ("LRANGE", "mylist", "0", "99"), 201, 100_000, 0.45, fill_list(1000), "LRANGE of 100"
    ),
    "mset10": Other(MSET, 1, 200_000, 0.50, fill_strings, "MSET of 10"),
}


def request_workloads():
    for pipeline, most, get_goal, set_goal in (
        (1, 200_000, 0.85, 0.85),
        (16, 1_000_000, 0.60, 0.55),
        (64, 2_000_000, 0.45, 0.45),
    ):
        for name, lines, command, goal in (("get", 2, GET, get_goal), ("set", 1, SET, set_goal)):
            measure = requests(pipeline, most, lines, *command, prepare=fill_strings)
            yield Workload(f"{name}-p{pipeline}", f"{name.upper()}, pipeline {pipeline}", "us", measure, goal)
    for name, load in OTHERS.items():
        measure = requests(16, load.most, load.lines, *load.command, prepare=load.prepare)
        yield Workload(f"{name}-p16", f"{load.title or name.upper()}, pipeline 16", "us", measure, load.goal)
    for name, pipeline, most in (("get", 1, 200_000), ("get", 16, 1_000_000), ("set", 16, 1_000_000)):
        command = (name.upper(), "key:__rand_int__", *["xxx"] * (name == "set"))
        title = f"{name.upper()}, pipeline {pipeline}, by redis-benchmark"
        measure = redis_benchmark(pipeline, most, *command)
        yield Workload(f"rb-{name}-p{pipeline}", title, "us", measure, needs="redis-benchmark")


EXPIRY = ("EX", 1_000_000)

WORKLOADS = [
    *request_workloads(),
    Workload("publish", "PUBLISH to 100 subscribers, a delivery", "us", publish, 0.55),
    Workload("blpop-50", "RPUSH to 50 blocked BLPOPs, a hand-off", "us", hand_off(50)),
    Workload("blpop-1000", "RPUSH to 1,000 blocked BLPOPs, a hand-off", "us", hand_off(1000), goal=6.0),
    Workload("memory-1.0m", "a key, of 1.0 million", "bytes", key_memory(1_000_000), 0.85),
    Workload("memory-1.4m", "a key, of 1.4 million", "bytes", key_memory(1_400_000), 0.85, long=True),
    Workload("memory-ttl-1.0m", "a key with expiry, of 1.0 million", "bytes", key_memory(1_000_000, EXPIRY), 0.70),
    Workload(
        "memory-ttl-1.4m", "a key with expiry, of 1.4 million", "bytes", key_memory(1_400_000, EXPIRY), 0.70, long=True
    ),
    *COLLECTIONS,
    Workload("subscriber", "an idle subscriber", "bytes", subscriber_memory, goal=1024),
    Workload(
        "ping-max", "longest PING while 2 million keys load", "ms", longest_ping(lambda trips: trips[-1]), 1.0
    ),
    Workload(
        "ping-p999",
        "99.9% of PINGs while 2 million keys load",
        "ms",
        longest_ping(lambda trips: trips[len(trips) * 999 // 1000]),
        long=True,
    ),
]
