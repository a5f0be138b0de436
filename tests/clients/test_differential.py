"""Random commands, answered as Valkey answers them. More of it by hand: see differential.py."""

import subprocess

import pytest

import differential


def peer(major=8):
    """A Valkey; version 8 is the reference: others differ in texts and encodings by intent."""
    for binary in differential.peers():
        version = subprocess.run([binary, "--version"], capture_output=True, text=True).stdout
        if f"v={major}." in version and version.startswith("Valkey"):
            return binary
    pytest.skip(f"no Valkey {major} to compare with")


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    "play, commands",
    [
        ("single", 20_000),
        ("blocking", 2_000),
        ("pubsub", 3_000),
        ("streams", 4_000),
        ("readers", 1_000),
        ("zblocking", 1_000),
        ("acl", 3_000),
        ("libraries", 6_000),
        ("tracking", 2_000),
        ("cluster", 4_000),
        ("slotstats", 3_000),
    ],
)
def test_same_replies(play, commands, seed):
    print(f"python tests/clients/differential.py --play {play} --commands {commands} --seed {seed}")
    report = differential.run(play, seed, commands, peer())
    assert report.count == 0, report.text()


@pytest.mark.parametrize("seed", [1, 2])
def test_same_replies_about_fields_that_expire(seed):
    print(f"python tests/clients/differential.py --play fields --commands 20000 --seed {seed} --peer ...")
    report = differential.run("fields", seed, 20_000, peer(9))
    assert report.count == 0, report.text()
