"""Who decides on a hub, and what a decision works on."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from hutong.light_clients.interface import LightClient
from hutong.relay.evm.vm.native import NativeCall, NativeRevert
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import AdminSet
from hutong.relay.hub.application.constitution import Constitution
from hutong.relay.hub.application.frame import MeteredReader, frame_of
from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.application.governance.actions import Actions, GovernedState, HubConstants
from hutong.relay.hub.application.governance.members import Members
from hutong.relay.hub.application.governance.module import Chamber
from hutong.relay.hub.application.governance.proposals import Proposals
from hutong.relay.hub.application.governance.schedule import Schedule
from hutong.relay.hub.application.module import ROUTER_ADDRESS, clients_of
from hutong.relay.hub.application.validators import Powers, Validators
from hutong.relay.services.identity.rules.records.did_record import Moment


class _EarlierPowers(Mapping[bytes, int]):
    """Of an earlier revision, whose own genesis names them: whoever looks gets the revert NotSupported, not a wrong set."""

    def __init__(self, base_height: int) -> None:
        self._base_height = base_height

    def _unknown(self) -> NativeRevert:
        return abi.NOT_SUPPORTED.revert(f"the set that began a revision before block {self._base_height}")

    def __getitem__(self, key: bytes) -> int:
        raise self._unknown()

    def __iter__(self) -> Iterator[bytes]:
        raise self._unknown()

    def __len__(self) -> int:
        raise self._unknown()


@dataclass(frozen=True, slots=True)
class Authority:
    """What genesis says of who decides, and of what decisions change. Exactly one of `admins` and `constitution` is there."""

    chain_id: str
    admins: AdminSet | None
    constitution: Constitution | None
    genesis_powers: Powers
    unbonding_period_s: int
    base_height: int
    intervals_ms: Mapping[str, int]

    @staticmethod
    def of(genesis: Genesis) -> "Authority":
        """What the genesis document says; later changes of parameters are read from the state."""
        return Authority(
            genesis.chain_id,
            genesis.admins,
            genesis.constitution,
            {validator.public_key.data: validator.power for validator in genesis.validators},
            genesis.params.unbonding_period_s,
            genesis.base_height,
            {name: getattr(genesis.params, name) for name in ("block_interval_ms", "proof_block_delay_ms")},
        )

    def powers_at(self, height: int) -> Powers:
        """The set of a state at `height` that holds none, power by compressed key.

        Nothing executes an earlier revision's blocks, but callers read at them: then every look at the set reverts
        NotSupported.
        """
        return self.genesis_powers if height >= self.base_height else _EarlierPowers(self.base_height)


def chamber_opener(light_clients: Mapping[str, LightClient], authority: Authority) -> Callable[[NativeCall], Chamber]:
    """A function that opens what one call works on, over its metered state and at its block's time.

    The function raises TypeError where the call does not run over a hub frame.
    """
    chain_id, intervals_ms = authority.chain_id, authority.intervals_ms
    hub = HubConstants(
        chain_id, ROUTER_ADDRESS, (intervals_ms["block_interval_ms"], intervals_ms["proof_block_delay_ms"])
    )

    def open_chamber(call: NativeCall) -> Chamber:
        store, clients = clients_of(call, light_clients)
        frame = frame_of(call)
        validators = Validators(store, MeteredReader.before_block(call), authority.powers_at(frame.height))
        members = Members(store, validators, chain_id, frame.now_s)
        schedule = Schedule(
            store,
            frame.height,
            chain_id,
            authority.unbonding_period_s,
            frame.rules_version,
            authority.base_height,
        )
        governed = authority.constitution is not None
        changed = GovernedState(
            store,
            clients,
            validators,
            members if governed else None,
            schedule if governed or frame.rules_version > 1 else None,
            Moment(frame.height, frame.now_s),
        )
        return Chamber(
            store,
            members,
            Proposals(store, members, frame.now_s, frame.height, frame.rules_version),
            schedule,
            Actions(hub, changed),
        )

    return open_chamber
