"""The native module of hub tokens: views, moves between hub accounts, and sending home or onward."""

from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.ibc.transfer import TransferData
from hutong.relay.evm.vm.native import NativeCall, NativeRevert
from hutong.relay.hub.application import abi, gas
from hutong.relay.hub.application.frame import MeteredStore, frame_of
from hutong.relay.hub.application.module import ROUTER_ADDRESS, TRANSFER_ADDRESS, Module, emit
from hutong.relay.hub.application.transfer import interface
from hutong.relay.hub.application.transfer.accounts import account_text, is_system_account
from hutong.relay.hub.application.transfer.app import destination_of, transfer_payload
from hutong.relay.hub.application.transfer.bank import Account, Bank, Escrow, Homeward

ROUTER_CALL_GAS = 3_000
"""Kept back for the access to the router's account and the return from it."""


class TransferModule(Module):
    """ERC-20's words where they fit, with the denomination as the first argument."""

    def __init__(self) -> None:
        self._address = TRANSFER_ADDRESS
        self._handlers = {
            interface.BALANCE_OF.selector: self._balance_of,
            interface.SUPPLY_OF.selector: self._supply_of,
            interface.ESCROWED.selector: self._escrowed,
            interface.HOMEWARD.selector: self._homeward,
            interface.TRACE_OF.selector: self._trace_of,
            interface.TRANSFER.selector: self._transfer,
            interface.SEND_TRANSFER.selector: self._send_transfer,
        }

    @staticmethod
    def _bank(call: NativeCall) -> Bank:
        def emit_here(event: abi.Event, indexed: tuple[object, ...], values: tuple[object, ...]) -> None:
            emit(call, event, indexed, values)

        return Bank(MeteredStore(call, frame_of(call)), emit_here)

    def _balance_of(self, call: NativeCall, data: bytes) -> bytes:
        denom, account = interface.BALANCE_OF.decode(data)
        held = self._bank(call).held(Denom.parse(denom), Account(_address(account)))
        return interface.BALANCE_OF.answer(held)

    def _supply_of(self, call: NativeCall, data: bytes) -> bytes:
        (denom,) = interface.SUPPLY_OF.decode(data)
        return interface.SUPPLY_OF.answer(self._bank(call).supply(Denom.parse(denom)))

    def _escrowed(self, call: NativeCall, data: bytes) -> bytes:
        client_id, denom = interface.ESCROWED.decode(data)
        held = self._bank(call).held(Denom.parse(denom), Escrow(check_client_id(client_id)))
        return interface.ESCROWED.answer(held)

    def _homeward(self, call: NativeCall, data: bytes) -> bytes:
        (denom,) = interface.HOMEWARD.decode(data)
        return interface.HOMEWARD.answer(self._bank(call).held(Denom.parse(denom), Homeward()))

    def _trace_of(self, call: NativeCall, data: bytes) -> bytes:
        (denom_hash,) = interface.TRACE_OF.decode(data)
        denom = self._bank(call).denom(denom_hash)
        return interface.TRACE_OF.answer("" if denom is None else denom.path)

    def _transfer(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        denom, receiver, amount = interface.TRANSFER.decode(data)
        target = _address(receiver)
        if is_system_account(target):
            raise interface.INVALID_RECEIVER.revert(target)
        self._bank(call).move(Denom.parse(denom), Account(call.caller), Account(target), amount)
        return b""

    def _send_transfer(self, call: NativeCall, data: bytes) -> bytes:
        """The sender is the caller. A refund goes back to it."""
        call.require_writable()
        client_id, path, amount, receiver, timeout_s, memo = interface.SEND_TRANSFER.decode(data)
        sent = TransferData(path, account_text(call.caller), receiver, amount, memo)
        denom = Denom.parse(path)
        self._bank(call).move(denom, Account(call.caller), destination_of(denom, check_client_id(client_id)), amount)
        payload = transfer_payload(sent, client_id)
        calldata = abi.SEND_PACKET.call(
            (
                client_id,
                timeout_s,
                (payload.source_port, payload.destination_port, payload.version, payload.encoding, payload.value),
            )
        )
        call.charge(gas.DECODE_BYTE * len(calldata), "packet")
        result = call.call_contract(ROUTER_ADDRESS, calldata, max(call.gas_available_for_call - ROUTER_CALL_GAS, 0))
        if not result.success:
            raise NativeRevert(result.return_data)
        return result.return_data


def _address(text: str) -> bytes:
    return bytes.fromhex(text[2:])
