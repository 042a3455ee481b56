"""Calls about persons: what was sent becomes values, and is paid for by its length before a signature or path is looked at."""

from collections.abc import Callable
from typing import Any

from hutong.relay.evm.vm.native import NativeCall
from hutong.relay.hub.application import gas
from hutong.relay.hub.application.abi import Function
from hutong.relay.hub.application.identity import interface, persons
from hutong.relay.hub.application.identity.issuing import require_writer
from hutong.relay.hub.application.identity.refusals import NotATransaction
from hutong.relay.hub.application.identity.registry import Registry, registry_of
from hutong.relay.hub.application.module import Handler
from hutong.relay.services.identity.rules.organisations.approvals import SIGNATURE_BYTES
from hutong.relay.services.identity.rules.persons.changing import (
    CHANGE_BYTES,
    decode_change,
    decode_changes,
    decode_control,
)
from hutong.relay.services.identity.rules.persons.person import Place, decode_opening
from hutong.relay.services.identity.rules.persons.recovering import Demand, Shown
from hutong.relay.services.identity.rules.persons.registering import REGISTRATION_BYTES
from hutong.relay.services.identity.rules.persons.shard_tree import DEPTH

SIGNED = gas.CLIENT_MESSAGE_BYTE * SIGNATURE_BYTES + 4 * gas.PERSON_HASH
"""A signature with its digest, and the leaf beside it."""
PATH = 2 * DEPTH * gas.PERSON_HASH
"""From a leaf up to the root, before and after."""

Act = Callable[[NativeCall, Registry, tuple[Any, ...]], tuple[Any, ...]]


def handlers(hub: str) -> dict[bytes, Handler]:
    """By selector; `hub` is the chain id without its revision."""

    def register(call: NativeCall, registry: Registry, values: tuple[Any, ...]) -> tuple[Any, ...]:
        (registrar, thumbprint), number, edge, data = values
        entries = len(data) // REGISTRATION_BYTES + 1
        call.charge(entries * (SIGNED + gas.PERSON_HASH) + PATH + gas.PERSON_HASH * len(edge), "registrations")
        require_writer(registry, registrar, thumbprint, call.caller)
        return (persons.register(registry, hub, (registrar, number), (edge, data)),)

    def change_many(call: NativeCall, registry: Registry, values: tuple[Any, ...]) -> tuple[Any, ...]:
        (registrar, thumbprint), number, siblings, data = values
        _charge_changes(call, siblings, data)
        require_writer(registry, registrar, thumbprint, call.caller)
        batch = (siblings, decode_changes(data))
        return (persons.change(registry, hub, (registrar, number), batch, is_own=False),)

    def change_own(call: NativeCall, registry: Registry, values: tuple[Any, ...]) -> tuple[Any, ...]:
        registrar, number, siblings, data = values
        _charge_changes(call, siblings, data)
        batch = (siblings, (decode_change(data),))
        return (persons.change(registry, hub, (registrar, number), batch, is_own=True),)

    acts: dict[Function, Act] = {
        interface.REGISTER_PERSONS: register,
        interface.CHANGE_PERSONS: change_many,
        interface.CHANGE_PERSON: change_own,
        **_recoveries(hub),
    }
    return {function.selector: _handler(function, act) for function, act in acts.items()}


def _recoveries(hub: str) -> dict[Function, Act]:
    def start(call: NativeCall, registry: Registry, values: tuple[Any, ...]) -> tuple[Any, ...]:
        place, opening, path, following, policy, expires_s, signatures = values
        call.charge(SIGNED * (len(signatures) + 1) + PATH + gas.PERSON_HASH * len(path), "recovery of a person")
        said = (Shown(decode_opening(opening), path), Demand(decode_control(following), policy, expires_s))
        return (persons.start_recovery(registry, hub, Place(*place), said, tuple(signatures)),)

    def start_as_registrar(call: NativeCall, registry: Registry, values: tuple[Any, ...]) -> tuple[Any, ...]:
        (registrar, thumbprint), number, index, opening, path, following, policy = values
        call.charge(SIGNED + PATH + gas.PERSON_HASH * len(path), "recovery of a person")
        require_writer(registry, registrar, thumbprint, call.caller)
        demand = Demand(decode_control(following), policy, registry.now.time_s)
        said = (Shown(decode_opening(opening), path), demand)
        return (persons.start_recovery(registry, hub, Place(registrar, number, index), said, None),)

    def cancel(call: NativeCall, registry: Registry, values: tuple[Any, ...]) -> tuple[Any, ...]:
        place, signature = values
        call.charge(SIGNED, "signature of a person")
        persons.cancel_recovery(registry, hub, Place(*place), signature)
        return ()

    def complete(call: NativeCall, registry: Registry, values: tuple[Any, ...]) -> tuple[Any, ...]:
        place, opening, path = values
        call.charge(PATH + gas.PERSON_HASH * (len(path) + 4), "path of a person")
        return (persons.complete_recovery(registry, Place(*place), Shown(decode_opening(opening), path)),)

    def clear(_call: NativeCall, registry: Registry, values: tuple[Any, ...]) -> tuple[Any, ...]:
        persons.clear_recovery(registry, Place(*values[0]))
        return ()

    return {
        interface.START_PERSON_RECOVERY: start,
        interface.START_PERSON_RECOVERY_AS_REGISTRAR: start_as_registrar,
        interface.CANCEL_PERSON_RECOVERY: cancel,
        interface.COMPLETE_PERSON_RECOVERY: complete,
        interface.CLEAR_PERSON_RECOVERY: clear,
    }


def _handler(function: Function, act: Act) -> Handler:
    def handle(call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        if call.depth:
            raise NotATransaction
        answer = act(call, registry_of(call), function.decode(data))
        return function.answer(*answer) if function.results else b""

    return handle


def _charge_changes(call: NativeCall, siblings: tuple[bytes, ...], data: bytes) -> None:
    entries = len(data) // CHANGE_BYTES + 1
    call.charge(entries * (SIGNED + PATH) + gas.PERSON_HASH * len(siblings), "changes of persons")
