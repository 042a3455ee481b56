"""Four validators take up rules version 4 with traffic under way; the one without it halts, is upgraded and catches up."""

from dataclasses import dataclass, field

import pytest
import trio
from eth_utils import to_checksum_address

from hutong.relay.evm.chain.mempool import SenderAccount
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.evm.vm.transaction import decode_transaction
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import action_hash, name_writer_action, schedule_rules_action
from hutong.relay.hub.application.governance.coming import UnknownRulesVersion
from hutong.relay.hub.application.module import CLIENT_MANAGER_ADDRESS, OBSERVATIONS_ADDRESS
from hutong.relay.hub.application.modules import NATIVE_CODE
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.state import keys
from tests.relay.hub.hub_process import transfer
from tests.relay.hub.network.simulated_network import SimulatedNetwork, network_genesis
from tests.relay.hub.simulated_hub import ADMINS, EVM_CHAIN_ID

AT = 14
WRITER = b"\x11" * 20


class HaltingNetwork(SimulatedNetwork):
    """Says which validators halted for rules that they lack; any other end of a validator ends the test."""

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.halted: dict[int, str] = {}

    async def _run(self, validator) -> None:
        try:
            await super()._run(validator)
        except* UnknownRulesVersion as group:
            (error,) = group.exceptions
            while isinstance(error, BaseExceptionGroup):
                (error,) = error.exceptions
            self.halted[self.validators.index(validator)] = str(error)
            validator.scope = None


@dataclass
class Senders:
    """Transactions of the admins and of DAPP, each with the nonce that comes next."""

    network: SimulatedNetwork
    nonces: dict = field(default_factory=dict)

    async def send(self, raw: bytes) -> None:
        gossip = self.network.validators[0].node.gossip
        await gossip.pass_on(decode_transaction(raw, EVM_CHAIN_ID), SenderAccount(0, 10**24))

    def _next(self, who: str) -> int:
        nonce = self.nonces.get(who, 0)
        self.nonces[who] = nonce + 1
        return nonce

    async def pay(self) -> None:
        await self.send(bytes.fromhex(transfer(self._next("dapp"), EVM_CHAIN_ID)[2:]))

    async def manage(self, admin, data: bytes) -> None:
        fields = {"chainId": EVM_CHAIN_ID, "nonce": self._next(admin.address), "gas": 2_000_000, "gasPrice": 0}
        fields |= {"value": 0, "to": to_checksum_address(CLIENT_MANAGER_ADDRESS), "data": data}
        await self.send(bytes(admin.sign_transaction(fields).raw_transaction))

    async def decide(self, action: bytes) -> None:
        for admin in ADMINS[:2]:
            await self.manage(admin, abi.APPROVE.call(action_hash(self.network.genesis.chain_id, action)))
        height = self.network.validators[0].height
        await self.network.reach(height + 2, 0, 1, 2)
        await self.manage(ADMINS[0], abi.EXECUTE.call(action))


@pytest.mark.long
async def test_four_take_up_version_4_and_the_one_without_it_halts_and_comes_back(
    tmp_path, autojump_clock, monkeypatch
):
    network = HaltingNetwork(tmp_path, 4, genesis=network_genesis(4, rules_version=rules_versions.BOUNDED_EXECUTION))
    late, store = network.validators[3], MemoryStore()
    with monkeypatch.context() as earlier:
        earlier.setattr(rules_versions, "ALL", rules_versions.ALL[:3])
        late.ledger = HubLedger(store, network.genesis)
    senders = Senders(network)
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(2)
        await senders.decide(schedule_rules_action(1, rules_versions.RECORDS, AT))
        for height in range(network.validators[0].height, AT + 3):
            await senders.pay()
            await network.reach(height + 1, 0, 1, 2)
        assert network.halted == {
            3: f"rules version 4 begins at block {AT} and this hutong has 1, 2, 3:"
            " install one that has it, then start the node again"
        }
        assert late.height == AT - 1
        await senders.decide(name_writer_action(2, WRITER, 5))
        late.ledger = HubLedger(store, network.genesis)
        network.start(nursery, 3)
        await network.reach(network.validators[0].height + 3)
        nursery.cancel_scope.cancel()
    assert network.agree()
    for validator in network.validators:
        records, application = validator.ledger.records, validator.ledger.application
        versions = [records.block(height).block.header.version_app for height in (AT - 1, AT, validator.height)]
        assert versions == [3, 4, 4]
        state = application.state_after(application.blocks.head())
        assert state.code(OBSERVATIONS_ADDRESS) == NATIVE_CODE
        assert application.view()[0].get(keys.observation_writer_key(WRITER)) == (5).to_bytes(8, "big")
        paid = sum(len(records.block(height).block.transactions) for height in range(1, validator.height + 1))
        assert paid == sum(senders.nonces.values())
