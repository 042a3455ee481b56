"""The native module of observations: anybody shows what another chain's state holds, named writers open the keys for it."""

from collections.abc import Mapping
from typing import ClassVar

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.identifiers import check_client_id, client_type_of
from hutong.light_clients.interface import Height, LightClient
from hutong.light_clients.records import Observation, parse_observation_key
from hutong.relay.evm.vm.native import NativeCall
from hutong.relay.hub.application import gas
from hutong.relay.hub.application.frame import MeteredStore, frame_of
from hutong.relay.hub.application.module import OBSERVATIONS_ADDRESS, Module, clients_of, emit
from hutong.relay.hub.application.observations import interface
from hutong.relay.hub.application.observations.epochs import epoch_of, refresh_epoch
from hutong.relay.hub.application.observations.keeping import keep_observation
from hutong.relay.hub.application.observations.proving import Shown, decode_items, prove
from hutong.relay.hub.application.observations.writers import Writers
from hutong.relay.hub.application.revision import rules_versions


class ObservationsModule(Module):
    """Keys name client and place, so that nothing can be squatted; proofs decide, and nobody's word."""

    since: ClassVar[int] = rules_versions.RECORDS

    def __init__(self, light_clients: Mapping[str, LightClient]) -> None:
        self._address = OBSERVATIONS_ADDRESS
        self._light_clients = light_clients
        self._handlers = {
            interface.OBSERVE.selector: self._observe,
            interface.CLOSE_OBSERVATION.selector: self._close,
            interface.GET_OBSERVATION.selector: self._get_observation,
            interface.GET_EPOCH.selector: self._get_epoch,
            interface.GET_WRITER.selector: self._get_writer,
            interface.OPEN_TO_ALL.selector: self._open_to_all,
        }

    def _observe(self, call: NativeCall, data: bytes) -> bytes:
        """The client's epoch is brought up to date first, so that what is written is of the present one."""
        call.require_writable()
        client_id, height, shown, nodes, raw_items = interface.OBSERVE.decode(data)
        _charge(call, shown, nodes, raw_items)
        items = decode_items(check_client_id(client_id), raw_items)
        asked = Shown(Height(*height), shown, tuple(nodes), items)
        store, clients = clients_of(call, self._light_clients)
        block = clients.known_block(client_id, asked.height)
        proven = prove(block, client_type_of(client_id), asked)
        epoch = refresh_epoch(store, clients, client_id)
        written = []
        for item, value in zip(items, proven.values, strict=True):
            observation = Observation(value, proven.trust, epoch.number, asked.height, block.timestamp_ns)
            written.append(_write(call, store, item.key, observation))
        return interface.OBSERVE.answer(written)

    def _close(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        (key,) = interface.CLOSE_OBSERVATION.decode(data)
        parse_observation_key(key)
        store = _store(call)
        Writers(store).close(key, call.caller)
        store.delete(key)
        emit(call, interface.OBSERVATION_CLOSED_EVENT, (keccak256(key),), (key,))
        return b""

    def _get_observation(self, call: NativeCall, data: bytes) -> bytes:
        (key,) = interface.GET_OBSERVATION.decode(data)
        parse_observation_key(key)
        return interface.GET_OBSERVATION.answer(_store(call).get(key) or b"")

    def _get_epoch(self, call: NativeCall, data: bytes) -> bytes:
        (client_id,) = interface.GET_EPOCH.decode(data)
        epoch = epoch_of(_store(call), check_client_id(client_id))
        return interface.GET_EPOCH.answer(*((0, False) if epoch is None else (epoch.number, epoch.is_readable)))

    def _get_writer(self, call: NativeCall, data: bytes) -> bytes:
        (text,) = interface.GET_WRITER.decode(data)
        account, writers = bytes.fromhex(text[2:]), Writers(_store(call))
        return interface.GET_WRITER.answer(writers.limit(account), writers.count(account))

    def _open_to_all(self, call: NativeCall, data: bytes) -> bytes:
        interface.OPEN_TO_ALL.decode(data)
        return interface.OPEN_TO_ALL.answer(Writers(_store(call)).is_open)


def _store(call: NativeCall) -> MeteredStore:
    return MeteredStore(call, frame_of(call))


def _charge(call: NativeCall, shown: bytes, nodes: list[bytes], items: list[tuple[int, bytes, bytes]]) -> None:
    """A shown header as a client message; each item as a proof, since its path may share every node with others."""
    if shown:
        call.charge(gas.CLIENT_MESSAGE + gas.CLIENT_MESSAGE_BYTE * len(shown), "shown header")
    proof_bytes = sum(map(len, nodes)) + sum(len(value) for _, _, value in items)
    call.charge(gas.PROOF * len(items) + gas.PROOF_BYTE * proof_bytes, "proofs of places")


def _write(call: NativeCall, store: MeteredStore, key: bytes, observation: Observation) -> bool:
    """False where the same or a newer block of this epoch is told of already."""
    written = keep_observation(store, call.caller, key, observation)
    if written is None:
        return False
    emit(call, interface.OBSERVED_EVENT, (keccak256(key),), (key, written))
    return True
