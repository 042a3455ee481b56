"""The native module of identity: organisations write their records, and nobody is asked who is not named in them."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from hutong.light_clients.ibc.abi import encode_abi
from hutong.light_clients.interface import MalformedInput
from hutong.relay.evm.vm.native import NativeCall
from hutong.relay.hub.application import gas
from hutong.relay.hub.application.abi import Function
from hutong.relay.hub.application.frame import MeteredStore, frame_of
from hutong.relay.hub.application.identity import (
    accreditations,
    controlling,
    interface,
    issuing,
    key_changes,
    persons_calls,
    registering,
    strangers,
)
from hutong.relay.hub.application.identity.approving import Approval, call_hash, require_approval
from hutong.relay.hub.application.identity.registering import NewKey, key_algorithms
from hutong.relay.hub.application.identity.registry import Registry, registry_of
from hutong.relay.hub.application.module import IDENTITY_ADDRESS, Module
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.services.identity.rules.organisations.approvals import SIGNATURE_BYTES, Operation, operation_digest
from hutong.relay.services.identity.rules.organisations.controlling import (
    policy_was_committed_to,
    who_decides_on_a_change,
)
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import Grant
from hutong.relay.services.identity.rules.records.did_record import Document
from hutong.relay.services.identity.rules.records.key_record import KeyUse, public_key_of, purposes_of
from hutong.relay.services.identity.rules.records.list_record import ListBinding
from hutong.relay.services.identity.rules.records.policy_record import PolicyRecord
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape
from hutong.relay.services.identity.rules.status.chunk_update import decode_update

Change = Callable[[Registry, bytes, tuple[Any, ...]], tuple[Any, ...]]
"""(records, DID, what follows the approval or writer in the call) to what the call answers."""


class IdentityModule(Module):
    """Three kinds of call: those that controllers approve, those of a log key's account, and the rest.

    What is done stands in the modules beside this one; here calls become values, and are paid for.
    """

    since: ClassVar[int] = rules_versions.IDENTITY

    def __init__(self, chain_id: str) -> None:
        self._address = IDENTITY_ADDRESS
        self._hub_name = keys.hub_name(chain_id)
        self._handlers = {
            interface.REGISTER.selector: self._register,
            interface.REGISTER_ACCREDITED.selector: self._register_accredited,
            interface.CHANGE_CONTROLLERS.selector: self._change_controllers,
            interface.START_RECOVERY.selector: self._start_recovery,
            interface.COMPLETE_RECOVERY.selector: self._complete_recovery,
            interface.GET_RECORD.selector: self._get_record,
            interface.DID_OF.selector: self._did_of,
            interface.IS_ACCREDITED.selector: self._is_accredited,
            interface.OPERATION_DIGEST.selector: self._operation_digest,
            interface.GET_PARAMETERS.selector: self._get_parameters,
            **{function.selector: self._approved(function, change) for function, change in APPROVED.items()},
            **{function.selector: self._written(function, change) for function, change in WRITTEN.items()},
            **persons_calls.handlers(self._hub_name),
        }

    # --- calls that controllers approve

    def _approved(self, function: Function, change: Change) -> Callable[[NativeCall, bytes], bytes]:
        def handle(call: NativeCall, data: bytes) -> bytes:
            call.require_writable()
            approval, rest = _approval(call, function, data)
            registry = registry_of(call)
            controllers = registry.policy(approval.did).controllers
            require_approval(registry, self._hub_name, approval, (controllers.threshold, controllers.accounts))
            return _answer(function, change(registry, approval.did, rest))

        return handle

    def _change_controllers(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        approval, (policy, salt) = _approval(call, interface.CHANGE_CONTROLLERS, data)
        following, registry = PolicyRecord.of(policy), registry_of(call)
        standing = registry.policy(approval.did).controllers
        policy_was_committed_to(standing, following.controllers, salt)
        deciding = who_decides_on_a_change(standing, following.controllers)
        require_approval(registry, self._hub_name, approval, (deciding.threshold, deciding.accounts))
        controlling.change_policy(registry, approval.did, following)
        return b""

    def _start_recovery(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        approval, (policy,) = _approval(call, interface.START_RECOVERY, data)
        registry = registry_of(call)
        quorum = controlling.guardians_of(registry, approval.did)
        require_approval(registry, self._hub_name, approval, quorum)
        controlling.start_recovery(registry, approval.did, PolicyRecord.of(policy))
        return b""

    # --- calls of a log key's account

    def _written(self, function: Function, change: Change) -> Callable[[NativeCall, bytes], bytes]:
        def handle(call: NativeCall, data: bytes) -> bytes:
            call.require_writable()
            (issuer, thumbprint), *rest = function.decode(data)
            call.charge(gas.PROOF + gas.PROOF_BYTE * len(data), "proof of a list or log")
            registry = registry_of(call)
            issuing.require_writer(registry, issuer, thumbprint, call.caller)
            return _answer(function, change(registry, issuer, tuple(rest)))

        return handle

    # --- calls of anybody

    def _register(self, call: NativeCall, data: bytes) -> bytes:
        registry, did = self._new_did(call, interface.REGISTER.decode(data))
        if not accreditations.was_accredited(registry, did):
            strangers.enter_lane(registry, did)
        return interface.REGISTER.answer(did)

    def _register_accredited(self, call: NativeCall, data: bytes) -> bytes:
        *values, schema = interface.REGISTER_ACCREDITED.decode(data)
        registry, did = self._new_did(call, tuple(values))
        accreditations.require_accredited(registry, did, schema)
        return interface.REGISTER_ACCREDITED.answer(did)

    def _new_did(self, call: NativeCall, values: tuple[Any, ...]) -> tuple[Registry, bytes]:
        call.require_writable()
        salt, policy, document_hash, new_keys = values
        call.charge(gas.CLIENT_MESSAGE_BYTE * SIGNATURE_BYTES * len(new_keys), "points of curves")
        did, registry = keys.did_id(self._hub_name, call.caller, salt), registry_of(call)
        added = tuple(_new_key(registry, key) for key in new_keys)
        registering.register(registry, did, PolicyRecord.of(policy), Document(document_hash), added)
        return registry, did

    def _complete_recovery(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        (did,) = interface.COMPLETE_RECOVERY.decode(data)
        controlling.complete_recovery(registry_of(call), did)
        return b""

    # --- views

    def _get_record(self, call: NativeCall, data: bytes) -> bytes:
        (key,) = interface.GET_RECORD.decode(data)
        if not key.startswith(keys.IDENTITY_PREFIX):
            raise MalformedInput("key", "begins with identity/", got=key)
        return interface.GET_RECORD.answer(_store(call).get(key) or b"")

    def _did_of(self, call: NativeCall, data: bytes) -> bytes:
        account, salt = interface.DID_OF.decode(data)
        return interface.DID_OF.answer(keys.did_id(self._hub_name, bytes.fromhex(account[2:]), salt))

    def _is_accredited(self, call: NativeCall, data: bytes) -> bytes:
        subject, schema = interface.IS_ACCREDITED.decode(data)
        depth = accreditations.depth_of(registry_of(call), subject, schema)
        return interface.IS_ACCREDITED.answer(depth is not None, depth or 0)

    def _operation_digest(self, call: NativeCall, data: bytes) -> bytes:
        did, hashed = interface.OPERATION_DIGEST.decode(data)
        record = registry_of(call).did(did)
        operation = Operation(did, record.registered.height, record.sequence, hashed)
        return interface.OPERATION_DIGEST.answer(operation_digest(self._hub_name, operation))

    def _get_parameters(self, call: NativeCall, data: bytes) -> bytes:
        interface.GET_PARAMETERS.decode(data)
        found = registry_of(call).parameters()
        return interface.GET_PARAMETERS.answer(found.persons, found.strangers, found.stranger_life_s)


def _store(call: NativeCall) -> MeteredStore:
    return MeteredStore(call, frame_of(call))


def _approval(call: NativeCall, function: Function, data: bytes) -> tuple[Approval, tuple[Any, ...]]:
    """The first argument, with the hash of what follows it; and what follows it."""
    (did, sequence, signatures), *rest = function.decode(data)
    new_keys = function.arguments.count(interface.KEY_TUPLE)
    call.charge(gas.CLIENT_MESSAGE_BYTE * SIGNATURE_BYTES * (len(signatures) + new_keys), "signatures and points")
    hashed = call_hash(function.selector, encode_abi(function.arguments[1:], rest))
    return Approval(did, sequence, tuple(signatures), call.caller, hashed), tuple(rest)


def _answer(function: Function, values: tuple[Any, ...]) -> bytes:
    return function.answer(*values) if function.results else b""


def _new_key(registry: Registry, values: tuple[Any, ...]) -> NewKey:
    algorithm, x, y, x5t_s256, purposes, valid_from_s, valid_until_s, next_thumbprint = values
    use = KeyUse(purposes_of(purposes), valid_from_s, valid_until_s, x5t_s256, next_thumbprint)
    return public_key_of(algorithm, x, y, key_algorithms(registry.rules_version)), use


def _add_key(registry: Registry, did: bytes, rest: tuple[Any, ...]) -> tuple[Any, ...]:
    return (key_changes.add_key(registry, did, _new_key(registry, rest[0]))[0],)


def _rotate_key(registry: Registry, did: bytes, rest: tuple[Any, ...]) -> tuple[Any, ...]:
    return (key_changes.rotate_key(registry, did, rest[0], _new_key(registry, rest[1])),)


def _grant(registry: Registry, did: bytes, rest: tuple[Any, ...]) -> tuple[Any, ...]:
    subject, schema, parent_schema, depth, valid_from_s, valid_until_s = rest
    granted = Grant(did, parent_schema, depth, valid_from_s, valid_until_s)
    accreditations.grant(registry, subject, schema, granted)
    return ()


def _open_list(registry: Registry, did: bytes, rest: tuple[Any, ...]) -> tuple[Any, ...]:
    thumbprint, seal_thumbprint, schema, bits, size = rest
    binding = ListBinding(thumbprint, schema, seal_thumbprint)
    return (issuing.open_list(registry, did, binding, TreeShape(bits, size)),)


def _update_list(registry: Registry, did: bytes, rest: tuple[Any, ...]) -> tuple[Any, ...]:
    number, update, token_hash = rest
    decoded = decode_update(update) if update else None
    return (issuing.update_list(registry, (did, number), decoded, token_hash),)


def _append_log(registry: Registry, did: bytes, rest: tuple[Any, ...]) -> tuple[Any, ...]:
    size, root, nodes = rest
    issuing.append_log(registry, did, size, root, tuple(nodes))
    return ()


def _without_answer(change: Callable[..., None]) -> Change:
    def run(registry: Registry, did: bytes, rest: tuple[Any, ...]) -> tuple[Any, ...]:
        change(registry, did, *rest)
        return ()

    return run


APPROVED: Mapping[Function, Change] = {
    interface.ADD_KEY: _add_key,
    interface.ROTATE_KEY: _rotate_key,
    interface.RETIRE_KEY: _without_answer(key_changes.retire_key),
    interface.COMPROMISE_KEY: _without_answer(key_changes.compromise_key),
    interface.SET_DOCUMENT: _without_answer(controlling.set_document),
    interface.ANCHOR_WEBVH: _without_answer(controlling.anchor_webvh),
    interface.DEACTIVATE: _without_answer(controlling.deactivate),
    interface.CANCEL_RECOVERY: _without_answer(controlling.cancel_recovery),
    interface.GRANT_ACCREDITATION: _grant,
    interface.REVOKE_ACCREDITATION: _without_answer(accreditations.revoke),
    interface.REGISTER_SCHEMA: _without_answer(controlling.register_schema),
}
"""What the present controllers decide."""

WRITTEN: Mapping[Function, Change] = {
    interface.OPEN_LIST: _open_list,
    interface.UPDATE_LIST: _update_list,
    interface.SEAL_LIST: _without_answer(issuing.seal_list),
    interface.APPEND_LOG: _append_log,
}
"""What the account of a log key writes."""
