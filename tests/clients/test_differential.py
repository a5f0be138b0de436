"""Random commands, answered as Valkey answers them. More of it by hand: see differential.py."""

import subprocess

import pytest

import differential


def peer():
    """Valkey 8, whose behaviour is the reference; others differ in texts and encodings by intent."""
    binary = differential.peer_binary()
    if binary:
        version = subprocess.run([binary, "--version"], capture_output=True, text=True).stdout
        if "v=8." in version and version.startswith("Valkey"):
            return binary
    pytest.skip("no Valkey 8 to compare with")


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    "play, commands",
    [("single", 20_000), ("blocking", 2_000), ("pubsub", 3_000), ("streams", 4_000), ("readers", 1_000), ("acl", 3_000)],
)
def test_same_replies(play, commands, seed):
    print(f"python tests/clients/differential.py --play {play} --commands {commands} --seed {seed}")
    report = differential.run(play, seed, commands, peer())
    assert report.count == 0, report.text()
