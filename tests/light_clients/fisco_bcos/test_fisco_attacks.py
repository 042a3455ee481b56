"""Attack checklist lines against headers of the fisco-bcos client, each refusal beside a twin that differs in the attacked part."""

from dataclasses import replace
from time import thread_time

import pytest

from hutong.light_clients.crypto import gm, secp256k1
from hutong.light_clients.fisco_bcos import (
    CryptoSuite,
    FiscoBcosClient,
    Generation,
    Header,
    Sealer,
    SealSignature,
    decode_consensus_state,
    encode_block_header,
    encode_consensus_state,
    encode_header_message,
)
from hutong.light_clients.fisco_bcos.predicates import overlap_weight, quorum_weight
from hutong.light_clients.fisco_bcos.types import MAX_SEALERS, MAX_WEIGHT
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    ClientExpired,
    ClientFrozen,
    Height,
    MalformedInput,
    Misbehaved,
    NoOp,
    NotEnoughTrust,
    PredicateFailed,
    UnknownHeight,
    UnsupportedOperation,
    Updated,
    VerificationError,
)
from hutong.light_clients.protobuf import fisco_bcos_pb2, ibc_pb2
from tests.light_clients.fisco_bcos.fisco_chain import CHAIN_ID, ROUTER, SimulatedChain, key_of, trusting

CLIENT = FiscoBcosClient()
V2, V3 = Generation.V2, Generation.V3
ECDSA, GM = CryptoSuite.ECDSA, CryptoSuite.GM
KINDS = pytest.mark.parametrize(
    ("generation", "suite"), [(V2, ECDSA), (V3, ECDSA), (V2, GM), (V3, GM)], ids=["v2", "v3", "v2-gm", "v3-gm"]
)


def chain_of(generation=V2, suite=ECDSA, sealers=4, blocks=3, weights=None) -> SimulatedChain:
    chain = SimulatedChain(generation, suite, sealers, weights)
    chain.advance(blocks)
    return chain


def judge(chain: SimulatedChain, header: Header | bytes, *trusted: int, now_ns: int | None = None):
    """Verdict of a client that holds the states at `trusted` (1 unless given)."""
    client, states = trusting(chain, *(trusted or (1,)))
    message = header if isinstance(header, bytes) else encode_header_message(header)
    return CLIENT.verify_header(client, states, message, chain.now_ns if now_ns is None else now_ns)


def refused(predicate: str, chain: SimulatedChain, header: Header | bytes, *trusted: int, now_ns: int | None = None):
    with pytest.raises(PredicateFailed) as caught:
        judge(chain, header, *trusted, now_ns=now_ns)
    assert caught.value.predicate == predicate, caught.value
    return caught.value


def proposal(chain: SimulatedChain, number: int, *, trusted: int = 1, **changes) -> Header:
    return chain.propose(number, **changes).message(trusted)


def with_signature(header: Header, position: int, signature: bytes) -> Header:
    signatures = list(header.signatures)
    signatures[position] = replace(signatures[position], signature=signature)
    return replace(header, signatures=tuple(signatures))


@pytest.mark.parametrize("sealers", [1, 2, 3, 4, 5, 6, 7, 10, 40])
def test_attack_C1_fisco_more_than_two_thirds_passes_and_one_less_fails(sealers):
    chain = chain_of(sealers=sealers, blocks=2)
    needed = quorum_weight(sealers)
    assert 3 * needed > 2 * sealers >= 3 * (needed - 1)
    assert isinstance(judge(chain, proposal(chain, 3, signers=range(sealers - needed, sealers))), Updated)
    error = refused("quorum_of_own_sealers", chain, proposal(chain, 3, signers=range(needed - 1)))
    assert (error.got, error.expected) == (needed - 1, f">= {needed}")


def test_attack_C1_fisco_quorum_counts_weights_not_heads():
    chain = chain_of(V3, weights=[1, 1, 1, 7])
    assert quorum_weight(10) == 7
    assert isinstance(judge(chain, proposal(chain, 3, signers=[3])), Updated)
    error = refused("quorum_of_own_sealers", chain, proposal(chain, 3, signers=[0, 1, 2]))
    assert (error.got, error.expected) == (3, ">= 7")
    lighter = chain_of(V3, weights=[1, 1, 1, 6])
    refused("quorum_of_own_sealers", lighter, proposal(lighter, 3, signers=[3]))


@pytest.mark.parametrize("trusted", [3, 4, 6, 9])
def test_attack_C1_fisco_exactly_a_third_of_the_trusted_sealers_fails_and_one_more_passes(trusted):
    third = trusted // 3
    assert overlap_weight(trusted) == third + 1
    for kept, expected in ((third, NotEnoughTrust(third, third + 1, trusted)), (third + 1, None)):
        chain = chain_of(sealers=trusted, blocks=1)
        chain.replace_sealers([*range(kept), *range(50, 50 + trusted)])
        chain.advance()
        verdict = judge(chain, chain.update(3, 2), 2)
        assert verdict == expected or (expected is None and isinstance(verdict, Updated))


@KINDS
def test_attack_C2_fisco_sealer_that_signs_twice_is_refused(generation, suite):
    chain = chain_of(generation, suite)
    assert isinstance(judge(chain, proposal(chain, 3, signers=[0, 1, 2])), Updated)
    for signers in ([0, 1, 0], [0, 1, 2, 2]):
        refused("signatures_of_sealers", chain, proposal(chain, 3, signers=signers))


def test_attack_C2_fisco_sealer_listed_twice_is_refused():
    chain = chain_of()
    a, b, c, _ = chain.keys()
    refused("sealers_are_listed", chain, proposal(chain, 3, keys=[a, b, c, a]))
    assert isinstance(judge(chain, proposal(chain, 3, keys=[a, b, c])), Updated)


@KINDS
def test_attack_C3_fisco_signature_at_another_sealers_index_or_none(generation, suite):
    chain = chain_of(generation, suite)
    header = proposal(chain, 3)
    first, second, *others = header.signatures
    swapped = (replace(first, sealer_index=1), replace(second, sealer_index=0), *others)
    refused("signatures_of_sealers", chain, replace(header, signatures=swapped))
    refused("signatures_of_sealers", chain, replace(header, signatures=(replace(first, sealer_index=4), *others)))
    reordered = replace(header, signatures=tuple(reversed(header.signatures)))
    assert isinstance(judge(chain, reordered), Updated)


@KINDS
def test_attack_C5_fisco_signature_over_another_block_or_by_another_key(generation, suite):
    chain = chain_of(generation, suite)
    header = proposal(chain, 3)
    other = proposal(chain, 3, timestamp_ms=chain.blocks[3].header.timestamp_ms + 1)
    refused("signatures_of_sealers", chain, with_signature(header, 0, other.signatures[0].signature))
    refused("signatures_of_sealers", chain, with_signature(header, 0, header.signatures[1].signature))
    refused("signatures_of_sealers", chain, with_signature(header, 0, bytes(65)))
    refused("signatures_of_sealers", chain, with_signature(header, 0, b""))
    assert isinstance(judge(chain, header), Updated)


@pytest.mark.parametrize("generation", [V2, V3])
def test_attack_C5_fisco_header_of_another_suite_or_generation(generation):
    ecdsa, sm2 = chain_of(generation, ECDSA), chain_of(generation, GM)
    client, states = trusting(ecdsa, 1)
    for message in (sm2.header(3, 1), chain_of(V2 if generation is V3 else V3).header(3, 1)):
        with pytest.raises(VerificationError):
            CLIENT.verify_header(client, states, message, ecdsa.now_ns)
    assert isinstance(judge(ecdsa, ecdsa.update(3, 1)), Updated)


def test_attack_D2_fisco_high_s_twin_and_other_v_are_refused():
    chain = chain_of()
    header = proposal(chain, 3)
    signature = header.signatures[0].signature
    twin_s = secp256k1.ORDER - int.from_bytes(signature[32:64], "big")
    twin = signature[:32] + twin_s.to_bytes(32, "big") + bytes([signature[64] ^ 1])
    for changed in (twin, *(signature[:64] + bytes([v]) for v in (2, 27, 28, 255)), signature[:64]):
        refused("signatures_of_sealers", chain, with_signature(header, 0, changed))
    assert isinstance(judge(chain, header), Updated)


@pytest.mark.parametrize("generation", [V2, V3])
def test_attack_D2_fisco_sm2_signature_that_brings_another_key(generation):
    chain = chain_of(generation, GM)
    header = proposal(chain, 3)
    own = header.signatures[0].signature[: gm.SIGNATURE_BYTES]
    keys = [key.public for key in chain.keys()]
    for form in (own, own + keys[0]):
        assert isinstance(judge(chain, with_signature(header, 0, form)), Updated)
    for form in (own + keys[1], own + bytes(64), own[:63], own + keys[0][:63]):
        refused("signatures_of_sealers", chain, with_signature(header, 0, form))
    foreign = header.signatures[1].signature[: gm.SIGNATURE_BYTES] + keys[1]
    refused("signatures_of_sealers", chain, with_signature(header, 0, foreign))


def test_attack_C7_fisco_sealers_of_generation_2_follow_the_headers():
    chain = chain_of(blocks=1)
    chain.replace_sealers([0, 1, 2, 9])
    chain.advance()
    verdict = judge(chain, chain.update(3, 2), 2)
    assert isinstance(verdict, Updated)
    stored = decode_consensus_state(verdict.consensus_state).sealers
    assert key_of(ECDSA, 9).public in {sealer.public_key for sealer in stored}


@pytest.mark.parametrize("suite", [ECDSA, GM])
def test_attack_C7_fisco_list_that_the_leader_of_generation_3_made_up_is_refused(suite):
    """All honest nodes sign it: they never look at the list in the leader's header."""
    chain = chain_of(V3, suite)
    keys = chain.keys()
    accomplice = key_of(suite, 66)
    for changes in (
        {"keys": sorted([*keys, accomplice], key=lambda key: key.public)},
        {"keys": keys, "weights": [10**6, 1, 1, 1]},
        {"keys": keys[:3]},
    ):
        changes = {"signers": None, **changes}
        with pytest.raises(UnsupportedOperation, match="change of sealers"):
            judge(chain, proposal(chain, 3, **changes))
    assert isinstance(judge(chain, proposal(chain, 3, keys=keys)), Updated)


def test_attack_C7_fisco_extra_data_of_generation_3_cannot_become_sealers():
    """Nothing in the hash says where the list ends: extra data of the leader would be read as keys and weights."""
    chain = chain_of(V3)
    block = chain.propose(3)
    accomplice = key_of(ECDSA, 66)
    extra = accomplice.public + (10**6).to_bytes(8, "big")
    hashed = encode_block_header(block.header)
    weights = 8 * len(block.header.sealers)
    smuggled = hashed[:-weights] + extra + hashed[-weights:]
    digest = chain.digest(smuggled)
    signatures = tuple(
        SealSignature(index, secp256k1.sign_recoverable(key.private, digest)) for index, key in enumerate(chain.keys())
    )
    header = replace(block.message(1), encoded=smuggled, signatures=signatures)
    with pytest.raises(UnsupportedOperation, match="change of sealers"):
        judge(chain, header)
    odd = replace(block.message(1), encoded=hashed[:-weights] + b"\0" + hashed[-weights:])
    with pytest.raises(MalformedInput):
        judge(chain, odd)
    assert isinstance(judge(chain, block.message(1)), Updated)


@KINDS
def test_attack_C8_fisco_strangers_are_not_enough_trust(generation, suite):
    chain = chain_of(generation, suite)
    strangers = [key_of(suite, 70 + n) for n in range(4)]
    assert judge(chain, proposal(chain, 3, keys=strangers)) == NotEnoughTrust(0, 2, 4)


def test_attack_C9_fisco_header_time_at_its_bounds():
    chain = chain_of()
    trusted_ms = chain.blocks[1].header.timestamp_ms
    least_ms = trusted_ms - 15_000
    for timestamp_ms, predicate in ((least_ms, None), (least_ms - 1, "time_does_not_decrease")):
        header = proposal(chain, 2, timestamp_ms=timestamp_ms)
        if predicate is None:
            assert isinstance(judge(chain, header), Updated)
        else:
            refused(predicate, chain, header, 1, 3)
            refused("newest_time_does_not_decrease", chain, header)
    edge_ms = chain.now_ns // 1_000_000 + 15_000
    refused("header_not_from_future", chain, proposal(chain, 3, timestamp_ms=edge_ms))
    assert isinstance(judge(chain, proposal(chain, 3, timestamp_ms=edge_ms - 1)), Updated)
    for timestamp_ms in (0, 2**48):
        message = fisco_bcos_pb2.Header.FromString(chain.header(3, 1))
        block = chain.blocks[3].header
        object.__setattr__(block, "timestamp_ms", timestamp_ms)
        message.block_header = encode_block_header(block)
        with pytest.raises(MalformedInput):
            judge(chain, message.SerializeToString(deterministic=True))


def test_attack_C10_fisco_trusting_period_at_its_edge():
    chain = chain_of()
    header = chain.update(3, 1)
    edge_ns = (chain.blocks[1].header.timestamp_ms + 1_000_000) * 1_000_000
    assert isinstance(judge(chain, header, now_ns=edge_ns - 1), Updated)
    for now_ns in (edge_ns, edge_ns + 1):
        with pytest.raises(ClientExpired) as caught:
            judge(chain, header, now_ns=now_ns)
        assert caught.value.expired_at_ns == edge_ns
    assert isinstance(judge(chain, replace(header, trusted_height=Height(0, 2)), 1, 2, now_ns=edge_ns), Updated)


def test_attack_C11_fisco_height_not_above_its_trusted_height_or_of_another_revision():
    chain = chain_of()
    for number in (1, 2, 3):
        refused("height_increases", chain, chain.update(number, 3), 3)
    assert isinstance(judge(chain, chain.update(4, 3), 3), Updated)
    for trusted in (Height(1, 3), Height(0, 2)):
        with pytest.raises(UnknownHeight):
            judge(chain, replace(chain.update(4, 3), trusted_height=trusted), 3)


def test_attack_C11_fisco_generation_3_header_whose_parent_is_not_the_block_below():
    chain = chain_of(V3)
    message = fisco_bcos_pb2.Header.FromString(chain.header(3, 1))
    message.block_header = message.block_header[:11] + b"\x01" + message.block_header[12:]
    with pytest.raises(MalformedInput) as caught:
        judge(chain, message.SerializeToString(deterministic=True))
    assert caught.value.field == "header.parent_number"


@pytest.mark.parametrize("generation", [V2, V3])
def test_attack_C12_fisco_ten_thousand_sealers_are_refused_in_bounded_time(generation):
    chain = chain_of(generation, sealers=1, blocks=1)
    keys = [replace(key_of(ECDSA, 0), public=n.to_bytes(64, "big")) for n in range(1, 10_001)]
    for count in (MAX_SEALERS + 1, 10_000):
        header = proposal(chain, 2, keys=keys[:count], signers=[])
        begun = thread_time()
        with pytest.raises(MalformedInput):
            judge(chain, header)
        assert thread_time() - begun < 1
    begun = thread_time()
    with pytest.raises(MalformedInput):
        judge(chain, bytes(10 * 1024 * 1024))
    assert thread_time() - begun < 1


def test_attack_C12_fisco_status_of_a_client_with_many_sealers_is_read_once():
    """The hub's price of a status is that of a read, however many sealers there are: contracts may ask in a loop."""
    sealers = tuple(Sealer(n.to_bytes(64, "big")) for n in range(1, MAX_SEALERS + 1))
    encoded = encode_consensus_state(replace(chain_of().state(1), sealers=sealers))
    assert decode_consensus_state(encoded) is decode_consensus_state(bytes(bytearray(encoded)))


@pytest.mark.parametrize("weights", [[0, 1, 1, 1], [MAX_WEIGHT, 1, 1, 1], [2**64 - 1, 1, 1, 1]])
def test_attack_C12_fisco_weights_that_are_zero_or_overflow(weights):
    chain = chain_of(V3)
    with pytest.raises(MalformedInput) as caught:
        judge(chain, proposal(chain, 3, weights=weights))
    assert caught.value.field == "header.sealer_list"


def test_attack_C12_fisco_maker_of_the_block_is_a_sealer():
    chain = chain_of()
    refused("sealers_are_listed", chain, proposal(chain, 3, sealer=4))
    assert isinstance(judge(chain, proposal(chain, 3, sealer=3)), Updated)


def dated(chain: SimulatedChain, *times_ms: int) -> None:
    """The chain's next blocks, with these times after the first block's."""
    first_ms = chain.blocks[1].header.timestamp_ms
    for time_ms in times_ms:
        chain.advance(timestamp_ms=first_ms + time_ms)


@pytest.mark.parametrize("generation", list(Generation))
def test_attack_C9_fisco_one_leader_with_another_clock_neither_freezes_nor_stalls(generation):
    """Nodes sign whatever time the leader's clock shows: v2.9.1 warns of it in a log, v3 does not look."""
    chain = chain_of(generation, blocks=0)
    dated(chain, 5_000, 4_000, 6_000)
    for trusted, stored in ((1, (1, 2)), (2, (2,)), (1, (1, 2, 4)), (2, (2, 4))):
        verdict = judge(chain, chain.update(3, trusted), *stored, now_ns=chain.now_ns)
        assert isinstance(verdict, Updated), (trusted, stored, verdict)
    verdict = judge(chain, chain.update(2, 1), 1, 3, now_ns=chain.now_ns)
    assert isinstance(verdict, Updated), "a later time below a stored one is no misbehaviour either"


def test_attack_C9_fisco_leader_who_dates_a_block_back_cannot_expire_the_client():
    """The newest state decides whether the client is expired: it may not be much older than the one before it."""
    chain = chain_of(blocks=0)
    dated(chain, 900_000, 0, 900_000 - 15_000, 901_000)
    now_ns = chain.now_ns
    refused("newest_time_does_not_decrease", chain, chain.update(3, 1), 1, 2, now_ns=now_ns)
    assert isinstance(judge(chain, chain.update(4, 1), 1, 2, now_ns=now_ns), Updated)
    below = judge(chain, chain.update(3, 1), 1, 2, 5, now_ns=now_ns)
    assert isinstance(below, Updated), "its events can be proven once a newer state is stored"
    assert below.client_state == chain.client_state(5)


@KINDS
def test_attack_C15_fisco_same_height(generation, suite):
    chain = chain_of(generation, suite)
    client, states = trusting(chain, 1, 3)

    def verdict(header: Header):
        return CLIENT.verify_header(client, states, encode_header_message(header), chain.now_ns)

    assert verdict(chain.update(3, 1)) == NoOp(Height(0, 3))
    assert verdict(proposal(chain, 3, signers=[1, 2, 3])) == NoOp(Height(0, 3))
    conflict = verdict(proposal(chain, 3, receipts=(b"another",)))
    assert isinstance(conflict, Misbehaved)
    assert conflict.client_state == chain.client_state(3, is_frozen=True)


def evidence_of(chain: SimulatedChain, **second) -> bytes:
    return chain.misbehaviour(chain.update(3, 1), proposal(chain, 3, **{"receipts": (b"another",), **second}))


def test_attack_C16_fisco_what_must_not_freeze():
    chain = chain_of()
    client, states = trusting(chain, 1)
    own = chain.update(3, 1)

    def judged(evidence: bytes, now_ns: int = chain.now_ns) -> Misbehaved:
        return CLIENT.check_misbehaviour(client, states, evidence, now_ns)

    strangers = [key_of(ECDSA, 70 + n) for n in range(4)]
    for predicate, evidence in (
        ("headers_conflict", chain.misbehaviour(own, own)),
        ("headers_conflict", chain.misbehaviour(own, proposal(chain, 3, signers=[1, 2, 3]))),
        ("headers_conflict", chain.misbehaviour(own, chain.update(4, 1))),
        ("quorum_of_own_sealers", evidence_of(chain, signers=[0, 1])),
        ("overlap_with_trusted_sealers", evidence_of(chain, keys=strangers)),
    ):
        with pytest.raises(PredicateFailed) as caught:
            judged(evidence)
        assert caught.value.predicate == predicate
    good = evidence_of(chain)
    with pytest.raises(ClientExpired):
        judged(good, chain.now_ns + 1_000 * NANOSECONDS_PER_SECOND)
    assert judged(good).client_state == chain.client_state(1, is_frozen=True)


def test_attack_C17_fisco_frozen_client_does_nothing_until_recovery():
    chain = chain_of()
    _, states = trusting(chain, 1, 4)
    frozen, state = chain.client_state(4, is_frozen=True), chain.consensus_state(4)
    for attempt in (
        lambda client: CLIENT.verify_header(client, states, chain.header(3, 1), chain.now_ns),
        lambda client: CLIENT.check_misbehaviour(client, states, evidence_of(chain), chain.now_ns),
        lambda client: CLIENT.create(client, state, chain.now_ns),
    ):
        with pytest.raises(ClientFrozen):
            attempt(frozen)
        attempt(CLIENT.recovered(frozen, chain.client_state(4)))
    for attempt in (
        lambda: CLIENT.verify_membership(frozen, state, b"", (b"key",), bytes(32)),
        lambda: CLIENT.verify_non_membership(frozen, state, b"", (b"key",)),
    ):
        with pytest.raises(ClientFrozen):
            attempt()


def test_attack_C18_fisco_unfit_substitutes():
    chain = chain_of()
    subject = chain.client_state(3, is_frozen=True)
    fit = chain.client_state(4, trusting_period_s=2_000)
    CLIENT.check_substitute(subject, fit)
    assert CLIENT.recovered(subject, fit) == fit
    for changed in (
        {"router_address": ROUTER[::-1]},
        {"chain_id": "chain0/group1"},
        {"generation": V3},
        {"crypto_suite": GM},
        {"max_clock_drift_s": 16},
        {"is_frozen": True},
    ):
        for door in (CLIENT.check_substitute, CLIENT.recovered):
            with pytest.raises(PredicateFailed):
                door(subject, chain.client_state(4, **changed))


def test_attack_C18_fisco_changed_sealers_of_generation_3_are_followed_by_recovery():
    chain = chain_of(V3, blocks=1)
    chain.replace_sealers([0, 1, 2, 9])
    chain.advance(2)
    client, states = trusting(chain, 2)
    with pytest.raises(UnsupportedOperation):
        CLIENT.verify_header(client, states, chain.header(3, 2), chain.now_ns)
    recovered = CLIENT.recovered(client, chain.client_state(3))
    states = states.with_state(Height(0, 3), chain.consensus_state(3))
    assert isinstance(CLIENT.verify_header(recovered, states, chain.header(4, 3), chain.now_ns), Updated)


def client_message(**changed) -> bytes:
    fields = {
        "chain_id": CHAIN_ID,
        "generation": 2,
        "crypto_suite": 1,
        "router_address": ROUTER,
        "trusting_period_s": 1_000,
        "max_clock_drift_s": 15,
        "latest_height": ibc_pb2.Height(revision_height=1),
    }
    return fisco_bcos_pb2.ClientState(**{**fields, **changed}).SerializeToString(deterministic=True)


@pytest.mark.parametrize(
    "changed",
    [
        {"chain_id": ""},
        {"chain_id": "a b"},
        {"chain_id": "c" * 65},
        {"generation": 0},
        {"generation": 1},
        {"generation": 4},
        {"crypto_suite": 0},
        {"crypto_suite": 3},
        {"router_address": b""},
        {"router_address": bytes(20)},
        {"router_address": ROUTER + b"\0"},
        {"trusting_period_s": 0},
        {"max_clock_drift_s": 0},
        {"latest_height": ibc_pb2.Height()},
        {"latest_height": ibc_pb2.Height(revision_number=1, revision_height=1)},
    ],
)
def test_attack_C20_fisco_client_with_bad_parameters(changed):
    chain = chain_of()
    CLIENT.create(client_message(), chain.consensus_state(1), chain.now_ns)
    with pytest.raises(MalformedInput):
        CLIENT.create(client_message(**changed), chain.consensus_state(1), chain.now_ns)


def test_attack_C20_fisco_suite_that_is_not_installed_is_named(monkeypatch):
    chain = chain_of(V2, GM)
    client, state = chain.client_state(1), chain.consensus_state(1)
    CLIENT.create(client, state, chain.now_ns)
    monkeypatch.setattr(gm, "is_installed", lambda: False)
    with pytest.raises(UnsupportedOperation, match=r"pip install .* '\.\[gm\]'"):
        CLIENT.create(client, state, chain.now_ns)
    ecdsa = chain_of()
    assert isinstance(judge(ecdsa, ecdsa.update(3, 1)), Updated)


def sealer_message(n: int, weight: int = 1):
    return fisco_bcos_pb2.Sealer(public_key=n.to_bytes(64, "big"), weight=weight)


@pytest.mark.parametrize(
    "changed",
    [
        {"timestamp_ms": 0},
        {"timestamp_ms": 2**48},
        {"transactions_root": b""},
        {"receipts_root": b"\x01" * 31},
        {"sealers": []},
        {"sealers": [fisco_bcos_pb2.Sealer(public_key=b"\1" * 63, weight=1)]},
        {"sealers": [sealer_message(1), sealer_message(1)]},
        {"sealers": [sealer_message(2), sealer_message(1)]},
        {"sealers": [sealer_message(1, 0)]},
        {"sealers": [sealer_message(1, MAX_WEIGHT), sealer_message(2)]},
        {"sealers": [sealer_message(n) for n in range(1, MAX_SEALERS + 2)]},
    ],
)
def test_attack_C20_fisco_consensus_state_with_bad_fields(changed):
    fields = {
        "timestamp_ms": 1,
        "transactions_root": bytes(32),
        "receipts_root": b"\1" * 32,
        "sealers": [sealer_message(1), sealer_message(2, 5)],
    }
    good = fisco_bcos_pb2.ConsensusState(**fields).SerializeToString(deterministic=True)
    assert encode_consensus_state(decode_consensus_state(good)) == good
    assert decode_consensus_state(good).sealers[1] == Sealer((2).to_bytes(64, "big"), 5)
    with pytest.raises(MalformedInput):
        decode_consensus_state(
            fisco_bcos_pb2.ConsensusState(**{**fields, **changed}).SerializeToString(deterministic=True)
        )


@pytest.mark.parametrize("timestamp_ms", [1, 2**48 - 1])
def test_attack_C40_fisco_no_date_saves_who_signs_two_blocks(timestamp_ms):
    chain = chain_of()
    client, states = trusting(chain, 1)
    evidence = evidence_of(chain, timestamp_ms=timestamp_ms)
    assert CLIENT.check_misbehaviour(client, states, evidence, chain.now_ns).height == Height(0, 3)
    with pytest.raises(PredicateFailed):
        judge(chain, proposal(chain, 3, timestamp_ms=timestamp_ms))


@pytest.mark.parametrize("generation", [V2, V3])
def test_attack_H_fisco_one_bit_of_a_valid_update_is_refused(generation):
    """Nothing in an update is unread: each flipped bit is refused."""
    chain = chain_of(generation, sealers=1, blocks=2)
    valid = encode_header_message(chain.update(3, 1))
    client, states = trusting(chain, 1)
    assert isinstance(CLIENT.verify_header(client, states, valid, chain.now_ns), Updated)
    for bit in range(0, 8 * len(valid), 7):
        damaged = bytearray(valid)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VerificationError):
            CLIENT.verify_header(client, states, bytes(damaged), chain.now_ns)
