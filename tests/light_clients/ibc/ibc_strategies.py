"""Hypothesis strategies of IBC v2 values within their bounds."""

import string

from hypothesis import strategies as st

from hutong.light_clients.ibc.forward import ForwardRequest, OriginStamp, StampedPayload
from hutong.light_clients.ibc.gmp import GmpPacketData
from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT, Acknowledgement, Packet, Payload
from hutong.light_clients.ibc.transfer import Denom, ForwardInstruction, Hop, TransferData

UINT64 = st.integers(1, 2**64 - 1)
NAMES = st.text(string.ascii_letters + string.digits + "_", min_size=6, max_size=30)
CLIENT_IDS = st.builds("{}-{}".format, NAMES, st.integers(0, 10**9))
PORT_IDS = st.text(string.ascii_letters + string.digits + "._+-#[]<>", min_size=2, max_size=40)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40).filter(str.strip)
VALUES = st.binary(min_size=1, max_size=200)
PAYLOADS = st.builds(Payload, PORT_IDS, PORT_IDS, TEXTS, TEXTS, VALUES)
PACKETS = st.builds(
    Packet, UINT64, CLIENT_IDS, CLIENT_IDS, UINT64, st.lists(PAYLOADS, min_size=1, max_size=4).map(tuple)
)
ACKNOWLEDGEMENTS = st.one_of(
    st.just(Acknowledgement((ERROR_ACKNOWLEDGEMENT,))),
    st.lists(VALUES, min_size=1, max_size=4).map(tuple).map(Acknowledgement),
)
FORWARD_REQUESTS = st.builds(ForwardRequest, CLIENT_IDS, PORT_IDS, TEXTS, TEXTS, UINT64, VALUES)
STAMPS = st.builds(OriginStamp, st.just(1), CLIENT_IDS, PORT_IDS, PORT_IDS, UINT64, st.just(1))
STAMPED_PAYLOADS = st.builds(StampedPayload, STAMPS, TEXTS, TEXTS, VALUES)
GMP_DATA = st.builds(
    GmpPacketData,
    TEXTS,
    st.text(st.characters(exclude_categories=("Cs",)), max_size=40),
    st.binary(max_size=32),
    VALUES,
    st.text(st.characters(exclude_categories=("Cs",)), max_size=40),
)
DENOM_BASES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9:._\-]{0,40}", fullmatch=True)
DENOMS = st.builds(Denom, DENOM_BASES, st.lists(st.builds(Hop, PORT_IDS, CLIENT_IDS), max_size=4).map(tuple))
TRANSFERS = st.builds(
    TransferData,
    DENOMS.map(str),
    TEXTS,
    TEXTS,
    st.one_of(st.integers(1, 2**256 - 1), st.sampled_from([1, 2**64, 2**256 - 1])),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=60),
)
FORWARD_INSTRUCTIONS = st.one_of(
    st.builds(ForwardInstruction, TEXTS, CLIENT_IDS, UINT64),
    st.builds(ForwardInstruction, TEXTS, CLIENT_IDS, st.none(), UINT64),
    st.builds(ForwardInstruction, TEXTS, CLIENT_IDS),
)
