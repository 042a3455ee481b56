"""The rules that a sealed header must keep, one function a rule (docs/spec/bft-evm-client.md, design rule 7).

A header lists the validators that seal it (or leaves the list to a contract) and commits to no next list, so one
who holds the keys of some old list could append headers to it for ever. Hence two thresholds on every update: the quorum of the
header's own list, which is the chain's rule, and more than a third of the list that is already trusted, so that at least one
honest validator of it signed.
"""

from functools import lru_cache

from hutong.light_clients.bft_evm.extra_data import block_hash, commit_seal_hash, proposer_seal_hash
from hutong.light_clients.bft_evm.types import MAX_VALIDATORS, Consensus, Header, QuorumRule
from hutong.light_clients.crypto import recover_eth_address
from hutong.light_clients.evm_header import rules as evm
from hutong.light_clients.interface import PredicateFailed, TooLittleOverlap, cited, rule, trusting

SPEC = "docs/spec/bft-evm-client.md"
BESU_RULES = "besu {Qbft,Ibft}BlockHeaderValidationRulesetFactory"
BESU_SEALS = "besu BftCommitSealsValidationRule"
GOQUORUM = "quorum consensus/istanbul/ibft/engine"

MIX_HASH = bytes.fromhex("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365")
"""Istanbul digest, "ctical byzantine fault tolerance": headers of all three rules carry it."""
EMPTY_OMMERS_HASH = bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")
DIFFICULTY = 1
NONCE = bytes(8)
ISTANBUL_NONCES = (NONCE, b"\xff" * 8)
"""Votes of the proposer: to drop or to add the header's beneficiary."""


def quorum_size(validators: int, rule: QuorumRule = QuorumRule.CEIL_TWO_THIRDS) -> int:
    """⌈2n/3⌉ (besu BftHelpers.calculateRequiredValidatorQuorum), or 2F + 1 with F = ⌈n/3⌉ - 1 (GoQuorum
    validator.Set.F).

    `validators` is n, at least 1.
    """
    if rule is QuorumRule.TWO_F_PLUS_ONE:
        return 2 * ((validators + 2) // 3 - 1) + 1
    return (2 * validators + 2) // 3


def overlap_size(trusted_validators: int) -> int:
    """The least count that is more than a third."""
    return trusted_validators // 3 + 1


within_trusting_period = cited(trusting.within_trusting_period, SPEC)
header_not_from_future = cited(trusting.header_not_from_future, SPEC)
height_increases = cited(evm.height_increases, SPEC)


@rule(SPEC)
def time_does_not_decrease(header: Header, trusted_timestamp_s: int) -> None:
    """Header time is whole seconds and repeats where blocks come faster, but never goes back.

    Raises:
        PredicateFailed: the header is older than its trusted state.
    """
    if header.execution.timestamp_s < trusted_timestamp_s:
        raise PredicateFailed(
            "time_does_not_decrease",
            "header is older than its trusted state",
            got=header.execution.timestamp_s,
            expected=f">= {trusted_timestamp_s}",
        )


def constant_fields(header: Header) -> None:
    """Difficulty 1, no ommers, Istanbul's mix hash and nonce 0, as nodes demand; an Istanbul nonce may be a vote.

    Raises:
        PredicateFailed: `<consensus>_constant_fields`: the first field that differs.
    """
    execution = header.execution
    nonces = ISTANBUL_NONCES if header.extra.consensus is Consensus.ISTANBUL else (NONCE,)
    for name, got, expected in (
        ("difficulty", execution.difficulty, (DIFFICULTY,)),
        ("nonce", execution.nonce, nonces),
        ("ommers_hash", execution.ommers_hash, (EMPTY_OMMERS_HASH,)),
        ("mix_hash", execution.mix_hash, (MIX_HASH,)),
    ):
        if got not in expected:
            raise PredicateFailed(
                f"{header.extra.consensus.name.lower()}_constant_fields",
                f"{name} is not {header.extra.consensus.name}'s",
                got=got,
                expected=expected[0],
            )


@rule(SPEC)
def validators_are_listed(validators: tuple[bytes, ...]) -> None:
    """1 to MAX_VALIDATORS distinct addresses. An empty list (validators in a contract) proves nothing and is refused.

    Raises:
        PredicateFailed: no validator, too many, or one twice.
    """
    if not validators:
        raise PredicateFailed("validators_are_listed", "extra data lists no validators (contract selection)")
    if len(validators) > MAX_VALIDATORS:
        raise PredicateFailed("validators_are_listed", f"more than {MAX_VALIDATORS}", got=len(validators))
    if len(set(validators)) != len(validators):
        raise PredicateFailed("validators_are_listed", "a validator is listed twice")


@lru_cache(maxsize=4096)
def recover_sealer(digest: bytes, seal: bytes) -> bytes | None:
    """Whose commit seal it is, 20 bytes; None where it is no signature. Args: 32 and 65 bytes, which say all of the answer.

    One header is judged when it is brought, proposed and executed, and again with each call that shows it for an observation.
    """
    return recover_eth_address(digest, seal)


def commit_seals_of_validators(header: Header, validators: tuple[bytes, ...]) -> frozenset[bytes]:
    """Distinct signers of the commit seals, every one of them in `validators`, the header's own list.

    As Besu and GoQuorum do, one bad seal refuses the header: malformed, a second one of a signer, or a stranger's.

    Raises:
        PredicateFailed: the first bad seal, by its index. No seal at all is left to the quorum.
    """
    name = "commit_seals_of_validators"
    digest = commit_seal_hash(header.execution, header.extra)
    listed = frozenset(validators)
    committers: set[bytes] = set()
    for index, seal in enumerate(header.extra.seals):
        signer = recover_sealer(digest, seal)
        if signer is None:
            raise PredicateFailed(name, f"seal {index} is no signature r, s, v with low s and v 0 or 1", got=seal)
        if signer not in listed:
            raise PredicateFailed(name, f"seal {index} is not by a listed validator", got=signer)
        if signer in committers:
            raise PredicateFailed(name, f"seal {index} is a second seal of its validator", got=signer)
        committers.add(signer)
    return frozenset(committers)


def recover_all_committers(header: Header) -> frozenset[bytes]:
    """Signers of the commit seals, whoever they are: a hint for anyone who does not know the list.

    Raises:
        PredicateFailed: `commit_seals_of_validators`: no seal, one that is not a signature, or two of one signer.
    """
    digest = commit_seal_hash(header.execution, header.extra)
    signers = [recover_sealer(digest, seal) for seal in header.extra.seals]
    found = frozenset(signer for signer in signers if signer is not None)
    if not found or len(found) != len(signers):
        raise PredicateFailed("commit_seals_of_validators", "there is no seal, a bad one, or two of one signer")
    return found


def recover_proposer(header: Header) -> bytes | None:
    """The 20-byte address of an Istanbul block's proposer; None where the proposer's seal is not a signature."""
    return recover_eth_address(proposer_seal_hash(header.execution, header.extra), header.extra.proposer_seal)


@rule(GOQUORUM)
def proposer_is_listed(header: Header, validators: tuple[bytes, ...]) -> None:
    """An Istanbul block carries the seal of the validator that proposed it.

    Raises:
        PredicateFailed: the seal is not a signature, or by an address that is not in `validators`.
    """
    proposer = recover_proposer(header)
    if proposer not in validators:
        raise PredicateFailed(
            "proposer_is_listed", "the proposer's seal is not by a listed validator", got=proposer or "no signature"
        )


def quorum_of_own_validators(validators: int, committers: frozenset[bytes], rule: QuorumRule) -> None:
    """At least the rule's quorum of the header's own validators sealed it; `validators` is their number.

    Raises:
        PredicateFailed: too few committers.
    """
    needed = quorum_size(validators, rule)
    if len(committers) < needed:
        raise PredicateFailed(
            "quorum_of_own_validators",
            "too few validators sealed the header",
            got=len(committers),
            expected=f">= {needed}",
        )


@rule(SPEC)
def overlap_with_trusted_validators(committers: frozenset[bytes], trusted_validators: tuple[bytes, ...]) -> None:
    """More than a third of the trusted validators sealed the header, adjacent or not.

    Raises:
        TooLittleOverlap: too few of them; a nearer header may do.
    """
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


@rule(SPEC)
def headers_conflict(header_1: Header, header_2: Header) -> None:
    """One height, two block hashes. The hash omits round and seals, so an honest re-proposal is no conflict.

    Raises:
        PredicateFailed: two heights, or one block.
    """
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
