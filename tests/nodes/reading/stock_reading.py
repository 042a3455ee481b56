"""Records of the hub before code that is not ours: an unmodified simd's `Query/VerifyMembership`, and ibc-go's client in Go."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import trio

from hutong.adapters.interface import Proof
from hutong.light_clients.ibc.commitment import merkle_path
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from tests.adapters.conformance.reading.read_lane import ReadLane
from tests.adapters.conformance.reading.suite import each_byte
from tests.nodes.cosmos.followed_simd import Follower, SimdAndHub, open_simd
from tests.nodes.cosmos.simd_chain import SimdChain
from tests.nodes.cosmos.simd_node import NodeFailed
from tests.oracle.case import Case
from tests.oracle.judges import build_stock, stock_verdicts

VERIFY_MEMBERSHIP = "/ibc.core.client.v1.Query/VerifyMembership"
VARINT, BYTES = 0, 2
"""Wire types of protobuf."""
SUCCESS = b"\x08\x01"
"""`QueryVerifyMembershipResponse { success: true }`; without success it is empty."""
NOT_OBSERVED = b"observation/slot/bft-evm-0/" + bytes(51) + b"\x01"
"""A key of an observation that nobody made."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """That the hub's state holds `value` at `path`, under the header at `height`; None: that it holds nothing."""

    path: tuple[bytes, ...]
    value: bytes | None
    proof: bytes
    height: Height

    @classmethod
    def of(cls, proof: Proof) -> "Claimed":
        return cls(proof.path, proof.value, proof.proof, proof.height)


async def check_reads_by_stock_code(lane: ReadLane, simd: SimdChain) -> None:
    """Each record of the hub under a stock 07-tendermint client that simd has of it; tampered with it is refused."""
    async with open_simd(simd) as cosmos:
        follower = await SimdAndHub(simd, cosmos, lane.hub).client_on_simd()
        height = await follower.refresh()
        keys = [*(lane.source.key(watch) for watch in lane.source.watches), NOT_OBSERVED]
        paths = [merkle_path(lane.hub.merkle_prefix, key) for key in keys]
        *records, nothing = [Claimed.of(one) for one in await lane.hub.prove_all(paths, height)]
        assert nothing.value is None and all(one.value for one in records)
        await trio.to_thread.run_sync(check_on_simd, simd, follower.client, records)
        await check_in_go(follower, records, nothing)


def check_on_simd(simd: SimdChain, client: str, records: Sequence[Claimed]) -> None:
    """Every byte of value and key of every record, and of one record's proof."""
    for number, record in enumerate(records):
        assert verified_on_simd(simd, client, record)
        for forged in tampered(record, with_proof=number == 0):
            assert not verified_on_simd(simd, client, forged), (record, forged)
        later = replace(record, height=replace(record.height, revision_height=record.height.revision_height + 1))
        assert not verified_on_simd(simd, client, later), "simd's client has no header there"


def verified_on_simd(simd: SimdChain, client: str, claimed: Claimed) -> bool:
    """The answer of the gRPC query; False also where simd cannot read what it is asked."""
    assert claimed.value is not None
    number, height = claimed.height.revision_number, claimed.height.revision_height
    request = (
        _field(1, client.encode())
        + _field(2, claimed.proof)
        + _field(3, _number(1, number) + _number(2, height))
        + _field(5, claimed.value)
        + _field(8, b"".join(_field(1, element) for element in claimed.path))
    )
    try:
        return simd.node.abci_query(VERIFY_MEMBERSHIP, request) == SUCCESS
    except NodeFailed:
        return False


async def check_in_go(follower: Follower, records: Sequence[Claimed], nothing: Claimed) -> None:
    """ibc-go's light client module with simd's own states of its client: presence and absence, and every byte of records.

    Bytes of the absence are left out: the key that its proof names is one that stock code does not read, and nothing else
    is proven by another (docs/spec/strictness.md).
    """
    info = await follower.host.client(follower.client)
    state = await follower.host.consensus_state(follower.client, nothing.height)
    assert state is not None
    now_ns = (info.latest_timestamp_ns // NANOSECONDS_PER_SECOND + 1) * NANOSECONDS_PER_SECOND
    honest = Case("records", "", "membership", now_ns, info.client_state, ((nothing.height, state),))
    cases = [_case(honest, f"{number} as it is", one) for number, one in enumerate([*records, nothing])]
    for number, record in enumerate(records):
        forged = tampered(record, with_proof=True)
        cases += [replace(_case(honest, f"{number} forged", one), expected="invalid") for one in forged]
    cases += [
        replace(_case(honest, "a record is said to be absent", replace(one, value=None)), expected="invalid")
        for one in records
    ]
    for name, claimed in (
        ("nothing is said to be a record", replace(nothing, value=records[0].value)),
        ("a record is absent by the proof of another key's absence", replace(nothing, path=records[0].path)),
    ):
        cases.append(replace(_case(honest, name, claimed), expected="invalid"))
    await trio.to_thread.run_sync(build_stock)
    verdicts = await trio.to_thread.run_sync(stock_verdicts, cases)
    for case, verdict in zip(cases, verdicts, strict=True):
        assert verdict["verdict"] == (case.expected or "valid"), (case.id, case.message.hex(), verdict)
    print(f"ibc-go: {len(records)} records and one absence hold, {len(cases) - len(records) - 1} forged ones do not")


def _case(honest: Case, name: str, claimed: Claimed) -> Case:
    return replace(
        honest,
        name=name,
        kind="non_membership" if claimed.value is None else "membership",
        message=claimed.proof,
        height=claimed.height,
        path=claimed.path,
        value=claimed.value or b"",
    )


def tampered(claimed: Claimed, *, with_proof: bool) -> Iterator[Claimed]:
    """One byte of a record is another."""
    assert claimed.value is not None
    for value in each_byte(claimed.value):
        yield replace(claimed, value=value)
    for key in each_byte(claimed.path[-1]):
        yield replace(claimed, path=(*claimed.path[:-1], key))
    if with_proof:
        for proof in each_byte(claimed.proof):
            yield replace(claimed, proof=proof)


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | BYTES]) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return bytes([number << 3 | VARINT]) + _varint(value)


def _varint(value: int) -> bytes:
    found = b""
    while value > 127:
        found += bytes([value & 127 | 128])
        value >>= 7
    return found + bytes([value])
