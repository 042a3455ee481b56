"""`[[observations]]`: one sentence for each mistake, with what to do."""

import json

import pytest

from hutong.light_clients.records import AccountField, FieldPlace, SlotPlace, StorePlace
from hutong.relay.config import ConfigError, PathEnd, file_problems, parse_config

CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
ADDRESS = bytes.fromhex(CONTRACT[2:])
HASH = "0x" + "a1" * 32
LAYOUT = {
    "storage": [
        {"astId": 1, "contract": "T.sol:T", "label": "owner", "offset": 0, "slot": "3", "type": "t_address"},
        {"astId": 2, "contract": "T.sol:T", "label": "balances", "offset": 0, "slot": "4", "type": "t_mapping"},
        {
            "astId": 3,
            "contract": "T.sol:T",
            "label": "three",
            "offset": 0,
            "slot": "5",
            "type": "t_array(t_uint)3_storage",
        },
    ],
    "types": {
        "t_address": {"encoding": "inplace", "label": "address", "numberOfBytes": "20"},
        "t_uint": {"encoding": "inplace", "label": "uint256", "numberOfBytes": "32"},
        "t_mapping": {
            "encoding": "mapping",
            "key": "t_address",
            "label": "mapping(address => uint256)",
            "numberOfBytes": "32",
            "value": "t_uint",
        },
        "t_array(t_uint)3_storage": {
            "base": "t_uint",
            "encoding": "inplace",
            "label": "uint256[3]",
            "numberOfBytes": "96",
        },
    },
}
KEY = 'key = { keystore = "k", password_env = "P" }'
CHAINS = f"""
[relay]
home = "state"

[[chains]]
name = "alpha"
kind = "evm"
chain_id = 1001
consensus = "qbft"
rpc = ["http://127.0.0.1:1"]
router = "{CONTRACT}"
{KEY}

[[chains]]
name = "lonely"
kind = "evm"
chain_id = 1002
consensus = "qbft"
rpc = ["http://127.0.0.1:1"]
router = "{CONTRACT}"
{KEY}

[[chains]]
name = "hub"
kind = "hub"
chain_id = "hutong-1"
rpc = ["http://127.0.0.1:1"]
consensus_rpc = ["http://127.0.0.1:1"]
{KEY}

[[chains]]
name = "simd"
kind = "cosmos"
chain_id = "simd-1"
rpc = ["http://127.0.0.1:1"]
bech32_prefix = "cosmos"
gas_price = "0.025stake"
max_fee = 5000000
{KEY}

[[paths]]
a = {{ chain = "alpha", client = "client-0" }}
b = {{ chain = "hub", client = "bft-evm-0" }}

[[paths]]
a = {{ chain = "simd", client = "07-tendermint-0" }}
b = {{ chain = "hub", client = "07-tendermint-0" }}
"""
SECOND_PATH = """
[[paths]]
a = { chain = "alpha", client = "client-1" }
b = { chain = "hub", client = "bft-evm-1" }
"""
PUSH = f'{{ chain = "alpha", reader = "{CONTRACT}" }}'
SLOT = f'contract = "{CONTRACT}"\nslot = "0x02"\non_change = true'


def observation(text: str = SLOT, name: str = "one", chain: str = "alpha") -> str:
    return f'[[observations]]\nname = "{name}"\nchain = "{chain}"\n{text}\n'


def config(*observations: str, directory, more: str = ""):
    return parse_config((CHAINS + more + "\n".join(observations)).encode(), "relay.toml", directory)


def problem(*observations: str, directory, more: str = "") -> str:
    """The one problem that the configuration has."""
    with pytest.raises(ConfigError) as refused:
        config(*observations, directory=directory, more=more)
    (only,) = refused.value.problems
    return str(only)


def test_places_of_every_form(tmp_path):
    (tmp_path / "T.json").write_text(json.dumps(LAYOUT))
    field = f'account = "{CONTRACT}"\nfield = "balance"\ninterval_s = 5'
    path = f'contract = "{CONTRACT}"\nlayout = "T.json"\npath = "owner"\ninterval_s = 5\non_change = true'
    found = config(
        observation(),
        observation(f'contract = "{CONTRACT}"\nslot = "{HASH}"\ninterval_s = 5', "two"),
        observation(field, "three"),
        observation(path, "four"),
        observation('store = "bank"\nkey = "0x02aa"\ninterval_s = 5', "five", "simd"),
        directory=tmp_path,
    )
    assert [one.place() for one in found.observations] == [
        SlotPlace(ADDRESS, (2).to_bytes(32, "big")),
        SlotPlace(ADDRESS, bytes.fromhex(HASH[2:])),
        FieldPlace(ADDRESS, AccountField.BALANCE),
        SlotPlace(ADDRESS, (3).to_bytes(32, "big")),
        StorePlace(b"bank", b"\x02\xaa"),
    ]
    assert found.observed_over(found.observations[0]) == (PathEnd(chain="hub", client="bft-evm-0"),)
    assert found.observed_over(found.observations[4]) == (PathEnd(chain="hub", client="07-tendermint-0"),)


MISTAKES = {
    "no place": (observation("on_change = true"), "names no single place: give contract and slot; or"),
    "two places": (observation(f'{SLOT}\naccount = "{CONTRACT}"'), "names no single place"),
    "half a place": (observation(f'contract = "{CONTRACT}"\npath = "a"\non_change = true'), "names no single place"),
    "never due": (observation(f'contract = "{CONTRACT}"\nslot = "0x02"'), "is never due: set interval_s"),
    "an interval of nothing": (observation(SLOT + "\ninterval_s = 0"), "interval_s: is less than 1"),
    "not a slot": (observation(SLOT.replace("0x02", "2")), "slot: must be a storage slot"),
    "a slot of 33 bytes": (observation(SLOT.replace("0x02", "0x" + "11" * 33)), "slot: must be a storage slot"),
    "not an address": (observation(SLOT.replace("5FbDB", "5fbDB")), "contract: has a wrong EIP-55 checksum"),
    "no such field": (observation(f'account = "{CONTRACT}"\nfield = "code"\non_change = true'), "field: must be"),
    "half a key": (observation('store = "bank"\nkey = "0x0"\non_change = true', chain="simd"), "must be a store key"),
    "no store": (observation('key = "0x01"\non_change = true', chain="simd"), "store: is missing"),
    "a store of a path": (
        observation('store = "../bank"\nkey = "0x01"\non_change = true', chain="simd"),
        "store: does not match",
    ),
    "a slot of a Cosmos chain": (observation(chain="simd"), "and simd, of kind cosmos, has keys of stores"),
    "a key of an EVM chain": (observation('key = "0x01"\non_change = true'), "of kind evm, has slots and accounts"),
    "no such chain": (observation(chain="gamma"), "no chain is named 'gamma'"),
    "no path": (observation(chain="lonely"), "no path leads from lonely to a hub"),
    "another client": (
        observation(SLOT + '\nover = { chain = "hub", client = "bft-evm-7" }'),
        "hub:bft-evm-7 is no end, on a hub, of a path with alpha",
    ),
    "a blank name": (observation(name=" "), "name: must be 1 to 64 printable characters"),
    "a key that is not known": (observation(SLOT + '\npushed_to = ["beta"]'), "pushed_to: unknown key"),
    "no reader": (observation(SLOT + '\npush_to = [{ chain = "alpha" }]'), "push_to.0.reader: field required"),
    "a push to a hub": (
        observation(SLOT + f'\npush_to = [{{ chain = "hub", reader = "{CONTRACT}" }}]'),
        "push_to.0.chain: no EVM chain is named 'hub'; use one of: alpha, lonely",
    ),
    "a push without a path": (
        observation(SLOT + f'\npush_to = [{{ chain = "lonely", reader = "{CONTRACT}" }}]'),
        "push_to.0.chain: 0 paths lead from hub to lonely; add their path to [[paths]]",
    ),
    "a reader twice": (
        observation(SLOT + f"\npush_to = [{PUSH}, {PUSH}]"),
        "push_to.1: names a reader twice",
    ),
    "a layout's contract alone": (observation(SLOT + '\nlayout_contract = "T"'), "has layout_contract without layout"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_mistake_is_one_sentence(tmp_path, mistake):
    text, expected = MISTAKES[mistake]
    said = problem(text, directory=tmp_path)
    assert said.startswith("observations.0") and expected in said


def test_a_name_stands_once(tmp_path):
    said = problem(observation(), observation(SLOT.replace("0x02", "0x03")), directory=tmp_path)
    assert said == "observations.1.name: is also observations.0; give each its own name"


def test_where_two_clients_follow_the_chain_one_is_picked(tmp_path):
    said = problem(observation(), directory=tmp_path, more=SECOND_PATH)
    assert "over: is missing, and 2 clients follow alpha; use one of: hub:bft-evm-0, hub:bft-evm-1" in said
    picked = SLOT + '\nover = { chain = "hub", client = "bft-evm-1" }'
    found = config(observation(picked), directory=tmp_path, more=SECOND_PATH)
    assert found.observed_over(found.observations[0]) == (PathEnd(chain="hub", client="bft-evm-1"),)


def test_a_private_key_is_refused_everywhere_but_where_a_place_stands(tmp_path):
    assert "looks like a private key" in problem(observation(name=HASH), directory=tmp_path)
    assert config(observation(SLOT.replace("0x02", HASH)), directory=tmp_path).observations


def files(directory, *observations) -> list[str]:
    found = config(*observations, directory=directory)
    return [str(one) for one in file_problems(found) if one.field.startswith("observations")]


def by_path(path: str, name: str = "one", file: str = "T.json") -> str:
    return observation(f'contract = "{CONTRACT}"\nlayout = "{file}"\npath = {path!r}\non_change = true', name)


def test_layouts_are_checked_with_the_files(tmp_path):
    (tmp_path / "T.json").write_text(json.dumps(LAYOUT))
    (tmp_path / "bad.json").write_text("{")
    assert files(tmp_path, by_path(f"balances[{CONTRACT}]")) == []
    (missing,) = files(tmp_path, by_path("owner", file="U.json"))
    assert missing.startswith("observations.0.layout: ") and "cannot be read" in missing
    (bad,) = files(tmp_path, by_path("owner", file="bad.json"))
    assert bad.startswith("observations.0.layout: ")
    (unknown,) = files(tmp_path, by_path("owners"))
    assert unknown.startswith("observations.0.path: ") and "hutong layout slot" in unknown
    (wide,) = files(tmp_path, by_path("three"))
    assert "three takes 3 slots; name one of its members" in wide


def test_two_names_of_one_place_are_one_too_many(tmp_path):
    (tmp_path / "T.json").write_text(json.dumps(LAYOUT))
    again = observation(SLOT.replace("0x02", "0x03"), "two")
    assert files(tmp_path, by_path("owner"), again) == [
        "observations.1: is the place of observations.0; take one of them out"
    ]
