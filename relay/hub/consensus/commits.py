"""Every signature of a commit: what a proposer carries as its last commit, and what comes with a committed block.

Light clients stop above two thirds. A validator may not: block time is the median of all entries.
"""

from collections.abc import Mapping
from types import MappingProxyType

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.types import BlockId, BlockIdFlag, Commit, SignedMessageType, ValidatorSet
from hutong.relay.hub.consensus.types import NIL, Vote
from hutong.relay.hub.consensus.votes import above_two_thirds, vote_is_signed

NOTHING_KNOWN: Mapping[int, Vote] = MappingProxyType({})


def check_commit(
    chain_id: str,
    validators: ValidatorSet,
    height: int,
    block_id: BlockId,
    commit: Commit,
    known: Mapping[int, Vote] = NOTHING_KNOWN,
) -> None:
    """More than two thirds for the block, and no entry that its validator did not sign.

    Args:
        validators: the set that voted at `height`.
        known: precommits by validator index that were verified as votes; they are not verified again.

    Raises:
        MalformedInput: it is of another block, has too little power, or an entry is false; names the entry.
    """
    if (commit.height, commit.block_id) != (height, block_id):
        raise MalformedInput("commit", "is of another block", got=commit.height, expected=height)
    members = validators.validators
    if len(commit.signatures) != len(members):
        raise MalformedInput("commit.signatures", "one entry a validator", len(commit.signatures), len(members))
    power = 0
    unverified: list[tuple[int, Vote]] = []
    for index, (entry, member) in enumerate(zip(commit.signatures, members, strict=True)):
        if entry.block_id_flag is BlockIdFlag.ABSENT:
            continue
        if entry.validator_address != member.address:
            raise MalformedInput(
                f"commit.signatures[{index}]", "names another validator", entry.validator_address, member.address
            )
        for_block = entry.block_id_flag is BlockIdFlag.COMMIT
        vote = Vote(
            SignedMessageType.PRECOMMIT,
            height,
            commit.round,
            block_id if for_block else NIL,
            entry.timestamp_ns,
            index,
            member.address,
            entry.signature,
        )
        power += member.voting_power if for_block else 0
        if known.get(index) != vote:
            unverified.append((index, vote))
    total = validators.total_voting_power
    if not above_two_thirds(power, total):
        raise MalformedInput(
            "commit", "is not signed by more than two thirds", got=power, expected=f"> {total * 2 // 3}"
        )
    for index, vote in unverified:
        if not vote_is_signed(chain_id, validators, vote):
            raise MalformedInput(f"commit.signatures[{index}]", "is not its validator's signature", got=vote.signature)
