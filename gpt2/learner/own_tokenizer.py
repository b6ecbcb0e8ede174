"""Cuts prompts and joins ids with the functions of a learner's tokenizer."""

from collections.abc import Callable
from importlib import import_module

from gpt2.checkpoint.tokenizer import Tokenizer
from gpt2.learner.borrowing import Borrowed
from gpt2.learner.step_errors import blame_steps

NAME = "encore_tokenizer"
OTHER_CUT = (
    "your tokenizer cuts this text into other tokens than the model's own tokenizer, "
    "so the model reads the latter"
)


class OwnTokenizer(Tokenizer):
    """A checkpoint's tokenizer whose ``encode`` and ``decode`` are the learner's.

    The model knows texts in one cut only. So where the learner's ids are others, the
    model's own are used, and a note says so.

    Args:
        given: the checkpoint's tokenizer.
        note: gets a sentence if the learner's ids are others.

    Raises:
        LearnerError: the learner's file cannot be imported.
    """

    def __init__(self, given: Tokenizer, note: Callable[[str], None]) -> None:
        super().__init__(given._bpe, end_ids=given.end_ids, start_id=given.start_id)
        with blame_steps(NAME):
            self._module = import_module(f"steps.{NAME}")
        self._note, self._vocabulary = note, given.vocabulary
        self._ranks = {pair: rank for rank, pair in enumerate(given.merges)}
        self._special = {text: self._vocabulary[text] for text in given.added}

    def encode(self, text: str) -> list[int]:
        """Turns text into the model's ids.

        Raises:
            LearnerError: the learner's ``encode`` does not run.
        """
        expected, special = super().encode(text), list(self._special)
        with blame_steps(NAME):
            ids = list(
                self._module.encode(
                    text, self._vocabulary, self._ranks, special=special
                )
            )
        if ids != expected:
            self._note(OTHER_CUT)
        return expected

    def decode(self, ids: list[int]) -> str:
        """Turns ids into text, without special tokens.

        Raises:
            LearnerError: the learner's ``decode`` does not run.
        """
        written = [i for i in ids if i not in self._special.values()]
        with blame_steps(NAME):
            text = self._module.decode(written, self._vocabulary)
            if not isinstance(text, str):
                raise TypeError("decode returned no text")
        return text


def own_tokenizer(
    given: Tokenizer, borrowed: Borrowed, note: Callable[[str], None]
) -> Tokenizer:
    """Returns the learner's tokenizer if that encore is the learner's, or ``given``.

    A solution is never borrowed: the checkpoint's own tokenizer does the same. The
    learner's is left out, too, if some added token is text: its name has no bytes.
    """
    is_own = "tokenizer" in borrowed.own and all(given.added.values())
    return OwnTokenizer(given, note) if is_own else given
