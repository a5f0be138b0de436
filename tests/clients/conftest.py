import pytest

import harness


def pytest_report_header():
    return f"server under test: {harness.server_binary()}"


def pytest_configure(config):
    config.addinivalue_line("markers", "staywire: about what other servers do differently; skipped there")


def pytest_collection_modifyitems(items):
    if harness.is_staywire():
        return
    for item in items:
        if item.get_closest_marker("staywire"):
            item.add_marker(pytest.mark.skip(reason="only staywire promises this"))


@pytest.fixture(scope="session")
def shared_server():
    with harness.Server() as server:
        yield server


@pytest.fixture
def server(shared_server):
    """A server that other tests use too: its data and settings are as at its start when the test begins."""
    with shared_server.connect() as control:
        control.call("FLUSHALL")
    return shared_server


@pytest.fixture
def connection(server):
    with server.connect() as opened:
        yield opened
