"""`processes.json`: what of the city runs, so that `status` can look at it and `down` can end all of it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document
from hutong.relay.base.durable_files import write_durably
from hutong.relay.city.errors import CityUnusable
from hutong.relay.city.process_identity import ProcessIdentity

FORMAT = "hutong-city-processes"
VERSION = 1
MAX_BYTES = 256 * 1024
MAX_PROCESSES = 256
MAX_PID = 2**31 - 1
MAX_NAME_CHARS = 64
MAX_STARTED_CHARS = 64
MAX_PATH_CHARS = 4_096


@dataclass(frozen=True, slots=True)
class CityProcess:
    """A process by its name in the city; `parts` are its own direct children, such as the relay's queue."""

    name: str
    purpose: str
    log: str
    identity: ProcessIdentity | None
    """None before its first start."""
    parts: tuple[ProcessIdentity, ...] = ()


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """`keeper` is the city's own process, which starts the others and starts again what ends."""

    keeper: ProcessIdentity
    processes: tuple[CityProcess, ...] = ()

    def identities(self) -> list[ProcessIdentity]:
        """All but the keeper's."""
        every = [(process.identity, *process.parts) for process in self.processes]
        return [identity for group in every for identity in group if identity is not None]


def write_record(path: Path, record: ProcessRecord) -> None:
    """Replace the file, whole at once.

    Raises:
        OSError: it cannot be written.
    """
    document = {"format": FORMAT, "version": VERSION, **asdict(record)}
    write_durably(path, (json.dumps(document, indent=1) + "\n").encode())


def read_record(path: Path) -> ProcessRecord | None:
    """What the file says; None where there is none.

    Raises:
        CityUnusable: it cannot be read, or is not such a file.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CityUnusable(f"{path} cannot be read: {error.strerror}") from None
    try:
        return decode_record(data)
    except MalformedInput as error:
        raise CityUnusable(f"{path}: {error}") from None


def decode_record(data: bytes) -> ProcessRecord:
    """The record of these bytes.

    Raises:
        MalformedInput: they are more than MAX_BYTES, or not such a document.
    """
    document = Document.parse(data, "processes", MAX_BYTES)
    with document.of_format("a city's processes", FORMAT, VERSION) as fields:
        keeper = _identity(fields["keeper"])
        processes = tuple(_process(one) for one in fields["processes"].items(MAX_PROCESSES))
    return ProcessRecord(keeper, processes)


def _process(document: Document) -> CityProcess:
    with document.members() as fields:
        identity = fields["identity"].nullable()
        return CityProcess(
            fields["name"].text(MAX_NAME_CHARS, 1),
            fields["purpose"].text(MAX_PATH_CHARS),
            fields["log"].text(MAX_PATH_CHARS),
            None if identity is None else _identity(identity),
            _identities(fields["parts"].items(MAX_PROCESSES)),
        )


def _identities(documents: Sequence[Document]) -> tuple[ProcessIdentity, ...]:
    return tuple(map(_identity, documents))


def _identity(document: Document) -> ProcessIdentity:
    with document.members() as fields:
        return ProcessIdentity(fields["pid"].integer(2, MAX_PID), fields["started"].text(MAX_STARTED_CHARS, 1))
