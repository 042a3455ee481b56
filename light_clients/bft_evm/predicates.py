"""The rules that a QBFT header must keep, one function a rule (docs/spec/bft-evm-client.md, design rule 7).

A QBFT header lists the validators that seal it and commits to no next list, so one who holds the keys of some old list
could append headers to it for ever. Hence two thresholds on every update: ⌈2n/3⌉ of the header's own list, which is the
chain's rule, and more than a third of the list that is already trusted, so that at least one honest validator of it signed.
"""

from dataclasses import dataclass

from light_clients.bft_evm.extra_data import block_hash, commit_seal_hash
from light_clients.bft_evm.types import MAX_VALIDATORS, ClientState, Header
from light_clients.crypto import recover_eth_address
from light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    ClientExpired,
    ClientFrozen,
    Height,
    PredicateFailed,
)

MIX_HASH = bytes.fromhex("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365")
"""Istanbul digest, "ctical byzantine fault tolerance": every IBFT and QBFT header carries it."""
EMPTY_OMMERS_HASH = bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")
DIFFICULTY = 1
NONCE = bytes(8)


@dataclass(eq=True)
class TooLittleOverlap(PredicateFailed):
    """Too few of the trusted validators sealed the header; a nearer header may still be provable."""

    signed: int = 0
    needed: int = 0
    total: int = 0


def quorum_size(validators: int) -> int:
    """⌈2n/3⌉ (besu BftHelpers.calculateRequiredValidatorQuorum)."""
    return (2 * validators + 2) // 3


def overlap_size(trusted_validators: int) -> int:
    """The least count that is more than a third."""
    return trusted_validators // 3 + 1


def expires_at_ns(timestamp_s: int, trusting_period_s: int) -> int:
    return (timestamp_s + trusting_period_s) * NANOSECONDS_PER_SECOND


def client_not_frozen(client: ClientState) -> None:
    """No proof of misbehaviour is on record [ICS-02]."""
    if client.is_frozen:
        raise ClientFrozen


def within_trusting_period(timestamp_s: int, trusting_period_s: int, now_ns: int) -> None:
    """The trusted state is younger than the trusting period; at the exact edge it has expired."""
    edge_ns = expires_at_ns(timestamp_s, trusting_period_s)
    if edge_ns <= now_ns:
        raise ClientExpired(edge_ns, now_ns)


def height_increases(height: Height, trusted_height: Height) -> None:
    """A header is vouched for by a lower one of the same revision."""
    if trusted_height.revision_number != height.revision_number or height <= trusted_height:
        raise PredicateFailed(
            "height_increases", "header is not above its trusted height", got=height, expected=f"> {trusted_height}"
        )


def time_does_not_decrease(header: Header, trusted_timestamp_s: int) -> None:
    """Header time is whole seconds and repeats where blocks come faster, but never goes back."""
    if header.execution.timestamp_s < trusted_timestamp_s:
        raise PredicateFailed(
            "time_does_not_decrease",
            "header is older than its trusted state",
            got=header.execution.timestamp_s,
            expected=f">= {trusted_timestamp_s}",
        )


def header_not_from_future(timestamp_s: int, max_clock_drift_s: int, now_ns: int) -> None:
    """The header is earlier than now plus the allowed drift."""
    bound_ns = now_ns + max_clock_drift_s * NANOSECONDS_PER_SECOND
    timestamp_ns = timestamp_s * NANOSECONDS_PER_SECOND
    if timestamp_ns >= bound_ns:
        raise PredicateFailed(
            "header_not_from_future",
            "header time is beyond the clock drift",
            got=timestamp_ns,
            expected=f"< {bound_ns}",
        )


def qbft_constant_fields(header: Header) -> None:
    """Difficulty 1, nonce 0, no ommers and the Istanbul mix hash, as every QBFT node demands."""
    execution = header.execution
    for name, got, expected in (
        ("difficulty", execution.difficulty, DIFFICULTY),
        ("nonce", execution.nonce, NONCE),
        ("ommers_hash", execution.ommers_hash, EMPTY_OMMERS_HASH),
        ("mix_hash", execution.mix_hash, MIX_HASH),
    ):
        if got != expected:
            raise PredicateFailed("qbft_constant_fields", f"{name} is not QBFT's", got=got, expected=expected)


def validators_are_listed(header: Header) -> None:
    """1 to MAX_VALIDATORS distinct addresses. An empty list (validators in a contract) proves nothing and is refused."""
    validators = header.extra.validators
    if not validators:
        raise PredicateFailed("validators_are_listed", "extra data lists no validators (contract selection)")
    if len(validators) > MAX_VALIDATORS:
        raise PredicateFailed("validators_are_listed", f"more than {MAX_VALIDATORS}", got=len(validators))
    if len(set(validators)) != len(validators):
        raise PredicateFailed("validators_are_listed", "a validator is listed twice")


def recover_committers(header: Header) -> frozenset[bytes]:
    """Distinct signers of the commit seals, every one of them in the header's own list.

    As Besu and GoQuorum do, one bad seal refuses the header: a malformed one, a second one of a signer, one of a stranger.
    """
    name = "commit_seals_of_validators"
    digest = commit_seal_hash(header.execution, header.extra)
    listed = frozenset(header.extra.validators)
    committers: set[bytes] = set()
    for index, seal in enumerate(header.extra.seals):
        signer = recover_eth_address(digest, seal)
        if signer is None:
            raise PredicateFailed(name, f"seal {index} is no signature r, s, v with low s and v 0 or 1", got=seal)
        if signer not in listed:
            raise PredicateFailed(name, f"seal {index} is not by a listed validator", got=signer)
        if signer in committers:
            raise PredicateFailed(name, f"seal {index} is a second seal of its validator", got=signer)
        committers.add(signer)
    return frozenset(committers)


def quorum_of_own_validators(header: Header, committers: frozenset[bytes]) -> None:
    """At least ⌈2n/3⌉ of the header's own validators sealed it."""
    needed = quorum_size(len(header.extra.validators))
    if len(committers) < needed:
        raise PredicateFailed(
            "quorum_of_own_validators",
            "too few validators sealed the header",
            got=len(committers),
            expected=f">= {needed}",
        )


def overlap_with_trusted_validators(committers: frozenset[bytes], trusted_validators: tuple[bytes, ...]) -> None:
    """More than a third of the trusted validators sealed the header, adjacent or not."""
    signed = len(committers.intersection(trusted_validators))
    total = len(trusted_validators)
    needed = overlap_size(total)
    if signed < needed:
        raise TooLittleOverlap(
            "overlap_with_trusted_validators",
            "too few trusted validators sealed the header",
            got=signed,
            expected=f">= {needed} of {total}",
            signed=signed,
            needed=needed,
            total=total,
        )


def headers_conflict(header_1: Header, header_2: Header) -> None:
    """One height, two block hashes. The hash omits round and seals, so an honest re-proposal is no conflict."""
    if header_1.execution.number != header_2.execution.number:
        raise PredicateFailed(
            "headers_conflict",
            "headers are of different heights",
            got=header_2.execution.number,
            expected=header_1.execution.number,
        )
    first = block_hash(header_1.execution, header_1.extra)
    if first == block_hash(header_2.execution, header_2.extra):
        raise PredicateFailed("headers_conflict", "headers have the same block hash", got=first)
