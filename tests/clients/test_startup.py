"""The binary's command line and configuration, as redis-server takes them, and how it starts and stops."""

import os
import re
import shutil
import signal
import socket
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
        "tls-port 6380",
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


def test_who_interrupts_twice_does_not_wait_for_a_script():
    with harness.Server(busy_reply_threshold=1) as server, server.connect() as runner, server.connect() as control:
        runner.send("EVAL", "while true do end", 0)

        def is_busy():
            control.send("PING")
            return control.read()[0] == b"-"

        harness.eventually(is_busy, "the script runs long")

        def is_over():
            server.process.send_signal(signal.SIGINT)
            return server.process.poll() is not None

        harness.eventually(is_over, "the server has ended")
        assert server.process.returncode == 1


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


# What the standalone server does as a process.


def read(path):
    return Path(path).read_text()


def test_pidfile(tmp_path):
    path = tmp_path / "my.pid"
    with harness.Server(pidfile=path) as server:
        harness.eventually(path.exists, "the file is written")
        assert read(path) == f"{server.pid}\n"
        server.process.send_signal(signal.SIGTERM)
        assert server.wait() == 0
        assert not path.exists()


def test_a_signal_can_be_called_off():
    with harness.Server(enable_debug_command="yes") as server, server.connect() as connection:
        assert connection.call("DEBUG", "PAUSE-CRON", 1) == "OK"
        server.process.send_signal(signal.SIGTERM)

        def call_off():
            connection.send("SHUTDOWN", "ABORT")
            return connection.read() == (b"+", b"OK")

        # It shows with the next turn.
        harness.eventually(call_off, "the signal is caught")
        assert connection.call("DEBUG", "PAUSE-CRON", 0) == "OK"
        assert connection.error("SHUTDOWN", "ABORT") == "ERR No shutdown in progress."
        # It is the first one again.
        server.process.send_signal(signal.SIGINT)
        assert server.wait() == 0


def test_daemonize(tmp_path):
    pidfile, logfile, port = tmp_path / "my.pid", tmp_path / "log", harness.free_port()
    args = ["--daemonize", "yes", "--pidfile", pidfile, "--logfile", logfile, "--port", port, "--save", ""]
    ended = run(*map(str, args))
    assert ended.returncode == 0
    harness.eventually(lambda: pidfile.exists() and read(pidfile).endswith("\n"), "the file is written")
    pid = int(read(pidfile))
    try:
        harness.eventually(lambda: "Ready to accept" in read(logfile), "it is ready")
        assert f"pid={pid}" in read(logfile)
        with harness.Connection(("127.0.0.1", port)) as connection:
            assert connection.call("PING") == "PONG"
        for stream in (0, 1, 2):
            assert os.readlink(f"/proc/{pid}/fd/{stream}") == "/dev/null"
        # It leads a session of its own.
        assert os.getsid(pid) == pid
    finally:
        os.kill(pid, signal.SIGTERM)
    harness.eventually(lambda: not pidfile.exists(), "it ends")


@pytest.mark.staywire
@pytest.mark.parametrize("supervised, abstract", [("systemd", False), ("auto", False), ("auto", True)])
def test_systemd_is_told(tmp_path, monkeypatch, supervised, abstract):
    address = f"\0staywire-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.settimeout(harness.DEADLINE_S)
        notify.bind(address)
        monkeypatch.setenv("NOTIFY_SOCKET", address.replace("\0", "@"))
        # Under a supervisor it stays in the foreground.
        with harness.Server(supervised=supervised, daemonize="yes") as server:
            assert b"STATUS=" in notify.recv(1000)
            assert b"READY=1" in notify.recv(1000)
            server.process.send_signal(signal.SIGTERM)
            assert server.wait() == 0
            assert notify.recv(1000) == b"STOPPING=1\n"


@pytest.mark.staywire
def test_supervised_by_nobody():
    with harness.Server(supervised="systemd") as server:
        server.wait_for_log("NOTIFY_SOCKET not found!")


def title(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode()


@pytest.mark.staywire
def test_title_of_the_process(tmp_path):
    path = tmp_path / "redis-server"
    path.symlink_to(os.path.realpath(harness.server_binary()))
    with harness.Server(binary=str(path), proc_title_template="a {title} {listen-addr} {port}") as server:
        assert title(server.pid) == f"a {path} *:{server.port} {server.port}"
        with server.connect() as connection:
            assert connection.call("CONFIG", "SET", "proc-title-template", "b {unixsocket}") == "OK"
            assert title(server.pid) == f"b {server.unix_path}"
            text = connection.error("CONFIG", "SET", "proc-title-template", "{nosuch}")
            assert text.endswith("template format is invalid or contains unknown variables")
    with harness.Server(set_proc_title="no") as server:
        assert title(server.pid).startswith(harness.server_binary())


def test_oom_score():
    with harness.Server() as server, server.connect() as connection:
        score = lambda: int(read(f"/proc/{server.pid}/oom_score_adj"))
        base = score()
        values = "10 20 30"
        assert connection.call("CONFIG", "SET", "oom-score-adj-values", values, "oom-score-adj", "relative") == "OK"
        assert score() == base + 10
        assert config(connection, "oom-score-adj") == "yes"
        # What fails takes back what went well.
        connection.error("CONFIG", "SET", "oom-score-adj-values", "11 20 30", "bind", "203.0.113.1")
        assert (score(), config(connection, "oom-score-adj-values")) == (base + 10, values)
        assert connection.call("CONFIG", "SET", "oom-score-adj", "no") == "OK"
        assert score() == base
        assert connection.call("CONFIG", "SET", "oom-score-adj-values", f"{base + 5} 0 0", "oom-score-adj", "absolute")
        assert score() == base + 5


@pytest.mark.staywire
def test_maxclients_and_descriptors():
    with harness.Server(nofile=100, maxclients=30) as server, server.connect() as connection:
        assert connection.call("CONFIG", "SET", "maxclients", 40) == "OK"
        text = connection.error("CONFIG", "SET", "maxclients", 2000000000)
        assert "The operating system is not able to handle the specified number of clients, try with" in text
        assert config(connection, "maxclients") == "40"


@pytest.mark.parametrize(
    "options, pattern",
    [
        ({}, r"^\d+:M \d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3} \* Server initialized$"),
        (
            {"log_format": "logfmt", "log_timestamp_format": "iso8601"},
            r'^pid=\d+ role=(primary|master) timestamp="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d" '
            r'level=notice message="Server initialized"$',
        ),
        ({"log_timestamp_format": "milliseconds"}, r"^\d+:M \d{13} \* Server initialized$"),
    ],
)
def test_lines_of_the_log(options, pattern):
    with harness.Server(**options) as server:
        assert re.search(pattern, server.log, re.M), server.log


def test_logfile_may_be_moved_away(tmp_path):
    path = tmp_path / "log"
    with harness.Server(wait=False, logfile=path, loglevel="debug") as server:
        harness.eventually(lambda: path.exists() and "Ready to accept connections unix" in read(path), "it is ready")
        path.rename(tmp_path / "old")
        server.process.send_signal(signal.SIGTERM)
        assert server.wait() == 0
        assert "bye bye" in read(path)


def test_server_cpulist():
    cpu = min(os.sched_getaffinity(0))
    with harness.Server(server_cpulist=str(cpu)) as server:
        assert os.sched_getaffinity(server.pid) == {cpu}


@pytest.mark.staywire
@pytest.mark.parametrize("how", [signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT])
def test_a_crash_is_reported(how):
    with harness.Server() as server:
        with server.connect() as connection:
            connection.call("CLIENT", "SETNAME", "somebody")
            server.process.send_signal(how)
            assert server.wait() == -how
        for text in (f"crashed by signal: {int(how)}", "STACK TRACE", "redis_version:7.2.4", "name=somebody", "REPORT END"):
            assert text in server.log


@pytest.mark.staywire
def test_a_crash_may_go_unreported():
    with harness.Server(crash_log_enabled="no") as server:
        server.process.send_signal(signal.SIGABRT)
        assert server.wait() == -signal.SIGABRT
        assert "REPORT" not in server.log


# CONFIG REWRITE, rename-command, include.


def rewrite(text, *settings):
    """The file that was `text`, once the settings were made and written."""
    with harness.Server(config=text, port=None, unixsocket=None, dir=None, save=None, wait=False) as server:
        port = int(re.search(r"^port (\d+)", text, re.M)[1])
        harness.eventually(lambda: "Ready to accept" in server.log, "it is ready")
        with harness.Connection(("127.0.0.1", port)) as connection:
            for name, value in settings:
                assert connection.call("CONFIG", "SET", name, value) == "OK"
            assert connection.call("CONFIG", "REWRITE") == "OK"
        return read(os.path.join(server.dir, "test.conf"))


def test_rewrite_keeps_comments_and_order():
    port = harness.free_port()
    text = f"# mine\n\nport {port}\n\n\n# why\ntimeout 5\nrename-command FLUSHALL \"\"\ntimeout 6\nsave \"\"\n"
    settings = [("timeout", 7), ("maxclients", 50), ("proto-max-bulk-len", "1048576")]
    new = rewrite(text, *settings)
    start = f"# mine\n\nport {port}\n\n# why\ntimeout 7\nrename-command FLUSHALL \"\"\n\nsave \"\"\n"
    assert new.startswith(start), new
    assert new.count("# Generated by CONFIG REWRITE\n") == 1
    added = new.split("# Generated by CONFIG REWRITE\n")[1].splitlines()
    assert {"maxclients 50", "proto-max-bulk-len 1mb"} <= set(added)
    # Written again it stays as it is.
    settled = re.sub(r"^dir .*$", "dir /tmp", new, flags=re.M)
    again = re.sub(r"^dir .*$", "dir /tmp", rewrite(settled), flags=re.M)
    assert again.strip() == settled.strip()


def test_rewrite_without_a_file():
    with harness.Server() as server, server.connect() as connection:
        assert connection.error("CONFIG", "REWRITE") == "ERR The server is running without a config file"


def test_rewrite_is_whole_or_nothing_when_killed():
    lines = "".join(f"# line {i}\n" for i in range(20_000))
    for _ in range(5):
        with harness.Server(config=f"{lines}timeout 5\n") as server, server.connect() as connection:
            connection.call("CONFIG", "SET", "timeout", 9)
            for _ in range(20):
                connection.send("CONFIG", "REWRITE")
            connection.read()
            server.process.kill()
            server.process.wait()
            text = read(os.path.join(server.dir, "test.conf"))
            assert text.startswith(lines + "timeout 9\n")
            assert text.endswith("\n")


def test_rename_command():
    text = 'rename-command FLUSHALL ""\nrename-command CONFIG b840fc02d524045429941cc15f59e41cb7be6c52\n'
    with harness.Server(config=text) as server, server.connect() as connection:
        for name in ("flushall", "CONFIG"):
            assert connection.error(name, "x").startswith(f"ERR unknown command '{name}'")
        assert connection.call("B840fc02d524045429941cc15f59e41cb7be6c52", "GET", "hz") == [b"hz", b"10"]
        assert connection.call("COMMAND", "INFO", "flushall") == [None]


@pytest.mark.parametrize(
    "line, reason",
    [
        ("rename-command nosuch x", "No such command in rename-command"),
        ("rename-command get SET", "Target command name already exists"),
        ("rename-command get", "Bad directive or wrong number of arguments"),
    ],
)
def test_rename_command_refused(tmp_path, line, reason):
    path = tmp_path / "my.conf"
    path.write_text(f"port 0\n{line}\n")
    assert_refused(run(str(path)), 2, line, reason)


def test_include_with_patterns(tmp_path):
    (tmp_path / "conf.d").mkdir()
    for name, text in [("b.conf", "timeout 2\n"), ("a.conf", "timeout 1\nhz 20\n"), (".c.conf", "timeout 3\n")]:
        (tmp_path / "conf.d" / name).write_text(text)
    text = f"include {tmp_path}/conf.d/*.conf\ninclude {tmp_path}/nothing/*.conf\n"
    with harness.Server(config=text) as server, server.connect() as connection:
        assert (config(connection, "timeout"), config(connection, "hz")) == ("2", "20")


STOCK_FILES = [Path("/opt/valkey-src/valkey.conf"), Path("/etc/redis/redis.conf"), Path("/etc/valkey/valkey.conf")]


@pytest.mark.parametrize("path", STOCK_FILES, ids=str)
def test_stock_files(path):
    if not (path.exists() and os.access(path, os.R_OK)):
        pytest.skip(f"no {path}")
    overrides = {"daemonize": "no", "logfile": "", "pidfile": "", "supervised": "no"}
    with harness.Server(config=path.read_text(), **overrides) as server, server.connect() as connection:
        assert connection.call("PING") == "PONG"


@pytest.mark.parametrize(
    "args, name, value",
    [
        (["--hz 20", "--maxmemory-policy 'volatile-lru'"], "maxmemory-policy", "volatile-lru"),
        (["--proc-title-template", "--my--title", "--hz", "20"], "proc-title-template", "--my--title"),
        (["--save", "--timeout", "9"], "timeout", "9"),
        (["--shutdown-on-sigint", "nosave", "force", "now"], "shutdown-on-sigint", "nosave now force"),
        (["--shutdown-on-sigint", "nosave force"], "shutdown-on-sigint", "nosave force"),
        (["--loglevel", "verbose", "--save"], "loglevel", "verbose"),
    ],
)
def test_forms_of_the_command_line(args, name, value):
    with harness.Server(extra=args) as server, server.connect() as connection:
        assert config(connection, name) == value
