"""The rules over checkpoints, one function a rule (docs/spec/tlog-client.md)."""

from collections.abc import Iterator

from hutong.light_clients.crypto import ed25519
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    PredicateFailed,
    cited,
    rule,
    trusting,
)
from hutong.light_clients.tlog.checkpoints import Checkpoint, cosigned_bytes, decode_cosignature
from hutong.light_clients.tlog.notes import COSIGNATURE_V1, ED25519, Key, NoteSignature
from hutong.light_clients.tlog.types import MAX_TIMESTAMP_S, ClientState, ConsensusState

SPEC = "docs/spec/tlog-client.md"
CHECKPOINT = "C2SP tlog-checkpoint"
COSIGNATURE = "C2SP tlog-cosignature"
NOTE = "C2SP signed-note"

within_trusting_period = cited(trusting.within_trusting_period, SPEC)


@rule(CHECKPOINT)
def checkpoint_is_of_the_log(checkpoint: Checkpoint, origin: str) -> None:
    """The first line is the log's origin.

    Raises:
        PredicateFailed: another one.
    """
    if checkpoint.origin != origin:
        raise PredicateFailed(
            "checkpoint_is_of_the_log", "the checkpoint is of another log", got=checkpoint.origin, expected=origin
        )


@rule(f"{NOTE}; {CHECKPOINT}")
def log_signed(checkpoint: Checkpoint, log_key: Key) -> None:
    """The log's own key signed the whole text.

    Raises:
        PredicateFailed: there is no signature of it, more than one, or one that does not verify.
    """
    name = "log_signed"
    signature = signature_by(checkpoint, log_key, ED25519, name)
    if signature is None:
        raise PredicateFailed(name, "the log has not signed", expected=log_key.name)
    if not ed25519.verify_strict(log_key.public_key, checkpoint.note.text, signature.signature):
        raise PredicateFailed(name, "the log's signature does not verify", got=signature.signature)


@rule(f"{COSIGNATURE}; {SPEC}")
def quorum_cosigned(checkpoint: Checkpoint, client: ClientState) -> int:
    """Enough witnesses cosigned the whole text. Returns the lowest time of the quorum, Unix seconds.

    The quorum is the cosignatures with the latest times: so many witnesses say that nothing larger was known to them then.
    What other keys signed is ignored; a cosignature by a known key that does not verify refuses the checkpoint.

    Raises:
        PredicateFailed: too few, a witness's second one, or one that does not verify.
        MalformedInput: one of a known key has another form.
    """
    times = sorted(_times(checkpoint, client.witnesses), reverse=True)
    if len(times) < client.quorum:
        raise PredicateFailed(
            "quorum_cosigned", "too few witnesses cosigned", got=len(times), expected=f">= {client.quorum}"
        )
    return times[client.quorum - 1]


def _times(checkpoint: Checkpoint, witnesses: tuple[Key, ...]) -> Iterator[int]:
    name = "quorum_cosigned"
    for witness in witnesses:
        line = signature_by(checkpoint, witness, COSIGNATURE_V1, name)
        if line is None:
            continue
        timestamp_s, signature = decode_cosignature(line, "header.checkpoint.cosignature")
        signed = cosigned_bytes(checkpoint.note.text, timestamp_s)
        if not ed25519.verify_strict(witness.public_key, signed, signature):
            raise PredicateFailed(name, f"the cosignature of {witness.name} does not verify", got=line.signature)
        yield timestamp_s


def signature_by(checkpoint: Checkpoint, key: Key, signature_type: int, predicate: str) -> NoteSignature | None:
    """The one line of a key, by name and id; None where there is none.

    Raises:
        PredicateFailed: `predicate`: there are two.
    """
    key_id = key.key_id(signature_type)
    lines = [line for line in checkpoint.note.signatures if line.name == key.name and line.key_id == key_id]
    if len(lines) > 1:
        raise PredicateFailed(predicate, "one key signed twice", got=key.name)
    return lines[0] if lines else None


@rule(SPEC)
def header_not_from_future(timestamp_s: int, max_clock_drift_ns: int, now_ns: int) -> None:
    """The quorum's time is earlier than now plus the drift. A lone witness's clock that is ahead does not matter.

    Raises:
        PredicateFailed: it is at that instant or later.
    """
    trusting.header_not_from_future(timestamp_s * NANOSECONDS_PER_SECOND, max_clock_drift_ns, now_ns)


@rule(SPEC)
def time_is_told(timestamp_s: int) -> None:
    """The quorum says when it signed, in a year that a consensus state holds. Zero is no time.

    Raises:
        PredicateFailed: zero, or later than `MAX_TIMESTAMP_S`.
    """
    if not 0 < timestamp_s <= MAX_TIMESTAMP_S:
        raise PredicateFailed("time_is_told", "the quorum's time", got=timestamp_s, expected=f"1 to {MAX_TIMESTAMP_S}")


@rule(SPEC)
def proof_begins_at_the_latest(trusted: ConsensusState, client: ClientState) -> None:
    """A larger tree is shown to have grown out of the largest that is believed: else it could leave that one out.

    Raises:
        PredicateFailed: the proof begins at a smaller one.
    """
    if trusted.height != client.latest_height:
        raise PredicateFailed(
            "proof_begins_at_the_latest",
            "the consistency proof begins below the largest tree that is believed",
            got=str(trusted.height),
            expected=str(client.latest_height),
        )


@rule(SPEC)
def time_does_not_go_back(timestamp_s: int, trusted: ConsensusState) -> None:
    """A larger tree is not cosigned earlier than the smaller one.

    Raises:
        PredicateFailed: it is.
    """
    if timestamp_s < trusted.timestamp_s:
        raise PredicateFailed(
            "time_does_not_go_back",
            "a larger tree was cosigned before a smaller one",
            got=timestamp_s,
            expected=f">= {trusted.timestamp_s}",
        )
