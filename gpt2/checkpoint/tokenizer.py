"""The tokenizer: byte-level BPE, from text to token ids and back.

Source: Radford et al. 2019, section 2.2.
"""

from pathlib import Path

from tokenizers import Tokenizer as BPETokenizer
from tokenizers import decoders, models, pre_tokenizers

from gpt2.checkpoint.errors import CheckpointError

END_OF_TEXT = "<|endoftext|>"  # separates the texts in the training data
# A vocabulary writes each byte as one character: itself if that is visible, or else one
# of those from U+0100 on.
VISIBLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
OTHERS = [byte for byte in range(256) if byte not in VISIBLE]
BYTES = {chr(byte): byte for byte in VISIBLE}
BYTES |= {chr(256 + number): byte for number, byte in enumerate(OTHERS)}


class Tokenizer:
    """Turns text into ids and back, without loss.

    ``<|endoftext|>`` in a text becomes the single token of that name, as in
    transformers. So a user can separate texts in a prompt.

    Args:
        bpe: a byte-level BPE that knows ``<|endoftext|>``.
    """

    def __init__(self, bpe: BPETokenizer) -> None:
        bpe.no_truncation()  # some files have settings of the training
        bpe.no_padding()
        self._bpe = bpe
        vocabulary = bpe.get_vocab()
        self.end_of_text_id = vocabulary[END_OF_TEXT]
        self.size = max(vocabulary.values()) + 1

    def encode(self, text: str) -> list[int]:
        """Turns text into ids."""
        return self._bpe.encode(text, add_special_tokens=False).ids

    def encode_prompt(self, text: str) -> list[int]:
        """Turns text into at least one id; an empty text becomes an end of text."""
        return self.encode(text) or [self.end_of_text_id]

    def decode(self, ids: list[int]) -> str:
        """Turns ids into text, without ``<|endoftext|>``."""
        return self._bpe.decode(ids)

    def token(self, token_id: int) -> str:
        """Returns one token's text, also for ``<|endoftext|>``."""
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
        return "bytes:" + "".join(f"\\x{BYTES[char]:02x}" for char in stored)

    def visible(self, token_id: int) -> str:
        """Returns one token's text, with visible spaces and control characters."""
        return repr(self.token(token_id))[1:-1].replace(" ", "␣")


class StreamingDecoder:
    """Decodes token by token, and returns complete characters only.

    A character outside ASCII may span several tokens. Its tokens are held back until
    the character is complete.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._held: list[int] = []

    def feed(self, token_id: int) -> str:
        """Adds one token; returns the text that is now complete."""
        self._held.append(token_id)
        text = self._tokenizer.decode(self._held)
        return "" if text.endswith("\N{REPLACEMENT CHARACTER}") else self._release(text)

    def finish(self) -> str:
        """Returns the text held back; U+FFFD replaces an incomplete character."""
        return self._release(self._tokenizer.decode(self._held))

    def _release(self, text: str) -> str:
        self._held.clear()
        return text


def load_tokenizer(folder: Path) -> Tokenizer:
    """Reads tokenizer.json, or else vocab.json and merges.txt.

    Raises:
        CheckpointError: the files are missing or damaged, or hold a tokenizer of
            another kind than GPT-2's.
    """
    try:
        bpe = _read(folder)
    except CheckpointError:
        raise
    except Exception as error:  # the library raises no narrower type
        raise CheckpointError(
            f"the tokenizer in {folder} cannot be read ({error}): get its files again"
        ) from error
    byte_level = isinstance(bpe.decoder, decoders.ByteLevel)
    if not byte_level or bpe.token_to_id(END_OF_TEXT) is None:
        raise CheckpointError(
            f"the tokenizer in {folder} is not GPT-2's kind: a byte-level BPE with the "
            f"token {END_OF_TEXT} is needed"
        )
    return Tokenizer(bpe)


def _read(folder: Path) -> BPETokenizer:
    """Reads the format that the folder has."""
    if (folder / "tokenizer.json").is_file():
        return BPETokenizer.from_file(str(folder / "tokenizer.json"))
    vocabulary, merges = folder / "vocab.json", folder / "merges.txt"
    if not (vocabulary.is_file() and merges.is_file()):
        raise CheckpointError(
            f"{folder} has no tokenizer: tokenizer.json is needed, or vocab.json and "
            "merges.txt"
        )
    bpe = BPETokenizer(models.BPE.from_file(str(vocabulary), str(merges)))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    if bpe.token_to_id(END_OF_TEXT) is not None:  # otherwise BPE splits it
        bpe.add_special_tokens([END_OF_TEXT])
    return bpe
