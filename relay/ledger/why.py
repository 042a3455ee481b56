"""The sentence of `hutong why`, from the ledger alone."""

from relay.ledger.explain import Explanation, explain
from relay.ledger.reader import LedgerReader


def why(packet_id: str, reader: LedgerReader, now_ns: int) -> Explanation | None:
    """Why the packet is where it is; None if the ledger has never heard of it. Blocks."""
    life = reader.life(packet_id)
    if life is None:
        return None
    legs = reader.legs(packet_id)
    later = [one for one in legs if one != packet_id]
    leg_2 = reader.life(later[-1]) if later and legs[0] == packet_id else None
    return explain(life, now_ns, leg_2)
