"""What a record bundle says, in words for people."""

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.light_clients.records import OBSERVATION_PREFIX, ClientEpoch, Observation, PlaceKind, StorePlace, TrustKind
from hutong.light_clients.tendermint.rpc_json import format_time
from hutong.relay.archive.record_bundle import RecordKey, Statement, What, what_fields

OBSERVED = tuple(OBSERVATION_PREFIX + f"{kind.family}/".encode() for kind in PlaceKind)
"""What keys of observations begin with."""
MAX_SHOWN_BYTES = 64


def place_text(what: What) -> str:
    """What a statement is about: keys that are not text in hex."""
    if isinstance(what, RecordKey):
        return readable_key(what.key)
    if isinstance(what, StorePlace):
        return f"{what.store.decode()}/{_bytes_text(what.key)}"
    fields = what_fields(what)
    return f"{fields['account']} {fields.get('field', '')}{fields.get('slot', '')}"


def readable_key(key: bytes) -> str:
    """A record's key: its family and client as text, what is not text in hex."""
    for prefix in OBSERVED:
        if key.startswith(prefix):
            client, slash, tail = key[len(prefix) :].partition(b"/")
            if slash and client.isascii():
                return f"{prefix.decode()}{_bytes_text(client)}/0x{tail.hex()}"
    return _bytes_text(key)


def _bytes_text(data: bytes) -> str:
    text = data.decode("ascii", errors="replace")
    return text if data.isascii() and text.isprintable() else f"0x{data.hex()}"


def statement_text(statement: Statement, said: Observation | ClientEpoch | None) -> str:
    """What holds there; of an observation also when and by whom it was seen on the other chain."""
    place = place_text(statement.what)
    if isinstance(said, ClientEpoch):
        return f"{place}: epoch {said.number}, {'readable' if said.is_readable else 'closed'}"
    if not isinstance(said, Observation):
        return f"{place}: {value_text(statement.value)}"
    return (
        f"{place}: {value_text(said.value)}, observed at height {said.height} of"
        f" {time_text(said.source_time_ns)}, {trust_text(said)}, epoch {said.epoch}"
    )


def value_text(value: bytes | None) -> str:
    """In hex, long ones cut."""
    if value is None:
        return "nothing"
    shown = value[:MAX_SHOWN_BYTES].hex()
    return f"0x{shown}" if len(value) <= MAX_SHOWN_BYTES else f"0x{shown}… ({len(value)} bytes)"


def trust_text(observation: Observation) -> str:
    """Who stands for it."""
    trust = observation.trust
    if trust.kind is TrustKind.PROVEN:
        return "proven"
    return f"attested by {trust.threshold} of {trust.attestors}"


def time_text(time_ns: int) -> str:
    """RFC 3339, in whole seconds as ages are counted."""
    return format_time(time_ns // NANOSECONDS_PER_SECOND * NANOSECONDS_PER_SECOND)
