"""``gpt2 serve`` starts apart from other clusters, or fails with one sentence."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import psutil
import pytest

from benchmarks.server import ROOT
from tests.own.packages import needed

needed("ray")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own
COMMAND = [sys.executable, "-m", "gpt2", "serve", "--port", "0"]


def run(*options):
    """Runs the command to its end."""
    return subprocess.run(
        [*COMMAND, *options],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_no_cluster_at_the_address():
    address = "127.0.0.1:9"
    result = run("--address", address)
    assert result.returncode == 1
    assert f"Error: no Ray cluster answers at {address}" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.fixture
def deployment(monkeypatch):
    """The module, with a Ray that cannot be started or stopped."""
    from gpt2.serving import deployment

    monkeypatch.setattr(deployment.ray, "shutdown", lambda: None)
    monkeypatch.setattr(deployment, "end_children", lambda: None)
    return deployment


@pytest.mark.parametrize(("failures", "starts"), [(0, 1), (2, 3), (9, 3)])
def test_a_start_that_takes_too_long_is_tried_again(
    deployment, monkeypatch, tmp_path, failures, starts
):
    calls = []

    def init(**settings):
        calls.append(settings["address"])
        if len(calls) <= failures:
            raise Exception("The current node timed out during startup. This could")

    monkeypatch.setattr(deployment.ray, "init", init)
    reason = None
    try:
        with deployment.private(tmp_path):
            pass
    except deployment.StartError as error:
        reason = f"{error}"
    assert calls == ["local"] * starts
    assert (reason is not None) is (failures > starts)
    assert reason is None or reason.startswith("Ray did not start: The current node")


def test_a_replica_that_does_not_start(deployment, monkeypatch):
    def run(*_, **__):
        raise RuntimeError("Deploying application gpt2 failed:\n  ...\nMemoryError: 9")

    monkeypatch.setattr(deployment.serve, "start", run)
    size = deployment.Size(1, 1, 1, 1)
    with pytest.raises(deployment.StartError, match=r"not start: MemoryError: 9$"):
        deployment.deployed("tiny-stories", "float32", size, on_cluster=False)


def test_variables_of_other_clusters_are_left_out(monkeypatch):
    from gpt2.serving import ray_environment

    monkeypatch.setattr(os, "environ", {"RAY_ADDRESS": "a", "RAY_X": "b", "PATH": "c"})
    ray_environment.prepare("somewhere:1")
    assert os.environ["RAY_ADDRESS"] == "a"
    assert "RAY_AUTH_TOKEN" not in os.environ  # the cluster has its own
    ray_environment.prepare(None)
    assert {"RAY_ADDRESS", "RAY_X"} & os.environ.keys() == set()
    assert os.environ["RAY_AUTH_MODE"] == "token"
    assert len(os.environ["RAY_AUTH_TOKEN"]) == 64


def test_a_context_in_a_thread_is_left_whatever_happens():
    from gpt2.serving.apart import apart

    seen = []

    @contextmanager
    def context():
        seen.append("in")
        yield 5
        seen.append("out")

    def interrupted():
        with apart(context()) as value:
            seen.append(value)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert seen == ["in", 5, "out"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_ray_starts_leaves_nothing(number):
    process = subprocess.Popen(
        COMMAND, cwd=ROOT, env=dict(os.environ), stderr=subprocess.PIPE, text=True
    )
    started = psutil.Process(process.pid)
    until = time.monotonic() + 40
    while len(family := started.children(recursive=True)) < 2:
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (128 + number, "")
    _, alive = psutil.wait_procs(family, 5)
    assert alive == []
