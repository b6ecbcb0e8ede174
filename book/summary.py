"""Makes the book's table of contents from the registry of exercises."""

from course.registry import Exercise, load_registry

START = {
    "introduction": "Introduction",
    "setup": "Set-up",
    "five_minutes": "The model in five minutes",
}
PLAYGROUND = {"inside": "Inside the model", "lab": "The decoding lab"}
AFTERWARDS = {
    "real_gpt2": "Your model and the real GPT-2",
    "training": "Where the numbers come from",
    "making_it_fast": "Making it fast",
    "serving": "Serving",
    "when_it_goes_wrong": "When it goes wrong",
}
REFERENCE = {"glossary": "Glossary", "further_reading": "Further reading"}


def summary() -> str:
    """The text of ``SUMMARY.md``."""
    steps = [e for e in load_registry() if e.is_step]
    encores = [e for e in load_registry() if not e.is_step]
    before = {e.file: e.title for e in encores if e.number < steps[0].number}
    after = {e.file: e.title for e in encores if e.file not in before}
    parts = [
        "# Summary",
        links(START, mark=""),
        "# Before the steps",
        links(before),
        "# The fourteen steps",
        links({e.file: numbered(e) for e in steps}),
        "# Encores",
        links(after),
        "# To play with",
        links(PLAYGROUND),
        "# Afterwards",
        links(AFTERWARDS | REFERENCE),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def numbered(exercise: Exercise) -> str:
    """A step's title in the table of contents."""
    return f"{exercise.short} · {exercise.title}"


def links(pages: dict[str, str], mark: str = "- ") -> str:
    """A Markdown list of links to pages."""
    return "\n".join(f"{mark}[{name}]({page}.md)" for page, name in pages.items())
