"""Bundles that are well-formed and prove nothing, sharing headers as those of one export do."""

from base64 import b64encode
from pathlib import Path

from hutong.light_clients.ibc.packet import Acknowledgement
from hutong.light_clients.interface import Height
from hutong.relay.archive.bundle import (
    Bundle,
    ChainHeaders,
    ChainKind,
    Claim,
    HeaderEntry,
    Leg,
    StateProof,
    check_bundle,
    encode_bundle,
)
from tests.relay.relay_values import packet

RECEIVED = (Claim.SENT, Claim.RECEIVED)
ACKNOWLEDGED = (Claim.SENT, Claim.ACKNOWLEDGED)
SETTLED = (Claim.SENT, Claim.ACKNOWLEDGED, Claim.SETTLED)
HUB_HEADERS = tuple(HeaderEntry(b"hub header %d" % number, b"commit") for number in (7, 8))


def packet_id(sequence: int) -> str:
    return f"1001/client-0/{sequence}"


def bundle_of(sequence: int, claims: tuple[Claim, ...] = SETTLED, *, second_leg: bool = False) -> bytes:
    """Canonical bytes; every one has the hub's headers and validators in common with all others."""
    acknowledgement = Acknowledgement((b"done",)) if Claim.ACKNOWLEDGED in claims else None
    proofs = tuple(StateProof(claim, Height(0, 7), b"proof of %d" % sequence) for claim in claims)
    legs = [Leg("1001", "hutong-1", packet(sequence), acknowledgement, proofs)]
    own = HeaderEntry(b"header %d" % sequence, None, (b"node", b"leaf %d" % sequence))
    chains = [
        ChainHeaders("1001", ChainKind.BFT_EVM, (own, HeaderEntry(b"shared"))),
        ChainHeaders("hutong-1", ChainKind.TENDERMINT, HUB_HEADERS, (b"validators",)),
    ]
    if second_leg:
        onward = packet(sequence, source_client="bft-evm-1", destination_client="client-0")
        legs.append(Leg("hutong-1", "1002", onward, acknowledgement, proofs))
        chains.insert(1, ChainHeaders("1002", ChainKind.BFT_EVM, (HeaderEntry(b"beta's"),)))
    bundle = Bundle(tuple(legs), tuple(chains))
    check_bundle(bundle)
    return encode_bundle(bundle)


def object_holding(place: Path, header: bytes) -> Path:
    """The file of the object with that header."""
    text = b64encode(header)
    (found,) = [path for path in (place / "objects").rglob("*") if path.is_file() and text in path.read_bytes()]
    return found
