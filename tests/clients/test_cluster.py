"""A cluster of one, as clients of clusters see it."""

import pytest
import redis

import harness
from test_differential import peer

# What both answer alike; what differs are names and addresses.
SAME = """\
CLUSTER KEYSLOT foo
CLUSTER KEYSLOT {a}b
CLUSTER KEYSLOT x{}y{a}
CLUSTER COUNTKEYSINSLOT 16384
CLUSTER COUNTKEYSINSLOT x
CLUSTER GETKEYSINSLOT 0 -1
CLUSTER GETKEYSINSLOT 15495 10
CLUSTER SLOT-STATS SLOTSRANGE 15494 15495
CLUSTER SLOT-STATS SLOTSRANGE 1 0
CLUSTER SLOT-STATS SLOTSRANGE 0 x
CLUSTER SLOT-STATS ORDERBY key-count LIMIT 3
CLUSTER SLOT-STATS ORDERBY key-count LIMIT 3 ASC
CLUSTER SLOT-STATS ORDERBY nosuch LIMIT 2
CLUSTER SLOT-STATS ORDERBY key-count LIMIT x
CLUSTER SLOT-STATS foo bar
CLUSTER REPLICAS x
CLUSTER ADDSLOTS 1
CLUSTER FAILOVER
CLUSTER LINKS
CLUSTER NOSUCH
ASKING
READONLY
MSET a 1 b 2
MSET {a}1 x {a}2 y
SELECT 1
SELECT x
SWAPDB 0 1
MOVE a 1
COPY a b
COPY {a}1 {a}2 DB 1
SORT l BY w*
SORT {l} BY w{l}*
SORT l BY l*
SORT l GET x*
SORT l GET #
SORT l BY nosort GET l
DEL a b
WATCH a b
MULTI
SET a 1
SET b 1
EXEC
EXEC
SSUBSCRIBE a b
SPUBLISH a m
XREAD STREAMS a b 0 0
BLPOP a b 0.1
MIGRATE h 1 "" 0 1 KEYS a b
GEORADIUS a 1 2 3 m STORE b
ZUNIONSTORE a 2 b c
EVAL "return 1" 2 a b
EVAL "return redis.call('get', 'a')" 1 b
EVAL "return redis.call('mget', 'a', 'b')" 0
EVAL "#!lua\\nreturn redis.call('get', 'a')" 1 b
DBSIZE
CONFIG GET databases
INFO cluster"""


# What an administrator does with slots. Where a parameter says when the cluster is up, a slot that goes makes the other
# server look again.
SLOTS = """\
CLUSTER ADDSLOTS x
CLUSTER ADDSLOTS 16384
CLUSTER ADDSLOTS 5 x
CLUSTER ADDSLOTSRANGE 1 2
CLUSTER DELSLOTS 1 x
CLUSTER DELSLOTS 1 1
CLUSTER DELSLOTSRANGE 1
CLUSTER DELSLOTSRANGE 1 2 3
CLUSTER DELSLOTSRANGE 3 2
CLUSTER DELSLOTSRANGE 1 5 4 6
CLUSTER DELSLOTSRANGE 1 5 x 6
SET a 1
SET foo 1
CLUSTER DELSLOTS 15495
CLUSTER DELSLOTS 15495
CLUSTER DELSLOTSRANGE 15494 15496
CLUSTER INFO
GET a
GET foo
MGET a foo
MGET foo a
SPUBLISH a m
SPUBLISH foo m
SUNSUBSCRIBE a
EXISTS a
PING
MULTI
GET foo
EXEC
MULTI
PING
EXEC
EVAL "return 1" 0
EVAL "return 1" 1 a
EVAL "return redis.call('get', 'a')" 0
EVAL "return redis.call('get', 'foo')" 0
CONFIG SET cluster-allow-reads-when-down yes cluster-allow-pubsubshard-when-down no
GET foo
GET a
SET foo 2
SPUBLISH foo m
EVAL "return redis.call('get', 'foo')" 0
EVAL "return redis.call('set', 'foo', 3)" 0
EVAL "return redis.call('get', 'foo')" 1 foo
MULTI
GET foo
SET foo 3
EXEC
MULTI
GET foo
EXEC
CONFIG SET cluster-require-full-coverage no
CLUSTER DELSLOTS 16383
CLUSTER INFO
GET foo
SET foo 4
GET a
CLUSTER SLOT-STATS SLOTSRANGE 15494 15496
CLUSTER SLOT-STATS ORDERBY key-count LIMIT 2
CLUSTER COUNTKEYSINSLOT 15495
CLUSTER ADDSLOTS 15495
GET a
CLUSTER BUMPEPOCH
CLUSTER BUMPEPOCH
CLUSTER SET-CONFIG-EPOCH 5
CLUSTER SET-CONFIG-EPOCH -1
CLUSTER SET-CONFIG-EPOCH x
CLUSTER INFO
CLUSTER FLUSHSLOTS
CLUSTER RESET
CLUSTER RESET foo
CLUSTER RESET HARD SOFT
FLUSHALL
CLUSTER FLUSHSLOTS
CLUSTER INFO
CLUSTER SLOTS
GET foo
CLUSTER RESET HARD
CLUSTER SET-CONFIG-EPOCH 7
CLUSTER ADDSLOTSRANGE 0 5 7 7"""


@pytest.fixture(scope="module")
def server():
    with harness.Server(cluster_enabled="yes") as server:
        yield server


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_client_of_clusters(server, protocol):
    client = redis.RedisCluster(host="127.0.0.1", port=server.port, decode_responses=True, protocol=protocol)
    assert client.set("a", 1) and client.set("b", 2)
    assert client.mget_nonatomic("a", "b") == ["1", "2"]
    assert client.delete("a", "b") == 2
    with client.pipeline() as pipeline:
        for number in range(100):
            pipeline.set(f"k{number}", number)
        assert pipeline.execute() == [True] * 100
    assert client.dbsize() == 100 and len(client.keys()) == 100
    assert sum(client.cluster_countkeysinslot(client.keyslot(f"k{number}")) for number in range(100)) >= 100
    pubsub = client.pubsub()
    pubsub.ssubscribe("channel")
    # It waits only where it is told for whom.
    waits = {"timeout": harness.DEADLINE_S, "target_node": client.get_node_from_key("channel")}
    assert pubsub.get_sharded_message(**waits)["type"] == "ssubscribe"
    assert client.spublish("channel", "hello") == 1
    assert pubsub.get_sharded_message(**waits)["data"] == "hello"
    (node,) = client.cluster_nodes().values()
    assert node["slots"] == [["0", "16383"]] and node["connected"]
    client.flushall()
    client.close()


@pytest.mark.parametrize("lines", [SAME, SLOTS], ids=["commands", "slots"])
def test_the_same_replies(lines):
    with (
        harness.Server(cluster_enabled="yes") as server,
        harness.Server(binary=peer(), cluster_enabled="yes", cluster_port=harness.free_port()) as other,
    ):
        with server.connect() as ours, other.connect() as theirs:
            assert theirs.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383) == "OK"
            theirs.send("GET", "a")
            while theirs.read()[0] == b"-":
                theirs.send("GET", "a")
            for line in lines.splitlines():
                replies = []
                for connection in (ours, theirs):
                    connection.send_raw(line.encode() + b"\r\n")
                    replies.append(connection.read())
                assert replies[0] == replies[1], line
