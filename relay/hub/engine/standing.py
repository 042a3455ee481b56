"""Whether this process can decide blocks by itself, as the embedded engine must: it has no peers to wait for."""

from hutong.light_clients.tendermint.types import ValidatorSet
from hutong.relay.hub.consensus.votes import above_two_thirds


def why_no_blocks(validators: ValidatorSet, height: int, own_address: bytes) -> str | None:
    """Why the votes of this key (20-byte address) alone decide nothing at `height`; None where they do.

    One sentence.
    """
    total = validators.total_voting_power
    own = sum(member.voting_power for member in validators.validators if member.address == own_address)
    if above_two_thirds(own, total):
        return None
    name = own_address.hex().upper()
    if own == 0:
        return (
            f"no block {height}: this node's key {name} is not in the validator set of that height, so it signs nothing"
        )
    return (
        f"no block {height}: this node's key {name} has {own} of {total} voting power and blocks need more than two thirds;"
        " the embedded engine has no peers, so it signs nothing (run the members' nodes under CometBFT)"
    )
