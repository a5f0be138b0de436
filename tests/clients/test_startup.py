"""The binary's command line and configuration, as redis-server takes them, and how it starts and stops."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

import harness

DEBIAN_CONF = Path("/etc/redis/redis.conf")

# What operators write in such a file, in its own style; `make test` reads Debian's too where it is installed.
STOCK_CONF = """\
# A server as distributions ship it.
bind 127.0.0.1 -::1
protected-mode yes
tcp-backlog 511
timeout 0
tcp-keepalive 300
daemonize no
supervised auto
loglevel notice
databases 16
always-show-logo no
set-proc-title yes
proc-title-template "{title} {listen-addr} {server-mode}"
save 3600 1 300 100 60 10000
stop-writes-on-bgsave-error yes
rdbcompression yes
rdbchecksum yes
dbfilename dump.rdb
replica-serve-stale-data yes
replica-read-only yes
repl-diskless-sync yes
repl-diskless-sync-delay 5
repl-disable-tcp-nodelay no
replica-priority 100
acllog-max-len 128
lazyfree-lazy-eviction no
lazyfree-lazy-expire no
lazyfree-lazy-server-del no
replica-lazy-flush no
lazyfree-lazy-user-del no
lazyfree-lazy-user-flush no
oom-score-adj no
oom-score-adj-values 0 200 800
disable-thp yes
appendonly no
appendfilename "appendonly.aof"
appenddirname "appendonlydir"
appendfsync everysec
no-appendfsync-on-rewrite no
auto-aof-rewrite-percentage 100
auto-aof-rewrite-min-size 64mb
aof-load-truncated yes
aof-use-rdb-preamble yes
slowlog-log-slower-than 10000
slowlog-max-len 128
latency-monitor-threshold 0
notify-keyspace-events ""
hash-max-listpack-entries 512
hash-max-listpack-value 64
list-max-listpack-size -2
list-compress-depth 0
set-max-intset-entries 512
zset-max-listpack-entries 128
zset-max-listpack-value 64
hll-sparse-max-bytes 3000
stream-node-max-bytes 4096
stream-node-max-entries 100
activerehashing yes
client-output-buffer-limit normal 0 0 0
client-output-buffer-limit replica 256mb 64mb 60
client-output-buffer-limit pubsub 32mb 8mb 60
hz 10
dynamic-hz yes
aof-rewrite-incremental-fsync yes
rdb-save-incremental-fsync yes
jemalloc-bg-thread yes
"""


def run(*args, stdin=None):
    """Runs the binary to its end: for starts that must fail and for --help and --version."""
    with tempfile.TemporaryDirectory() as place:
        return subprocess.run(
            [harness.server_binary(), *args],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=place,
            timeout=harness.DEADLINE_S,
        )


def config(connection, name):
    names_and_values = connection.call("CONFIG", "GET", name)
    return names_and_values[1].decode()


def test_version_and_help():
    for flag in ("--version", "-v"):
        ended = run(flag)
        assert ended.returncode == 0
        assert re.search(r"server v=\d+\.\d+\.\d+ ", ended.stdout) or "staywire" in ended.stdout.lower()
    for flag in ("--help", "-h"):
        assert "Usage:" in run(flag).stdout


def assert_refused(ended, line, directive, reason):
    """The message has redis-server's form, and may name the file after the line."""
    assert ended.returncode == 1
    assert "*** FATAL CONFIG FILE ERROR (" in ended.stdout
    place = rf"Reading the configuration file, at line {line}( of [^\n]+)?\n"
    assert re.search(place + re.escape(f">>> '{directive}'\n{reason}"), ended.stdout), ended.stdout


@pytest.mark.parametrize(
    "args, directive, reason",
    [
        (["--bogus", "1"], 'bogus "1"', "Bad directive or wrong number of arguments"),
        (["--port", "abc"], 'port "abc"', "argument couldn't be parsed into an integer"),
        (["--port", "70000"], 'port "70000"', "argument must be between 0 and 65535 inclusive"),
        (["--port", "0", "--maxclients", "0"], 'maxclients "0"', "argument must be between 1 and 4294967295 inclusive"),
        (["--port"], "port", "wrong number of arguments"),
        (["--loglevel", "chatty"], 'loglevel "chatty"', "argument(s) must be one of the following: debug, verbose"),
        (["--protected-mode", "maybe"], 'protected-mode "maybe"', "argument must be 'yes' or 'no'"),
        (["--list-compress-depth", "-1"], 'list-compress-depth "-1"', "argument must be between 0 and"),
    ],
)
def test_wrong_option(args, directive, reason):
    # redis-server counts the lines of the text that it makes of its arguments, whose first is empty: any will do.
    assert_refused(run(*args), r"\d+", directive, reason)


@pytest.mark.parametrize(
    "text, line, directive, reason",
    [
        ("port 0\n# a comment\n\nbogus yes\n", 4, "bogus yes", "Bad directive or wrong number of arguments"),
        ('port 0\nrequirepass "abc\n', 2, 'requirepass "abc', "Unbalanced quotes in configuration line"),
        ("port 0\ntimeout -5\n", 2, "timeout -5", "argument must be between 0 and 2147483647 inclusive"),
        ("port 0\ntimeout\n", 2, "timeout", "wrong number of arguments"),
        ("client-output-buffer-limit pubsub 1mb\n", 1, "client-output-buffer-limit pubsub 1mb", ""),
    ],
)
@pytest.mark.parametrize("from_stdin", [False, True], ids=["file", "stdin"])
def test_wrong_line_in_a_file(tmp_path, text, line, directive, reason, from_stdin):
    path = tmp_path / "my.conf"
    path.write_text(text)
    ended = run("-", stdin=text) if from_stdin else run(str(path))
    assert_refused(ended, line, directive, reason)


def test_missing_file():
    ended = run("no-such-file.conf")
    assert ended.returncode == 1
    assert re.search(r"can't open config file[^\n]*No such file or directory", ended.stdout, re.I)
    assert "no-such-file.conf" in ended.stdout


@pytest.mark.staywire
@pytest.mark.parametrize(
    "directive",
    [
        "appendonly yes",
        "user alice on >secret ~* +@all",
        "aclfile /etc/staywire/users.acl",
        "tls-port 6380",
        "maxmemory 100mb",
        "replicaof 127.0.0.1 6380",
    ],
)
def test_a_directive_that_may_not_be_neglected_refuses_the_start(tmp_path, directive):
    path = tmp_path / "my.conf"
    path.write_text(f"port 0\n{directive}\n")
    ended = run(str(path))
    assert ended.returncode == 1
    assert str(path) in ended.stdout
    assert "at line 2" in ended.stdout
    assert directive.split()[0] in ended.stdout


@pytest.mark.parametrize("directive", ["appendonly no", "maxmemory 0", "tls-port 0", 'aclfile ""'])
def test_the_same_directives_at_their_defaults_are_fine(directive):
    with harness.Server(config=directive + "\n") as server, server.connect() as connection:
        assert connection.call("PING") == "PONG"


@pytest.mark.staywire
def test_what_is_ignored_is_logged_once_and_not_claimed():
    with harness.Server(config="repl-backlog-size 5mb\nlatency-monitor-threshold 100\n") as server:
        server.wait_for_log("repl-backlog-size")
        with server.connect() as connection:
            assert connection.call("PING") == "PONG"
        assert server.log.count("repl-backlog-size") == 1


def test_options_override_the_file_and_the_file_its_earlier_lines():
    text = "timeout 5\ntimeout 7\nmaxclients 60\nrequirepass 'a\\'b'\n"
    with harness.Server(config=text, maxclients=50, tcp_keepalive=60) as server, server.connect() as connection:
        connection.call("AUTH", "a'b")
        assert config(connection, "timeout") == "7"
        assert config(connection, "maxclients") == "50"
        assert config(connection, "tcp-keepalive") == "60"


def test_config_from_standard_input():
    with harness.Server(stdin="timeout 9\n# comment\nlist-max-listpack-size 7\n", timeout=11) as server:
        with server.connect() as connection:
            # The command line comes last, as in redis-server.
            assert config(connection, "timeout") == "11"
            assert config(connection, "list-max-listpack-size") == "7"


def test_stock_file():
    with harness.Server(config=STOCK_CONF) as server, server.connect() as connection:
        assert connection.call("SET", "k", "v") == "OK"
        assert config(connection, "client-output-buffer-limit").endswith("pubsub 33554432 8388608 60")


def test_unmodified_file_of_debian(tmp_path):
    if not DEBIAN_CONF.exists() or not os.access(DEBIAN_CONF, os.R_OK):
        pytest.skip("no /etc/redis/redis.conf: install redis-server to run this")
    text = DEBIAN_CONF.read_text()
    overrides = {"daemonize": "no", "logfile": "", "pidfile": str(tmp_path / "pid"), "supervised": "no"}
    with harness.Server(config=text, **overrides) as server, server.connect() as connection:
        assert connection.call("SET", "k", "v") == "OK"
        assert config(connection, "databases") == "16"


def test_include(tmp_path):
    included = tmp_path / "more.conf"
    included.write_text("timeout 13\n")
    with harness.Server(config=f"timeout 3\ninclude {included}\n") as server, server.connect() as connection:
        assert config(connection, "timeout") == "13"


def test_the_lines_that_tools_wait_for():
    with harness.Server(always_show_logo="yes") as server:
        server.wait_for_log(f" PID: {server.pid}")
        server.wait_for_log("Server initialized")
        assert server.log.index(" PID: ") < server.log.index("Server initialized")


def test_ready_for_each_kind_of_listener():
    with harness.Server() as server:
        server.wait_for_log("Ready to accept connections unix")
        assert "Ready to accept connections tcp" in server.log


def test_dir(tmp_path):
    tmp_path = tmp_path.resolve()
    (tmp_path / "inner").mkdir()
    with harness.Server(config=f"dir {tmp_path}\ndir inner\n", dir=None, logfile="log", wait=False) as server:
        log = tmp_path / "inner" / "log"
        harness.eventually(lambda: log.exists() and "Server initialized" in log.read_text(), "the log is written")
        with server.connect() as connection:
            assert config(connection, "dir") == str(tmp_path / "inner")
            text = connection.error("CONFIG", "SET", "dir", "/")
            assert text.endswith("can't set protected config")
        assert os.readlink(f"/proc/{server.pid}/cwd") == str(tmp_path / "inner")
    assert_refused(run("--dir", "/nowhere"), r"\d+", 'dir "/nowhere"', "No such file or directory")


def test_logfile_and_loglevel(tmp_path):
    path = tmp_path / "server.log"
    with harness.Server(wait=False, logfile=path, loglevel="warning") as server:
        harness.eventually(lambda: path.exists() and answers(server), "the server answers")
        assert server.log == ""


def test_logfile_has_the_lines_that_tools_wait_for(tmp_path):
    path = tmp_path / "server.log"
    with harness.Server(wait=False, logfile=path, always_show_logo="yes") as server:
        harness.eventually(lambda: path.exists() and "Server initialized" in path.read_text(), "the log is written")
        assert f" PID: {server.pid}" in path.read_text()
        assert server.log == ""


def answers(server):
    try:
        with server.connect() as connection:
            return connection.call("PING") == "PONG"
    except OSError:
        return False


def test_port_in_use(tmp_path):
    with harness.Server() as server:
        ended = run("--port", str(server.port), "--save", "", "--dir", str(tmp_path))
    assert ended.returncode == 1
    assert "Address already in use" in ended.stdout


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_signals_stop_cleanly(how):
    with harness.Server() as server, server.connect() as blocked, server.connect() as control:
        control.call("SET", "k", "v")
        blocked.send("BLPOP", "q", 0)
        harness.until_blocked(control, 1)
        server.process.send_signal(how)
        assert server.wait() == 0
        assert blocked.read_to_close() == b""
        assert not os.path.exists(server.unix_path)


def test_shutdown_command():
    with harness.Server() as server, server.connect() as connection:
        connection.send("SHUTDOWN", "NOSAVE")
        assert connection.read_to_close() == b""
        assert server.wait() == 0


def test_daemon_manager_can_find_the_binary_by_another_name(tmp_path):
    copy = tmp_path / "redis-server"
    shutil.copy2(os.path.realpath(harness.server_binary()), copy)
    with harness.Server(binary=str(copy)) as server, server.connect() as connection:
        assert connection.call("PING") == "PONG"


def test_config_get_and_set(server, connection):
    pairs = connection.call("CONFIG", "GET", "list-*", "timeout")
    names = pairs[::2]
    assert {b"list-max-listpack-size", b"list-compress-depth", b"timeout"} <= set(names)
    assert connection.call("CONFIG", "SET", "timeout", 100, "list-compress-depth", 1) == "OK"
    text = connection.error("CONFIG", "SET", "timeout", 50, "list-compress-depth", "x")
    assert text.startswith("ERR CONFIG SET failed (possibly related to argument 'list-compress-depth') - ")
    assert config(connection, "timeout") == "100"
    assert connection.error("CONFIG", "SET", "no-such", 1).startswith("ERR Unknown option or number of arguments")
    assert connection.call("CONFIG", "SET", "timeout", 0, "list-compress-depth", 0) == "OK"
