"""Places as people write them, and what is no place of a chain."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, UnsupportedOperation
from hutong.light_clients.records import (
    AccountField,
    FieldPlace,
    ObservationKey,
    SlotPlace,
    StorePlace,
    epoch_key,
)
from hutong.relay.archive.record_bundle import RecordKey
from hutong.relay.archive.written_places import ChainForm, parse_what
from hutong.relay.storage_layout import locate, read_layout

LAYOUTS = Path(__file__).parents[3] / "contracts" / "test" / "layouts"
ADDRESS = "0x" + "ab" * 20
ACCOUNT = bytes([0xAB]) * 20
SLOT_1 = SlotPlace(ACCOUNT, (1).to_bytes(32, "big"))


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (f"{ADDRESS}:0x1", [SLOT_1]),
        (f"{ADDRESS}:0x{1:064x}", [SLOT_1]),
        (f"{ADDRESS}.balance", [FieldPlace(ACCOUNT, AccountField.BALANCE)]),
        (f"{ADDRESS}.code_hash", [FieldPlace(ACCOUNT, AccountField.CODE_HASH)]),
    ],
)
def test_places_of_an_evm_chain(text, places):
    assert parse_what(text, ChainForm.EVM) == places


def test_store_keys_of_a_cosmos_chain():
    assert parse_what("bank/0x02Aa", ChainForm.COSMOS) == [StorePlace(b"bank", b"\x02\xaa")]


def test_what_a_hub_observed_comes_with_its_clients_epoch():
    slot, epoch = ObservationKey.of("bft-evm-0", SLOT_1).to_bytes(), epoch_key("bft-evm-0")
    assert parse_what(f"bft-evm-0:{ADDRESS}:0x1", ChainForm.HUB) == [RecordKey(slot), RecordKey(epoch)]
    store = ObservationKey.of("07-tendermint-3", StorePlace(b"bank", b"\x02")).to_bytes()
    found = parse_what("07-tendermint-3:bank/0x02", ChainForm.HUB)
    assert found == [RecordKey(store), RecordKey(epoch_key("07-tendermint-3"))]
    for text, client, place in (
        ("entry/7", "c2sp-tlog-0", StorePlace(b"entry", (7).to_bytes(8, "big"))),
        ("0x02aa", "bitcoin-1", StorePlace(b"", b"\x02\xaa")),
        ("0x02aa", "07-tendermint-3", StorePlace(b"", b"\x02\xaa")),
    ):
        key = ObservationKey.of(client, place).to_bytes()
        assert parse_what(f"{client}:{text}", ChainForm.HUB) == [RecordKey(key), RecordKey(epoch_key(client))]
    for text in ("07-tendermint-3:entry/7", "c2sp-tlog-0:entry/-1", f"c2sp-tlog-0:{ADDRESS}.balance", "bitcoin-1:x"):
        with pytest.raises(MalformedInput):
            parse_what(text, ChainForm.HUB)


def test_any_key_of_a_hub():
    assert parse_what("observation/client/bft-evm-0", ChainForm.HUB) == [RecordKey(epoch_key("bft-evm-0"))]
    assert parse_what("0x00ff", ChainForm.HUB) == [RecordKey(b"\x00\xff")]


def test_variables_by_a_layout():
    layout = read_layout((LAYOUTS / "ExampleToken.json").read_bytes(), "ExampleToken")
    path = f"_balances[{ADDRESS}]"
    (place,) = parse_what(f"{ADDRESS}:{path}", ChainForm.EVM, layout)
    assert place == SlotPlace(ACCOUNT, locate(layout, path).slot.to_bytes(32, "big"))
    with pytest.raises((MalformedInput, UnsupportedOperation)):
        parse_what(f"{ADDRESS}:nothing", ChainForm.EVM, layout)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (f"{ADDRESS}", ChainForm.EVM),
        (f"{ADDRESS}:", ChainForm.EVM),
        (f"{ADDRESS}:owner", ChainForm.EVM),
        (f"{ADDRESS}:0x{1:065x}", ChainForm.EVM),
        (f"{ADDRESS}.money", ChainForm.EVM),
        (f"{ADDRESS[:-2]}:0x1", ChainForm.EVM),
        ("0x" + "Ab" * 20 + ".balance", ChainForm.EVM),
        ("bank/02aa", ChainForm.COSMOS),
        ("bank/0x", ChainForm.COSMOS),
        ("../bank/0x02", ChainForm.COSMOS),
        ("bank", ChainForm.COSMOS),
        ("no client:0x1", ChainForm.HUB),
        (f"07-tendermint-0:{ADDRESS}:0x1", ChainForm.HUB),
        ("bft-evm-0:bank/0x02", ChainForm.HUB),
        ("é", ChainForm.HUB),
        ("", ChainForm.HUB),
        ("a" * 201, ChainForm.HUB),
        ("a" * 2_049, ChainForm.HUB),
    ],
)
def test_refused(text, form):
    with pytest.raises(MalformedInput):
        parse_what(text, form)


@given(text=st.text(max_size=80), form=st.sampled_from(ChainForm))
def test_any_text_is_places_or_a_typed_refusal(text, form):
    try:
        found = parse_what(text, form)
    except MalformedInput:
        return
    assert found
    assert json.dumps(text)
