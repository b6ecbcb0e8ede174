"""Chapters as notebooks: whole, without stale outputs, and true to the pages."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from book import cli, examples
from book.pages import SRC, BookError
from course.registry import ROOT
from tests.own.packages import needed

nbformat = needed("nbformat")
nbclient = needed("nbclient")

jupyter = pytest.importorskip("book.jupyter")
notebooks = pytest.importorskip("book.notebooks")

QUICK = "step_02"  # its code runs in a second


@pytest.mark.parametrize("page", examples.pages())
def test_notebook_has_the_page_and_no_outputs(page: str) -> None:
    made = notebooks.notebook(page)
    nbformat.validate(made)
    code = [cell for cell in made.cells if cell.cell_type == "code"]
    assert [f"{c.source}\n" for c in code] == list(examples.read(page).values())
    assert all(not c.outputs and c.execution_count is None for c in code)
    prose = [cell.source for cell in made.cells if cell.cell_type == "markdown"]
    assert re.match(r"# \w", prose[0])
    for text in prose:
        assert text.count("<details") == text.count("</details>")
        assert text.count("```") % 2 == 0
    without_code = re.sub(r"```.*?```|`[^`]*`", "", "\n".join(prose), flags=re.DOTALL)
    assert "{{" not in without_code


@pytest.mark.parametrize("page", examples.pages())
def test_files_that_a_notebook_names_are_there(page: str) -> None:
    text = "\n".join(cell.source for cell in notebooks.notebook(page).cells)
    links = re.findall(r'(?:src="|\]\()([\w./]+\.(?:svg|ipynb|md))["#)]', text)
    assert links
    known = {f"{name}.ipynb" for name in examples.pages()}
    for link in set(links) - known:
        assert (notebooks.NOTEBOOKS / link).resolve().is_file(), link


def test_code_of_an_answer_is_folded() -> None:
    cells = notebooks.notebook("step_08").cells
    folded = [i for i, cell in enumerate(cells) if "jupyter" in cell.metadata]
    assert folded
    for place in folded:
        assert cells[place].metadata["jupyter"]["source_hidden"]
        assert cells[place - 1].source.endswith("</details>")


def test_equations_stay_in_tex() -> None:
    text = "\n".join(cell.source for cell in notebooks.notebook("step_08").cells)
    assert r"\frac{Q K^\top}{\sqrt{D}}" in text
    assert "<math" not in text


def test_notebook_prints_what_the_page_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jupyter.write_settings(tmp_path)
    for name, value in jupyter.jupyter_paths(tmp_path).items():
        monkeypatch.setenv(name, value)
    made = notebooks.notebook(QUICK)
    own = nbformat.v4.new_code_cell(
        "import os; from steps import step_02; print(os.getcwd(), step_02.__file__)"
    )
    made.cells.append(own)
    elsewhere = {"metadata": {"path": str(tmp_path)}}  # as JupyterLab starts a kernel
    nbclient.NotebookClient(made, timeout=300, resources=elsewhere).execute()
    code = [cell for cell in made.cells if cell.cell_type == "code"]
    assert printed(own).split() == [str(ROOT), str(ROOT / "steps" / "step_02.py")]
    found = examples.EXAMPLE.finditer((SRC / f"{QUICK}.md").read_text())
    expected = [match["output"] for match in found]
    assert any(expected)
    for cell, output in zip(code, expected, strict=False):
        assert output is None or printed(cell) == output


def printed(cell: Any) -> str:
    assert all(output.output_type == "stream" for output in cell.outputs)
    return "".join(o.text for o in cell.outputs if o.name == "stdout")


def test_changed_notebook_is_kept_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"{QUICK}.ipynb"
    assert jupyter.write(QUICK, tmp_path) == ""
    fresh = path.read_text()
    changed = nbformat.read(path, as_version=4)
    changed.cells[-1].source += "\nmine"
    nbformat.write(changed, path)
    kept = path.read_text()
    assert jupyter.write(QUICK, tmp_path) == ""  # the page is the same
    assert path.read_text() == kept != fresh

    newer = notebooks.notebook(QUICK)
    newer.cells[0].source += " Again."
    newer.metadata[notebooks.MADE] = notebooks.fingerprint(newer)
    monkeypatch.setattr(jupyter, "notebook", lambda page: newer)
    assert "has your changes, so it stays" in jupyter.write(QUICK, tmp_path)
    assert path.read_text() == kept
    path.write_text(fresh)  # without changes it follows the page
    assert jupyter.write(QUICK, tmp_path) == ""
    assert "Again." in path.read_text()


def test_unreadable_notebook_is_kept_and_said(tmp_path: Path) -> None:
    (tmp_path / f"{QUICK}.ipynb").write_text("{")
    assert "cannot be read, so it stays" in jupyter.write(QUICK, tmp_path)
    assert (tmp_path / f"{QUICK}.ipynb").read_text() == "{"


def test_unknown_chapter_is_one_sentence() -> None:
    with pytest.raises(BookError, match="no exercise 'nothing'"):
        jupyter.page_of("nothing")
    assert jupyter.page_of("s08") == jupyter.page_of("step_08") == "step_08"


def test_without_jupyterlab_there_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    with pytest.raises(
        SystemExit, match=r"not installed here: pixi run notebook, or uv"
    ):
        cli.notebook.callback("s08", opens=False)  # type: ignore[misc]


def test_jupyterlab_serves_the_chapter(tmp_path: Path) -> None:
    """It finds the kernel, and begins with the chapter that was asked for."""
    code = (
        "import sys; from pathlib import Path; from book import jupyter\n"
        "jupyter.os.execve = lambda p, a, e: print('RUN', *a, e['JUPYTER_PATH'])\n"
        "jupyter.write_all = lambda folder: ['written']\n"
        "jupyter.open_notebooks('s08', opens=False)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "--no-browser" in done.stdout
    assert "/lab/tree/build/notebooks/step_08.ipynb" in done.stdout


def test_kernel_is_described_for_jupyter(tmp_path: Path) -> None:
    jupyter.write_settings(tmp_path)
    folder = tmp_path / ".jupyter" / "kernels" / notebooks.KERNEL
    described = json.loads((folder / "kernel.json").read_text())
    assert described["argv"][0] == sys.executable
    assert described["env"]["MAX_EAGER_EXECUTOR"] == "interpreter"
