"""Makes the page "Inside" one file: styles, scripts and the numbers of a text.

The page asks no server for anything.
"""

import json
from html import escape
from string import Template

from course.registry import ROOT

BOOK = ROOT / "book"
LAB = "src/lab"
THEME = ("variables", "general", "parts")
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'; form-action 'none'"
)
PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="$policy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>Inside: $text</title>
<style>
$styles
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem var(--gap) 4rem; }
</style>
</head>
<body>
<main>
<h1>$text</h1>
<noscript><p>$note This page draws with JavaScript.</p></noscript>
<section id="inside" class="inside" aria-label="Inside the model"></section>
</main>
<script>
$scripts
</script>
<script>
$data
</script>
</body>
</html>
""")
# What is missing in the learner's trace equals the reference's, or is taken from there.
DATA = Template("""\
"use strict";
lab.inside.given = { ...$given, reference: $reference };
if (lab.inside.given.mine) {
  const { mine, reference } = lab.inside.given;
  mine.arrays = { ...reference.arrays, ...mine.arrays };
}
lab.inside.open(document.getElementById("inside"));
""")


def make_page(text: str, note: str, reference: str, given: str) -> str:
    """Returns the page's HTML.

    Args:
        text: the text that was traced.
        note: what is said about the learner's model; may be empty.
        reference: the reference's trace, as ``gpt2.learner.inside.script_json`` writes.
        given: the rest of the data, likewise.
    """
    return PAGE.substitute(
        policy=escape(POLICY),
        text=escape(text),
        note=escape(note),
        styles=joined(styles()).replace("</style", r"<\/style"),
        scripts=joined(scripts()).replace("</script", r"<\/script"),
        data=DATA.substitute(reference=reference, given=given),
    )


def styles() -> list[str]:
    """Returns the style sheets of the page, as paths in the book's folder."""
    theme = [f"theme/css/{name}.css" for name in THEME]
    return theme + [f"{LAB}/{name}.css" for name in listed("styles")]


def scripts() -> list[str]:
    """Returns the scripts in their order: each uses those before it."""
    return [f"{LAB}/{name}.js" for name in listed("scripts")]


def listed(kind: str) -> list[str]:
    """Returns the names of files that draw the view, in the book as here."""
    text = (BOOK / LAB / "inside.json").read_text(encoding="utf-8")
    return json.loads(text)[kind]


def joined(names: list[str]) -> str:
    """Returns the text of some files of the book."""
    return "\n".join((BOOK / name).read_text(encoding="utf-8") for name in names)
