"""Records what a finished model makes of the stories that the voice begins.

The command is ``python -m book.voices [--check]``. It computes in NumPy.
"""

import json
from collections.abc import Iterator
from functools import partial

from book import play
from book.recorder import Made, Recorder
from book.rounding import alike
from course.registry import load_registry
from gpt2.learner.voice.stories import FINISHED, NEW_TOKENS, Story, read_story

NAME = "finished"
DIGITS = 3


def finished(story: Story) -> dict[str, object]:
    """The finished model's loss on a story, and the ids that it writes."""
    end, ids = play.checkpoint().tokenizer.end_ids, list(story.prompt_ids)
    while len(ids) < len(story.prompt_ids) + NEW_TOKENS and ids[-1] not in end:
        ids.append(int(play.logits(ids)[-1].argmax()))
    loss = round(story.loss(play.logits(story.ids[:-1])), DIGITS)
    return {"loss": loss, "ids": ids[len(story.prompt_ids) :]}


def make(names: list[str]) -> Iterator[Made]:
    """Makes the one file."""
    numbers = [exercise.number for exercise in load_registry()]
    stories = {n: read_story(n, play.checkpoint()) for n in numbers}
    lines = [f'"{n}": {json.dumps(finished(s))}' for n, s in stories.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    yield Made(NAME, FINISHED, text, partial(alike, tolerance=near))


def near(number: str) -> float:
    """The largest difference that a number may have between two processors."""
    return 0.002 if "." in number else 0.0


RECORDER = Recorder("book.voices", lambda: [NAME], make)

if __name__ == "__main__":
    RECORDER.main()
