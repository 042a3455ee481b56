"""Who decides on a hub, and what a decision works on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from light_clients.interface import LightClient
from relay.evm.native import NativeCall
from relay.hub.application.actions import Actions
from relay.hub.application.admin import AdminSet
from relay.hub.application.frame import MeteredStore, frame_of
from relay.hub.application.genesis import Genesis
from relay.hub.application.governance.constitution import Constitution
from relay.hub.application.governance.members import Members
from relay.hub.application.governance.module import Chamber
from relay.hub.application.governance.proposals import Proposals
from relay.hub.application.governance.schedule import Schedule
from relay.hub.application.module import ROUTER_ADDRESS, clients_of
from relay.hub.application.validators import Powers, Validators


@dataclass(frozen=True, slots=True)
class Authority:
    """What genesis says of who decides, and of what decisions change. Exactly one of `admins` and `constitution` is there."""

    chain_id: str
    admins: AdminSet | None
    constitution: Constitution | None
    genesis_powers: Powers
    rules_at_genesis: int
    unbonding_period_s: int
    base_height: int
    intervals_ms: Mapping[str, int]

    @staticmethod
    def of(genesis: Genesis) -> "Authority":
        return Authority(
            genesis.chain_id,
            genesis.admins,
            genesis.constitution,
            {validator.public_key.data: validator.power for validator in genesis.validators},
            genesis.rules_version,
            genesis.params.unbonding_period_s,
            genesis.base_height,
            {name: getattr(genesis.params, name) for name in ("block_interval_ms", "proof_block_delay_ms")},
        )


def chamber_opener(light_clients: Mapping[str, LightClient], authority: Authority) -> Callable[[NativeCall], Chamber]:
    chain_id, intervals_ms = authority.chain_id, authority.intervals_ms

    def open_chamber(call: NativeCall) -> Chamber:
        store, clients = clients_of(call, light_clients)
        frame = frame_of(call)
        validators = Validators(store, MeteredStore.before_block(call), authority.genesis_powers)
        members = Members(store, validators, chain_id, frame.now_s)
        schedule = Schedule(
            store,
            frame.height,
            chain_id,
            authority.unbonding_period_s,
            authority.rules_at_genesis,
            authority.base_height,
        )
        governed = authority.constitution is not None
        actions = Actions(
            chain_id,
            ROUTER_ADDRESS,
            store,
            clients,
            validators,
            members if governed else None,
            schedule if governed or frame.rules_version > 1 else None,
            (intervals_ms["block_interval_ms"], intervals_ms["proof_block_delay_ms"]),
        )
        return Chamber(store, members, Proposals(store, members, frame.now_s, frame.height), schedule, actions)

    return open_chamber
