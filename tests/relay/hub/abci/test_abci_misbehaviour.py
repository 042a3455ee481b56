"""What CometBFT reports of validators enters the same records as under the embedded engine."""

from hutong.light_clients.protobuf import abci_pb2
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.abci.calls import AbciCalls
from hutong.relay.hub.abci.machine import HubMachine
from hutong.relay.hub.application.abci import Misbehaviour
from hutong.relay.hub.application.evidence_records import EvidenceRecord, read_records
from tests.relay.hub.abci.abci_client import init_chain
from tests.relay.hub.simulated_hub import GENESIS_TIME_S, hub_genesis

LIAR = b"\x07" * 20


def finalized(misbehavior) -> tuple[HubMachine, bytes]:
    genesis = hub_genesis()
    machine = HubMachine(MemoryStore(), genesis)
    calls = AbciCalls(machine)
    calls.answer(abci_pb2.Request(init_chain=init_chain(genesis)))
    request = abci_pb2.RequestFinalizeBlock(
        height=1, hash=b"\x01" * 32, time={"seconds": GENESIS_TIME_S + 1}, misbehavior=misbehavior
    )
    answer = calls.answer(abci_pb2.Request(finalize_block=request))
    calls.answer(abci_pb2.Request(commit={}))
    return machine, answer.finalize_block.app_hash


def test_a_double_vote_is_recorded_and_other_misbehaviour_is_not():
    accused = {
        "validator": {"address": LIAR, "power": 3},
        "height": 9,
        "time": {"seconds": 5, "nanos": 7},
        "total_voting_power": 40,
    }
    machine, app_hash = finalized([accused | {"type": 1}])
    expected = Misbehaviour(LIAR, 3, 9, 5_000_000_007, 40)
    assert list(read_records(machine.application.view()[0])) == [EvidenceRecord(expected, 1)]
    other, other_hash = finalized([accused | {"type": 2}])
    assert list(read_records(other.application.view()[0])) == []
    _, plain_hash = finalized([])
    assert app_hash != other_hash == plain_hash
