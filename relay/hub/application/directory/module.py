"""The native module of the data directory: calls become operations and are paid for here; what is done stands beside."""

from typing import ClassVar

from hutong.light_clients.interface import MalformedInput
from hutong.relay.evm.vm.native import NativeCall
from hutong.relay.hub.application import gas
from hutong.relay.hub.application.directory import interface
from hutong.relay.hub.application.directory.publishing import Publisher, publish
from hutong.relay.hub.application.directory.registry import registry_of
from hutong.relay.hub.application.frame import MeteredStore, frame_of
from hutong.relay.hub.application.module import DIRECTORY_ADDRESS, Module, emit
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.services.directory.rules.log.operations import LoggedOperation, decode_operations, encode_logged
from hutong.relay.services.directory.rules.records import keys
from hutong.relay.services.directory.rules.records.facets import FacetKind, name_code


class DirectoryModule(Module):
    """Publishers, each by its own account."""

    since: ClassVar[int] = rules_versions.DIRECTORY

    def __init__(self, chain_id: str) -> None:
        self._address = DIRECTORY_ADDRESS
        self._origin = name_code(FacetKind.ORIGIN, chain_id)
        self._handlers = {
            interface.PUBLISH.selector: self._publish,
            interface.GET_RECORD.selector: _get_record,
        }

    def _publish(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        publisher, given = interface.PUBLISH.decode(data)
        registry = registry_of(call)
        operations = decode_operations(given, registry.parameters().call_operations)

        def charge(heads: int) -> None:
            call.charge(gas.DIRECTORY_LEAF * heads, "leaves of facets")

        def logged(made: LoggedOperation) -> None:
            emit(call, interface.LOGGED_EVENT, (publisher,), (made.sequence, encode_logged(made)))

        by = Publisher(publisher, call.caller, self._origin)
        return interface.PUBLISH.answer(publish(registry, by, operations, charge, logged))


def _get_record(call: NativeCall, data: bytes) -> bytes:
    (key,) = interface.GET_RECORD.decode(data)
    if not key.startswith(keys.DIRECTORY_PREFIX):
        raise MalformedInput("key", "begins with directory/", got=key)
    return interface.GET_RECORD.answer(MeteredStore(call, frame_of(call)).get(key) or b"")
