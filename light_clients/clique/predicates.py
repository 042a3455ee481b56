"""The rules of a branch of Clique headers, one function a rule (docs/spec/clique-client.md).

Clique has no finality. A signer may seal one of any ⌊n/2⌋ + 1 blocks in a row, so a branch on which more than half of
the signers have sealed has the seal of an honest one if at most half are not; and the deeper a block is buried, the more of the
honest ones work on top of it. Both are asked of every update.
"""

from collections.abc import Sequence

from hutong.light_clients.clique.seals import recover_signer
from hutong.light_clients.clique.snapshot import (
    DIFFICULTY_IN_TURN,
    DIFFICULTY_OUT_OF_TURN,
    NONCE_ADD,
    NONCE_DROP,
    difficulty_of,
    is_checkpoint,
    recents_before,
)
from hutong.light_clients.clique.types import ClientState, Header, SealedBlock, Snapshot, TrustedState
from hutong.light_clients.evm_header import rules as evm
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, PredicateFailed, cited, rule, trusting

SPEC = "docs/spec/clique-client.md"
EIP225 = "EIP-225; go-ethereum consensus/clique"

EMPTY_OMMERS_HASH = bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")
MIX_HASH = bytes(32)
NO_BENEFICIARY = bytes(20)


within_trusting_period = cited(trusting.within_trusting_period, SPEC)
height_increases = cited(evm.height_increases, SPEC)


@rule(EIP225)
def blocks_are_linked(header: Header, trusted: TrustedState) -> None:
    """From the trusted block's child on, each block names the one below by its hash; the believed one is among them.

    Raises:
        PredicateFailed: the first block of another height or parent, or no block of the believed height.
    """
    name = "blocks_are_linked"
    parent_hash, parent_number = trusted.block_hash, trusted.snapshot.number
    for block in header.blocks:
        execution = block.execution
        if execution.number != parent_number + 1:
            raise PredicateFailed(name, "height of a block", got=execution.number, expected=parent_number + 1)
        if execution.parent_hash != parent_hash:
            raise PredicateFailed(
                name, f"parent of block {execution.number}", got=execution.parent_hash, expected=parent_hash
            )
        parent_hash, parent_number = block.hash, execution.number
    if header.block_at(header.number) is None:
        raise PredicateFailed(name, "the believed block is not in the branch", got=header.number)


@rule(SPEC)
def header_not_from_future(header: Header, max_clock_drift_ns: int, now_ns: int) -> None:
    """Of the believed block: those on top only have to be late enough.

    Raises:
        PredicateFailed: its time is now plus the drift, or later.
    """
    block = header.block_at(header.number)
    if block is not None:
        trusting.header_not_from_future(
            block.execution.timestamp_s * NANOSECONDS_PER_SECOND, max_clock_drift_ns, now_ns
        )


@rule(EIP225)
def clique_constant_fields(header: Header, epoch_length: int) -> None:
    """No ommers, no mix hash, difficulty 1 or 2, a nonce that is a vote; in checkpoints nobody is voted for.

    Signers are listed by checkpoints and by no other block.

    Raises:
        PredicateFailed: the first block with another field, by its number.
    """
    for block in header.blocks:
        execution = block.execution
        checkpoint = is_checkpoint(execution.number, epoch_length)
        for name, got, expected in (
            ("ommers_hash", execution.ommers_hash, (EMPTY_OMMERS_HASH,)),
            ("mix_hash", execution.mix_hash, (MIX_HASH,)),
            ("difficulty", execution.difficulty, (DIFFICULTY_OUT_OF_TURN, DIFFICULTY_IN_TURN)),
            ("nonce", execution.nonce, (NONCE_DROP,) if checkpoint else (NONCE_DROP, NONCE_ADD)),
            ("beneficiary", execution.beneficiary, (NO_BENEFICIARY,) if checkpoint else (execution.beneficiary,)),
        ):
            if got not in expected:
                raise PredicateFailed(
                    "clique_constant_fields",
                    f"{name} of block {execution.number} is not Clique's",
                    got=got,
                    expected=expected[0],
                )
        if bool(block.signers) != checkpoint:
            raise PredicateFailed(
                "clique_constant_fields",
                f"signers in block {execution.number}: checkpoints list them, others do not",
                got=len(block.signers),
            )


@rule(EIP225)
def times_keep_the_period(header: Header, trusted: TrustedState, period_s: int) -> None:
    """Every block is at least a period younger than its parent. Times are whole seconds.

    Raises:
        PredicateFailed: the first block that comes too early, by its number.
    """
    earliest = trusted.timestamp_s + period_s
    for block in header.blocks:
        if block.execution.timestamp_s < earliest:
            raise PredicateFailed(
                "times_keep_the_period",
                f"block {block.execution.number} comes too early",
                got=block.execution.timestamp_s,
                expected=f">= {earliest}",
            )
        earliest = block.execution.timestamp_s + period_s


@rule(SPEC)
def buried_by_confirmations(header: Header, confirmations: int) -> None:
    """As many blocks as the client asks for stand on top of the believed one, which is not counted.

    Raises:
        PredicateFailed: fewer.
    """
    above = header.tip.execution.number - header.number
    if above < confirmations:
        raise PredicateFailed(
            "buried_by_confirmations", "too few blocks on top", got=above, expected=f">= {confirmations}"
        )


def signer_of(snapshot: Snapshot, block: SealedBlock) -> bytes:
    """The signer, who may seal the block above the snapshot, of the difficulty that its turn demands.

    Raises:
        PredicateFailed: `seal_is_a_signature`, `signer_is_authorized`, `signer_is_not_recent`,
            `difficulty_is_of_the_turn` or `checkpoint_lists_signers`.
    """
    number = block.execution.number
    signer = recover_signer(block)
    if signer is None:
        raise PredicateFailed("seal_is_a_signature", f"seal of block {number} is no r, s, v with v 0 or 1", block.seal)
    if signer not in snapshot.signers:
        raise PredicateFailed("signer_is_authorized", f"block {number} is not sealed by a signer", got=signer)
    if signer in recents_before(snapshot):
        raise PredicateFailed("signer_is_not_recent", f"signer of block {number} has sealed too recently", got=signer)
    difficulty = difficulty_of(snapshot, number, signer)
    if block.execution.difficulty != difficulty:
        raise PredicateFailed(
            "difficulty_is_of_the_turn",
            f"difficulty of block {number}",
            got=block.execution.difficulty,
            expected=difficulty,
        )
    if block.signers and block.signers != snapshot.signers:
        raise PredicateFailed("checkpoint_lists_signers", f"block {number} lists other signers, or in another order")
    return signer


@rule(SPEC)
def majority_of_signers_sealed(sealers: Sequence[bytes], snapshot: Snapshot) -> None:
    """More than half of the signers after the believed block sealed it or a block on top of it.

    Raises:
        PredicateFailed: half of them or fewer.
    """
    count = len(set(sealers).intersection(snapshot.signers))
    if count < snapshot.limit:
        raise PredicateFailed(
            "majority_of_signers_sealed",
            "too few of the signers sealed the block or one on top",
            got=count,
            expected=f">= {snapshot.limit} of {len(snapshot.signers)}",
        )


def branch_is_heaviest(client: ClientState, total_difficulty: int, head_hash: bytes) -> None:
    """A block above all that are believed stands, with its confirmations, on a branch that outweighs the one that the
    latest was believed on. Of two branches of one weight the first stays, as with nodes.

    Raises:
        PredicateFailed: less total difficulty, or as much under another head.
    """
    known = client.head_total_difficulty
    if total_difficulty < known or (total_difficulty == known and head_hash != client.head_hash):
        raise PredicateFailed(
            "branch_is_heaviest",
            "a heavier branch was shown before",
            got=total_difficulty,
            expected=f"> {known}",
        )


def branch_reaches_known_block(header: Header, known_number: int) -> None:
    """A block below the latest one is believed as an ancestor of a believed block, which the branch must reach.

    Raises:
        PredicateFailed: the branch ends below `known_number`.
    """
    tip = header.tip.execution.number
    if tip < known_number:
        raise PredicateFailed(
            "branch_reaches_known_block", "the branch ends below the next believed block", tip, f">= {known_number}"
        )


@rule(SPEC)
def headers_conflict(header_1: Header, header_2: Header) -> None:
    """One height, two block hashes.

    Raises:
        PredicateFailed: two heights, one block, or a believed block that is not in its branch.
    """
    if header_1.number != header_2.number:
        raise PredicateFailed(
            "headers_conflict", "blocks are of different heights", got=header_2.number, expected=header_1.number
        )
    first, second = (header.block_at(header.number) for header in (header_1, header_2))
    if first is None or second is None:
        raise PredicateFailed("headers_conflict", "the believed block is not in its branch", got=header_1.number)
    if first.hash == second.hash:
        raise PredicateFailed("headers_conflict", "blocks have the same hash", got=first.hash)
