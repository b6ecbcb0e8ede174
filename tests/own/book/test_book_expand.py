"""The pages' syntax besides Markdown, and the messages about errors in it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from book import drawing, macros
from book.expand import expand, expand_page
from book.pages import BookError
from course.catalogue import load_mistakes
from course.registry import find_exercise

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="90" style="a: b"/>'


@pytest.fixture
def material(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """One figure, one report and a file of numbers, in place of the book's own."""
    (tmp_path / "scores.svg").write_text(SVG)
    (tmp_path / "s08.html").write_text('<span class="green">✓</span>\n')
    rows = [["token", "share"], ["a|b", "$x$"]]
    numbers = {"share": "7 %", "loss": "1.50 ± 0.02", "change": "1.50 (+0.50 ± 0.02)"}
    text = json.dumps({"rows": rows, **numbers}, ensure_ascii=False)
    (tmp_path / "s08.json").write_text(text, encoding="utf-8")
    for name in ("FIGURES", "NUMBERS", "REPORTS"):
        monkeypatch.setattr(macros, name, tmp_path)
    monkeypatch.setattr(drawing, "NARROW", tmp_path / "narrow")
    macros.numbers_of.cache_clear()
    yield tmp_path
    macros.numbers_of.cache_clear()


def test_chapter_is_a_card_from_the_registry() -> None:
    exercise = find_exercise("s08")
    text = expand("{{chapter s08}}")
    assert f"\n# {exercise.title}\n" in text
    assert f"about {exercise.minutes} minutes" in text
    assert f'aria-label="{exercise.difficulty} of 5"' in text
    assert '<a href="step_02.md">02 Causal mask</a>' in text
    assert "<code>steps/step_08.py</code>" in text
    assert "<code>pixi run s08</code>" in text
    assert "<code>uv run s08</code>" in text


def test_skeleton_is_the_untouched_one_and_solution_is_folded() -> None:
    skeleton = expand("{{skeleton s08}}")
    assert skeleton.startswith('<div class="listing" id="skeleton">')
    assert "NotImplementedError" in skeleton
    solution = expand("{{solution s08}}")
    assert solution.startswith('<details class="solution">')
    assert "NotImplementedError" not in solution
    assert "solutions/solution_08.py" in solution


def test_figure_has_its_alternative_text_and_caption(material: Path) -> None:
    text = expand('{{figure scores | three "scores" | The scores $x$.}}')
    assert 'role="img" aria-label="three &quot;scores&quot;"' in text
    assert "max-width: 400px; min-width: 400px; a: b" in text
    assert "<figcaption>\n\nThe scores <math>" in text


def test_chart_has_a_second_version_for_phones(material: Path) -> None:
    assert "on-phones" not in expand("{{figure scores | scores | The scores.}}")
    (material / "narrow").mkdir()
    (material / "narrow" / "scores.svg").write_text(SVG.replace("400", "300"))
    text = expand("{{figure scores | scores | The scores.}}")
    both = r'on-desks"><svg [^>]*width="400".*on-phones"><svg [^>]*width="300"'
    assert re.search(both, text)


def test_numbers_and_tables(material: Path) -> None:
    assert expand("It is {{number s08.share}}.") == "It is 7\N{NO-BREAK SPACE}%."
    assert expand("{{number step_08.share}}") == expand("{{number s08.share}}")
    bracket = "1.50 (+0.50\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}0.02)"
    assert expand("{{number s08.change}}") == bracket
    assert expand("{{number s08.loss}}") == "1.50 ±\N{NO-BREAK SPACE}0.02"
    head, line, row = expand("{{table s08.rows}}").splitlines()
    assert (head, line) == ("| token | share |", "| --- | --- |")
    assert row.startswith(r"| a\|b | <math>")


def test_reports_and_mistakes(material: Path) -> None:
    text = expand("{{report s08}}")
    assert text.startswith('<details class="report"><summary>')
    assert '<pre class="terminal"><code><span class="green">✓</span></code>' in text
    (material / "s08-unscaled.html").write_text("✗\n")
    assert expand("{{report s08 unscaled}}").startswith('<pre class="terminal">')
    entry = load_mistakes(find_exercise("s08"))[0]
    assert entry.says.split(",")[0] in expand(f"{{{{mistake s08 {entry.name}}}}}")


def test_losses_are_a_folded_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(macros, "LOSSES", tmp_path)
    body = [["none", "1.50 ± 0.02"], ["a|b", "1.60 (tie)"], ["c", "–"]]
    rows = [["mistake", "loss"], *body]
    text = json.dumps(rows, ensure_ascii=False)
    (tmp_path / "s08.json").write_text(text, encoding="utf-8")
    text = expand("{{losses s08}}")
    title = find_exercise("s08").title
    assert text.startswith(
        f'<details class="losses"><summary>Step 08 · {title}: 2 mistakes</summary>\n\n'
    )
    assert "| none | 1.50 ±\N{NO-BREAK SPACE}0.02 |" in text
    assert "| a\\|b | 1.60 (tie) |\n| c | – |\n\n</details>" in text
    with pytest.raises(BookError, match=r"no table s07\.json; python"):
        expand("{{losses s07}}")


def test_equations_become_mathml() -> None:
    assert expand("$x^2$") == "<math><msup><mi>x</mi><mn>2</mn></msup></math>"
    text = expand("$$\n\\begin{aligned} a &= b \\\\ c &= d \\end{aligned}\n$$")
    assert text.startswith('<span class="equation"><span><span><math displaystyle')
    assert "<mtable" in text
    assert text.count("<math") == 1
    assert "\n" not in text


@pytest.mark.parametrize(
    ("tex", "pieces"),
    [
        ("y = f(x = 1) + 2 - g", ["y", "=f(x=1)", "+2", "−g"]),
        (r"y = -\left( a + b \right] c", ["y", "=−(a+b]c"]),
        (r"k = \frac{a - b}{c} \qquad v \ge 2", ["k", "=a−bc", "v", "≥2"]),
    ],
)
def test_equations_break_before_relations_and_signs(tex, pieces: list[str]) -> None:
    found = re.findall("<math.*?</math>", expand(f"$${tex}$$"))
    assert [re.sub("<.*?>", "", piece) for piece in found] == pieces


@pytest.mark.parametrize(
    "text", [r"5 \$", "`$x$ {{a b}}`", "``a ` $``", "<!-- $ {{nothing}} -->"]
)
def test_code_and_comments_are_left_alone(text: str) -> None:
    assert expand(text) == text


def test_fenced_code_is_coloured_and_not_expanded() -> None:
    text = expand('```python run\nx = "$y$ {{a}}"\n```\n')
    assert text.startswith('<pre class="code run"><code>')
    assert "$y$ {{a}}" in text
    assert '<span class="string">' in text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{nonsense s08}}", "no macro 'nonsense'"),
        ("`{{number s08.share}}`", "a macro in code"),
        ("```sh\ncd {{number s08.share}}\n```\n", "a macro in code"),
        ("{{chapter s99}}", "no exercise 's99'"),
        ("{{figure nothing | a | b}}", "no figure 'nothing'"),
        ("{{figure scores | a}}", "alternative text"),
        ("{{figure scores | | b}}", "alternative text"),
        ("{{number s08.nothing}}", "no number 's08.nothing'"),
        ("{{number s01.share}}", "no number 's01.share'"),
        ("{{number s08.rows}}", "is a table"),
        ("{{table s08.share}}", "is no table"),
        ("{{report s07}}", "no report s07.html"),
        ("{{report s08 nothing}}", "no mistake 'nothing'"),
        ("{{mistake s08 nothing}}", "no mistake 'nothing'"),
        (r"$\nonsense{x}$", "nonsense"),
        (r"$\frac{1$", "equation"),
        ("It costs 5 $.", "dollar sign"),
        ("```nonsense\n```", "unknown language 'nonsense'"),
        ("```python walk\n```", "'walk'"),
    ],
)
def test_what_has_no_meaning_is_named_with_its_place(
    material: Path, text: str, says: str
) -> None:
    with pytest.raises(BookError) as caught:
        expand_page(f"# Title\n\n{text}\n", "step_08.md")
    message = str(caught.value)
    assert message.startswith("book/src/step_08.md, line 3: ")
    assert says in message
    assert message.endswith(".")
