"""A registrar's shards in a folder, as far as a hub's blocks have been followed.

A call that the hub has executed is applied from its own data: what it changed follows from that, and from the block's time
where a person acted alone. To apply one twice changes nothing more, so that a start after a crash begins at the last mark.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from hutong.light_clients.interface.document import Document
from hutong.relay.base.durable_files import make_folder_durably, write_durably
from hutong.relay.services.identity.registrar.shard_file import ShardFile
from hutong.relay.services.identity.rules.persons import calls
from hutong.relay.services.identity.rules.persons.changing import (
    CONTROL_BYTES,
    Change,
    changed,
    decode_change,
    decode_changes,
    decode_control,
    encode_control,
)
from hutong.relay.services.identity.rules.persons.person import Control, Place, decode_opening, encode_opening
from hutong.relay.services.identity.rules.persons.registering import decode_registrations
from hutong.relay.services.identity.rules.records.encoding import HASH_BYTES
from hutong.relay.services.identity.rules.records.shard_record import MAX_LEAVES

MARK_FILE = "followed.json"
MAX_SHARDS = 4_096
MAX_WAITING = 2_048
"""Recoveries that were begun: the hub keeps half as many, and what was cancelled stays here until it is cleared."""
MAX_MARK_BYTES = 1024 * 1024


class ShardsInUse(Exception):
    """Another process has the folder open."""


class NotOfTheseShards(Exception):
    """A call that does not follow from what was applied before: blocks are missing, or are of another hub or registrar."""


@dataclass(frozen=True, slots=True)
class Executed:
    """A call of the identity module that a hub has executed, in a block of this time in Unix seconds."""

    data: bytes
    time_s: int


@dataclass
class Shards:
    """Of one registrar. `height` is of the last block whose calls were applied and kept.

    `waiting` says by shard and index whom a recovery that was begun is to make of a person.
    """

    folder: Path
    registrar: bytes
    height: int = 0
    files: list[ShardFile] = field(default_factory=list)
    waiting: dict[tuple[int, int], Control] = field(default_factory=dict)

    # --- reads

    def shard(self, number: int) -> ShardFile:
        """A shard that has begun.

        Raises:
            NotOfTheseShards: it has not.
        """
        if not 0 <= number < len(self.files):
            raise NotOfTheseShards(f"{len(self.files)} shards have begun, and number {number} is not among them")
        return self.files[number]

    def last(self) -> tuple[int, ShardFile]:
        """The shard that takes the next person, with its number; it begins where the last one is full."""
        if not self.files or self.files[-1].count == MAX_LEAVES:
            self.files.append(ShardFile(self.folder, len(self.files)))
        return len(self.files) - 1, self.files[-1]

    # --- what the hub has done

    def apply(self, executed: Executed) -> bool:
        """Take over what a call has done; False where it is about something else or another registrar's.

        Raises:
            NotOfTheseShards: it does not follow from what was applied before.
            VerificationError: it is not a call that a hub has executed.
        """
        applied = _APPLIED.get(executed.data[: calls.SELECTOR_BYTES])
        return applied is not None and applied(self, executed)

    def _register(self, executed: Executed) -> bool:
        (registrar, _), number, edge, data = calls.REGISTER_PERSONS.decode(executed.data)
        if registrar != self.registrar:
            return False
        while number == len(self.files) and (not self.files or self.files[-1].count == MAX_LEAVES):
            self.last()
        shard = self.shard(number)
        if len(edge) != shard.count.bit_count():
            raise NotOfTheseShards(f"a batch for shard {number} does not begin after {shard.count} persons")
        entries = decode_registrations(data)
        shard.append(b"".join(encode_opening(entry.person) for entry in entries))
        return True

    def _change_many(self, executed: Executed) -> bool:
        (registrar, _), number, _, data = calls.CHANGE_PERSONS.decode(executed.data)
        return registrar == self.registrar and self._change(number, decode_changes(data), None)

    def _change_own(self, executed: Executed) -> bool:
        registrar, number, _, data = calls.CHANGE_PERSON.decode(executed.data)
        return registrar == self.registrar and self._change(number, (decode_change(data),), executed.time_s)

    def _change(self, number: int, entries: Sequence[Change], own_s: int | None) -> bool:
        shard = self.shard(number)
        for entry in entries:
            shard.put(entry.index, changed(entry.before, entry.following, own_s))
        return True

    def _start(self, executed: Executed) -> bool:
        (registrar, number, index), _, _, following, *_ = calls.START_RECOVERY.decode(executed.data)
        return registrar == self.registrar and self._wait(number, index, following)

    def _start_as_registrar(self, executed: Executed) -> bool:
        (registrar, _), number, index, _, _, following, _ = calls.START_RECOVERY_AS_REGISTRAR.decode(executed.data)
        return registrar == self.registrar and self._wait(number, index, following)

    def _wait(self, number: int, index: int, following: bytes) -> bool:
        self.waiting[number, index] = decode_control(following)
        return True

    def _complete(self, executed: Executed) -> bool:
        (registrar, number, index), opening, _ = calls.COMPLETE_RECOVERY.decode(executed.data)
        if registrar != self.registrar:
            return False
        following = self.waiting.pop((number, index), None)
        if following is None:
            raise NotOfTheseShards(f"a recovery in shard {number} at {index} that was never begun")
        self.shard(number).put(index, changed(decode_opening(opening), following))
        return True

    def _clear(self, executed: Executed) -> bool:
        ((registrar, number, index),) = calls.CLEAR_RECOVERY.decode(executed.data)
        return registrar == self.registrar and self.waiting.pop((number, index), None) is not None

    # --- marks

    def keep(self, height: int) -> None:
        """Everything up to the block of `height` is on the disk when it returns."""
        for file in self.files:
            file.flush()
        self.height = height
        waiting = [
            {"shard": number, "index": index, "following": encode_control(control).hex()}
            for (number, index), control in sorted(self.waiting.items())
        ]
        counts = [file.count for file in self.files]
        marked = {"registrar": self.registrar.hex(), "height": height, "counts": counts, "waiting": waiting}
        write_durably(self.folder / MARK_FILE, json.dumps(marked).encode())

    def back_to_mark(self) -> None:
        """Forget what was applied since `keep`, such as the first calls of blocks whose others a node did not tell.

        Raises:
            NotOfTheseShards, MalformedInput: the mark is not what `keep` wrote.
        """
        kept = _marked(self.folder, self.registrar)
        for file in self.files:
            file.close()
        self.files, self.height, self.waiting = kept.files, kept.height, kept.waiting

    def place_of(self, number: int, index: int) -> Place:
        """A place of this registrar."""
        return Place(self.registrar, number, index)


_APPLIED = {
    calls.REGISTER_PERSONS.selector: Shards._register,
    calls.CHANGE_PERSONS.selector: Shards._change_many,
    calls.CHANGE_PERSON.selector: Shards._change_own,
    calls.START_RECOVERY.selector: Shards._start,
    calls.START_RECOVERY_AS_REGISTRAR.selector: Shards._start_as_registrar,
    calls.COMPLETE_RECOVERY.selector: Shards._complete,
    calls.CLEAR_RECOVERY.selector: Shards._clear,
}


@contextmanager
def open_shards(folder: Path, registrar: bytes) -> Iterator[Shards]:
    """The shards in a folder, which is made where it is not there; nobody else has it open meanwhile.

    Raises:
        ShardsInUse: another process has it open.
        NotOfTheseShards: it is another registrar's.
        MalformedInput: its mark cannot be read.
    """
    make_folder_durably(folder)
    with (folder / "lock").open("a") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except OSError as error:
            raise ShardsInUse(f"{folder} is open in another process") from error
        shards = _marked(folder, registrar)
        try:
            yield shards
        finally:
            for file in shards.files:
                file.close()


def _marked(folder: Path, registrar: bytes) -> Shards:
    path = folder / MARK_FILE
    if not path.exists():
        return Shards(folder, registrar)
    with path.open("rb") as file:
        document = Document.parse(file.read(MAX_MARK_BYTES + 1), str(path), MAX_MARK_BYTES)
    with document.members() as fields:
        found, height = fields["registrar"].hex(HASH_BYTES), fields["height"].integer(0, 2**63)
        counts = [item.integer(0, MAX_LEAVES) for item in fields["counts"].items(MAX_SHARDS)]
        waiting = dict(map(_waiting, fields["waiting"].items(MAX_WAITING)))
    if found != registrar:
        raise NotOfTheseShards(f"{folder} holds the shards of {found.hex()}, not of {registrar.hex()}")
    files = [ShardFile(folder, number, count) for number, count in enumerate(counts)]
    return Shards(folder, registrar, height, files, waiting)


def _waiting(item: Document) -> tuple[tuple[int, int], Control]:
    with item.members() as fields:
        place = fields["shard"].integer(0, MAX_SHARDS - 1), fields["index"].integer(0, MAX_LEAVES - 1)
        return place, decode_control(fields["following"].hex(CONTROL_BYTES))
