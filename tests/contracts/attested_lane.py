"""A router whose client follows a chain that only attestors speak for: `Lane` with signatures in place of proofs."""

from dataclasses import dataclass, replace
from typing import Any

from hutong.contracts.roles import MIGRATOR_ROLE, router_function_roles
from tests.contracts.clients.attestation_twin import EVM_SCOPE, deploy_attestation_client
from tests.contracts.evm import SENDER, Contract, Evm, Outcome
from tests.contracts.lane import APP_PORT, HUB_SIDE_CLIENT, LOCAL_CLIENT, MERKLE_PREFIX, Lane
from tests.light_clients.attestation.attested_chain import GENESIS_S, AttestedChain

INFO = (HUB_SIDE_CLIENT, MERKLE_PREFIX)


@dataclass
class AttestedLane(Lane):
    """The first `threshold` of `attestors` sign what is needed."""

    attestors: int = 3
    threshold: int = 2

    def __post_init__(self) -> None:
        self.evm = self.evm or Evm(self.fork, GENESIS_S)
        self.manager = self.evm.deploy("AccessManager", SENDER)
        self.router = self.evm.deploy("Router", self.manager.address)
        for function_role in router_function_roles(open_relaying=self.open_relaying):
            self.manager.transact(
                "setTargetFunctionRole", self.router.address, function_role.selectors, function_role.role
            )
        self.manager.transact("grantRole", MIGRATOR_ROLE, SENDER, 0)
        self.chain: Any = AttestedChain(self.attestors, self.threshold, self.scope())
        self.trusted = self.chain.height
        self.client = self.light_client()
        self.router.transact("addClient", INFO, self.client.address)
        self.app = self.evm.deploy("HostileApp")
        self.router.transact("addIBCApp", APP_PORT, self.app.address)

    def scope(self, client_id: str = LOCAL_CLIENT):
        return replace(EVM_SCOPE, destination_router=self.router.address, destination_client_id=client_id)

    def light_client(self, **changes: Any) -> Contract:
        return deploy_attestation_client(self.evm, self.chain, self.chain.height, **changes)

    # the attested chain

    def advance(self, blocks: int = 1) -> int:
        height = self.chain.advance(blocks)
        self.evm.timestamp_s = max(self.evm.timestamp_s, self.chain.times_s[-1])
        return height

    def update(self, height: int | None = None, **call: Any) -> Outcome:
        message = self.update_message(self.chain.height if height is None else height)
        return self.router.transact("updateClient", LOCAL_CLIENT, message, **call)

    def update_message(self, height: int) -> bytes:
        return self.chain.update(height)

    def publish(self, entries: dict[bytes, bytes]) -> int:
        for key, value in entries.items():
            self.chain.put(key, value)
        height = self.advance()
        self.update()
        return height

    def proof(self, key: bytes, height: int) -> bytes:
        return self.chain.proof(height, key)

    def proof_height(self, height: int) -> tuple[int, int]:
        return (0, height)

    def pass_time_to(self, timestamp_s: int) -> int:
        height = self.chain.advance(1, max(1, timestamp_s - self.chain.times_s[-1]))
        self.evm.timestamp_s = max(self.evm.timestamp_s, self.chain.times_s[-1])
        self.update()
        return height
