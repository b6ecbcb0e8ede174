"""The real program, run as a new user runs it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from string import ascii_letters

import numpy as np

from course.commands import typed
from gpt2.commands.prompt import COMMANDS

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden"


def program(*arguments, **options):
    """Runs ``gpt2`` as a new user does."""
    return subprocess.run(
        [sys.executable, "-m", "gpt2", *arguments],
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def test_help_of_every_command():
    words = program("--help").stdout
    assert "Examples:" in words
    for option in ("--repetition-penalty", "--beams", "--num-samples", "--device"):
        assert option in words
    for command in COMMANDS:
        usage = f"Usage: {typed(f'gpt2 {command}')} "
        assert usage in program(command, "--help").stdout


def test_usage_errors_do_not_import_max():
    code = (
        "import sys\nfrom gpt2.commands.cli import continue_text\n"
        "from click.testing import CliRunner\n"
        "result = CliRunner().invoke(continue_text, ['x', '--top-p', '2'])\n"
        "assert result.exit_code == 2\n"
        "assert 'max._core' not in sys.modules\n"
    )
    command = [sys.executable, "-c", code]
    subprocess.run(command, cwd=ROOT, env=dict(os.environ), check=True)


def report(*arguments):
    """Returns the JSON report of eight greedy tokens."""
    options = ("--greedy", "--max-new-tokens", "8", "--json")
    return json.loads(program("Once upon a time", *options, *arguments).stdout)


def test_embedded_model_writes_what_hugging_faces_writes():
    golden = np.load(GOLDEN / "tiny-stories.npz")
    written = report()
    start = len(written["prompt_ids"])
    assert written["prompt_ids"] == golden["prompt_1"].tolist()
    assert written["ids"][start:] == golden["greedy_1"][:8].tolist()
    assert written["text"].startswith("Once upon a time")


def test_with_and_without_cache(tmp_path):
    """Uses a checkpoint whose graphs other tests need too."""
    for path in (GOLDEN / "odd").iterdir():
        shutil.copy(path, tmp_path)
    tokens = ["<|endoftext|>", "Ġ", *ascii_letters]
    size = json.loads(Path(tmp_path, "config.json").read_text())["vocab_size"]
    tokens += [f"<{number}>" for number in range(len(tokens), size)]
    ids = {token: number for number, token in enumerate(tokens)}
    Path(tmp_path, "vocab.json").write_text(json.dumps(ids))
    Path(tmp_path, "merges.txt").write_text("#version: 0.2\n")
    model = ["--model", str(tmp_path)]
    assert report(*model)["ids"] == report(*model, "--no-cache")["ids"]


def test_closed_pipe_ends_quietly():
    command = f"{sys.executable} -m gpt2 'One\nday' --seed 1 | head -1"
    result = subprocess.run(
        command,
        shell=True,
        cwd=ROOT,
        env=dict(os.environ),  # without variables that MAX's C++ code adds
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "One\n"
    assert "rror" not in result.stderr
