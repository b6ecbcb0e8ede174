"""``--mine --compile`` compiles a learner's model, and says what that takes."""

import pytest

from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.loading import load_checkpoint
from gpt2.engine import engines
from gpt2.learner.borrowing import borrow
from gpt2.open_engine import open_engine


def test_without_mine_it_is_refused(run):
    result = run("Once", "--compile")
    assert result.exit_code == 2
    assert "--compile needs --mine." in result.stderr


@pytest.mark.parametrize("given", [True, False])
def test_the_option_reaches_the_engine(run, steps, monkeypatch, given):
    asked = {}

    def opened(*_, **options):
        asked.update(options)
        raise CheckpointError("enough")

    monkeypatch.setattr("gpt2.writer.open_engine", opened)
    flags = ["--compile"] if given else []
    result = run("Once", "--mine", "--steps-dir", str(steps()), *flags)
    assert "enough" in result.stderr
    assert asked["compiled"] is given


def test_it_compiles_the_learners_classes_and_says_what_it_takes(
    steps, folder, monkeypatch
):
    events = []

    def compiled(config, weights, model_class, **_):
        events.append(model_class.__module__)
        return "engine"

    monkeypatch.setattr(engines, "RecomputingEngine", compiled)
    mine = borrow(steps(), strict=True)
    how = {"mine": mine, "compiled": True, "cache": True, "on_compile": events.append}
    assert open_engine(load_checkpoint(str(folder)), **how) == "engine"
    before, module, after = events
    assert before.startswith("compiling your model: about 1")
    assert "without a KV cache" in before
    assert module == "steps.step_13"
    assert after == "compiled in 0 s"
