"""What services do with redis-py, synchronous and asyncio. Runs with every redis-py that `make test` installs."""

import asyncio
import subprocess
import sys
import threading

import pytest
import redis
import redis.asyncio

import harness

MESSAGES = 100_000


def client(server, **options):
    """A client whose reads never time out, as a service that waits for months has it."""
    return redis.Redis(port=server.port, socket_timeout=None, **options)


@pytest.fixture(params=[None, 2, 3], ids=["default", "resp2", "resp3"])
def options(request):
    """The protocol that the client asks for: its own choice first."""
    return {"protocol": request.param} if request.param else {}


def subscribed(server, channel, count=1):
    with server.connect() as control:
        harness.eventually(
            lambda: control.call("PUBSUB", "NUMSUB", channel)[1] == count, f"{count} subscribers on {channel}"
        )


def test_listen_while_another_publishes(server, options):
    received, ready = [], threading.Event()

    def subscriber():
        pubsub = client(server, **options).pubsub()
        pubsub.subscribe("channel1")
        for message in pubsub.listen():
            received.append((message["type"], message["data"]))
            ready.set()
            if message["data"] == b"last":
                pubsub.unsubscribe()
            if message["type"] == "unsubscribe":
                break
        pubsub.close()

    thread = threading.Thread(target=subscriber, daemon=True)
    thread.start()
    assert ready.wait(harness.DEADLINE_S)
    publisher = client(server, **options)
    for number in range(100):
        assert publisher.publish("channel1", f"message {number}") == 1
    publisher.publish("channel1", "last")
    thread.join(harness.DEADLINE_S)
    expected = [("message", f"message {number}".encode()) for number in range(100)]
    assert received == [("subscribe", 1), *expected, ("message", b"last"), ("unsubscribe", 0)]
    assert publisher.publish("channel1", "nobody") == 0


def test_patterns_and_shard_channels(server, options):
    pubsub = client(server, **options).pubsub(ignore_subscribe_messages=True)
    pubsub.psubscribe("news.*")
    pubsub.ssubscribe("shard")
    subscribed_to = client(server, **options)
    harness.eventually(
        lambda: subscribed_to.pubsub_numpat() == 1 and subscribed_to.pubsub_shardnumsub("shard")[0][1] == 1,
        "both subscriptions",
    )
    subscribed_to.publish("news.today", "a")
    subscribed_to.spublish("shard", "b")
    seen = []
    while len(seen) < 2:
        message = pubsub.get_message(timeout=harness.DEADLINE_S)
        assert message is None or message["type"] in ("pmessage", "smessage")
        if message:
            seen.append((message["channel"], message["data"]))
    assert sorted(seen) == [(b"news.today", b"a"), (b"shard", b"b")]
    pubsub.close()


@pytest.mark.parametrize("command", ["blpop", "brpop"])
def test_queue_between_processes(server, options, command):
    consumer = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import redis, sys\n"
            f"client = redis.Redis(port={server.port}, socket_timeout=None, **{options!r})\n"
            f"print(client.{command}('myqueue', timeout=0))",
        ],
        stdout=subprocess.PIPE,
    )
    with server.connect() as control:
        harness.until_blocked(control, 1)
    assert client(server, **options).rpush("myqueue", "hello") == 1
    output, _ = consumer.communicate(timeout=harness.DEADLINE_S)
    assert consumer.returncode == 0
    assert output.strip() in (b"(b'myqueue', b'hello')", b"[b'myqueue', b'hello']")
    assert client(server, **options).llen("myqueue") == 0


def test_asyncio_subscriber_consumer_and_producer(server, options):
    async def subscriber(connection, ready):
        seen = []
        async with connection.pubsub() as pubsub:
            await pubsub.subscribe("channel1")
            async for message in pubsub.listen():
                if message["type"] == "subscribe":
                    ready.set()
                elif message["data"] == b"stop":
                    return seen
                else:
                    seen.append(message["data"])

    async def consumer(connection):
        seen = []
        while True:
            item = await connection.blpop("myqueue", timeout=0)
            if item[1] == b"stop":
                return seen
            seen.append(item[1])

    async def producer(connection, ready):
        await ready.wait()
        for number in range(500):
            await connection.rpush("myqueue", number)
            await connection.publish("channel1", number)
        await connection.rpush("myqueue", "stop")
        await connection.publish("channel1", "stop")

    async def main():
        connection = redis.asyncio.Redis(port=server.port, socket_timeout=None, **options)
        ready = asyncio.Event()
        work = asyncio.gather(subscriber(connection, ready), consumer(connection), producer(connection, ready))
        heard, taken, _ = await asyncio.wait_for(work, harness.DEADLINE_S)
        await connection.aclose()
        return heard, taken

    numbers = [str(number).encode() for number in range(500)]
    assert asyncio.run(main()) == (numbers, numbers)


def test_pipeline_and_transaction(server, options):
    connection = client(server, **options)
    with connection.pipeline(transaction=True) as pipe:
        pipe.watch("balance")
        pipe.multi()
        pipe.set("balance", 10).incrby("balance", 5).lpush("log", "a").get("balance")
        assert pipe.execute() == [True, 15, 1, b"15"]
    with connection.pipeline(transaction=True) as pipe:
        pipe.watch("balance")
        connection.set("balance", 0)
        pipe.multi()
        pipe.incr("balance")
        with pytest.raises(redis.WatchError):
            pipe.execute()
    with connection.pipeline(transaction=False) as pipe:
        for number in range(10_000):
            pipe.rpush("many", number)
        assert pipe.execute()[-1] == 10_000


def test_maintenance_notifications_are_refused_not_fatal(server):
    with server.connect(protocol=3) as connection:
        text = connection.error("CLIENT", "MAINT_NOTIFICATIONS", "ON", "moving-endpoint-type", "internal-ip")
        assert "unknown subcommand" in text.lower(), text
        assert connection.call("PING") == "PONG"


def test_subscriber_and_consumer_stay_through_many_messages(server):
    heard, taken, ready = [], [], threading.Event()

    def subscriber():
        pubsub = client(server).pubsub()
        pubsub.subscribe("feed")
        for message in pubsub.listen():
            if message["type"] == "subscribe":
                ready.set()
                continue
            heard.append(int(message["data"]))
            if len(heard) == MESSAGES:
                return

    def consumer():
        connection = client(server)
        while len(taken) < MESSAGES:
            taken.append(int(connection.blpop("jobs", timeout=0)[1]))

    threads = [threading.Thread(target=work, daemon=True) for work in (subscriber, consumer)]
    for thread in threads:
        thread.start()
    assert ready.wait(harness.DEADLINE_S)
    producer = client(server)
    for first in range(0, MESSAGES, 1000):
        with producer.pipeline(transaction=False) as pipe:
            for number in range(first, first + 1000):
                pipe.rpush("jobs", number)
                pipe.publish("feed", number)
            pipe.execute()
        # The subscriber is kept within its output limit: this is about staying connected, not about falling behind.
        harness.eventually(lambda: len(heard) >= first - 20_000, "the subscriber follows", 300)
    for thread in threads:
        thread.join(300)
    assert heard == list(range(MESSAGES))
    assert taken == list(range(MESSAGES))


def test_abandoned_blpop_loses_nothing(server, options):
    impatient = redis.Redis(port=server.port, socket_timeout=0.2, retry=None, **options)
    producer = client(server, **options)
    for number in range(10):
        with pytest.raises(redis.TimeoutError):
            impatient.blpop("work", timeout=0)
        impatient.connection_pool.disconnect()
        with server.connect() as control:
            harness.until_blocked(control, 0)
        producer.rpush("work", number)
        assert producer.lpop("work") == str(number).encode()


def test_client_side_caching(server, monkeypatch):
    caching = pytest.importorskip("redis.cache")
    # Servers that say they are older than this it does not even try.
    monkeypatch.setattr(redis.connection.CacheProxyConnection, "MIN_ALLOWED_VERSION", "7.2.0")
    reader = client(server, protocol=3, cache_config=caching.CacheConfig())
    writer = client(server)

    def reads():
        return writer.info("commandstats").get("cmdstat_get", {}).get("calls", 0)

    writer.set("cached", "1")
    before = reads()
    assert [reader.get("cached") for _ in range(10)] == [b"1"] * 10
    assert reads() == before + 1
    for change, expected in [(lambda: writer.set("cached", "2"), b"2"), (writer.flushall, None)]:
        change()
        harness.eventually(lambda: reader.get("cached") == expected, f"the reader gets {expected}")
    reader.close()
    writer.close()
