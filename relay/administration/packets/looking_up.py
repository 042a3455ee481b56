"""What is told of packets by name: by the ledger with what chains know besides, or by the chains alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hutong.relay.administration.errors import Declined, Unusable
from hutong.relay.administration.packets.asking import standing_of
from hutong.relay.administration.packets.ledgers import opened_ledger
from hutong.relay.administration.packets.names import checked_name, ids_of, packet_ref
from hutong.relay.administration.packets.told_by_chains import Told, answer_with, told_of
from hutong.relay.config import Config
from hutong.relay.ledger import LedgerReader, LifeCycle, ToldPacket


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What is known by one name.

    Attributes:
        named: the packets that the name means.
        legs: they and the packets of their messages, first legs first. Empty where the ledger knows nothing.
        silent: why the chains did not tell what they know besides; None where they did.
    """

    named: tuple[ToldPacket, ...]
    legs: tuple[ToldPacket, ...]
    silent: str | None


@dataclass(frozen=True, slots=True)
class UnknownPacket:
    """What the chains say of a packet that the ledger does not know."""

    sentence: str
    sent: bool
    unsettled: bool


def look_up(name: str, config: Config, now_ns: int) -> LookedUp:
    """What ledger and chains say of the packets of a name, which is an id, a message's id or a transaction's hash.

    Args:
        now_ns: the host's clock, for ages.

    Raises:
        Unusable: the name is malformed, or of an unknown chain, or the ledger cannot be read.
    """
    checked_name(name)
    with opened_ledger(config.relay) as reader:
        ids = ids_of(name, reader)
        packet_ref(name, config)
        known = {} if reader is None else _known(ids, reader, now_ns)
        together = {} if reader is None else {one: reader.legs(one) for one in known}
    there, silent = _told_there([one.life for one in known.values()], config)
    told = {one: replace(said, answer=answer_with(said.answer, there, together[one])) for one, said in known.items()}
    return LookedUp(tuple(told[one] for one in ids if one in told), tuple(told.values()), silent)


def asked_of(name: str, config: Config) -> UnknownPacket:
    """What the two chains of a packet say, which the ledger does not know.

    Raises:
        Declined: the name is a hash, or no path of the configuration has the packet's end.
        Unusable: the configuration has no such chain, or one does not answer.
    """
    ref = packet_ref(name, config)
    if ref is None:
        raise Declined("the ledger knows neither a message nor a transaction of that name")
    opposite, said = standing_of(config, ref.end, ref.sequence)
    return UnknownPacket(said.sentence(ref.end, opposite), said.sent, said.unsettled)


def _known(ids: Sequence[str], reader: LedgerReader, now_ns: int) -> dict[str, ToldPacket]:
    """By packet id, each leg once."""
    legs = dict.fromkeys(leg for one in ids for leg in reader.legs(one))
    lives = [life for leg in legs if (life := reader.life(leg)) is not None]
    return {life.packet_id: ToldPacket.of(life, reader, now_ns) for life in lives}


def _told_there(lives: Sequence[LifeCycle], config: Config) -> tuple[tuple[Told, ...], str | None]:
    """What chains tell, and why they did not. The ledger's answer stands without one that cannot be asked."""
    try:
        return told_of(config, lives), None
    except Unusable as error:
        return (), str(error)
