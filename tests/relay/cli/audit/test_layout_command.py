"""`hutong layout`: what is printed, JSON, words by option and by file, and exit codes."""

import json

import pytest
from typer.testing import CliRunner

from hutong.relay.cli.audit.layout import app
from tests.relay.storage_layout.layout_files import (
    PROBE_FILE,
    as_bytes,
    contract_output,
    in_place,
    layout,
    one_variable,
)
from tests.relay.storage_layout.probe_chain import running_chain

ALICE = b"\xa1" * 20
BALANCE = f"balances[0x{ALICE.hex()}]"
PROBE = ("--contract", "StorageProbe")


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    return result


def refused(*arguments, code=2) -> str:
    result = run(*arguments, code=code)
    assert result.stdout == "" and result.stderr.count("\n") == 1
    return result.stderr


def word(number: int) -> str:
    return f"0x{number:064x}"


def test_all_variables_of_a_contract():
    lines = run("slot", PROBE_FILE, *PROBE).stdout.splitlines()
    assert lines[0].split() == ["slot", "offset", "bytes", "name", "type"]
    assert lines[1].split() == ["0x0", "0", "20", "owner", "address"]
    assert lines[2].split() == ["0x0", "20", "1", "paused", "bool"]
    assert len(lines) == 1 + len(layout().variables)
    found = json.loads(run("slot", PROBE_FILE, *PROBE, "--json").stdout)
    assert found["contract"] == "test/support/StorageProbe.sol:StorageProbe"
    assert found["variables"][1] == {
        "path": "paused", "slot": word(0), "slots": 1, "offset": 20, "bytes": 1, "type": "bool",
    }  # fmt: skip


def test_place_of_one_value():
    said = run("slot", PROBE_FILE, "items[3].sizes", *PROBE).stdout.splitlines()
    found = json.loads(run("slot", PROBE_FILE, "items[3].sizes", *PROBE, "--json").stdout)
    assert said == [
        f"slot    {found['slot']}", "slots   2, from that one on", "offset  0", "bytes   64", "type    uint40[7]",
    ]  # fmt: skip
    assert (found["path"], found["slots"], found["bytes"]) == ("items[3].sizes", 2, 64)
    assert run("slot", PROBE_FILE, "paused", *PROBE).stdout.splitlines()[1:] == [
        "offset  20", "bytes   1", "type    bool",
    ]  # fmt: skip


def test_value_of_one_word():
    assert run("value", PROBE_FILE, "paused", *PROBE, "--word", f"0x{1 << 160:x}").stdout == "true\n"
    assert run("value", PROBE_FILE, "total", *PROBE, "--word", word(2**256 - 1)).stdout == f"{2**256 - 1}\n"
    assert run("value", PROBE_FILE, "name", *PROBE, "--word", f"0x{b'ab'.hex():<062}04").stdout == '"ab"\n'
    as_json = run("value", PROBE_FILE, BALANCE, *PROBE, "--word", "0x2a", "--json").stdout
    found = json.loads(as_json)
    assert (found["value"], found["type"], found["path"]) == ("42", "uint256", BALANCE)
    slot = found["slot"]
    assert run("value", PROBE_FILE, BALANCE, *PROBE, "--word", f"{slot}=0x2a").stdout == "42\n"


def test_values_of_one_contract_from_its_node(tmp_path):
    """As a person works: ask for the slots, ask a node for their words or proofs, and for those that are missing."""
    with running_chain() as chain:
        probe = chain.deploy("StorageProbe")
        title = "a title that needs more than one slot"
        probe.send("addItem", (7, 5, True, 2, title, tuple(range(7)), (ALICE,)))
        proof, words = tmp_path / "proof.json", {}
        asked = json.loads(run("value", PROBE_FILE, "items", *PROBE, "--json", code=2).stdout)
        rounds = 0
        while "value" not in asked:
            slots = [*words, *asked["missing"]]
            answer = chain.rpc("eth_getProof", probe.address, slots, "latest")
            words = {entry["key"]: entry["value"] for entry in answer["storageProof"]}
            proof.write_text(json.dumps({"jsonrpc": "2.0", "id": 1, "result": answer}))
            code = 2 if rounds < 2 else 0
            asked = json.loads(run("value", PROBE_FILE, "items", *PROBE, "--words", proof, "--json", code=code).stdout)
            rounds += 1
    expected = {
        "id": "7", "price": "5", "sold": True, "state": "2", "title": title,
        "sizes": [str(number) for number in range(7)], "bidders": [f"0x{ALICE.hex()}"],
    }  # fmt: skip
    assert asked["value"] == [expected]
    said = json.loads(run("value", PROBE_FILE, "items", *PROBE, "--words", proof).stdout)
    assert said[0]["id"] == 7 and said[0]["sold"] is True and said[0]["sizes"] == list(range(7))
    plain = tmp_path / "words.json"
    plain.write_text(json.dumps(words))
    assert run("value", PROBE_FILE, "items[0].title", *PROBE, "--words", plain).stdout == f'"{title}"\n'


def test_words_from_file_and_option_go_together(tmp_path):
    place = json.loads(run("slot", PROBE_FILE, "wide", *PROBE, "--json").stdout)
    first = int(place["slot"], 16)
    file = tmp_path / "words.json"
    file.write_text(json.dumps({str(first): "0x1"}))
    said = run("value", PROBE_FILE, "wide", *PROBE, "--words", file, "--word", f"{first + 1}=0x2").stdout
    assert json.loads(said) == [f"0x{1:062x}", f"0x{2:062x}"]
    again = refused("value", PROBE_FILE, "wide", *PROBE, "--words", file, "--word", f"{first}=0x2")
    assert "names a slot for the second time" in again


def test_user_defined_type_by_option(tmp_path):
    price = "t_userDefinedValueType(Price)3"
    file = tmp_path / "layout.json"
    file.write_bytes(one_variable(price, {price: in_place("Price", 16)}))
    assert "say its type" in refused("value", file, "x", "--word", "0xff")
    assert run("value", file, "x", "--word", "0xff", "--type", "Price=int128").stdout == "255\n"
    assert "write NAME=TYPE" in refused("value", file, "x", "--word", "0xff", "--type", "Price")
    twice = ("--type", "Price=int128", "--type", "Price=uint128")
    assert "once for each name" in refused("value", file, "x", "--word", "0xff", *twice)


def test_what_cannot_be_used(tmp_path):
    assert "name one: " in refused("slot", PROBE_FILE)
    assert "there is no such state variable" in refused("slot", PROBE_FILE, "ownr", *PROBE)
    assert "cannot be read" in refused("slot", tmp_path / "none.json", "owner")
    (tmp_path / "empty.json").write_text(" ")
    assert "is empty" in refused("slot", tmp_path / "empty.json", "owner")
    (tmp_path / "none.json").write_text("{}")
    assert "is neither a storageLayout" in refused("slot", tmp_path / "none.json", "owner")
    assert "not supported: balances: the value of a mapping" in refused(
        "value", PROBE_FILE, "balances", *PROBE, "--word", "0x1"
    )
    assert "are needed too: 0x2" in refused("value", PROBE_FILE, "total", *PROBE)
    assert "takes 2 slots: write SLOT=WORD" in refused("value", PROBE_FILE, "wide", *PROBE, "--word", "0x1")
    assert "--word: is not a word" in refused("value", PROBE_FILE, "total", *PROBE, "--word", "1")
    assert "--word: is not a slot" in refused("value", PROBE_FILE, "total", *PROBE, "--word", "total=0x1")


def test_a_word_that_no_compiler_writes_is_exit_code_1():
    assert "a bool is 0 or 1, got 7" in refused(
        "value", PROBE_FILE, "paused", *PROBE, "--word", f"0x{7 << 160:x}", code=1
    )


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\u202eb", "two\nlines"])
def test_text_of_others_does_not_steer_the_terminal(tmp_path, text):
    head = text.encode().ljust(31, b"\0") + bytes([2 * len(text.encode())])
    said = run("value", PROBE_FILE, "name", *PROBE, "--word", f"0x{head.hex()}").stdout
    assert said.strip().isprintable() and json.loads(said) == text
    document = contract_output()["storageLayout"]
    document["types"]["t_address"]["label"] = text
    file = tmp_path / "layout.json"
    file.write_bytes(as_bytes(document))
    lines = run("slot", file).stdout.split("\n")
    assert all(line.isprintable() for line in lines)
    assert refused("slot", file, "owner.x").strip().isprintable()
