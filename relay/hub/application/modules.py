"""The native modules behind their addresses: calldata in, return data or a typed revert out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hutong.light_clients.ibc.abi import packet_from_tuple
from hutong.light_clients.ibc.forward import FORWARD_PORT
from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.ibc.packet import Payload
from hutong.light_clients.ibc.transfer import TRANSFER_PORT
from hutong.light_clients.interface import Height, LightClient, MalformedInput
from hutong.relay.evm.vm.native import Address, NativeCall
from hutong.relay.hub.application import abi, gas
from hutong.relay.hub.application.admin import AdminActions, AdminSet, kinds_of_admins
from hutong.relay.hub.application.clients import Clients, UpdateResult
from hutong.relay.hub.application.directory.module import DirectoryModule
from hutong.relay.hub.application.frame import MeteredStore, frame_of
from hutong.relay.hub.application.governance.action_events import emit_executed
from hutong.relay.hub.application.governance.authority import Authority, chamber_opener
from hutong.relay.hub.application.governance.module import Chamber, GovernanceModule
from hutong.relay.hub.application.identity.module import IdentityModule
from hutong.relay.hub.application.module import (
    CLIENT_MANAGER_ADDRESS,
    FORWARDER_ADDRESS,
    ROUTER_ADDRESS,
    TRANSFER_ADDRESS,
    Module,
    clients_of,
    emit,
    message_gas,
    not_supported,
)
from hutong.relay.hub.application.observations.module import ObservationsModule
from hutong.relay.hub.application.packets.forwarder import Forwarder
from hutong.relay.hub.application.packets.packets import HubPaused, PacketRouter, RelayedProof
from hutong.relay.hub.application.packets.quotas import Quotas
from hutong.relay.hub.application.packets.shared_quotas import HUB_ACCOUNTS
from hutong.relay.hub.application.storage.module import StorageModule
from hutong.relay.hub.application.transfer.app import TransferApplication
from hutong.relay.hub.application.transfer.module import TransferModule
from hutong.relay.hub.application.validators import Powers, canonical_order, read_powers
from hutong.relay.hub.state import keys

NATIVE_CODE = b"\xfe"
"""Code of native accounts in genesis: INVALID, should the engine ever run it as bytecode."""

MAX_BATCH_CALLS = 256
MAX_BATCH_REASON_BYTES = 1024

PORT_OWNERS: Mapping[str, Address] = {FORWARD_PORT: FORWARDER_ADDRESS, TRANSFER_PORT: TRANSFER_ADDRESS}


class RouterModule(Module):
    """ICS-04 v2 and the relayers' part of ICS-02, in the ABI of `ICS26Router`."""

    def __init__(self, light_clients: Mapping[str, LightClient]) -> None:
        self._address = ROUTER_ADDRESS
        self._light_clients = light_clients
        self._handlers = {
            abi.RECV_PACKET.selector: self._recv_packet,
            abi.ACK_PACKET.selector: self._ack_packet,
            abi.TIMEOUT_PACKET.selector: self._timeout_packet,
            abi.UPDATE_CLIENT.selector: self._update_client,
            abi.SUBMIT_MISBEHAVIOUR.selector: self._submit_misbehaviour,
            abi.UPGRADE_CLIENT.selector: self._upgrade_client,
            abi.RELAY_BATCH.selector: self._relay_batch,
            abi.GET_COUNTERPARTY.selector: self._get_counterparty,
            abi.GET_COMMITMENT.selector: self._get_commitment,
            abi.GET_IBC_APP.selector: self._get_ibc_app,
            abi.GET_NEXT_SEQUENCE.selector: self._get_next_sequence,
            abi.PAUSED.selector: self._paused,
            abi.SEND_PACKET.selector: self._send_packet,
            abi.GET_CLIENT.selector: not_supported("getClient: clients on the hub are not contracts"),
            abi.ADD_IBC_APP.selector: not_supported("addIBCApp: contracts own no ports on the hub"),
            abi.ADD_NAMED_IBC_APP.selector: not_supported("addIBCApp: contracts own no ports on the hub"),
        }

    def _router(self, call: NativeCall) -> PacketRouter:
        store, clients = clients_of(call, self._light_clients)

        def emit_here(event: abi.Event, indexed: tuple[object, ...], values: tuple[object, ...]) -> None:
            emit(call, event, indexed, values)

        frame = frame_of(call)
        router = PacketRouter(store, clients, frame.now_s, emit_here, rules_version=frame.rules_version)
        router.applications = {FORWARD_PORT: Forwarder(router), TRANSFER_PORT: TransferApplication(router)}
        return router

    @staticmethod
    def _charge_proof(call: NativeCall, proof: bytes) -> None:
        call.charge(gas.PROOF + gas.PROOF_BYTE * len(proof), "proof")

    def _send_packet(self, call: NativeCall, data: bytes) -> bytes:
        """For the transfer module alone, which has taken the sender's tokens."""
        if call.caller != TRANSFER_ADDRESS:
            raise abi.NOT_SUPPORTED.revert("sendPacket: only native applications send on the hub")
        call.require_writable()
        ((client_id, timeout_s, fields),) = abi.SEND_PACKET.decode(data)
        call.charge(gas.PACKET_BYTE * len(data), "packet")
        router, payload = self._router(call), Payload(*fields)
        if router.paused:
            raise HubPaused
        router.check_sendable(check_client_id(client_id), timeout_s, payload, HUB_ACCOUNTS)
        return abi.SEND_PACKET.answer(router.send(client_id, timeout_s, payload, HUB_ACCOUNTS).sequence)

    def _recv_packet(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        ((packet, proof, height),) = abi.RECV_PACKET.decode(data)
        self._charge_proof(call, proof)
        call.charge(gas.PACKET_BYTE * len(data), "packet")
        self._router(call).receive(packet_from_tuple(packet), RelayedProof(Height(*height), proof))
        return b""

    def _ack_packet(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        ((packet, acknowledgement, proof, height),) = abi.ACK_PACKET.decode(data)
        self._charge_proof(call, proof)
        call.charge(gas.PACKET_BYTE * len(data), "packet")
        self._router(call).acknowledge(packet_from_tuple(packet), acknowledgement, RelayedProof(Height(*height), proof))
        return b""

    def _timeout_packet(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        ((packet, proof, height),) = abi.TIMEOUT_PACKET.decode(data)
        self._charge_proof(call, proof)
        call.charge(gas.PACKET_BYTE * len(data), "packet")
        self._router(call).timeout(packet_from_tuple(packet), RelayedProof(Height(*height), proof))
        return b""

    def _update_client(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        client_id, message = abi.UPDATE_CLIENT.decode(data)
        call.charge(message_gas(self._light_clients, client_id, message), "client message")
        _, clients = clients_of(call, self._light_clients)
        result = clients.update(client_id, message)
        emit(call, abi.CLIENT_UPDATED_EVENT, (), (client_id, result))
        if result is UpdateResult.MISBEHAVIOUR:
            emit(call, abi.MISBEHAVIOUR_EVENT, (), (client_id,))
        return abi.UPDATE_CLIENT.answer(result)

    def _submit_misbehaviour(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        client_id, message = abi.SUBMIT_MISBEHAVIOUR.decode(data)
        call.charge(message_gas(self._light_clients, client_id, message), "client message")
        _, clients = clients_of(call, self._light_clients)
        clients.submit_misbehaviour(client_id, message)
        emit(call, abi.MISBEHAVIOUR_EVENT, (), (client_id,))
        return b""

    def _upgrade_client(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        client_id, message = abi.UPGRADE_CLIENT.decode(data)
        call.charge(2 * gas.PROOF + message_gas(self._light_clients, client_id, message), "client upgrade")
        height = clients_of(call, self._light_clients)[1].upgrade(client_id, message)
        answer = (height.revision_number, height.revision_height)
        emit(call, abi.CLIENT_UPGRADED_EVENT, (), (client_id, answer))
        return abi.UPGRADE_CLIENT.answer(answer)

    def _relay_batch(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        (calls,) = abi.RELAY_BATCH.decode(data)
        if len(calls) > MAX_BATCH_CALLS:
            raise MalformedInput("call.relayBatch", f"more than {MAX_BATCH_CALLS} calls", got=len(calls))
        for index, (_, calldata) in enumerate(calls):
            if calldata[:4] not in abi.BATCH_SELECTORS:
                raise abi.BATCH_SELECTOR_NOT_ALLOWED.revert(index, calldata[:4].ljust(4, b"\0"))
        succeeded = []
        for index, (gas_limit, calldata) in enumerate(calls):
            call.charge(gas.BATCH_CALL, "batch call")
            # The call's own access charge comes off before the 1/64 is kept back.
            available = call.gas_available_for_call - gas.BATCH_CALL
            if available < gas_limit:
                raise abi.INSUFFICIENT_BATCH_GAS.revert(index, max(available, 0), gas_limit)
            result = call.call_self(calldata, gas_limit)
            succeeded.append(result.success)
            if not result.success:
                reason = result.return_data[:MAX_BATCH_REASON_BYTES]
                emit(call, abi.BATCH_CALL_FAILED_EVENT, (index,), (reason,))
        return abi.RELAY_BATCH.answer(succeeded)

    def _get_counterparty(self, call: NativeCall, data: bytes) -> bytes:
        (client_id,) = abi.GET_COUNTERPARTY.decode(data)
        counterparty = clients_of(call, self._light_clients)[1].counterparty(client_id)
        return abi.GET_COUNTERPARTY.answer((counterparty.client_id, list(counterparty.merkle_prefix)))

    def _get_commitment(self, call: NativeCall, data: bytes) -> bytes:
        (hashed_path,) = abi.GET_COMMITMENT.decode(data)
        return abi.GET_COMMITMENT.answer(self._router(call).commitment_by_hash(hashed_path))

    def _get_ibc_app(self, call: NativeCall, data: bytes) -> bytes:
        (port,) = abi.GET_IBC_APP.decode(data)
        owner = PORT_OWNERS.get(port)
        if owner is None:
            raise abi.APP_NOT_FOUND.revert(port)
        return abi.GET_IBC_APP.answer(owner)

    def _get_next_sequence(self, call: NativeCall, data: bytes) -> bytes:
        (client_id,) = abi.GET_NEXT_SEQUENCE.decode(data)
        router = self._router(call)
        router.clients.counterparty(client_id)
        return abi.GET_NEXT_SEQUENCE.answer(router.next_sequence(client_id))

    def _paused(self, call: NativeCall, data: bytes) -> bytes:
        abi.PAUSED.decode(data)
        return abi.PAUSED.answer(self._router(call).paused)


class ClientManagerModule(Module):
    """ICS-02's permissioned part: admins approve an action's hash, then one of them executes it."""

    def __init__(
        self,
        light_clients: Mapping[str, LightClient],
        chain_id: str,
        admins: AdminSet | None,
        powers_at: Callable[[int], Powers],
        open_chamber: Callable[[NativeCall], Chamber],
    ) -> None:
        self._address = CLIENT_MANAGER_ADDRESS
        self._light_clients = light_clients
        self._chain_id = chain_id
        self._admins = admins
        self._powers_at = powers_at
        self._chamber = open_chamber
        self._handlers = {
            abi.APPROVE.selector: self._approve,
            abi.EXECUTE.selector: self._execute,
            abi.GET_CLIENT_STATE.selector: self._get_client_state,
            abi.GET_CONSENSUS_STATE.selector: self._get_consensus_state,
            abi.GET_CLIENT_STATUS.selector: self._get_client_status,
            abi.GET_LATEST_HEIGHT.selector: self._get_latest_height,
            abi.GET_COUNTERPARTY.selector: self._get_counterparty,
            abi.GET_APPROVALS.selector: self._get_approvals,
            abi.GET_ADMINS.selector: self._get_admins,
            abi.GET_QUOTA.selector: self._get_quota,
            abi.GET_VALIDATORS.selector: self._get_validators,
        }

    def _clients(self, call: NativeCall) -> Clients:
        return clients_of(call, self._light_clients)[1]

    def _actions(self, call: NativeCall) -> AdminActions:
        chamber = self._chamber(call)
        kinds = kinds_of_admins(frame_of(call).rules_version)
        return AdminActions(self._chain_id, self._admins, kinds, chamber.store, chamber.actions.run)

    def _approve(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        (hashed,) = abi.APPROVE.decode(data)
        count = self._actions(call).approve(call.caller, hashed)
        emit(call, abi.ACTION_APPROVED_EVENT, (hashed, call.caller), (count,))
        return b""

    def _execute(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        (action,) = abi.EXECUTE.decode(data)
        call.charge(gas.CLIENT_MESSAGE + gas.STORE_BYTE * len(action), "admin action")
        hashed, done = self._actions(call).execute(call.caller, action)
        emit_executed(call, done)
        emit(call, abi.ACTION_EXECUTED_EVENT, (hashed,), (done.kind,))
        return b""

    def _get_client_state(self, call: NativeCall, data: bytes) -> bytes:
        (client_id,) = abi.GET_CLIENT_STATE.decode(data)
        return abi.GET_CLIENT_STATE.answer(self._clients(call).client_state(client_id))

    def _get_consensus_state(self, call: NativeCall, data: bytes) -> bytes:
        client_id, height = abi.GET_CONSENSUS_STATE.decode(data)
        clients = self._clients(call)
        clients.client_state(client_id)
        state = clients.consensus_states(client_id).get(Height(*height))
        return abi.GET_CONSENSUS_STATE.answer(b"" if state is None else state)

    def _get_client_status(self, call: NativeCall, data: bytes) -> bytes:
        (client_id,) = abi.GET_CLIENT_STATUS.decode(data)
        return abi.GET_CLIENT_STATUS.answer(str(self._clients(call).status(client_id)))

    def _get_latest_height(self, call: NativeCall, data: bytes) -> bytes:
        (client_id,) = abi.GET_LATEST_HEIGHT.decode(data)
        height = self._clients(call).latest_height(client_id)
        return abi.GET_LATEST_HEIGHT.answer((height.revision_number, height.revision_height))

    def _get_counterparty(self, call: NativeCall, data: bytes) -> bytes:
        (client_id,) = abi.GET_COUNTERPARTY.decode(data)
        counterparty = self._clients(call).counterparty(client_id)
        return abi.GET_COUNTERPARTY.answer((counterparty.client_id, list(counterparty.merkle_prefix)))

    def _get_approvals(self, call: NativeCall, data: bytes) -> bytes:
        (hashed,) = abi.GET_APPROVALS.decode(data)
        approvals = self._actions(call).approvals(hashed)
        return abi.GET_APPROVALS.answer(list(approvals.admins), approvals.executed)

    def _get_admins(self, call: NativeCall, data: bytes) -> bytes:
        abi.GET_ADMINS.decode(data)
        if self._admins is None:
            return abi.GET_ADMINS.answer([], 0)
        return abi.GET_ADMINS.answer(list(self._admins.addresses), self._admins.threshold)

    def _get_quota(self, call: NativeCall, data: bytes) -> bytes:
        (client_id,) = abi.GET_QUOTA.decode(data)
        store, clients = clients_of(call, self._light_clients)
        clients.client_state(client_id)
        quotas = Quotas(store)
        limit, load = quotas.limit(client_id), quotas.in_flight(client_id)
        return abi.GET_QUOTA.answer(limit.packets, limit.payload_bytes, load.packets, load.payload_bytes)

    def _get_validators(self, call: NativeCall, data: bytes) -> bytes:
        abi.GET_VALIDATORS.decode(data)
        frame = frame_of(call)
        powers = read_powers(MeteredStore(call, frame), self._powers_at(frame.height))
        return abi.GET_VALIDATORS.answer([(key.data, power) for key, power in canonical_order(powers)])


class ForwarderModule(Module):
    """Views of forwards. Nothing can be changed through it: the router alone calls the forwarder."""

    def __init__(self) -> None:
        self._address = FORWARDER_ADDRESS
        self._handlers = {
            abi.GET_PENDING_FORWARD.selector: self._get_pending,
            abi.GET_FORWARD_FAILURE.selector: self._get_failure,
        }

    def _get_pending(self, call: NativeCall, data: bytes) -> bytes:
        client_id, sequence = abi.GET_PENDING_FORWARD.decode(data)
        record = MeteredStore(call, frame_of(call)).get(keys.forward_key(check_client_id(client_id), sequence))
        return abi.GET_PENDING_FORWARD.answer(record or b"")

    def _get_failure(self, call: NativeCall, data: bytes) -> bytes:
        client_id, sequence = abi.GET_FORWARD_FAILURE.decode(data)
        reason = MeteredStore(call, frame_of(call)).get(keys.forward_reason_key(check_client_id(client_id), sequence))
        return abi.GET_FORWARD_FAILURE.answer((reason or b"").decode(errors="replace"))


@dataclass(frozen=True, slots=True)
class Founding:
    """What modules are made from; each takes what it needs."""

    light_clients: Mapping[str, LightClient]
    authority: Authority
    open_chamber: Callable[[NativeCall], Chamber]
    tables: Mapping[str, Any]
    """What genesis says of modules, by the names of `genesis_tables`."""


def _client_manager(hub: Founding) -> ClientManagerModule:
    authority = hub.authority
    return ClientManagerModule(
        hub.light_clients, authority.chain_id, authority.admins, authority.powers_at, hub.open_chamber
    )


def _governance(hub: Founding) -> GovernanceModule | None:
    constitution = hub.authority.constitution
    if constitution is None:
        return None
    return GovernanceModule(constitution, dict(hub.authority.intervals_ms), hub.open_chamber)


MODULES: dict[str, Callable[[Founding], Module | None]] = {
    "router": lambda hub: RouterModule(hub.light_clients),
    "client manager": _client_manager,
    "forwarder": lambda _hub: ForwarderModule(),
    "transfer": lambda _hub: TransferModule(),
    "governance": _governance,
    "observations": lambda hub: ObservationsModule(hub.light_clients),
    "identity": lambda hub: IdentityModule(hub.authority.chain_id),
    "storage": lambda hub: StorageModule(hub.authority.chain_id),
    "directory": lambda hub: DirectoryModule(hub.authority.chain_id),
}
"""What makes each module; None where a hub of this genesis does not have it. A new module is one line here."""


def native_modules(
    light_clients: Mapping[str, LightClient], authority: Authority, tables: Mapping[str, Any]
) -> dict[Address, Module]:
    """All modules by address, those of later rules versions too; that of governance only where the validators govern.

    One module serves every rules version that has it: what a version changes it asks of its frame.

    Args:
        tables: of genesis, by name.

    Raises:
        ValueError: two modules have one address.
    """
    hub = Founding(light_clients, authority, chamber_opener(light_clients, authority), tables)
    modules: dict[Address, Module] = {}
    for name, make in MODULES.items():
        module = make(hub)
        if module is None:
            continue
        if module.address in modules:
            raise ValueError(f"the module {name} has the address 0x{module.address.hex()} of another one")
        modules[module.address] = module
    return modules
