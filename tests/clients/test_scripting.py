"""Scripts, answered as Valkey answers them."""

import random

import pytest

import differential_functions
import differential_scripts
import harness
from test_differential import peer


def test_odd_scripts():
    with harness.Server() as server, harness.Server(peer()) as valkey:
        found = differential_scripts.compare(valkey, server, list(differential_scripts.fixed_scripts()))
        assert not found, "\n".join(found)


def test_libraries_and_functions():
    with harness.Server() as server, harness.Server(peer()) as valkey:
        found = differential_functions.compare(valkey, server)
        assert not found, "\n".join(found)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_values(seed):
    rng = random.Random(seed)
    scripts = [differential_scripts.random_script(rng) for _ in range(4000)]
    with harness.Server() as server, harness.Server(peer()) as valkey:
        found = differential_scripts.compare(valkey, server, scripts, protocols=(2,))
        assert not found, f"seed {seed}\n" + "\n".join(found)
