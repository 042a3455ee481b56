"""A journal over a database whose checkpoints cost nothing: py-evm's `JournalDB`, with one log of what to undo.

py-evm keeps a dictionary for each checkpoint that there ever was in a transaction, and looks for the newest at each
write. Here a checkpoint is a position in the log of old values; what is written is what is paid for.
"""

from itertools import count
from typing import Any, Final

from eth.db.backends.base import BaseDB
from eth.db.diff import DBDiff, DBDiffTracker
from eth_utils.exceptions import ValidationError

next_checkpoint = count().__next__


class _Gone:
    """A key that reads as missing. Persisting deletes it below only where it was there."""

    __slots__ = ()


_DELETED: Final = _Gone()
_NEVER: Final = _Gone()
_ABSENT: Final = object()
"""The journal says nothing of the key; what it wraps does."""
_CLEARED: Final = object()


class UndoJournal(BaseDB):
    """Writes are held until `persist`. `record`, `commit` and `discard` nest, the newest checkpoint first."""

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped
        self._values: dict[bytes, Any] = {}
        self._ignores_wrapped = False
        self._log: list[tuple[Any, Any]] = []
        self._checkpoints: list[int] = []
        self._marks: list[int] = []

    # --- database

    def __getitem__(self, key: bytes) -> bytes:
        value = self._values.get(key, _ABSENT)
        if value is _ABSENT:
            if self._ignores_wrapped:
                raise KeyError(key)
            found: bytes = self._wrapped[key]
            return found
        if value is _DELETED or value is _NEVER:
            raise KeyError(key)
        known: bytes = value
        return known

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._write(key, value)

    def _exists(self, key: bytes) -> bool:
        return key in self

    def __contains__(self, key: object) -> bool:
        value = self._values.get(key, _ABSENT)  # type: ignore[call-overload]
        if value is _ABSENT:
            return not self._ignores_wrapped and key in self._wrapped
        return value is not _DELETED and value is not _NEVER

    def __delitem__(self, key: bytes) -> None:
        if key in self._wrapped:
            self._write(key, _DELETED)
        elif self._values.get(key, _NEVER) in (_NEVER, _DELETED):
            raise KeyError(key)
        else:
            self._write(key, _NEVER)

    def clear(self) -> None:
        """Nothing is there any more, below neither; the owner empties what is below.

        A checkpoint from before brings it back.
        """
        if self._checkpoints:
            self._log.append((_CLEARED, (self._values, self._ignores_wrapped)))
        self._values = {}
        self._ignores_wrapped = True

    def has_clear(self) -> bool:
        """Whether it was cleared since the last `persist` or `reset`, and that was not undone."""
        return self._ignores_wrapped

    # --- checkpoints

    def record(self, checkpoint: int | None = None) -> int:
        """Set a checkpoint and return its number.

        Args:
            checkpoint: the number that another journal gave it; None for a new one of this process.
        """
        number = next_checkpoint() if checkpoint is None else checkpoint
        self._checkpoints.append(number)
        self._marks.append(len(self._log))
        return number

    def commit(self, checkpoint: int) -> None:
        """Forget a checkpoint and what is newer; what was written stays.

        Raises:
            eth_utils.ValidationError: there is no such checkpoint.
        """
        self._leave(checkpoint)
        if not self._checkpoints:
            self._log.clear()

    def discard(self, checkpoint: int) -> list[bytes]:
        """Back to what was there at the checkpoint, which is forgotten with what is newer.

        Returns:
            The keys that were written since, with repetitions; those that a `clear` took away are not among them.

        Raises:
            eth_utils.ValidationError: there is no such checkpoint.
        """
        mark = self._leave(checkpoint)
        log, values = self._log, self._values
        undone = [key for key, _ in log[mark:] if key is not _CLEARED]
        while len(log) > mark:
            key, old = log.pop()
            if key is _CLEARED:
                values, self._ignores_wrapped = old
            elif old is _ABSENT:
                values.pop(key, None)
            else:
                values[key] = old
        self._values = values
        return undone

    def has_checkpoint(self, checkpoint: int) -> bool:
        """Whether it can still be discarded or committed."""
        return checkpoint in self._checkpoints

    def _leave(self, checkpoint: int) -> int:
        checkpoints, marks = self._checkpoints, self._marks
        if checkpoints and checkpoints[-1] == checkpoint:
            checkpoints.pop()
            return marks.pop()
        if checkpoint not in checkpoints:
            raise ValidationError(f"no checkpoint {checkpoint}; there are {checkpoints}")
        at = checkpoints.index(checkpoint)
        mark = marks[at]
        del checkpoints[at:], marks[at:]
        return mark

    # --- what is held

    def persist(self) -> None:
        """Write all to the database below, and start anew without checkpoints.

        What a `clear` took away is not deleted there: the owner empties what is below.
        """
        values = self._values
        self.reset()
        for key, value in values.items():
            if value is _DELETED:
                del self._wrapped[key]
            elif value is not _NEVER:
                self._wrapped[key] = value

    def reset(self) -> None:
        """Forget all that is held, and the checkpoints. What is below stays."""
        self._values, self._ignores_wrapped = {}, False
        self._log, self._checkpoints, self._marks = [], [], []

    def diff(self) -> DBDiff:
        """What `persist` would write, deletions included; a `clear` is not in it."""
        tracker = DBDiffTracker()
        for key, value in self._values.items():
            if value is _DELETED:
                del tracker[key]
            elif value is not _NEVER:
                tracker[key] = value
        return tracker.diff()

    def _write(self, key: bytes, value: Any) -> None:
        if self._checkpoints:
            self._log.append((key, self._values.get(key, _ABSENT)))
        self._values[key] = value


def undo_journal(wrapped: Any) -> Any:
    """A journal where py-evm's types ask for its own: an `UndoJournal` over any of py-evm's databases."""
    return UndoJournal(wrapped)
