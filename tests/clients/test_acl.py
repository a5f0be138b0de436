"""Users in the configuration and in a file of their own, over a restart."""

from pathlib import Path

import pytest
import redis

import harness

ANN = "user ann on >secret ~a:* %R~b:* &news -@all +@read +ping (~c +set)"
DEFAULT = "user default on nopass ~* &* +@all -flushall"


def client(server, **options):
    return redis.Redis(port=server.port, decode_responses=True, **options)


def test_users_of_the_configuration_are_written_back():
    with harness.Server(config=f"{ANN}\n# kept\n{DEFAULT}\n") as server:
        admin, ann = client(server), client(server, username="ann", password="secret")
        assert ann.get("b:1") is None
        with pytest.raises(redis.exceptions.NoPermissionError):
            ann.set("a:1", "x")
        with pytest.raises(redis.exceptions.NoPermissionError):
            admin.flushall()
        admin.acl_setuser("bob", enabled=True, nopass=True, keys=["it"], commands=["+get"])
        admin.config_rewrite()
        users, text = admin.acl_list(), (Path(server.dir) / "test.conf").read_text()
    assert "# kept" in text and "secret" not in text
    lines = [line for line in text.splitlines() if line.startswith("user ")]
    assert lines == users
    with harness.Server(config="\n".join(lines)) as server:
        assert client(server).acl_list() == users
        assert client(server, username="ann", password="secret").ping()


def test_a_file_of_users(tmp_path):
    file = tmp_path / "users.acl"
    file.write_text(f"{ANN}\n\n{DEFAULT}\n")
    with harness.Server(dir=str(tmp_path), aclfile="users.acl") as server:
        admin = client(server)
        admin.acl_setuser("bob", enabled=True, passwords=["+p"], categories=["+@all"], keys=["*"])
        bob = client(server, username="bob", password="p")
        assert bob.acl_whoami() == "bob"
        assert admin.acl_save()
        users, text = admin.acl_list(), file.read_text()
        assert text.splitlines() == users
        # A file with a mistake changes nothing, and nobody is closed for it.
        file.write_text(text + "user bob on\n")
        with pytest.raises(redis.exceptions.ResponseError, match="Duplicate user 'bob' found on line 4"):
            admin.acl_load()
        assert admin.acl_list() == users
        assert bob.acl_whoami() == "bob"
        file.write_text(text.replace("user bob", "user carol"))
        assert admin.acl_load()
        assert admin.acl_users() == ["ann", "carol", "default"]
        with pytest.raises((redis.exceptions.ConnectionError, redis.exceptions.AuthenticationError)):
            bob.ping()
    file.write_text(text)
    with harness.Server(dir=str(tmp_path), aclfile="users.acl") as server:
        assert client(server).acl_list() == users


@pytest.mark.parametrize(
    "config, why",
    [
        ("user ann +nosuch\n", "Unknown command or category name in ACL"),
        ("user ann on\nuser ann off\n", "Duplicate user"),
        ("user ann on\naclfile users.acl\n", "define either an ACL file or declare users directly"),
        ("aclfile missing.acl\n", "missing.acl"),
    ],
)
def test_a_server_with_a_mistake_in_its_users_does_not_start(config, why):
    with pytest.raises(harness.StartFailed) as failed:
        harness.Server(config=config)
    assert failed.value.code == 1
    assert why in failed.value.output
