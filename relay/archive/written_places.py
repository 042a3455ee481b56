"""Places of a chain's state as a person writes them: `0xACCOUNT:0xSLOT`, `0xACCOUNT.balance`, `bank/0xKEY`,
`bft-evm-0:0xACCOUNT:0xSLOT` of a hub."""

import re
from enum import StrEnum

from hutong.light_clients.crypto import ADDRESS_BYTES
from hutong.light_clients.ibc.identifiers import client_type_of
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.records import (
    AccountField,
    FieldPlace,
    ObservationKey,
    Place,
    SlotPlace,
    StorePlace,
    epoch_key,
)
from hutong.light_clients.records.places import MAX_STORE_BYTES, SLOT_BYTES, TYPES_WITH_KEYS
from hutong.light_clients.tlog import TlogClient
from hutong.light_clients.tlog.membership import ENTRY, entry_path
from hutong.relay.archive.record_bundle import MAX_STATEMENTS, RecordKey, What
from hutong.relay.storage_layout import StorageLayout, locate
from hutong.relay.storage_layout.keys import check_checksum

MAX_WHAT_CHARS = 2_048
_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})+")
_SLOT = re.compile(r"0x[0-9a-fA-F]{1,64}")
_STORE = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_STORE_BYTES}}}")
_INDEX = re.compile(r"0|[1-9][0-9]{0,18}")
_FIELDS = {field.name.lower(): field for field in AccountField}


class ChainForm(StrEnum):
    """What a chain's places look like: the kinds of chain of the configuration."""

    HUB = "hub"
    EVM = "evm"
    COSMOS = "cosmos"


def parse_what(text: str, form: ChainForm, layout: StorageLayout | None = None) -> list[What]:
    """The places that `text` names: several where a value takes several slots, and with an observation its client's epoch.

    Args:
        layout: by which paths after an account's `:` are read, if they are no slot.

    Raises:
        MalformedInput: it names no place of such a chain, too many, or a variable that the layout does not have.
        UnsupportedOperation: the layout has the variable, and no slot of its own can be told.
    """
    if len(text) > MAX_WHAT_CHARS:
        raise MalformedInput("what", f"more than {MAX_WHAT_CHARS} characters", got=len(text))
    match form:
        case ChainForm.HUB:
            return _records(text, layout)
        case ChainForm.EVM:
            return [*_evm_places(text, layout)]
        case ChainForm.COSMOS:
            return [_store_place(text)]


def _records(text: str, layout: StorageLayout | None) -> list[What]:
    client, colon, place = text.partition(":")
    if not colon:
        if _HEX.fullmatch(text):
            return [RecordKey(bytes.fromhex(text[2:]))]
        if text.isascii() and text.isprintable():
            return [RecordKey(text.encode())]
        raise MalformedInput("what", "is no key of a hub: write CLIENT:PLACE, a key as text, or 0x and hex", got=text)
    epoch = epoch_key(client)
    client_type = client_type_of(client)
    places: list[Place] = (
        [_key_place(place, client_type)] if client_type in TYPES_WITH_KEYS else [*_evm_places(place, layout)]
    )
    return [*(RecordKey(ObservationKey.of(client, one).to_bytes()) for one in places), RecordKey(epoch)]


def _evm_places(text: str, layout: StorageLayout | None) -> list[SlotPlace | FieldPlace]:
    account_text, rest = text[: 2 + 2 * ADDRESS_BYTES], text[2 + 2 * ADDRESS_BYTES :]
    if _HEX.fullmatch(account_text) is None or len(account_text) != 2 + 2 * ADDRESS_BYTES:
        raise MalformedInput("what", "must begin with an account, 0x and 40 hexadecimal digits", got=text)
    account = bytes.fromhex(account_text[2:])
    check_checksum(account_text, account, "what")
    if rest.startswith("."):
        name = rest[1:]
        if name not in _FIELDS:
            raise MalformedInput("what", "unknown field of an account", got=name, expected=list(_FIELDS))
        return [FieldPlace(account, _FIELDS[name])]
    if not rest.startswith(":") or len(rest) == 1:
        raise MalformedInput("what", "after the account: .balance, :0xSLOT, or :variable with --layout", got=text)
    return [SlotPlace(account, slot.to_bytes(SLOT_BYTES, "big")) for slot in _slots(rest[1:], layout)]


def _slots(text: str, layout: StorageLayout | None) -> range:
    if _SLOT.fullmatch(text):
        slot = int(text, 16)
        return range(slot, slot + 1)
    if layout is None:
        raise MalformedInput("what", "is no slot, 0x and hexadecimal digits: a variable needs --layout", got=text)
    place = locate(layout, text)
    if place.slot_count >= MAX_STATEMENTS:
        raise MalformedInput("what", f"takes more than {MAX_STATEMENTS - 1} slots", got=place.slot_count)
    return range(place.slot, place.slot + place.slot_count)


def _key_place(text: str, client_type: str) -> StorePlace:
    """As `_store_place`, or `entry/7` of a log, or a key alone: of a message, or of a chain that has one store."""
    store, slash, key = text.partition("/")
    if client_type == TlogClient.client_type and store == ENTRY.decode() and _INDEX.fullmatch(key):
        return StorePlace(*entry_path(int(key)))
    if not slash and _HEX.fullmatch(text):
        return StorePlace(b"", bytes.fromhex(text[2:]))
    return _store_place(text)


def _store_place(text: str) -> StorePlace:
    store, slash, key = text.partition("/")
    if not slash or _STORE.fullmatch(store) is None or _HEX.fullmatch(key) is None:
        raise MalformedInput("what", "is no store key: write STORE/0xKEY, such as bank/0x02…", got=text)
    return StorePlace(store.encode(), bytes.fromhex(key[2:]))
