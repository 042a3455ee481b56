"""`hutong verify attestation`: states, rotations and packet proofs as files, exit codes, and what is printed."""

import base64
import json

import pytest
from typer.testing import CliRunner

from hutong.light_clients.attestation import (
    AttestationKind,
    Rotation,
    StateAttestation,
    encode_rotation,
    encode_rotation_update,
)
from hutong.relay.cli.audit.verify import app
from tests.light_clients.attestation.attested_chain import (
    GENESIS_S,
    KEY,
    OTHER_KEY,
    VALUE,
    AttestedChain,
    address_of,
    attestor_keys,
)

CHAIN = AttestedChain()
CHAIN.put(KEY, VALUE)
CHAIN.advance(4)
NEW = tuple(map(address_of, attestor_keys(3, first=10)))


def rotation(number: int = 1) -> bytes:
    data = encode_rotation(Rotation(StateAttestation(4, CHAIN.times_s[4]), number, NEW, 2, 9))
    return encode_rotation_update(CHAIN.attest(AttestationKind.ROTATION, data))


def trusted(**changed) -> dict:
    return {"client_state": CHAIN.client_state(3).hex(), "consensus_state": CHAIN.consensus_state(3).hex(), **changed}


@pytest.fixture
def run(tmp_path):
    def run(attested, states, *options, now=GENESIS_S + 10):
        file, trust = tmp_path / "attested", tmp_path / "trusted.json"
        file.write_bytes(attested if isinstance(attested, bytes) else attested.encode())
        trust.write_text(states if isinstance(states, str) else json.dumps(states))
        result = CliRunner().invoke(
            app, ["attestation", "--trusted", str(trust), "--now", str(now), "--json", *options, str(file)]
        )
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


def last(result) -> tuple[str, bool]:
    check = json.loads(result.stdout)["checks"][-1]
    return check["name"], check["held"]


@pytest.mark.parametrize("form", [bytes, bytes.hex, lambda data: base64.b64encode(data).decode()])
def test_update_is_valid_in_each_form(run, form):
    result = run(form(CHAIN.update(4)), trusted())
    assert result.exit_code == 0, result.output
    assert "state of height 4" in json.loads(result.stdout)["subject"]["what"]
    assert last(result) == ("header_not_from_future", True)


def test_rotation_is_valid_and_named(run):
    result = run(rotation().hex(), trusted())
    assert result.exit_code == 0
    assert "rotation to set 1, 2 of 3, previous until 9" in json.loads(result.stdout)["subject"]["what"]
    assert last(result) == ("rotation_follows", True)


def test_packet_proofs_of_presence_and_absence(run):
    present = run(CHAIN.proof(3, KEY).hex(), trusted(), "--key", KEY.hex(), "--value", VALUE.hex())
    absent = run(CHAIN.proof(3, OTHER_KEY).hex(), trusted(), "--key", OTHER_KEY.hex())
    assert (present.exit_code, absent.exit_code) == (0, 0)
    assert last(present) == last(absent) == ("commitment_is_attested", True)


@pytest.mark.parametrize(
    ("attested", "options", "predicate", "now"),
    [
        (CHAIN.update(4, keys=CHAIN.keys[:1]), (), "quorum_of_attestors", 10),
        (CHAIN.update(4, keys=attestor_keys(2, first=40)), (), "signed_by_attestors", 10),
        (CHAIN.update(4), (), "client_not_expired", 2_000),
        (CHAIN.update(4), (), "header_not_from_future", -30),
        (rotation(2), (), "rotation_follows", 10),
        (b"\x01" * 64, (), "header_well_formed", 10),
        (CHAIN.proof(4, KEY), ("--key", KEY.hex(), "--value", VALUE.hex()), "height_is_the_proof_height", 10),
        (CHAIN.proof(3, KEY), ("--key", KEY.hex()), "commitment_is_attested", 10),
        (CHAIN.proof(3, KEY), ("--key", OTHER_KEY.hex()), "commitment_is_attested", 10),
    ],
)
def test_broken_rule_is_named_with_exit_code_1(run, attested, options, predicate, now):
    result = run(attested.hex(), trusted(), *options, now=GENESIS_S + now)
    assert result.exit_code == 1, result.output
    assert last(result) == (predicate, False)


@pytest.mark.parametrize(
    ("attested", "states", "options"),
    [
        ("", trusted(), ()),
        ("00", "{", ()),
        ("00", trusted(client_state="xx"), ()),
        ("00", trusted(client_state=None), ()),
        ("00", trusted(consensus_state=CHAIN.consensus_state(4).hex()), ()),
        ("00", trusted(client_state=CHAIN.consensus_state(4).hex()), ()),
        ("00", trusted(), ("--value", VALUE.hex())),
        ("00", trusted(), ("--key", "xx")),
        ("00", trusted(), ("--key", KEY.hex(), "--value", "00")),
    ],
)
def test_unusable_input_is_one_sentence_with_exit_code_2(run, attested, states, options):
    result = run(attested, states, *options)
    assert result.exit_code == 2, result.output
    assert "unusable input" in result.stderr


def test_without_a_trust_root_nothing_is_judged(tmp_path):
    (tmp_path / "update").write_text(CHAIN.update(4).hex())
    result = CliRunner().invoke(app, ["attestation", str(tmp_path / "update")])
    assert result.exit_code == 2
    assert "no trust root" in result.stderr
