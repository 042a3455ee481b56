"""Foundry as judge: the artifact that forge writes, the slots that cast computes, the values that anvil's contract answers."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from hutong.relay.storage_layout import locate, read_layout
from tests.nodes.evm.running_anvil import running_anvil
from tests.nodes.provision import CONTRACTS, foundry, solc
from tests.relay.storage_layout.layout_files import layout, read

pytestmark = pytest.mark.nodes

LIMIT_S = 600
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
"""anvil's first account."""
ALICE, BOB = "0x" + "a1" * 20, "0x" + bytes(range(1, 21)).hex()
TITLE = "a title that needs more than one slot"
PROJECT = """
[profile.default]
src = "src"
evm_version = "paris"
optimizer = true
via_ir = true
offline = true
extra_output = ["storageLayout"]
"""


def run(tool: str, *words: str, cwd: Path | None = None) -> str:
    command = [str(foundry(tool)), *words]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The artifact that forge writes of the probe."""
    project = tmp_path_factory.mktemp("project")
    (project / "src").mkdir()
    shutil.copy(CONTRACTS / "test" / "support" / "StorageProbe.sol", project / "src")
    (project / "foundry.toml").write_text(PROJECT)
    run("forge", "build", "--use", str(solc()), cwd=project)
    return project / "out" / "StorageProbe.sol" / "StorageProbe.json"


@pytest.fixture(scope="module")
def probe(built):
    """Asks and calls the probe on anvil."""
    bytecode = json.loads(built.read_text())["bytecode"]["object"]
    with running_anvil(31_337) as anvil:
        endpoint = ("--rpc-url", anvil.url)
        sent = run("cast", "send", *endpoint, "--private-key", KEY, "--json", "--create", bytecode)
        address = json.loads(sent)["contractAddress"]

        def ask(command: str, *words: str) -> str:
            signing = ("--private-key", KEY) if command == "send" else ()
            return run("cast", command, *endpoint, *signing, address, *words)

        yield ask


@pytest.fixture
def stored(built, probe):
    """What the slots say, by forge's own artifact and cast's reading of one slot."""
    found = read_layout(built.read_bytes())
    return lambda path: read(found, path, lambda slot: bytes.fromhex(probe("storage", hex(slot))[2:]))


def test_artifact_of_forge_is_the_layout_of_our_own_compiler(built):
    found = read_layout(built.read_bytes(), "StorageProbe")
    ours = {variable.name: (variable.slot, variable.offset) for variable in layout().variables}
    assert {variable.name: (variable.slot, variable.offset) for variable in found.variables} == ours
    assert {kind.label: kind.size_bytes for kind in found.types.values()} == {
        kind.label: kind.size_bytes for kind in layout().types.values()
    }


@pytest.mark.parametrize(
    ("path", "kind", "key"),
    [
        (f"balances[{ALICE}]", "address", ALICE),
        ("byUint[255]", "uint8", "255"),
        ("byInt[-32768]", "int16", "-32768"),
        ("byBool[true]", "bool", "true"),
        ("byBytes4[0xab000001]", "bytes4", "0xab000001"),
        (f"byBytes32[0x{'32' * 32}]", "bytes32", "0x" + "32" * 32),
        ("byState[2]", "uint8", "2"),
        (f"byContract[{BOB}]", "address", BOB),
        (f"byPrice[{2**128 - 1}]", "uint128", str(2**128 - 1)),
        ('byString["胡同"]', "string", "胡同"),
        ("byBytes[0x0001ff]", "bytes", "0x0001ff"),
    ],
)
def test_slots_of_keys_are_those_of_cast(path, kind, key):
    base = locate(layout(), path.partition("[")[0]).slot
    said = run("cast", "index", kind, "--", key, str(base))
    assert locate(layout(), path).slot == int(said, 16)


def test_values_are_those_that_cast_is_answered(probe, stored):
    probe("send", "setSimple(address,bool,uint256,int256,bytes4)", ALICE, "true", str(2**256 - 1), "-5", "0x01020304")
    probe("send", "setText(string,bytes)", TITLE, "0x0102")
    item = f'(7,5,true,2,"{TITLE}",[1,2,3,4,5,6,7],[{ALICE},{BOB}])'
    signature = "(uint64,uint128,bool,uint8,string,uint40[7],address[])"
    probe("send", f"addItem({signature})", item)
    probe("send", "setBalances(address,address,uint256,uint128)", ALICE, BOB, "1000", "77")
    assert f"0x{stored('owner').hex()}" == probe("call", "ownerAndPause()(address,bool)").split()[0].lower() == ALICE
    assert (stored("paused"), stored("total"), stored("balance")) == (True, 2**256 - 1, -5)
    assert str(stored("balance")) == probe("call", "balance()(int256)")
    assert json.dumps(stored("name")) == probe("call", "name()(string)") == f'"{TITLE}"'
    assert f"0x{stored('blob').hex()}" == probe("call", "blob()(bytes)") == "0x0102"
    assert str(stored(f"balances[{ALICE}]")) == probe("call", "balances(address)(uint256)", ALICE) == "1000"
    allowed = probe("call", "allowances(address,address)(uint128)", ALICE, BOB)
    assert str(stored(f"allowances[{ALICE}][{BOB}]")) == allowed == "77"
    held = stored("items[0]")
    sizes, bidders = ", ".join(map(str, held["sizes"])), [f"0x{bidder.hex()}" for bidder in held["bidders"]]
    said = probe("call", f"itemAt(uint256)({signature})", "0")
    assert said.lower() == (
        f'({held["id"]}, {held["price"]}, {str(held["sold"]).lower()}, {held["state"]}, "{held["title"]}", '
        f"[{sizes}], [{', '.join(bidders)}])"
    )
