"""The tokenizer: byte-level BPE, from text to token ids and back.

Source: Radford et al. 2019, section 2.2.
"""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from tokenizers import Tokenizer as BPETokenizer
from tokenizers import decoders

from gpt2.checkpoint.boundaries import boundary_ids
from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.tokenizer_files import END_OF_TEXT, read_bpe

# A vocabulary writes each byte as one character: itself if that is visible, or else one
# of those from U+0100 on.
VISIBLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
OTHERS = [byte for byte in range(256) if byte not in VISIBLE]
BYTES = {chr(byte): byte for byte in VISIBLE}
BYTES |= {chr(256 + number): byte for number, byte in enumerate(OTHERS)}
MARKS = {" ": "·", "\n": "↵"}  # what a token shows in their place


class Tokenizer:
    """Turns text into ids and back, without loss.

    ``<|endoftext|>`` in a text becomes the single token of that name, as in
    transformers. So a user can separate texts in a prompt.

    Args:
        bpe: a byte-level BPE.
        end_ids: the tokens that end a text; empty stands for ``<|endoftext|>``.
        start_id: the token that begins a text; None stands for ``end_ids[0]``.

    Attributes:
        end_ids: as above; never empty.
        end_of_text_id: the first of ``end_ids``.
        size: the largest id plus one.
    """

    def __init__(
        self,
        bpe: BPETokenizer,
        *,
        end_ids: Sequence[int] = (),
        start_id: int | None = None,
    ) -> None:
        bpe.no_truncation()  # some files have settings of the training
        bpe.no_padding()
        self._bpe = bpe
        vocabulary = bpe.get_vocab()
        self.end_ids = tuple(end_ids) or (vocabulary[END_OF_TEXT],)
        self.end_of_text_id = self.end_ids[0]
        self.start_id = self.end_of_text_id if start_id is None else start_id
        self.size = max(vocabulary.values()) + 1

    @property
    def vocabulary(self) -> dict[str, int]:
        """The id of every token, written as in ``vocab.json``."""
        return self._bpe.get_vocab()

    @property
    def merges(self) -> list[tuple[str, str]]:
        """The merges, in the order of their ranks."""
        return [
            tuple(pair) for pair in json.loads(self._bpe.to_str())["model"]["merges"]
        ]

    @property
    def added(self) -> dict[str, bool]:
        """The tokens that are cut out of a text first, and whether each is special."""
        found = self._bpe.get_added_tokens_decoder().values()
        return {token.content: token.special for token in found}

    def encode(self, text: str) -> list[int]:
        """Turns text into ids."""
        return self._bpe.encode(text, add_special_tokens=False).ids

    def encode_prompt(self, text: str) -> list[int]:
        """Turns text into at least one id; an empty text becomes the start token."""
        return self.encode(text) or [self.start_id]

    def decode(self, ids: list[int]) -> str:
        """Turns ids into text, without special tokens."""
        return self._bpe.decode(ids)

    def token(self, token_id: int) -> str:
        """Returns one token's text, also for special tokens."""
        return self._bpe.decode([token_id], skip_special_tokens=False)

    def name(self, token_id: int) -> str:
        """Returns one token's text; its bytes if these are no whole characters.

        The bytes are written as OpenAI's completions write them: ``bytes:\\xe2\\x82``.
        A token that only the model has is named by its number.
        """
        text = self.token(token_id)
        if text and "\N{REPLACEMENT CHARACTER}" not in text:
            return text
        if not text:
            return f"token_id:{token_id}"
        stored = self._bpe.id_to_token(token_id) or ""
        if not BYTES.keys() >= set(stored):  # an added token with that character
            return text
        return "bytes:" + "".join(f"\\x{BYTES[char]:02x}" for char in stored)

    def has_tokens_of(self, other: "Tokenizer") -> bool:
        """Whether both have the same tokens, with the same ids."""
        return self._bpe.get_vocab() == other._bpe.get_vocab()

    @cached_property
    def token_bytes(self) -> list[bytes]:
        """The bytes of each token, in the order of the ids.

        A token is empty if it has no part in a text: special tokens, those that end a
        text, and ids that the tokenizer lacks.
        """
        added = self._bpe.get_added_tokens_decoder()
        stored = {number: token for token, number in self._bpe.get_vocab().items()}
        silent = {*self.end_ids, *(i for i, token in added.items() if token.special)}

        def text(number: int) -> bytes:
            if number in added:
                return added[number].content.encode()
            return bytes(BYTES[character] for character in stored.get(number, ""))

        return [b"" if i in silent else text(i) for i in range(self.size)]

    def visible(self, token_id: int) -> str:
        """Returns one token's text ``marked``."""
        return marked(self.token(token_id))


def marked(text: str) -> str:
    """Returns a text with ``·`` for each space and ``↵`` for each line break.

    Other characters without a shape become escapes, and so do the two marks where they
    stand in the text itself.
    """
    return "".join(MARKS.get(character) or drawn(character) for character in text)


def drawn(character: str) -> str:
    """Returns a character itself, or an escape such as ``\\t`` or ``\\xb7``."""
    if character.isprintable() and character not in MARKS.values():
        return character
    return character.encode("unicode_escape").decode()


class StreamingDecoder:
    """Decodes token by token, and returns complete characters only.

    A character outside ASCII may span several tokens. Its tokens are held back until
    the character is complete. A token that ends the text has no text.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._held: list[int] = []

    def feed(self, token_id: int) -> str:
        """Adds one token; returns the text that is now complete."""
        if token_id not in self._tokenizer.end_ids:
            self._held.append(token_id)
        text = self._tokenizer.decode(self._held)
        return "" if text.endswith("\N{REPLACEMENT CHARACTER}") else self._release(text)

    def finish(self) -> str:
        """Returns the text held back; U+FFFD replaces an incomplete character."""
        return self._release(self._tokenizer.decode(self._held))

    def _release(self, text: str) -> str:
        self._held.clear()
        return text


def load_tokenizer(folder: Path, vocab_size: int | None = None) -> Tokenizer:
    """Reads the tokenizer of a checkpoint.

    Args:
        folder: has the files that ``read_bpe`` and ``boundary_ids`` read.
        vocab_size: the model's. Many a tokenizer has a token for padding that its
            model lacks: added tokens past the model's are left out, so that their
            text is read like any other. None leaves nothing out.

    Raises:
        CheckpointError: the files are missing, damaged or contradict each other, or
            hold a tokenizer of another kind than GPT-2's or of another model.
    """
    try:
        bpe = read_bpe(folder)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"the tokenizer in {folder} cannot be read ({error}): get its files again"
        ) from error
    if vocab_size is not None:
        bpe = _without_added_tokens(bpe, vocab_size)
    ends, starts = (boundary_ids(folder, bpe, kind) for kind in ("eos", "bos"))
    if not (isinstance(bpe.decoder, decoders.ByteLevel) and ends):
        raise CheckpointError(
            f"the tokenizer in {folder} is not GPT-2's kind: a byte-level BPE with the "
            f"token {END_OF_TEXT} is needed, or with an eos_token_id in config.json"
        )
    tokenizer = Tokenizer(bpe, end_ids=ends, start_id=next(iter(starts), None))
    if vocab_size is not None and tokenizer.size > vocab_size:
        raise CheckpointError(
            f"the tokenizer in {folder} has {tokenizer.size} tokens, but the model "
            f"only {vocab_size}: both have to come from the same model"
        )
    return tokenizer


def _without_added_tokens(bpe: BPETokenizer, vocab_size: int) -> BPETokenizer:
    """Returns the tokenizer without the added tokens from this id on."""
    if all(number < vocab_size for number in bpe.get_added_tokens_decoder()):
        return bpe
    content = json.loads(bpe.to_str())
    added = [token for token in content["added_tokens"] if token["id"] < vocab_size]
    return BPETokenizer.from_str(json.dumps(content | {"added_tokens": added}))
