"""What the native modules share: their addresses, dispatch by selector, and refusals as reverts.

Only typed verification errors and what derives from `Refusal` become reverts; whatever else a module raises halts the
node (design rule 11).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

from hutong.light_clients.fisco_bcos import FiscoBcosClient
from hutong.light_clients.interface import (
    ClientExpired,
    ClientFrozen,
    LightClient,
    MalformedInput,
    PredicateFailed,
    UnknownHeight,
    UnsupportedOperation,
    VerificationError,
)
from hutong.relay.evm.vm.native import Address, NativeCall
from hutong.relay.hub.application import abi, gas
from hutong.relay.hub.application.clients import Clients
from hutong.relay.hub.application.frame import MeteredStore, frame_of
from hutong.relay.hub.application.refusal import Refusal
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.revision.recorded_sentences import as_recorded

ROUTER_ADDRESS: Address = (0x1000).to_bytes(20, "big")
CLIENT_MANAGER_ADDRESS: Address = (0x1001).to_bytes(20, "big")
FORWARDER_ADDRESS: Address = (0x1002).to_bytes(20, "big")
TRANSFER_ADDRESS: Address = (0x1003).to_bytes(20, "big")
GOVERNANCE_ADDRESS: Address = (0x1004).to_bytes(20, "big")
OBSERVATIONS_ADDRESS: Address = (0x1005).to_bytes(20, "big")
IDENTITY_ADDRESS: Address = (0x1006).to_bytes(20, "big")
STORAGE_ADDRESS: Address = (0x1007).to_bytes(20, "big")
DIRECTORY_ADDRESS: Address = (0x1008).to_bytes(20, "big")

Handler = Callable[[NativeCall, bytes], bytes]


def _verification_failed(error: VerificationError) -> tuple[str, str]:
    """Name and sentence of a typed error."""
    match error:
        case PredicateFailed():
            name = error.predicate
        case MalformedInput():
            name = error.field
        case ClientExpired():
            name = "client_not_expired"
        case ClientFrozen():
            name = "client_not_frozen"
        case UnknownHeight():
            name = "known_height"
        case UnsupportedOperation():
            # Part of the state of blocks that are replayed: what is added for people stays outside.
            return type(error).__name__, error.sentence
        case _:
            name = type(error).__name__
    return name, str(error)


@contextmanager
def refusals_revert(rules_version: int) -> Iterator[None]:
    """Turn every refusal that is part of the rules into its revert, in the words of that version.

    Raises:
        NativeRevert: for a VerificationError or Refusal inside; anything else comes through and halts the node.
    """
    try:
        yield
    except VerificationError as error:
        raise abi.VERIFICATION_FAILED.revert(*_verification_failed(as_recorded(error, rules_version))) from error
    except Refusal as error:
        raise error.revert() from error


class Module:
    """Dispatch by selector."""

    since: ClassVar[int] = rules_versions.FIRST
    """The rules version from which on a hub has it: before, its address is an account like others."""

    _address: Address
    _handlers: Mapping[bytes, Handler]

    @property
    def address(self) -> Address:
        """The module's reserved address, 20 bytes."""
        return self._address

    def run(self, call: NativeCall) -> bytes:
        """Charge the call, find its handler by selector, and answer with the handler's return data.

        Raises:
            NativeRevert: `UnknownFunction`, or what the handler refuses.
        """
        data = call.data
        call.charge(gas.CALL + gas.DECODE_BYTE * len(data), "native module call")
        handler = self._handlers.get(data[:4])
        if handler is None:
            raise abi.UNKNOWN_FUNCTION.revert(data[:4].ljust(4, b"\0"))
        with refusals_revert(frame_of(call).rules_version):
            return handler(call, data)


def not_supported(operation: str) -> Handler:
    """A handler that reverts with `NotSupported(string)`, for functions of the ABI that the hub does not have."""

    def refuse(_call: NativeCall, _data: bytes) -> bytes:
        raise abi.NOT_SUPPORTED.revert(operation)

    return refuse


def emit(call: NativeCall, event: abi.Event, indexed: tuple[object, ...], values: tuple[object, ...]) -> None:
    """Log under the module's own address; charges what LOG costs, and a static call is ended."""
    call.emit(event.topics(*indexed), event.data(*values))


def message_gas(light_clients: Mapping[str, LightClient], client_id: str, message: bytes) -> int:
    """Gas of a header or misbehaviour, from the client's type and the length alone: nothing is read before it is paid.

    Args:
        light_clients: what the hub offers, by type.
        client_id: as it was given; of no or an unknown type it costs what most cost.
    """
    client = light_clients.get(client_id.rpartition("-")[0])
    is_slow = isinstance(client, FiscoBcosClient) and client.offers_gm
    byte = gas.GM_MESSAGE_BYTE if is_slow else gas.CLIENT_MESSAGE_BYTE
    return gas.CLIENT_MESSAGE + byte * len(message)


def clients_of(call: NativeCall, light_clients: Mapping[str, LightClient]) -> tuple[MeteredStore, Clients]:
    """The metered state of this call, and the clients over it at the block's time.

    Raises:
        TypeError: the call does not run over a hub frame.
    """
    frame = frame_of(call)
    store = MeteredStore(call, frame)
    return store, Clients(light_clients, store, frame.now_ns, frame.height, frame.rules_version)
