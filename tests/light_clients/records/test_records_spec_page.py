"""The vectors of docs/spec/records.md are what the code makes and reads."""

import json
import re
from pathlib import Path

from hutong.light_clients.interface import Height
from hutong.light_clients.records import (
    PROVEN,
    AccountField,
    ClientEpoch,
    FieldPlace,
    Observation,
    ObservationKey,
    SlotPlace,
    SourceTrust,
    StorePlace,
    TrustKind,
    decode_epoch,
    decode_observation,
    encode_epoch,
    encode_observation,
    epoch_key,
    parse_observation_key,
)
from hutong.light_clients.tlog.membership import entry_path

PAGE = Path(__file__).resolve().parents[3] / "docs" / "spec" / "records.md"
BLOCK = re.compile(r"```json\n(.*?)\n```", re.DOTALL)
SECOND_NS = 1_000_000_000

KEYS = {
    "slot bft-evm-0 11…11 0…01": ObservationKey.of("bft-evm-0", SlotPlace(bytes([0x11]) * 20, (1).to_bytes(32, "big"))),
    "account clique-2 22…22 balance": ObservationKey.of(
        "clique-2", FieldPlace(bytes([0x22]) * 20, AccountField.BALANCE)
    ),
    "store 07-tendermint-0 bank 02aa": ObservationKey.of("07-tendermint-0", StorePlace(b"bank", bytes.fromhex("02aa"))),
    "entry c2sp-tlog-0 7": ObservationKey.of("c2sp-tlog-0", StorePlace(*entry_path(7))),
    "message bitcoin-0 client-0 01 0…01": ObservationKey.of(
        "bitcoin-0", StorePlace(b"", b"client-0\x01" + (1).to_bytes(8, "big"))
    ),
}
OBSERVATIONS = {
    "present, proven, epoch 1, height 0-7, 1700000000 s, 42": Observation(
        (42).to_bytes(32, "big"), PROVEN, 1, Height(0, 7), 1_700_000_000 * SECOND_NS
    ),
    "absent, attested by 2 of 3, epoch 4, height 0-9, 1700000001 s": Observation(
        None, SourceTrust(TrustKind.ATTESTED, 2, 3), 4, Height(0, 9), 1_700_000_001 * SECOND_NS
    ),
}
EPOCHS = {
    "readable, epoch 1, generation 0": ClientEpoch(1, True, 0),
    "closed, epoch 2, generation 1": ClientEpoch(2, False, 1),
}


def test_page_holds_the_vectors_that_the_code_makes():
    (block,) = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    vectors = json.loads(block)
    assert {name: vectors[name] for name in ("keys", "observations", "epochs")} == {
        "keys": {name: key.to_bytes().hex() for name, key in KEYS.items()}
        | {"epoch bft-evm-0": epoch_key("bft-evm-0").hex()},
        "observations": {name: encode_observation(value).hex() for name, value in OBSERVATIONS.items()},
        "epochs": {name: encode_epoch(value).hex() for name, value in EPOCHS.items()},
    }


def test_code_reads_the_vectors_of_the_page():
    (block,) = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    vectors = json.loads(block)
    for name, key in KEYS.items():
        assert parse_observation_key(bytes.fromhex(vectors["keys"][name])) == key
    for name, observation in OBSERVATIONS.items():
        assert decode_observation(bytes.fromhex(vectors["observations"][name])) == observation
    for name, epoch in EPOCHS.items():
        assert decode_epoch(bytes.fromhex(vectors["epochs"][name])) == epoch
