"""``gpt2 inside`` serves or saves one page, which reads the learner's files anew."""

import http.client
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner, Result

from course.registry import ROOT, find_exercise, load_registry
from gpt2.commands import inside_page
from gpt2.commands.inside import LONGEST, TEXT, browser_is_here, inside
from gpt2.commands.inside_page import make_page
from gpt2.commands.inside_server import PageServer
from gpt2.commands.serve import listen
from gpt2.learner.inside import Request, script_json
from gpt2.learner.inside_process import Source
from tests.own.marked import Marked

NOISE = ("Traceback", "Fatal", "Exception ignored", "KeyboardInterrupt")
GIVEN = re.compile(r"lab\.inside\.given = \{ \.\.\.(.*), reference: (.*) \};\n")


@pytest.fixture
def run() -> Callable[..., Result]:
    """Runs the command; it ends by itself only with an error, or with ``--save``."""

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(inside, arguments)

    return invoke


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Makes a learner's folder in which every step is solved."""
    folder = tmp_path / "desk"
    folder.mkdir()
    for exercise in load_registry():
        if exercise.is_step:
            (folder / exercise.step_path.name).write_text(exercise.solved)
    return folder


def given(html: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The page's data: the learner's part, and the reference."""
    found = GIVEN.search(html)
    assert found
    return json.loads(found[1]), json.loads(found[2])


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([""], 2, "nothing to show of an empty text"),
        (["dog " * 100], 2, f"at most {LONGEST} tokens"),
        (["dog", "--model", "gpt3"], 2, "no model and no folder called 'gpt3'"),
        (["dog", "--model", "tiny-llama"], 1, "needs a GPT-2"),
        (["dog", "--strict"], 2, "--strict needs --mine"),
        (["two", "texts"], 2, "unexpected extra argument"),
        (["--port", "65536"], 2, "65536 is not in the range"),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_sentence(
    arguments: list[str], code: int, says: str, run: Callable[..., Result]
) -> None:
    result = run(*arguments)
    assert result.exit_code == code
    assert says in " ".join(result.output.split())


def test_a_port_that_is_taken(run: Callable[..., Result]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("--no-open", "--port", f"{port}")
    assert result.exit_code == 1
    assert f"port {port}: address already in use; try another --port" in result.output


@pytest.mark.parametrize("name", ["no/such/folder.html", "."])
def test_a_file_that_cannot_be_written(
    name: str, tmp_path: Path, run: Callable[..., Result]
) -> None:
    result = run("--save", f"{tmp_path / name}")
    assert result.exit_code in (1, 2)
    assert not isinstance(result.exception, OSError)
    assert len(result.output.splitlines()) < 6


def test_the_saved_page_needs_nothing_else(
    tmp_path: Path, run: Callable[..., Result]
) -> None:
    page = tmp_path / "page.html"
    result = run("--save", f"{page}")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{page}\n"
    html = page.read_text()
    assert html.index("Content-Security-Policy") < html.index("<style>")
    assert (
        re.findall(r"<(?:script|img|iframe|link)[^>]*(?:src|href)=\"(?!data:)", html)
        == []
    )
    assert re.findall(r"(?:url\(|@import\s)(?!['\"]?(?:data:|#))", html) == []
    mine, reference = given(html)
    assert mine["mine"] is None
    assert reference["tokens"] == ["Tom", " has", " a", " dog", "."]
    assert "default-src &#x27;none&#x27;" in html


HOSTILE = """</script><img src=x onerror=alert(1)> "it's" & ${1} <!-- \u2028 $text"""


def test_a_text_cannot_leave_its_place_in_the_page() -> None:
    data = script_json({"tokens": [HOSTILE], "nan": float("nan")})
    html = make_page(HOSTILE, HOSTILE, data, script_json({"note": HOSTILE}))
    plain = make_page("", "", "{}", "{}")
    for mark in ("<img", "<!--", "<script", "</script", "</title"):
        assert html.count(mark) == plain.count(mark)
    kept, reference = given(html)
    assert kept["note"] == HOSTILE
    assert reference["tokens"] == [HOSTILE]


def test_the_page_is_made_of_files_that_exist() -> None:
    for name in (*inside_page.styles(), *inside_page.scripts()):
        assert (ROOT / "book" / name).is_file()


@pytest.fixture
def server() -> Iterator[PageServer]:
    """Serves pages with a number that rises."""
    count = iter(range(100))
    with (
        listen("127.0.0.1", 0) as listener,
        PageServer(listener, lambda: f"page {next(count)}") as found,
    ):
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


def ask(
    port: int, path: str = "/", method: str = "GET", host: str = ""
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Host": host} if host else {}
    connection.request(method, path, headers=headers)
    return connection.getresponse()


def test_every_request_makes_the_page_anew(server: PageServer) -> None:
    assert server.address == f"http://127.0.0.1:{server.server_port}/"
    for number in range(2):
        answer = ask(server.server_port)
        assert answer.status == 200
        assert answer.read() == b"page %d" % number
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_it_listens_to_this_machine_alone(server: PageServer) -> None:
    own = psutil.Process().net_connections("inet")
    [found] = [c for c in own if c.laddr.port == server.server_port and not c.raddr]
    assert found.laddr.ip == "127.0.0.1"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1:1"])
def test_another_site_cannot_read_the_page(server: PageServer, host: str) -> None:
    """Its name may lead to this machine: then its pages ask with that name."""
    answer = ask(server.server_port, host=host.format(port=server.server_port))
    assert answer.status == 403
    assert b"page" not in answer.read()
    assert ask(server.server_port, host=f"localhost:{server.server_port}").status == 200


def test_other_paths_and_methods(server: PageServer) -> None:
    assert ask(server.server_port, "/etc/passwd").status == 404
    assert ask(server.server_port, "/../../etc/passwd").status == 404
    assert ask(server.server_port, "/?again").status == 200
    assert ask(server.server_port, method="POST").status == 501
    answer = ask(server.server_port, method="HEAD")
    assert (answer.status, answer.read()) == (200, b"")


def wrong_step_09(desk: Path) -> None:
    """Puts a mistake into the learner's step 09."""
    path = desk / "step_09.py"
    right = "[batch, length, self.n_head, head_size]).transpose(1, 2)"
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, "[batch, self.n_head, length, head_size])"))


def test_a_reload_reads_the_files_anew(desk: Path) -> None:
    """One page after the other: right, wrong, no Python, a process that ends."""
    options = ["--mine", "--steps-dir", f"{desk}", "--no-open"]
    with Marked("gpt2", "inside", TEXT, *options, COURSE_NO_BACKGROUND="1") as command:
        command.wait_for_text("until you press Ctrl-C")
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", command.printed)
        assert found

        def load() -> dict[str, Any]:
            return given(ask(int(found[1])).read().decode())[0]

        page = load()
        assert page["differences"] == []
        assert "computes what the reference computes" in page["note"]
        assert page["whose"]["09"] == "yours"
        assert page["mine"]["arrays"] == {}  # all are equal
        wrong_step_09(desk)
        page = load()
        first, *others = page["differences"]
        assert (first["stage"], first["step"]) == ("h.0.shares", 9)
        assert not first["follows"]
        assert all(each["follows"] for each in others)
        assert "h.0.shares" in page["mine"]["arrays"]
        assert "h.0.query" not in page["mine"]["arrays"]
        (desk / "step_09.py").write_text("def (")
        [first] = load()["differences"]
        assert "step_09.py does not run: SyntaxError" in first["sentence"]
        (desk / "step_09.py").write_text("import os; os._exit(3)")
        assert "ended the Python process" in load()["note"]
        (desk / "step_09.py").write_text(find_exercise("09").solved)
        assert load()["differences"] == []
        command.press_ctrl_c()
        assert command.end() == 0
        assert [noise for noise in NOISE if noise in command.printed] == []
        assert command.left() == []


def test_a_program_without_an_end_is_ended(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpt2.learner.inside_process.LONGEST", 1.0)
    (desk / "step_08.py").write_text("while True: print('x')")
    source = Source(Request("tiny-stories", "Tom", True, False, f"{desk}"), print)
    try:
        said, _, data = source.data()
        assert "did not finish within 1 s" in said
        assert json.loads(data)["mine"] is None
    finally:
        source.close()


@pytest.mark.parametrize(
    ("variables", "here"),
    [
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True),
        ({"DISPLAY": ":0", "SSH_CONNECTION": "1.2.3.4 1 5.6.7.8 2"}, False),
        ({"DISPLAY": ":0", "CODESPACES": "true"}, False),
        ({}, False),
    ],
)
def test_where_a_browser_is(
    variables: dict[str, str], here: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpt2.commands.inside.os.environ", variables)
    monkeypatch.setattr("gpt2.commands.inside.sys.platform", "linux")
    monkeypatch.setattr("gpt2.commands.inside.CONTAINER", Path("no such file"))
    assert browser_is_here() == here
