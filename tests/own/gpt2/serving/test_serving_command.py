"""``serve`` refuses bad options before it starts, and requests without the key."""

import socket

import pytest
from click.testing import CliRunner, Result

from gpt2.commands import serve as serve_command
from gpt2.commands.serve import serve
from tests.own.packages import needed


def refused(*arguments: str) -> Result:
    """Runs a command that must fail with one sentence and no traceback."""
    result = CliRunner().invoke(serve, arguments, env={"GPT2_API_KEY": None})
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit)
    return result


@pytest.fixture
def installed(monkeypatch):
    """Pretends that the extra is installed; no code that needs it runs."""
    monkeypatch.setattr(serve_command, "NEEDED", ())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_other_machines_need_a_key(installed, host):
    result = refused("--host", host)
    assert result.exit_code == 2
    assert f"--host {host} lets other machines in: it needs --api-key" in result.stderr


def test_a_taken_port(installed):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = refused("--port", str(port))
    assert result.exit_code == 1
    assert f"cannot listen at 127.0.0.1 port {port}" in result.stderr
    assert "try another --port" in result.stderr


@pytest.mark.parametrize("host", ["192.0.2.1", "http://127.0.0.1", "no.such.invalid"])
def test_a_host_that_is_not_this_machine(installed, host):
    result = refused("--host", host, "--api-key", "k")
    assert result.exit_code == 1
    assert f"cannot listen at {host} port 8000" in result.stderr
    assert "try another --host" in result.stderr


@pytest.mark.parametrize("key", ["a\nb", "a\tb", "\x00"])
def test_a_key_that_no_client_can_send(installed, key):
    result = refused("--api-key", key)
    assert result.exit_code == 2
    assert "--api-key" in result.stderr


@pytest.mark.parametrize("key", ["", " ", "\n"])
def test_a_key_of_spaces_is_none(installed, key):
    result = refused("--host", "0.0.0.0", "--api-key", key)
    assert "it needs --api-key" in result.stderr


def test_spaces_around_a_key_are_left_out():
    """No header can have them; a file with a key often ends with a newline."""
    assert serve_command.checked_key(" sesame\n") == "sesame"


def test_an_unknown_model(installed):
    result = refused("--port", "0", "--model", "no-such-model")
    assert result.exit_code == 2
    assert "no-such-model" in result.stderr


def test_the_extra_is_not_installed(monkeypatch):
    monkeypatch.setattr(serve_command, "NEEDED", ("no_such_package",))
    result = refused()
    assert result.exit_code == 1
    assert "no_such_package is not installed; the server is an extra" in result.stderr


def test_replicas_share_all_cores_but_one(monkeypatch):
    monkeypatch.setattr(serve_command.os, "cpu_count", lambda: 9)
    assert [serve_command.share(replicas) for replicas in (1, 2, 4, 20)] == [8, 4, 2, 1]


@pytest.fixture
def visitor(checkpoint):
    """Returns a client of an application with a key and without a backend."""
    testing = needed("fastapi.testclient")
    from gpt2.serving.api import make_app

    return testing.TestClient(make_app(checkpoint, backend=None, api_key="sésame"))


@pytest.mark.parametrize("given", [None, "Bearer other", "sésame", "Bearer sésame2"])
@pytest.mark.parametrize("path", ["/v1/models", "/metrics", "/v1/completions"])
def test_a_wrong_key_is_refused(visitor, path, given):
    headers = {"Authorization": given.encode()} if given else {}
    answer = visitor.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER "])
def test_the_right_key_opens(visitor, scheme):
    headers = {"Authorization": f"{scheme} sésame".encode()}
    assert visitor.get("/v1/models", headers=headers).status_code == 200


def test_health_needs_no_key(visitor):
    assert visitor.get("/health").json() == {"status": "ok"}
