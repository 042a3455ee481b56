"""Blocks of others, verified and applied: what a node that catches up believes of them.

A block is believed once more than two thirds of the set that the node's own state names for its height signed it, and it is
applied only where every field of its header follows from the node's own state, the app hash of the block before included.
"""

from collections.abc import Sequence

from hutong.light_clients.interface import MalformedInput, PredicateFailed, VerificationError
from hutong.light_clients.tendermint import predicates
from hutong.light_clients.tendermint.hashing import validator_set_hash
from hutong.light_clients.tendermint.skip_certificate import (
    SkipCertificate,
    decode_certificate,
    is_certificate,
    skip_is_about,
)
from hutong.light_clients.tendermint.types import (
    BlockId,
    BlockIdFlag,
    Commit,
    SignedHeader,
    SignedMessageType,
    ValidatorSet,
)
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.chain.ledger_evidence import EvidenceOutOfReach
from hutong.relay.hub.consensus.blocks import block_id_of
from hutong.relay.hub.consensus.types import NIL, Block, Vote
from hutong.relay.hub.consensus.validators import proposer_of
from hutong.relay.hub.consensus.votes import vote_is_signed
from hutong.relay.hub.engine.following import SkippedHere, executed_certified

MAX_ROUNDS = 1_000
"""Of proposers looked through for one block; a height that took more rounds is judged by the first of them."""


class ChainContradiction(Exception):
    """More than two thirds signed what does not follow from this node's state: one sentence, and the node must not go on."""


class WrongTurn(Exception):
    """A decided block comes from a validator whose turn it was not, by this node's priorities.

    No header commits to priorities: a node that got them from a member was lied to about whose turn it is.
    """


def verify_commit(chain_id: str, validators: ValidatorSet, block: Block, block_id: BlockId, commit: Commit) -> None:
    """More than two thirds of `validators` signed the block, and no entry of the commit is false.

    The whole commit is judged, since the node may put it into a block of its own (cometbft VerifyCommit). The rest of
    the block is not: whether it follows from the node's state is for `HubLedger.accepts`.

    Raises:
        PredicateFailed: `chain_id_matches`, `validators_hash_matches`, `one_entry_a_validator`,
            `commit_matches_header`, `commit_is_for_the_block`, `two_thirds_signed`, `every_entry_signed`.
    """
    predicates.chain_id_matches(block.header, chain_id)
    predicates.validators_hash_matches(block.header, validators)
    predicates.one_entry_a_validator(commit, validators)
    predicates.commit_matches_header(SignedHeader(block.header, commit))
    if commit.block_id != block_id:
        raise PredicateFailed(
            "commit_is_for_the_block",
            "other parts than the block's",
            commit.block_id.part_set_header,
            block_id.part_set_header,
        )
    predicates.two_thirds_signed(validators, commit, predicates.CommitSignatures(chain_id, commit))
    for index, entry in enumerate(commit.signatures):
        if entry.block_id_flag is BlockIdFlag.ABSENT:
            continue
        voted = commit.block_id if entry.block_id_flag is BlockIdFlag.COMMIT else NIL
        vote = Vote(
            SignedMessageType.PRECOMMIT,
            commit.height,
            commit.round,
            voted,
            entry.timestamp_ns,
            index,
            entry.validator_address,
            entry.signature,
        )
        if not vote_is_signed(chain_id, validators, vote):
            raise PredicateFailed("every_entry_signed", f"wrong signature at entry {index}", entry.signature)


def apply_verified(ledger: HubLedger, blocks: Sequence[Block], last: Commit, following: Block | None = None) -> None:
    """Verify and apply the blocks that follow from the tip, each by the commit in its successor, the last by `last`.

    Every block is on disk before the next is looked at, but for the certificate of one that was skipped, which the next begins
    with. `following` is not applied: it is the successor of the last one, where that is known.

    Raises:
        PredicateFailed, MalformedInput: whoever served the blocks lied; those before are applied.
        SkippedHere: the tip counts as empty and was executed here.
        WrongTurn, ChainContradiction: see there.
    """
    for index, block in enumerate(blocks):
        tip = ledger.tip
        if block.header.height != tip.height + 1:
            raise PredicateFailed("block_follows_tip", "another height", block.header.height, tip.height + 1)
        successor = following if index == len(blocks) - 1 else blocks[index + 1]
        commit = last if index == len(blocks) - 1 else blocks[index + 1].last_commit
        block_id = block_id_of(block)
        verify_commit(tip.chain_id, tip.validators, block, block_id, commit)
        check_turn(tip.validators, block, commit.round)
        try:
            accepted = ledger.accepts(block)
        except EvidenceOutOfReach:
            # Those who committed it judged the evidence; nothing else of the block is left to check but by executing it.
            accepted = ledger.accepts_transactions(block)
        except MalformedInput as error:
            check_not_skipped_here(ledger, block)
            raise ChainContradiction(
                f"block {block.header.height} is signed by more than two thirds and does not follow from this node's"
                f" state ({error}): the state or the validators are wrong"
            ) from error
        if not accepted:
            raise ChainContradiction(
                f"block {block.header.height} is signed by more than two thirds and this hutong refuses its transactions"
                f" or its rules version {block.header.version_app}: upgrade, or the validators are wrong"
            )
        ledger.apply(block, block_id, commit, skip_in(ledger, block_id, successor))


def skip_in(ledger: HubLedger, block_id: BlockId, successor: Block | None) -> SkipCertificate | None:
    """The certificate of the block that follows the tip, which its successor begins with; None where there is none.

    Raises:
        PredicateFailed, MalformedInput: the certificate is false, or is about another block.
        StateDamaged: the root of the tip's state is not stored.
    """
    if successor is None or not successor.transactions or not is_certificate(successor.transactions[0]):
        return None
    certificate = decode_certificate(successor.transactions[0])
    skips = ledger.application.skips
    skip_is_about(certificate, skips.statement(ledger.tip.height + 1, block_id.hash))
    skips.check(certificate)
    return certificate


def check_not_skipped_here(ledger: HubLedger, successor: Block) -> None:
    """Look whether `successor`, which does not follow from the tip, shows that the tip counts as empty.

    Raises:
        SkippedHere: it begins with a certificate that holds, of the tip, which was executed here.
    """
    if not successor.transactions or not is_certificate(successor.transactions[0]):
        return
    try:
        certificate = decode_certificate(successor.transactions[0])
        found = executed_certified(ledger, certificate)
    except VerificationError:
        return
    if found:
        raise SkippedHere(certificate)


def check_turn(validators: ValidatorSet, block: Block, round_: int) -> None:
    """The proposer of `block`, decided in `round_`, had its turn in that round or in an earlier one.

    A block that was locked in an earlier round keeps that round's proposer. After MAX_ROUNDS rounds any proposer
    passes.

    Raises:
        WrongTurn: no round up to this one was the proposer's, by the priorities in `validators`.
    """
    turns = []
    for earlier in range(min(round_, MAX_ROUNDS) + 1):
        turn = proposer_of(validators, earlier).address
        if turn == block.header.proposer_address:
            return
        turns.append(turn)
    if round_ > MAX_ROUNDS:
        return
    raise WrongTurn(
        f"block {block.header.height} of round {round_} is proposed by {block.header.proposer_address.hex().upper()},"
        f" whose turn it was not (set {validator_set_hash(validators).hex()[:16]}, {len(turns)} rounds)"
    )
