"""The last-signed record as a value: what may be signed next, so that no validator ever contradicts itself.

The node puts the new record on disk before a signature leaves (rule of design.md, "Time, heights, blocks").
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from hutong.light_clients.tendermint.skip_certificate import SkipStatement
from hutong.relay.hub.consensus.types import Step
from hutong.relay.hub.halting import NodeMustHalt

SIGNING_STEPS = (Step.PROPOSE, Step.PREVOTE, Step.PRECOMMIT)


class DoubleSignRefused(NodeMustHalt):
    """Signing this would contradict what was signed before, or is of an earlier step."""

    def __init__(self, height: int, round_: int, step: Step, reason: str) -> None:
        self.height, self.round, self.step, self.reason = height, round_, step, reason
        super().__init__(height, round_, step, reason)

    def __str__(self) -> str:
        return f"refused to sign {self.step.name.lower()} at height {self.height} round {self.round}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature that left, or may have left, with exactly what it covers."""

    step: Step
    sign_bytes: bytes
    timestamp_ns: int
    signature: bytes


class SkipRefused(NodeMustHalt):
    """Signing a skip would contradict what was signed before: one sentence."""

    def __init__(self, statement: SkipStatement, reason: str) -> None:
        self.statement, self.reason = statement, reason
        super().__init__(statement, reason)

    def __str__(self) -> str:
        return f"refused to sign the skip of {self.statement}: {self.reason}"


@dataclass(frozen=True, slots=True)
class SignedSkip:
    """A statement that a block counts as empty, which left or may have left: no other outcome of it is voted for."""

    statement: SkipStatement
    signature: bytes


@dataclass(frozen=True, slots=True)
class LastSigned:
    """Every signature of the newest height and round that anything was signed at, and the newest skip."""

    height: int = 0
    round: int = 0
    signed: tuple[Signed, ...] = ()
    skip: SignedSkip | None = None

    def at(self, step: Step) -> Signed | None:
        """What was signed in this step of the record's height and round; None where nothing was."""
        return next((entry for entry in self.signed if entry.step is step), None)


def next_signature(
    record: LastSigned,
    height: int,
    round_: int,
    step: Step,
    timestamp_ns: int,
    sign_bytes_at: Callable[[int], bytes],
    sign: Callable[[bytes], bytes],
) -> tuple[LastSigned, Signed]:
    """The record after signing, and the signature with its time.

    Asked again for what was signed before, with at most another timestamp, it returns the stored signature and the
    stored time (cometbft privval/file.go does the same), so that a restarted validator can go on.

    Args:
        sign_bytes_at: what would be signed at a time, nanoseconds.
        sign: 64 bytes of signature over such bytes; called at most once, and not for what is on record.

    Raises:
        DoubleSignRefused: an earlier height, round or step, or other bytes at the same one.
    """
    if (height, round_) < (record.height, record.round):
        raise DoubleSignRefused(height, round_, step, f"already at height {record.height} round {record.round}")
    if (height, round_) == (record.height, record.round):
        known = record.at(step)
        if known is not None:
            if sign_bytes_at(known.timestamp_ns) != known.sign_bytes:
                raise DoubleSignRefused(height, round_, step, "other bytes were signed there")
            return record, known
        if any(entry.step > step for entry in record.signed):
            raise DoubleSignRefused(height, round_, step, "a later step was signed")
        entries = record.signed
    else:
        entries = ()
    message = sign_bytes_at(timestamp_ns)
    entry = Signed(step, message, timestamp_ns, sign(message))
    return replace(record, height=height, round=round_, signed=(*entries, entry)), entry


def next_skip(record: LastSigned, statement: SkipStatement, sign: Callable[[], bytes]) -> tuple[LastSigned, SignedSkip]:
    """The record after signing a skip, and the signature. Asked again for the same, it returns the stored one.

    Whoever voted above the block, also for no block, has followed one outcome of it and may not vouch for the other: a
    commit above it and a certificate would else have no honest validator in common that lets only one of them be.

    Raises:
        SkipRefused: something was signed above the block, or another skip of this height or a later one.
    """
    known = record.skip
    if known is not None and known.statement == statement:
        return record, known
    if known is not None and known.statement.height >= statement.height:
        raise SkipRefused(statement, f"the skip of {known.statement} was signed")
    if record.height > statement.height:
        raise SkipRefused(statement, f"this key signed at height {record.height} already")
    signed = SignedSkip(statement, sign())
    return replace(record, skip=signed), signed


def skip_forbids(record: LastSigned, decided: SkipStatement) -> bool:
    """Whether this key signed that the block of `decided` counts as empty, so that it may not execute it and go on.

    Raises:
        SkipRefused: it signed so of another block or state of that height: the chain on disk is another one.
    """
    skip = record.skip
    if skip is None or skip.statement.height != decided.height:
        return False
    if skip.statement != decided:
        raise SkipRefused(decided, f"the skip of {skip.statement} was signed, of another block or state")
    return True


def above(record: LastSigned, height: int) -> LastSigned:
    """The record after the others decided `height`: nothing is signed up to it any more.

    A newer record stays as it is.
    """
    return LastSigned(height, skip=record.skip) if record.height < height else record
