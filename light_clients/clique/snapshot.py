"""How blocks change who may seal: EIP-225's votes, checkpoints and recent signers, as go-ethereum applies them.

Source: EIP-225; ethereum/go-ethereum consensus/clique/snapshot.go.
"""

from dataclasses import replace

from hutong.light_clients.clique.types import SealedBlock, Snapshot, Vote
from hutong.light_clients.interface import PredicateFailed

NONCE_ADD = b"\xff" * 8
NONCE_DROP = bytes(8)
DIFFICULTY_IN_TURN = 2
DIFFICULTY_OUT_OF_TURN = 1


def is_checkpoint(number: int, epoch_length: int) -> bool:
    """Whether the block lists the signers and empties the votes: every `epoch_length` blocks, from genesis on."""
    return number % epoch_length == 0


def difficulty_of(snapshot: Snapshot, number: int, signer: bytes) -> int:
    """What a signer's block above the snapshot must be worth: more where it is the signer's turn.

    2 for the signer whose place in ascending order is `number` modulo their count, 1 for any other (EIP-225).
    """
    in_turn = snapshot.signers[number % len(snapshot.signers)] == signer
    return DIFFICULTY_IN_TURN if in_turn else DIFFICULTY_OUT_OF_TURN


def recents_before(snapshot: Snapshot) -> tuple[bytes, ...]:
    """Who may not seal the block above the snapshot: of ⌊n/2⌋ + 1 consecutive blocks a signer seals one."""
    return snapshot.recents[-(snapshot.limit - 1) :] if snapshot.limit > 1 else ()


def apply_block(snapshot: Snapshot, block: SealedBlock, signer: bytes, epoch_length: int) -> Snapshot:
    """The snapshot after `block`, which `signer` was free to seal.

    Raises:
        PredicateFailed: `signers_remain`: the last signer is voted out.
    """
    header = block.execution
    votes = () if is_checkpoint(header.number, epoch_length) else snapshot.votes
    after = Snapshot(header.number, snapshot.signers, (*recents_before(snapshot), signer), votes)
    candidate = header.beneficiary
    kept = tuple(vote for vote in votes if vote != Vote(candidate, signer))
    wants_in = header.nonce == NONCE_ADD
    is_signer = candidate in snapshot.signers
    if wants_in != is_signer:
        kept = tuple(sorted((*kept, Vote(candidate, signer))))
    after = replace(after, votes=kept)
    if sum(vote.candidate == candidate for vote in kept) <= len(snapshot.signers) // 2:
        return after
    return _without(after, candidate) if is_signer else _with(after, candidate)


def _with(snapshot: Snapshot, added: bytes) -> Snapshot:
    votes = tuple(vote for vote in snapshot.votes if vote.candidate != added)
    return replace(snapshot, signers=tuple(sorted((*snapshot.signers, added))), votes=votes)


def _without(snapshot: Snapshot, dropped: bytes) -> Snapshot:
    """The dropped signer's own votes go with it, and fewer blocks are recent."""
    signers = tuple(signer for signer in snapshot.signers if signer != dropped)
    if not signers:
        raise PredicateFailed("signers_remain", "the last signer is voted out", got=dropped)
    votes = tuple(vote for vote in snapshot.votes if dropped not in (vote.candidate, vote.signer))
    smaller = replace(snapshot, signers=signers, votes=votes)
    return replace(smaller, recents=smaller.recents[-smaller.limit :])
