"""Gas of storage audits on another chain; printed with `pytest -s`, bounded so that a regression fails."""

import pytest

from hutong.adapters.evm.hub_reader import ShownRecords
from hutong.adapters.evm.storage_audit import AuditTerms, encode_probe, encode_require_passed
from hutong.relay.hub.state.multiproof import prove_many
from hutong.relay.services.storage.rules.audits.probes import Challenge
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.values import (
    SetRecord,
    encode_seed_record,
    encode_set_record,
    encode_verdict_record,
)
from tests.contracts.records.reader_lane import intrinsic_gas
from tests.contracts.records.record_tree import deep_tree_of
from tests.contracts.storage.audit_lane import EPOCH, OPERATOR, SEED, TERMS, VERDICT_KEY, ready
from tests.relay.services.storage.deep_operator import DeepOperator, HeldLog

VERDICT_BOUND = 150_000
PROBE_BOUND = 62_000
DEPTHS = {"10^3": 11, "10^6": 21}
"""Steps to a leaf in a tree of so many keys, on average."""
FLOOR_PER_BYTE = 40
"""Of a byte that is not zero, and ten of one that is: what EIP-7623 asks at least, from Prague on."""


def shown_at(world, content, depth):
    """These records under the root of a real header, which the chain's client has."""
    tree, root = deep_tree_of(content, depth)
    chain = world.hub.lane.chain
    time_ns = chain.latest.header.time_ns + 10**9
    height = chain.advance(app_hash=root, time_ns=time_ns).header.height
    world.evm.timestamp_s = time_ns // 10**9 + 1
    world.hub.lane.update(height)
    return ShownRecords.of(chain.height(height), *prove_many(tree, root, sorted(content)))


def gas(world, data):
    computation = world.evm.send(world.audit.address, data, keep=False)
    return computation.msg.gas - computation.get_gas_remaining() + intrinsic_gas(data)


@pytest.mark.parametrize("size", DEPTHS)
def test_gas_of_a_verdict(size):
    world = ready()
    shown = shown_at(world, {VERDICT_KEY: encode_verdict_record(world.verdict())}, DEPTHS[size])
    used = gas(world, encode_require_passed(OPERATOR.id, EPOCH, shown, TERMS))
    print(f"\n{size} keys on the hub: a verdict with the header known {used}")
    assert used <= VERDICT_BOUND


@pytest.mark.long
@pytest.mark.parametrize("count", [1, 8, 64])
def test_gas_of_probes(count):
    """An operator of 128 TiB: 16 384 batches of 1 024 shards of 8 MiB, so that a path has 37 nodes."""
    world = ready()
    operator = DeepOperator("gas")
    held = HeldLog(operator, 2**14)
    seed = world.seed_record(probes=64)
    content = {
        keys.seed_key(EPOCH): encode_seed_record(seed),
        keys.set_key(operator.id, EPOCH): encode_set_record(SetRecord(held.set, 480)),
    }
    shown = shown_at(world, content, DEPTHS["10^6"])
    challenge = Challenge(SEED.seed, operator.id, held.set, 64)
    octets = held.answers(challenge, 0, count)
    data = encode_probe(operator.id, EPOCH, shown, (0, count, octets), AuditTerms(900, 64))
    used = gas(world, data)
    floor = 21_000 + sum(FLOOR_PER_BYTE if byte else 10 for byte in data)
    print(
        f"\n{count} probes: {used} gas, {used // count} each, {len(data)} bytes; Prague's floor {floor // count} each"
    )
    if count == 64:
        assert used <= count * PROBE_BOUND
