"""One entry of a log ("The DID Log File"): a line of JSON, read and not judged."""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface.document import Document
from hutong.light_clients.interface.errors import MalformedInput
from hutong.relay.services.identity.rules.dids.instants import parse_instant_ns
from hutong.relay.services.identity.rules.dids.webvh.parameters import StatedParameters, read_parameters
from hutong.relay.services.identity.rules.dids.webvh.proof import MAX_INSTANT_CHARS, LogProof, read_proof
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, read_json_object

MAX_LOG_BYTES: Final = 4 * 1024 * 1024
MAX_ENTRIES: Final = 1_024
MAX_ENTRY_BYTES: Final = 256 * 1024
MAX_PROOFS: Final = 8
MAX_VERSION_ID_CHARS: Final = 64
MAX_DOCUMENT_ID_CHARS: Final = 1_024


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What one line says. `unproven` is the whole line without its proof, which hashes and signatures cover."""

    version_id: str
    version_time: str
    version_time_ns: int
    stated: StatedParameters
    state: JsonObject
    document_id: str
    proofs: tuple[LogProof, ...]
    unproven: JsonObject


def read_log(data: bytes) -> tuple[LogEntry, ...]:
    """The entries of `did.jsonl`, one a line; the last line may lack its line end.

    Raises:
        MalformedInput: out of bounds, an empty line, or a line that is no entry; its field names the line from 0.
        PredicateFailed: a proof of another suite, purpose or did:key.
    """
    if len(data) > MAX_LOG_BYTES:
        raise MalformedInput(LOG, f"more than {MAX_LOG_BYTES} bytes", got=len(data))
    if not data:
        raise MalformedInput(LOG, "is empty")
    lines = data.removesuffix(b"\n").split(b"\n")
    if len(lines) > MAX_ENTRIES:
        raise MalformedInput(LOG, f"more than {MAX_ENTRIES} entries", got=len(lines))
    return tuple(read_entry(line, f"{LOG}[{number}]") for number, line in enumerate(lines))


LOG: Final = "did.jsonl"


def read_entry(line: bytes, field: str) -> LogEntry:
    """One line; `field` names it in errors.

    Raises:
        MalformedInput, PredicateFailed: see `read_log`.
    """
    value = read_json_object(line, field, MAX_ENTRY_BYTES)
    with Document(value, field).members() as fields:
        time = fields["versionTime"]
        version_time = time.text(MAX_INSTANT_CHARS)
        state = fields["state"]
        if not isinstance(state.value, dict):
            raise state.refused("is not an object", got=state.value)
        document_id = Document(state.value.get("id"), f"{field}.state.id").text(MAX_DOCUMENT_ID_CHARS)
        return LogEntry(
            version_id=fields["versionId"].text(MAX_VERSION_ID_CHARS),
            version_time=version_time,
            version_time_ns=parse_instant_ns(version_time, time.path),
            stated=read_parameters(fields["parameters"]),
            state=state.value,
            document_id=document_id,
            proofs=tuple(read_proof(proof) for proof in fields["proof"].items(MAX_PROOFS, least=1)),
            unproven={name: member for name, member in value.items() if name != "proof"},
        )
