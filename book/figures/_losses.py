"""Formats losses on the held-out stories, and checks what the pages say of them."""

from book import held_out
from book.figures._words import rough
from book.held_out import PerToken
from book.pages import SRC, BookError


def measured_on() -> str:
    """Names the stories, for the heads of tables."""
    return f"{len(held_out.stories())} [held-out stories](glossary.md#held-out-stories)"


def loss_head() -> str:
    """The head of a column of ``loss_cell``."""
    return f"loss on {measured_on()}"


def loss_cell(loss: PerToken) -> str:
    """A model's loss, with its difference from the trained model's."""
    if loss is held_out.trained():
        return f"{loss:.2f}"
    return compared(loss, rise(loss))


def compared(loss: PerToken, apart: PerToken) -> str:
    """A loss and its difference from another, such as "1.93 (+0.50 ± 0.02)"."""
    return f"{loss.mean:.2f} ({or_tie(apart)})"


def rise(loss: PerToken) -> PerToken:
    """What a model loses more than the trained one."""
    return loss - held_out.trained()


def change(loss: PerToken) -> str:
    """The difference from the trained model's loss, or "tie"."""
    return or_tie(rise(loss))


def or_tie(loss: PerToken) -> str:
    """A difference, or "tie" if it is too small to count."""
    return "tie" if loss.tied else difference(loss)


def difference(loss: PerToken) -> str:
    """A difference with sign and standard error, such as "+0.76 ± 0.02"."""
    digits = 2 if loss.error >= 0.005 else 3
    return f"{loss:+.{digits}f}".replace("-", "−")


def perplexity(loss: PerToken) -> str:
    """The perplexity and its standard error; it says if the trained model's is a tie.

    The error is that of the loss times the perplexity, the slope of exp.
    """
    tie = loss is not held_out.trained() and rise(loss).tied
    return f"{exponential(loss)}{' (tie)' if tie else ''}"


def exponential(loss: PerToken) -> str:
    """exp of a loss and its standard error."""
    if loss.mean > 700:  # exp overflows
        return rough(float("inf"))
    value = loss.perplexity
    error = value * loss.error
    return rough(value) if value >= 1e6 else f"{rough(value)} ± {like(value, error)}"


def like(value: float, error: float) -> str:
    """An error with as many digits as ``rough`` gives the value."""
    return f"{error:.1f}" if value < 100 else f"{error:,.0f}"


def worse(*losses: PerToken) -> bool:
    """True if all models are worse than the trained one, and none is a tie."""
    return all(rise(loss).mean > 0 and not rise(loss).tied for loss in losses)


def claim(page: str, words: str, holds: bool) -> None:
    """Checks that words of a page are true of the embedded model.

    Raises:
        BookError: they are not true, or the page does not have them.
    """
    text = (SRC / f"{page}.md").read_text(encoding="utf-8")
    if words not in " ".join(text.split()):
        raise BookError(f"book/src/{page}.md lacks the checked words “{words}”")
    if not holds:
        raise BookError(
            f"book/src/{page}.md says “{words}”, which is false of the embedded model"
        )
