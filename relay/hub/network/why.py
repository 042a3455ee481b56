"""Why there are no blocks, in one sentence: pure."""

from collections.abc import Set as AbstractSet

from hutong.light_clients.tendermint.types import SignedMessageType
from hutong.relay.hub.consensus.transition import RoundState
from hutong.relay.hub.consensus.votes import above_two_thirds

LATE_INTERVALS = 5


def why_no_block(
    state: RoundState, own_address: bytes, connected: AbstractSet[bytes], waited_s: float, interval_ms: int
) -> str | None:
    """Why no block came for `waited_s`, as one sentence; None for up to LATE_INTERVALS block intervals.

    `connected` are consensus addresses of peers; a guess from what this node sees, and no proof of who is at fault.
    """
    if waited_s * 1000 < LATE_INTERVALS * interval_ms:
        return None
    members = state.validators.validators
    total = state.validators.total_voting_power
    here = sum(m.voting_power for m in members if m.address == own_address or m.address in connected)
    if not above_two_thirds(here, total):
        absent = [m.address.hex() for m in members if m.address != own_address and m.address not in connected]
        return (
            f"no block {state.height}: this node and its connected peers have {here} of {total} voting power, blocks need"
            f" more than {total * 2 // 3}; not connected: {', '.join(absent[:10])}"
        )
    heard = {
        index
        for message_type in (SignedMessageType.PREVOTE, SignedMessageType.PRECOMMIT)
        for index in state.tally(state.round, message_type).votes
    }
    silent = [m.address.hex() for index, m in enumerate(members) if index not in heard]
    return (
        f"no block {state.height} yet, round {state.round}: {len(heard)} of {len(members)} validators voted in it"
        + (f"; silent: {', '.join(silent[:10])}" if silent else "")
    )
