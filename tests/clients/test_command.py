"""What COMMAND says of each command, beside what Valkey 8 says: facts alike, sentences of our own.

By hand, against any server: STAYWIRE_PEER=/path/to/valkey-server python tests/clients/test_command.py
"""

import os
import shutil
import subprocess
import sys

import pytest

import differential
import harness

# The words behind these are sentences, or name what another server has.
SENTENCES = {"summary", "complexity", "replaced_by", "notes"}


def version_of(binary):
    return subprocess.run([binary, "--version"], capture_output=True, text=True).stdout


def valkey_8():
    binary = differential.peer_binary()
    if binary and version_of(binary).startswith("Valkey") and "v=8." in version_of(binary):
        return binary
    pytest.skip("no Valkey 8 to compare with")


def redis_7():
    binary = shutil.which("redis-server")
    if binary and version_of(binary).startswith("Redis") and "v=7." in version_of(binary):
        return binary
    pytest.skip("no redis-server 7 to compare with")


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def tidy(value):
    """Plain Python values with texts instead of bytes."""
    if isinstance(value, dict):
        return {text(name): tidy(item) for name, item in value.items()}
    if isinstance(value, list):
        return [tidy(item) for item in value]
    return text(value)


class Facts:
    """All that a server says of its commands."""

    def __init__(self, server):
        with server.connect(protocol=3) as connection:
            self.info, self.docs, self.help = {}, {}, {}
            for command in connection.call("COMMAND"):
                self.add_info(tidy(command))
            for name, command in tidy(connection.call("COMMAND", "DOCS")).items():
                self.add_docs(name, command)
            for name in sorted(self.info):
                container, _, word = name.partition("|")
                if word == "help":
                    connection.send(container, "HELP")
                    kind, lines = connection.read()
                    # CLUSTER answers in a cluster alone.
                    lines = [] if kind == b"-" else [line.decode() for _, line in lines]
                    self.help[container] = [line for line in lines if not line.startswith(" ")]

    def add_info(self, command):
        name, arity, flags, first, last, step, categories, tips, keys, subcommands = command
        facts = {"arity": arity, "flags": sorted(flags), "first": first, "last": last, "step": step}
        facts |= {"categories": sorted(categories), "tips": sorted(tips)}
        facts["keys"] = [key | {"flags": sorted(key["flags"]), "notes": "notes" in key} for key in keys]
        facts["subcommands"] = sorted(sub[0] for sub in subcommands)
        self.info[name] = facts
        for sub in subcommands:
            self.add_info(sub)

    def add_docs(self, name, command):
        facts = {key: True if key in SENTENCES else value for key, value in command.items()}
        facts["history"] = [since for since, _ in facts.pop("history", [])]
        facts["arguments"] = list(flat(facts.pop("arguments", [])))
        for sub, docs in facts.pop("subcommands", {}).items():
            self.add_docs(sub, docs)
        self.docs[name] = facts


def flat(arguments, path=""):
    """Arguments with those inside them, each in one line."""
    for argument in arguments:
        inside = argument.pop("arguments", [])
        argument |= {key: True for key in SENTENCES & argument.keys()}
        argument["flags"] = sorted(argument.get("flags", []))
        name = path + argument.pop("name")
        yield " ".join([name, *(f"{key}={value}" for key, value in sorted(argument.items()) if value != [])])
        yield from flat(inside, name + ".")


def differences(ours, theirs):
    """One line for each fact that differs, of the commands that both have."""
    for kind in ("info", "docs"):
        left, right = getattr(ours, kind), getattr(theirs, kind)
        for name in sorted(left.keys() & right.keys()):
            for fact in sorted(left[name].keys() | right[name].keys()):
                yield from difference(f"{name}: {fact}", left[name].get(fact), right[name].get(fact), theirs)
    for name in sorted(ours.help.keys() & theirs.help.keys()):
        lacking = [sub.partition("|")[2] for sub in theirs.info.keys() - ours.info.keys() if sub.startswith(name + "|")]
        wanted = [line for line in theirs.help[name] if line.split()[0].lower() not in lacking]
        yield from difference(f"{name}: help", ours.help[name], wanted, theirs)


def difference(what, left, right, theirs):
    if what.endswith(": subcommands"):
        # What is not there yet is listed elsewhere.
        right = [name for name in right if name in left or name not in theirs.info]
    if isinstance(left, list) and isinstance(right, list) and left != right:
        extra, lacking = [x for x in left if x not in right], [x for x in right if x not in left]
        yield f"{what}: {extra} should be {lacking}" if extra or lacking else f"{what}: the order of {left}"
    elif left != right:
        yield f"{what}: {left} should be {right}"


def compared(peer):
    with harness.Server() as ours, harness.Server(binary=peer) as theirs:
        left, right = Facts(ours), Facts(theirs)
    print("not there yet:", " ".join(sorted(right.info.keys() - left.info.keys())))
    return left, right


def test_facts_of_valkey():
    found = list(differences(*compared(valkey_8())))
    assert not found, "\n" + "\n".join(found)


# Where a later version differs by intent.
NOT_AS_REDIS_7 = (
    "command|getkeys: arity",
    "command|getkeysandflags: arity",
    "wait: categories",
    "client|pause: since",
    "zrank: arity",
    "zrevrank: arity",
)
# What no version has changed since.
OF_OLD = ("arity", "first", "last", "step", "categories", "since", "group")


def test_facts_of_redis():
    found = [line.split(":") for line in differences(*compared(redis_7()))]
    found = [":".join(line) for line in found if line[1].strip() in OF_OLD]
    found = [line for line in found if not line.startswith(NOT_AS_REDIS_7)]
    assert not found, "\n" + "\n".join(found)


def main():
    left, right = compared(os.environ.get("STAYWIRE_PEER") or differential.peer_binary())
    found = list(differences(left, right))
    print(*found, sep="\n")
    print(f"{len(left.info)} commands, {len(found)} differences")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
