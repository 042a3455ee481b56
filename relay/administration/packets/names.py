"""Packets as a person names them: by chain, client and sequence, or by a hash that the ledger knows."""

import re
from dataclasses import dataclass

from hutong.relay.administration.errors import Unusable
from hutong.relay.config import Config, PathEnd
from hutong.relay.ledger import LedgerReader

_PACKET_ID = re.compile(r"([a-z0-9-]{1,32})/([\w+-]{1,64})/([1-9][0-9]{0,19})", re.ASCII)
_HASH = re.compile(r"0x[0-9a-fA-F]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PacketRef:
    """A packet by its parts."""

    end: PathEnd
    sequence: int


def checked_name(name: str) -> str:
    """The ID as it was typed, if it can be one.

    Raises:
        Unusable: it is neither a packet id nor 32 bytes of hex.
    """
    if _PACKET_ID.fullmatch(name) is None and _HASH.fullmatch(name) is None:
        raise Unusable(
            f"{name[:80]!r} is not an ID: give chain/client/sequence (alpha/client-0/7), a message id or a transaction hash"
        )
    return name


def packet_ref(name: str, config: Config) -> PacketRef | None:
    """The parts of a packet id; None if it is a hash.

    Raises:
        Unusable: the configuration has no such chain, or the client is no identifier.
    """
    match = _PACKET_ID.fullmatch(name)
    if match is None:
        return None
    chain, client, sequence = match.groups()
    if all(known.name != chain for known in config.chains):
        raise Unusable(
            f"no chain is called {chain}; the configuration has {', '.join(one.name for one in config.chains)}"
        )
    try:
        return PacketRef(PathEnd(chain=chain, client=client), int(sequence))
    except ValueError:
        raise Unusable(f"{client!r} is not a client identifier") from None


def ids_of(name: str, reader: LedgerReader | None) -> list[str]:
    """Packets that the ledger knows by this name; none where there is no ledger.

    Raises:
        Unusable: as `checked_name`.
        LedgerUnavailable: the ledger cannot be read.
    """
    return [] if reader is None else reader.find(checked_name(name))
