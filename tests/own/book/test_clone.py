"""The set-up page shows the address that the book's own folder was cloned from."""

import subprocess
from pathlib import Path

import pytest

from book import clone
from book.expand import expand

PLAIN = "Clone the course's repository and go into its folder."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the repository's."""
    monkeypatch.setattr(clone, "ROOT", tmp_path)
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def test_a_clone_has_an_address(folder: Path) -> None:
    git(folder, "init")
    assert expand("{{clone}}") == PLAIN
    git(folder, "remote", "add", "origin", "git@git.example:someone/course.git")
    command = "git clone https://git.example/someone/course.git"
    assert expand("{{clone}}") == PLAIN.replace(" and", f" with `{command}` and", 1)


def test_a_download_has_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert expand("{{clone}}") == PLAIN
    monkeypatch.setenv("PATH", "")
    (folder / ".git").mkdir()
    assert expand("{{clone}}") == PLAIN


def test_a_download_inside_another_repository_has_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(folder, "init")
    git(folder, "remote", "add", "origin", "https://git.example/another")
    (folder / "course").mkdir()
    monkeypatch.setattr(clone, "ROOT", folder / "course")
    assert expand("{{clone}}") == PLAIN


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://git.example/a/b", "https://git.example/a/b"),
        ("https://name:secret@git.example/a/b.git", "https://git.example/a/b.git"),
        ("https://secret@git.example:8443/a/b", "https://git.example:8443/a/b"),
        ("https://git.example/a/b?token=secret", "https://git.example/a/b"),
        ("http://localhost:3000/a/b", "http://localhost:3000/a/b"),
        ("ssh://git@git.example:2222/a/b.git", "https://git.example/a/b.git"),
        ("git@git.example:a/b.git", "https://git.example/a/b.git"),
        ("/home/someone/course", None),
        ("../course", None),
        ("file:///home/someone/course", None),
        ("C:\\course", None),
        ("", None),
    ],
)
def test_nothing_but_what_others_may_see_is_shown(url: str, shown: str | None) -> None:
    assert clone.public(url) == shown
