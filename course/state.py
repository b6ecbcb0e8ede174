"""Records which exercises passed, and with which text of the learner's file."""

import hashlib
import json
import os
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from course.registry import ROOT, Exercise, short
from course.step_files import is_untouched

Status = Literal["passed", "failed", "to do", "changed", "missing"]


@dataclass(frozen=True)
class Record:
    """The last result of an exercise.

    Attributes:
        digest: the hash of the graded text, its checker and MAX's version.
        passed: whether every check held.
        seconds: how long the checks took.
        when: seconds since 1970.
    """

    digest: str
    passed: bool
    seconds: float
    when: float


class Progress:
    """The records in ``.course/state.json``; if they are lost, grading makes new ones.

    Args:
        steps_dir: the folder with the learner's files.

    Attributes:
        records: the last result of each exercise, by its key.
        not_kept: a sentence, if results could not be written; else empty.
    """

    def __init__(self, steps_dir: Path = ROOT / "steps") -> None:
        self.steps_dir = steps_dir
        self.path = steps_dir.parent / ".course" / "state.json"
        self.records = self._read()
        self.not_kept = ""
        self._unwritten: dict[str, Record] = {}

    def status(self, exercise: Exercise) -> Status:
        """Returns an exercise's status, for the text that its file has now."""
        path = self.steps_dir / exercise.step_path.name
        if not path.exists():
            return "missing"
        try:
            if is_untouched(path, exercise):
                return "to do"
            digest = self.digest(exercise)
        except OSError:  # the file cannot be read
            return "failed"
        record = self.records.get(exercise.key)
        if record is None or record.digest != digest:
            return "changed"
        return "passed" if record.passed else "failed"

    def digest(self, exercise: Exercise) -> str:
        """Hashes the learner's text, its checker and MAX's version."""
        parts = [
            (self.steps_dir / exercise.step_path.name).read_bytes(),
            (ROOT / exercise.checker_path).read_bytes(),
            version("max").encode(),
        ]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()

    def record(
        self, exercise: Exercise, digest: str, *, passed: bool, seconds: float
    ) -> None:
        """Writes the result of the text that had this digest.

        What cannot be written is known to this process alone.
        """
        result = Record(digest, passed, seconds, time.time())
        self._unwritten[exercise.key] = result
        # Read again, because another process may have written meanwhile.
        self.records = self._read() | self._unwritten
        try:
            self._write()
        except OSError as error:
            place = short(self.path)
            self.not_kept = f"{place} cannot be written: {error.strerror}."
        else:
            self.not_kept, self._unwritten = "", {}

    def _write(self) -> None:
        data = {key: asdict(record) for key, record in self.records.items()}
        self.path.parent.mkdir(exist_ok=True)
        new = self.path.with_suffix(f".{os.getpid()}")
        try:
            new.write_text(json.dumps(data, indent=2), encoding="utf-8")
            new.replace(self.path)
        finally:
            new.unlink(missing_ok=True)

    def _read(self) -> dict[str, Record]:
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            return {key: Record(**record) for key, record in data.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}  # missing or damaged: grading makes new records
