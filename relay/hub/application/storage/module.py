"""The native module of trusted storage: calls become values and are paid for here; what is done stands beside."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from hutong.light_clients.interface import MalformedInput
from hutong.relay.evm.vm.native import NativeCall
from hutong.relay.hub.application import gas
from hutong.relay.hub.application.abi import Function
from hutong.relay.hub.application.frame import MeteredStore, frame_of
from hutong.relay.hub.application.module import STORAGE_ADDRESS, Handler, Module, emit
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.storage import answering, interface, membership, removing, revealing, storing
from hutong.relay.hub.application.storage.refusals import UnknownMap
from hutong.relay.hub.application.storage.registry import Registry, registry_of
from hutong.relay.hub.application.storage.storing import GivenPart, Logged, NamedBatch
from hutong.relay.services.identity.rules.seals.signatures import SIGNATURE_BYTES
from hutong.relay.services.storage.rules.audits.seed import hub_id
from hutong.relay.services.storage.rules.commitments.entries import BatchPart
from hutong.relay.services.storage.rules.lifecycle.signed import OperatorPart
from hutong.relay.services.storage.rules.placement import group_of, placement_is_possible
from hutong.relay.services.storage.rules.records import keys

CANDIDATE_BYTES = 128
"""Of one candidate in a map record."""
SIGNED = gas.CLIENT_MESSAGE_BYTE * SIGNATURE_BYTES

Act = Callable[[NativeCall, Registry, Sequence[Any]], tuple[Any, ...]]


class StorageModule(Module):
    """Writers, operators, auditors and holders, each by its own account or signature."""

    since: ClassVar[int] = rules_versions.STORAGE

    def __init__(self, chain_id: str) -> None:
        self._address = STORAGE_ADDRESS
        self._hub = hub_id(chain_id)
        acts: dict[Function, Act] = {
            interface.STORE_BATCH: self._store_batch,
            interface.REPAIR_BATCH: self._repair_batch,
            interface.SIGN_PART: self._sign_part,
            interface.COMMIT_SECRET: _commit_secret,
            interface.REVEAL_SECRET: self._reveal_secret,
            interface.SUBMIT_ANSWERS: self._submit_answers,
            interface.REMOVE_SHARDS: _remove_shards,
            interface.HOLD_PACK: _hold_pack,
            interface.DRAIN: _drain,
        }
        self._handlers = {
            interface.GET_RECORD.selector: _get_record,
            interface.PLACEMENT.selector: _placement,
            interface.GROUP_OF.selector: self._group_of,
            **{function.selector: _handler(function, act) for function, act in acts.items()},
        }

    def _store_batch(self, call: NativeCall, registry: Registry, values: Sequence[Any]) -> tuple[Any, ...]:
        writer, sequence, number, parts, signature = values
        call.charge(SIGNED * (len(parts) + 1), "signatures of a batch")
        _charge_placement(call, registry, number)
        given = self._parts(writer, sequence, parts)
        batch = NamedBatch(writer, writer, sequence, number)
        return (storing.store_batch(registry, self._hub, batch, given, signature, _logged(call)),)

    def _repair_batch(self, call: NativeCall, registry: Registry, values: Sequence[Any]) -> tuple[Any, ...]:
        repairer, sequence, owner, parts = values
        call.charge(SIGNED * len(parts), "batch")
        given = self._parts(repairer, sequence, parts)
        batch = NamedBatch(repairer, owner, sequence)
        return (storing.repair_batch(registry, batch, given, call.caller, _logged(call)),)

    def _sign_part(self, call: NativeCall, registry: Registry, values: Sequence[Any]) -> tuple[Any, ...]:
        number, index, hashes, part = values
        call.charge(SIGNED + gas.PERSON_HASH * len(hashes), "part of a batch")
        record = registry.batch(number)
        (given,) = self._parts(record.writer, record.sequence, [part])
        storing.sign_part(registry, number, index, hashes, given, _logged(call))
        return ()

    def _reveal_secret(self, call: NativeCall, registry: Registry, values: Sequence[Any]) -> tuple[Any, ...]:
        auditor, epoch, secret = values
        return (int(revealing.reveal_secret(registry, self._hub, (auditor, epoch), secret, call.caller)),)

    def _submit_answers(self, call: NativeCall, registry: Registry, values: Sequence[Any]) -> tuple[Any, ...]:
        given = answering.GivenAnswers(*values)
        work = gas.PROOF + gas.PROOF_BYTE * len(given.answers) + gas.STORAGE_ANSWER * given.count
        call.charge(SIGNED + work, "answers")
        return (answering.submit_answers(registry, self._hub, given),)

    def _group_of(self, _call: NativeCall, data: bytes) -> bytes:
        writer, sequence = interface.GROUP_OF.decode(data)
        return interface.GROUP_OF.answer(group_of(self._hub, writer, sequence))

    def _parts(self, writer: bytes, sequence: int, parts: Sequence[Any]) -> list[GivenPart]:
        return [
            GivenPart(OperatorPart(self._hub, writer, sequence, operator, BatchPart(leaves, entries, root)), signature)
            for operator, leaves, entries, root, signature in parts
        ]


def _handler(function: Function, act: Act) -> Handler:
    def handle(call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        answer = act(call, registry_of(call), function.decode(data))
        return function.answer(*answer) if function.results else b""

    return handle


def _charge_placement(call: NativeCall, registry: Registry, number: int) -> None:
    raw = registry.store.get(keys.map_key(number)) or b""
    call.charge(gas.STORAGE_CANDIDATE * (len(raw) // CANDIDATE_BYTES), "placement")


def _logged(call: NativeCall) -> Logged:
    def tell(operator: bytes, number: int, entry: bytes) -> None:
        emit(call, interface.LOGGED_EVENT, (operator,), (number, entry))

    return tell


def _commit_secret(call: NativeCall, registry: Registry, values: Sequence[Any]) -> tuple[Any, ...]:
    auditor, epoch, commitment = values
    return (int(revealing.commit_secret(registry, auditor, epoch, commitment, call.caller)),)


def _remove_shards(call: NativeCall, registry: Registry, values: Sequence[Any]) -> tuple[Any, ...]:
    number, pack, shown = values
    octets = sum(len(placed) for _, _, placed in shown)
    call.charge(gas.PROOF + gas.PROOF_BYTE * octets + gas.STORAGE_ANSWER * len(shown), "entries of a pack")
    return (removing.remove_shards(registry, (number, pack), shown, call.caller),)


def _hold_pack(call: NativeCall, registry: Registry, values: Sequence[Any]) -> tuple[Any, ...]:
    holder, pack, until_s = values
    removing.hold_pack(registry, holder, pack, until_s, call.caller)
    return ()


def _drain(call: NativeCall, registry: Registry, values: Sequence[Any]) -> tuple[Any, ...]:
    (operator,) = values
    membership.drain(registry, operator, call.caller)
    return ()


def _get_record(call: NativeCall, data: bytes) -> bytes:
    (key,) = interface.GET_RECORD.decode(data)
    if not key.startswith(keys.STORAGE_PREFIX):
        raise MalformedInput("key", "begins with storage/", got=key)
    return interface.GET_RECORD.answer(MeteredStore(call, frame_of(call)).get(key) or b"")


def _placement(call: NativeCall, data: bytes) -> bytes:
    number, group = interface.PLACEMENT.decode(data)
    registry = registry_of(call)
    _charge_placement(call, registry, number)
    placing = registry.find_map(number)
    if placing is None:
        raise UnknownMap(number)
    found = placement_is_possible(placing, group)
    return interface.PLACEMENT.answer([candidate.operator for candidate in found])
