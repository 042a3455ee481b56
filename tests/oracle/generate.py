"""The cases: hub chains of 1, 4, 7 and 100 secp256k1 validators, their proofs, their misbehaviour, and mutated twins."""

from collections.abc import Iterator
from dataclasses import replace

from google.protobuf.message import Message

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from hutong.light_clients.protobuf import ibc_pb2, ics23_pb2
from hutong.light_clients.tendermint.codec import (
    encode_client_state,
    encode_consensus_state,
    encode_misbehaviour,
    encode_tendermint_header,
)
from hutong.light_clients.tendermint.types import (
    BlockId,
    PartSetHeader,
    SignedMessageType,
    TendermintHeader,
    TrustLevel,
)
from tests.light_clients.tendermint.simulated_chain import GENESIS_TIME_NS, Block, SimulatedChain, flags, signers
from tests.oracle.case import Case
from tests.oracle.mutations import mutations

SIZES = (1, 4, 7, 100)
FULLY_MUTATED = (1, 4)
"""Twins of every field for these sizes; larger sets add nothing but time to fields that are not theirs."""
NOW_NS = (GENESIS_TIME_NS // NANOSECONDS_PER_SECOND + 100) * NANOSECONDS_PER_SECOND


def chain_of(size: int) -> SimulatedChain:
    """Unequal powers where there is more than one validator, so that order and power can be told apart."""
    return SimulatedChain(members={signer: 10 + number % 3 for number, signer in enumerate(signers(size))})


def header_case(
    family: str, name: str, chain: SimulatedChain, message: bytes, trusted: int, expected: str | None, **changes
) -> Case:
    client = changes.pop("client_state", chain.client_state(trusted))
    now_ns = changes.pop("now_ns", NOW_NS)
    return Case(
        family,
        name,
        changes.pop("kind", "header"),
        now_ns,
        encode_client_state(client),
        ((chain.height(trusted), encode_consensus_state(chain.consensus_state(trusted))),),
        message,
        expected=expected,
    )


def all_cases() -> list[Case]:
    """Every case; ids are distinct."""
    cases = [
        *creation_cases(),
        *(case for size in SIZES for case in header_cases(size)),
        *set_change_cases(),
        *rule_cases(),
        *misbehaviour_cases(),
        *proof_cases(),
    ]
    ids = [case.id for case in cases]
    if len(set(ids)) != len(ids):
        raise AssertionError("two cases have one id")
    return cases


def _twins(base: Case, message: Message) -> Iterator[Case]:
    message.ParseFromString(base.message)
    for path, encoded in mutations(message):
        yield replace(base, name=path, message=encoded, expected=None)


def creation_cases() -> Iterator[Case]:
    chain = chain_of(4)
    chain.advance(3)
    base = header_case("create", "honest", chain, b"", 3, "valid", kind="create")
    yield base
    message = ibc_pb2.TendermintClientState()
    message.ParseFromString(base.client_state)
    for path, encoded in mutations(message):
        yield replace(base, name=f"client_state.{path}", client_state=encoded, expected=None)
    state = ibc_pb2.TendermintConsensusState()
    state.ParseFromString(base.consensus_states[0][1])
    for path, encoded in mutations(state):
        states = ((base.consensus_states[0][0], encoded),)
        yield replace(base, name=f"consensus_state.{path}", consensus_states=states, expected=None)


def header_cases(size: int) -> Iterator[Case]:
    chain = chain_of(size)
    chain.advance(5)
    for family, trusted in ((f"{size} validators, adjacent", 4), (f"{size} validators, skipping", 2)):
        update = encode_tendermint_header(chain.update(5, trusted))
        base = header_case(family, "honest", chain, update, trusted, "valid")
        yield base
        if size in FULLY_MUTATED:
            yield from _twins(base, ibc_pb2.TendermintHeader())
    if size == 1:
        return
    few = _fewest(chain)
    for name, absent, expected in (
        ("just above two thirds signed", few + 1, "invalid"),
        ("as few as suffice signed", few, "valid"),
    ):
        block = chain.fork(5, flags=flags(absent=range(size - absent, size)))
        yield header_case(f"{size} validators, absent", name, chain, _message(chain, block, 4), 4, expected)
        block = chain.fork(5, flags=flags(nil=range(size - absent, size)))
        yield header_case(f"{size} validators, nil", name, chain, _message(chain, block, 2), 2, expected)


def _fewest(chain: SimulatedChain) -> int:
    """How many of the last validators may stay away."""
    validators = chain.latest.validators
    needed = validators.total_voting_power * 2 // 3
    signed = count = 0
    for validator in validators.validators:
        signed += validator.voting_power
        count += 1
        if signed > needed:
            return len(validators.validators) - count
    raise AssertionError


def _message(chain: SimulatedChain, block: Block, trusted: int, **changes) -> bytes:
    update: TendermintHeader = replace(chain.update(block.header.height, trusted, block), **changes)
    return encode_tendermint_header(update)


def set_change_cases() -> Iterator[Case]:
    """From height 6 on the new members sign, some of them the old ones."""
    old, new = signers(7), signers(7, label="newcomer")
    for kept, expected in ((7, "valid"), (3, "valid"), (2, "invalid"), (0, "invalid")):
        chain = SimulatedChain(members=dict.fromkeys(old, 10))
        chain.advance(3)
        chain.set_members(dict.fromkeys((*old[:kept], *new[kept:]), 10))
        chain.advance(4)
        skipping = encode_tendermint_header(chain.update(8, 3))
        family = f"set change, {kept} of 7 stay"
        base = header_case(family, "skipping", chain, skipping, 3, expected)
        yield base
        if kept == 3:
            yield from _twins(base, ibc_pb2.TendermintHeader())
        boundary = 6
        yield header_case(
            family,
            "adjacent at the change",
            chain,
            encode_tendermint_header(chain.update(boundary, boundary - 1)),
            boundary - 1,
            "valid",
        )
        yield header_case(
            family,
            "the change's own height, skipped to",
            chain,
            encode_tendermint_header(chain.update(boundary, 2)),
            2,
            expected,
        )
        swapped = chain.update(8, 3)
        swapped = replace(swapped, validator_set=swapped.trusted_validators, trusted_validators=swapped.validator_set)
        swapped_expected = "valid" if kept == 7 else "invalid"
        yield header_case(family, "sets swapped", chain, encode_tendermint_header(swapped), 3, swapped_expected)


def rule_cases() -> Iterator[Case]:
    """The rules that no single field breaks."""
    chain = chain_of(4)
    chain.advance(5)
    message = encode_tendermint_header(chain.update(5, 2))
    trusted_ns = chain.block(2).header.time_ns
    client = chain.client_state(2)
    edge_ns = trusted_ns + client.trusting_period_ns
    whole = NANOSECONDS_PER_SECOND
    for name, now_ns, expected in (
        ("trusted state a second before its end", edge_ns // whole * whole, "valid"),
        ("trusted state just expired", (edge_ns // whole + 1) * whole, "invalid"),
        ("header too far ahead", chain.block(5).header.time_ns // whole * whole - 10 * whole, "invalid"),
        ("header just within the drift", chain.block(5).header.time_ns // whole * whole - 9 * whole, "valid"),
    ):
        yield header_case("times", name, chain, message, 2, expected, now_ns=now_ns)
    for name, options in (
        ("prevotes", {"signed_type": SignedMessageType.PREVOTE}),
        ("another chain", {"signed_chain_id": "sim-2"}),
        ("another height", {"signed_height": 4}),
        ("another round", {"signed_round": 1}),
        ("another block", {"signed_block_id": BlockId(b"\x01" * 32, PartSetHeader(1, b"\x02" * 32))}),
        (
            "another part set",
            {
                "signed_block_id": replace(
                    chain.block(5).signed_header.commit.block_id, part_set_header=PartSetHeader(2, b"\x02" * 32)
                )
            },
        ),
    ):
        block = chain.fork(5, **options)
        yield header_case("signatures over something else", name, chain, _message(chain, block, 4), 4, "invalid")
    for name, fields, expected in (
        ("round 7", {"round_": 7}, "valid"),
        ("time as the trusted one", {"time_ns": trusted_ns}, "invalid"),
        ("time before the trusted one", {"time_ns": trusted_ns - 1}, "invalid"),
        ("time a nanosecond after", {"time_ns": trusted_ns + 1}, "valid"),
        ("another chain id", {"chain_id": "other-1"}, "invalid"),
        ("another revision", {"chain_id": "sim-2"}, "invalid"),
        ("empty app hash", {"app_hash": b""}, None),
        ("app hash of 20 bytes", {"app_hash": b"\x01" * 20}, None),
        ("empty next validators hash", {"next_validators_hash": b""}, None),
        ("no evidence hash", {"evidence_hash": b""}, None),
        ("no data hash", {"data_hash": b""}, None),
        ("no results hash", {"last_results_hash": b""}, None),
        ("no consensus hash", {"consensus_hash": b""}, None),
        ("block version 10", {"version_block": 10}, None),
        ("app version 9", {"version_app": 9}, "valid"),
        ("no last block", {"last_block_id": BlockId(), "last_commit_hash": b""}, None),
    ):
        block = chain.fork(5, **fields)
        yield header_case("honestly signed header", name, chain, _message(chain, block, 2), 2, expected)
    for name, changes, expected in (
        ("trust level 2/3", {"trust_level": TrustLevel(2, 3)}, "valid"),
        ("trust level 1", {"trust_level": TrustLevel(1, 1)}, None),
    ):
        yield header_case("client", name, chain, message, 2, expected, client_state=replace(client, **changes))
    same = encode_tendermint_header(chain.update(5, 4))
    at_five = chain.client_state(5)
    yield Case(
        "stored heights",
        "same header again",
        "header",
        NOW_NS,
        encode_client_state(at_five),
        ((chain.height(5), encode_consensus_state(chain.consensus_state(5))),),
        same,
        expected="invalid",
    )


def misbehaviour_cases() -> Iterator[Case]:
    chain = chain_of(4)
    chain.advance(6)
    honest, fork = chain.update(5, 2), chain.update(5, 2, chain.fork(5, app_hash=b"\x07" * 32))
    late = chain.update(6, 2)
    early_six = chain.update(6, 2, chain.fork(6, time_ns=chain.block(4).header.time_ns))
    stranger_chain = SimulatedChain(chain_id="other-1", members=chain.members)
    stranger_chain.advance(6)
    stranger = stranger_chain.update(5, 2)
    for name, one, two, expected in (
        ("fork", honest, fork, "misbehaviour"),
        ("time goes back", early_six, honest, "misbehaviour"),
        ("one header twice", honest, honest, "invalid"),
        ("heights reversed", honest, early_six, "invalid"),
        ("times in order", late, honest, "invalid"),
        ("another chain's header", stranger, honest, "invalid"),
        ("both of another chain", stranger, replace(stranger, trusted_height=Height(1, 2)), "invalid"),
        ("trusted heights differ", honest, chain.update(5, 2, chain.fork(5, data_hash=b"\x09" * 32)), "misbehaviour"),
    ):
        message = encode_misbehaviour(chain.misbehaviour(one, two))
        base = header_case("misbehaviour", name, chain, message, 2, expected, kind="misbehaviour")
        yield base
        if name == "fork":
            yield from _twins(base, ibc_pb2.TendermintMisbehaviour())
    expired_ns = NOW_NS + chain.client_state(2).trusting_period_ns
    message = encode_misbehaviour(chain.misbehaviour(honest, fork))
    yield header_case("misbehaviour", "expired", chain, message, 2, "invalid", kind="misbehaviour", now_ns=expired_ns)


def proof_cases() -> Iterator[Case]:
    for keys in (1, 2, 40):
        chain = chain_of(4)
        for number in range(1, keys + 1):
            chain.put(b"bft-evm-0\x01" + number.to_bytes(8, "big"), bytes([number]) * 32)
        chain.advance(3)
        trusted = 3
        for name, key in (("existence", b"bft-evm-0\x01" + bytes(7) + b"\x01"), ("absence", b"bft-evm-0\x02absent")):
            proof, path, value = chain.prove(key, trusted)
            kind = "membership" if value is not None else "non_membership"
            base = replace(
                header_case(f"{name} among {keys + 1}", "honest", chain, proof, trusted, "valid", kind=kind),
                height=chain.height(trusted),
                path=path,
                value=value or b"",
            )
            yield base
            yield from _twins(base, ics23_pb2.MerkleProof())
            yield replace(base, name="path longer", path=(path[0] + b"x",), expected="invalid")
            yield replace(base, name="path of two elements", path=(path[0], path[0]), expected="invalid")
            yield replace(base, name="empty path", path=(), expected="invalid")
            yield replace(base, name="unknown height", height=chain.height(9), expected="invalid")
            other = "non_membership" if kind == "membership" else "membership"
            yield replace(base, name=f"asked for {other}", kind=other, value=b"\x01" * 32, expected="invalid")
            if value is not None:
                yield replace(base, name="another value", value=b"\x02" * 32, expected="invalid")
                yield replace(base, name="empty value", value=b"", expected="invalid")
            stale = encode_consensus_state(replace(chain.consensus_state(trusted), root=b"\x05" * 32))
            yield replace(
                base, name="another root", consensus_states=((chain.height(trusted), stale),), expected="invalid"
            )
