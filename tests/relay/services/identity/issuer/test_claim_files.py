"""Claims in files, and the commands that read them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from hutong.light_clients.interface import MalformedInput
from hutong.relay.cli.main import app as hutong
from hutong.relay.services.identity.issuer.claim_files import MAX_ENTRY_BYTES, read_claims
from tests.relay.services.identity.issuer.issuer_world import write_config


def entries(tmp_path, name: str, data: bytes) -> list[dict]:
    file = tmp_path / name
    file.write_bytes(data)
    return list(read_claims(file))


def test_claims_are_read_from_objects_lines_and_tables(tmp_path):
    assert entries(tmp_path, "one.json", b'{"a": 1}') == [{"a": 1}]
    assert entries(tmp_path, "many.jsonl", b'{"a": 1}\n\n{"b": "x"}\n') == [{"a": 1}, {"b": "x"}]
    table = '﻿name,age:integer,adult:boolean,zip\nJörg,-7,true,01234\n"a,b",,false,\n'.encode()
    assert entries(tmp_path, "t.csv", table) == [
        {"name": "Jörg", "age": -7, "adult": True, "zip": "01234"},
        {"name": "a,b", "adult": False},
    ]
    wrong = {
        "x.txt": b"{}", "x.json": b'{"a":1,"a":2}', "y.jsonl": b'{"a":1}\n[]', "a.csv": b"n,n\n1,2", "b.csv": b"n\n1,2",
        "c.csv": b"n:date\n1", "d.csv": b"n:boolean\nyes", "e.csv": b"n:integer\n007", "f.csv": b"n\n\xff", "g.csv": b"",
        "h.csv": b'n\n"open', "i.csv": b"n\n" + b"x" * (MAX_ENTRY_BYTES + 1), "j.jsonl": b"x" * (MAX_ENTRY_BYTES + 2),
    }  # fmt: skip
    for name, data in wrong.items():
        with pytest.raises(MalformedInput):
            entries(tmp_path, name, data)


@settings(max_examples=40)
@given(data=st.binary(max_size=80), kind=st.sampled_from([".json", ".jsonl", ".csv"]))
def test_any_file_gives_entries_or_a_typed_error(tmp_path_factory, data, kind):
    file = tmp_path_factory.getbasetemp() / f"any{kind}"
    file.write_bytes(data)
    try:
        assert all(isinstance(one, dict) for one in read_claims(file))
    except MalformedInput as error:
        assert str(error)


@pytest.mark.long
def test_departments_offer_and_revoke_at_a_terminal(tmp_path):
    write_config(tmp_path)
    config = ["--config", str(tmp_path / "identity.toml")]
    claims = tmp_path / "people.csv"
    claims.write_text("given_name,age_over_18:boolean,reference\nAda,true,case-1\nBob,,case-2\n")
    run = CliRunner().invoke
    made = run(hutong, ["identity", "issue", *config, "--type", "residence", "--claims", str(claims)])
    assert made.exit_code == 0, made.output
    offers = [json.loads(line) for line in made.output.splitlines()]
    assert [one["reference"] for one in offers] == ["case-1", "case-2"]
    assert all(one["link"].startswith("openid-credential-offer://") and one["transaction_code"] for one in offers)
    claims.write_text("given_name,shoe_size\nAda,7\n")
    refused = run(hutong, ["identity", "issue", *config, "--type", "residence", "--claims", str(claims)])
    assert (refused.exit_code, "entry 1" in refused.output) == (2, True)
    assert run(hutong, ["identity", "issue", *config, "--type", "none", "--claims", str(claims)]).exit_code == 2
    assert run(hutong, ["identity", "revoke", *config, "--reference", "case-1"]).exit_code == 1
    assert run(hutong, ["identity", "revoke", *config]).exit_code == 2
    key = run(hutong, ["identity", "api-key", "create", "desk", *config, "--scope", "issue"])
    assert key.output.startswith("hk_")
    listed = run(hutong, ["identity", "api-key", "list", *config, "--json"])
    assert json.loads(listed.output)[0]["scopes"] == ["issue"]
    assert run(hutong, ["identity", "api-key", "create", "x", *config, "--scope", "all"]).exit_code == 2
    assert run(hutong, ["identity", "api-key", "revoke", "desk", *config]).exit_code == 0
    assert run(hutong, ["identity", "api-key", "revoke", "desk", *config]).exit_code == 1
