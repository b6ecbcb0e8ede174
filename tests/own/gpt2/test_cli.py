"""The command's output on stdout and stderr, also after Ctrl-C."""

import json

import pytest

from gpt2.decoding.settings import SAMPLING
from tests.own.gpt2.samples import BPE, POSITIONS, STORY, interrupted

KEYS = {
    "prompt",
    "text",
    "prompt_ids",
    "ids",
    "strategy",
    "seconds",
    "seconds_to_first_token",
    "tokens_per_second",
}


def test_text_on_stdout_and_statistics_on_stderr(run, fake):
    fake(STORY)
    result = run("Once", "--greedy", "--max-new-tokens", "12")
    assert result.exit_code == 0
    assert result.stdout == "Once" + BPE.decode(BPE.encode(STORY * 9).ids[:12]) + "\n"
    prompt_tokens = len(BPE.encode("Once").ids)
    assert f"{prompt_tokens} prompt + 12 new tokens" in result.stderr
    assert "first token after" in result.stderr
    assert "tokens/s" in result.stderr
    assert "seed" not in result.stderr


def test_default_length_is_what_fits(run, fake):
    fake(STORY)
    result = run("Once", "--greedy")
    prompt_tokens = len(BPE.encode("Once").ids)
    assert f"+ {POSITIONS - prompt_tokens} new tokens" in result.stderr


def test_ends_with_the_end_of_text_and_does_not_show_it(run, fake):
    fake(" ok<|endoftext|>")
    result = run("Once", "--greedy")
    assert result.stdout == "Once ok\n"


def test_empty_prompt_starts_from_the_end_of_text(run, fake):
    engine = fake(STORY)
    result = run("", "--greedy", "--max-new-tokens", "2", "--json")
    assert engine.calls[0] == ("prefill", [[BPE.token_to_id("<|endoftext|>")]])
    assert json.loads(result.stdout)["prompt"] == ""


def test_no_new_tokens(run, fake):
    fake(STORY)
    result = run("Once", "--max-new-tokens", "0")
    assert (result.exit_code, result.stdout) == (0, "Once\n")
    assert "+ 0 new tokens" in result.stderr
    assert "first token" not in result.stderr


def test_character_cut_off_at_the_end(run, fake):
    fake("日")
    result = run("a", "--greedy", "--max-new-tokens", "2")
    assert result.stdout == "a\N{REPLACEMENT CHARACTER}\n"


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [(["Once"], None), (["-"], "Once"), (["-"], "Once\n"), ([], "Once\r\n")],
)
def test_prompt_from_argument_or_standard_input(run, fake, arguments, stdin):
    engine = fake(STORY)
    result = run(*arguments, "--max-new-tokens", "1", stdin=stdin)
    assert result.stdout.startswith("Once")
    assert engine.calls[0][1] == [BPE.encode("Once").ids]


def test_prompt_from_a_file_loses_one_newline_only(run, fake, tmp_path):
    fake(STORY)
    file = tmp_path / "start.txt"
    file.write_bytes(" é\n\n".encode())
    result = run("--prompt-file", str(file), "--max-new-tokens", "0", "--json")
    assert json.loads(result.stdout)["prompt"] == " é\n"


def test_json_is_one_object_with_everything(run, fake):
    fake(STORY)
    result = run(
        "Once", "--max-new-tokens", "3", "--json", "--seed", "5", "--top-k", "1"
    )
    (line,) = result.stdout.splitlines()
    report = json.loads(line)
    assert report.keys() == KEYS
    assert report["prompt_ids"] == BPE.encode("Once").ids
    assert report["ids"] == report["prompt_ids"] + BPE.encode(STORY).ids[:3]
    assert report["text"] == BPE.decode(report["ids"])
    assert report["strategy"] == {own.name: own.default for own in SAMPLING} | {
        "name": "sampling",
        "temperature": 0.7,
        "top_k": 1,
        "top_p": 0.9,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "seed": 5,
    }
    assert 0 < report["seconds_to_first_token"] <= report["seconds"]
    assert report["tokens_per_second"] == pytest.approx(3 / report["seconds"])


def test_json_of_nothing(run, fake):
    fake(STORY)
    report = json.loads(run("Once", "--max-new-tokens", "0", "--json").stdout)
    assert report["ids"] == report["prompt_ids"]
    assert report["seconds_to_first_token"] is report["tokens_per_second"] is None


def test_greedy_is_temperature_zero(run, fake):
    for arguments in (["--greedy"], ["--temperature", "0"]):
        fake(STORY)
        result = run("Once", "--json", "--max-new-tokens", "1", *arguments)
        strategy = {"name": "greedy", "repetition_penalty": 1.0}
        assert json.loads(result.stdout)["strategy"] == strategy


def test_seed_repeats_a_text_and_is_shown_where_none_was_given(run, fake):
    def sample(*seed):
        fake(STORY, margin=0.0)
        result = run("Once", "--temperature", "3", "--max-new-tokens", "9", *seed)
        return result.stdout, result.stderr.rsplit("seed ", 1)[1].strip()

    text, seed = sample()
    assert sample("--seed", seed) == (text, seed)
    assert sample("--seed", "1")[0] != sample("--seed", "2")[0]


def test_steps_as_a_table_on_stderr_and_the_text_at_the_end(run, fake):
    fake(" é<|endoftext|>")
    result = run("Once", "--greedy", "--show-steps")
    assert result.stdout == "Once é\n"
    heading, *rows = result.stderr.splitlines()
    assert heading.split()[:4] == ["step", "token", "id", "chance"]
    ids = BPE.encode(" é<|endoftext|>").ids
    starts = [row for row in rows if row.split()[:1] and row.split()[0].isdigit()]
    assert [row.split()[2] for row in starts[:-1]] == [str(token) for token in ids]
    assert "<|endoftext|>" in result.stderr
    assert "%" in starts[0]
    assert all(len(line) <= 80 for line in result.stderr.splitlines())


def test_steps_show_markup_and_control_characters_as_they_are(run, fake):
    fake("[/red]\x1b\n")
    result = run("Once", "--greedy", "--show-steps", "--max-new-tokens", "8")
    assert result.exit_code == 0
    assert "\\x1b" in result.stderr
    assert "↵" in result.stderr
    assert "\x1b" not in result.stderr


def test_json_and_steps_together(run, fake):
    fake(STORY)
    result = run("Once", "--json", "--show-steps", "--max-new-tokens", "1")
    assert json.loads(result.stdout).keys() == KEYS
    assert "chance" in result.stderr


# Ctrl-C


def test_ctrl_c_keeps_the_text_and_exits_130(run, fake):
    interrupted(fake(STORY), after=3)
    result = run("Once", "--greedy")
    assert result.exit_code == 130
    assert result.stdout == "Once" + BPE.decode(BPE.encode(STORY).ids[:3]) + "\n"
    assert "+ 3 new tokens" in result.stderr
    assert "Aborted" not in result.stderr


def test_ctrl_c_with_json(run, fake):
    interrupted(fake(STORY), after=2)
    result = run("Once", "--greedy", "--json")
    assert result.exit_code == 130
    report = json.loads(result.stdout)
    assert len(report["ids"]) == len(report["prompt_ids"]) + 2


def test_ctrl_c_while_compiling(run, monkeypatch):
    def compiling(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("gpt2.writer.open_engine", compiling)
    result = run("Once")
    assert (result.exit_code, result.stdout) == (130, "")
