"""`[[observations]]`: values of other chains' state that the relay keeps fresh as records on a hub.

Example:

    [[observations]]
    name = "alice's balance"             # a label for people; the record's key does not hold it
    chain = "alpha"
    contract = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
    layout = "Token.json"                # solc's storageLayout, or an artifact that holds it
    path = "balances[0x70997970C51812dc3A010C7d01b50e0d17dc79C8]"
    on_change = true                     # as soon as it changes
    interval_s = 60                      # and once a minute, so that the record does not grow old
    push_to = [{ chain = "beta", reader = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8" }]

    [[observations]]
    name = "supply"
    chain = "alpha"
    contract = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
    slot = "0x02"
    interval_s = 300

    [[observations]]
    name = "treasury"
    chain = "alpha"
    account = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    field = "balance"                    # nonce, balance, code_hash or storage_root
    on_change = true

    [[observations]]
    name = "params"
    chain = "simd"
    store = "staking"                    # of a Cosmos chain; left out where the chain is a hub
    key = "0x51"
    interval_s = 600
    over = { chain = "hub", client = "07-tendermint-0" }   # where several clients on hubs follow the chain
"""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from eth_utils.address import to_canonical_address
from pydantic import AfterValidator, Field, model_validator

from hutong.light_clients.interface import MalformedInput, UnsupportedOperation
from hutong.light_clients.records import AccountField, FieldPlace, Place, SlotPlace, StorePlace
from hutong.light_clients.records.places import MAX_STORE_KEY_BYTES, SLOT_BYTES
from hutong.relay.config.fields import Address, FilePath, Model, Name
from hutong.relay.config.path_end import PathEnd
from hutong.relay.storage_layout import UnusablePath, locate, read_layout
from hutong.relay.storage_layout.compiler_output import MAX_DOCUMENT_BYTES
from hutong.relay.storage_layout.path import MAX_PATH_CHARS

MAX_LABEL_CHARS = 64
MAX_INTERVAL_S = 30 * 86_400
MAX_PUSHES = 16
_SLOT = re.compile(r"0x[0-9a-fA-F]{1,64}")
_KEY = re.compile(r"0x([0-9a-fA-F]{2})+")
_FIELDS = {
    "nonce": AccountField.NONCE,
    "balance": AccountField.BALANCE,
    "code_hash": AccountField.CODE_HASH,
    "storage_root": AccountField.STORAGE_ROOT,
}


class UnusableLayout(Exception):
    """The file of a layout, or the path in it, names no single slot; one sentence, and what to do."""

    def __init__(self, field: str, reason: str, remedy: str) -> None:
        self.field, self.reason, self.remedy = field, reason, remedy
        super().__init__(f"{field}: {reason}; {remedy}")


def _check_label(label: str) -> str:
    if not 1 <= len(label) <= MAX_LABEL_CHARS or not label.isprintable() or label != label.strip():
        raise ValueError(f"must be 1 to {MAX_LABEL_CHARS} printable characters without spaces at its ends")
    return label


def _check_slot(text: str) -> str:
    if _SLOT.fullmatch(text) is None:
        raise ValueError("must be a storage slot: 0x and 1 to 64 hex digits")
    return text


def _check_key(text: str) -> str:
    if _KEY.fullmatch(text) is None or len(text) > 2 + 2 * MAX_STORE_KEY_BYTES:
        raise ValueError(f"must be a store key: 0x and 1 to {MAX_STORE_KEY_BYTES} bytes in hex")
    return text


Label = Annotated[str, AfterValidator(_check_label)]
"""What an operator calls something; for people, logs and metrics."""


class PushConfig(Model):
    """A reader (`hutong reader deploy`) on an EVM chain that is brought every record that is newer than it has."""

    chain: Name
    reader: Address


class ObservationConfig(Model):
    """One place of a chain's state, and when its record is renewed: at a change, at an interval, or both."""

    name: Label
    chain: Name
    contract: Address | None = None
    slot: Annotated[str, AfterValidator(_check_slot)] | None = None
    layout: FilePath | None = None
    layout_contract: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None
    """Which contract of the layout's file; needed where several have variables."""
    path: Annotated[str, Field(min_length=1, max_length=MAX_PATH_CHARS)] | None = None
    account: Address | None = None
    field: Literal["nonce", "balance", "code_hash", "storage_root"] | None = None
    store: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")] | None = None
    key: Annotated[str, AfterValidator(_check_key)] | None = None
    interval_s: Annotated[int, Field(ge=1, le=MAX_INTERVAL_S)] | None = None
    on_change: bool = False
    over: PathEnd | None = None
    """The client on a hub that follows the chain; unneeded where there is one."""
    push_to: Annotated[tuple[PushConfig, ...], Field(max_length=MAX_PUSHES, strict=False)] = ()

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        forms = {
            "contract and slot": (self.contract, self.slot),
            "contract, layout and path": (self.contract, self.layout, self.path),
            "account and field": (self.account, self.field),
            "key, with store where the chain has several": (self.key,),
        }
        named = {name for name in _PLACE_KEYS if getattr(self, name) is not None}
        allowed = [{"contract", "slot"}, {"contract", "layout", "path"}, {"account", "field"}, {"key"}]
        if named - {"layout_contract", "store"} not in allowed:
            raise ValueError(f"names no single place: give {'; or '.join(forms)}")
        if self.layout_contract is not None and self.layout is None:
            raise ValueError("has layout_contract without layout: give the layout's file, or take it out")
        if self.store is not None and self.key is None:
            raise ValueError("has store without key: only a key lies in a store")
        if self.interval_s is None and not self.on_change:
            raise ValueError("is never due: set interval_s, on_change = true, or both")
        return self

    @property
    def is_evm(self) -> bool:
        """Whether it is a place of an EVM chain."""
        return self.key is None

    def place(self) -> Place:
        """The place. Reads the layout's file where one is named.

        Raises:
            UnusableLayout: the file or the path in it.
        """
        if self.key is not None:
            return StorePlace((self.store or "").encode(), bytes.fromhex(self.key[2:]))
        if self.account is not None and self.field is not None:
            return FieldPlace(to_canonical_address(self.account), _FIELDS[self.field])
        contract = to_canonical_address(self.contract or "")
        if self.slot is not None:
            return SlotPlace(contract, int(self.slot, 16).to_bytes(SLOT_BYTES, "big"))
        return SlotPlace(contract, self._slot_of_path())

    def _slot_of_path(self) -> bytes:
        if self.layout is None or self.path is None:
            raise RuntimeError("a place of no form came past its check")
        try:
            found = locate(read_layout(_read(self.layout), self.layout_contract), self.path)
        except (UnusablePath, UnsupportedOperation) as error:
            raise UnusableLayout("path", str(error), "hutong layout slot shows what the layout has") from None
        except MalformedInput as error:
            raise UnusableLayout("layout", str(error), "name solc's storageLayout, or an artifact with it") from None
        if found.slot_count != 1:
            raise UnusableLayout(
                "path", f"{self.path} takes {found.slot_count} slots", "name one of its members, each as its own entry"
            )
        return found.slot.to_bytes(SLOT_BYTES, "big")


_PLACE_KEYS = ("contract", "slot", "layout", "layout_contract", "path", "account", "field", "store", "key")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        raise UnusableLayout("layout", f"{path} cannot be read ({error.strerror})", "correct the path") from None
