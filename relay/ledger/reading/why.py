"""The sentence of `hutong why`, from the ledger alone."""

from hutong.relay.ledger.reading.explain import Explanation, explain
from hutong.relay.ledger.reading.reader import LedgerReader
from hutong.relay.ledger.values.packets import LifeCycle


def why(packet_id: str, reader: LedgerReader, now_ns: int) -> Explanation | None:
    """Why the packet is where it is; None if the ledger has never heard of it. Blocks.

    Args:
        now_ns: the host's clock, for ages in the sentence.

    Raises:
        LedgerUnavailable: the ledger cannot be read, or one of the packet's rows.
    """
    life = reader.life(packet_id)
    return None if life is None else why_of_life(life, reader, now_ns)


def why_of_life(life: LifeCycle, reader: LedgerReader, now_ns: int) -> Explanation:
    """The same, of a life that was read: of a first leg, what became of the second is part of the reason. Blocks.

    Raises:
        LedgerUnavailable: the ledger cannot be read, or a row of the second leg.
    """
    legs = reader.legs(life.packet_id)
    later = [one for one in legs if one != life.packet_id]
    leg_2 = reader.life(later[-1]) if later and legs[0] == life.packet_id else None
    return explain(life, now_ns, leg_2)
