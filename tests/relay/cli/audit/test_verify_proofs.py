"""`hutong verify ics23` and `eip1186`: files as nodes serve them, exit codes, and what is printed."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import audit
from hutong.light_clients.proofs import ics23, mpt
from hutong.light_clients.protobuf import ics23_pb2 as pb
from hutong.relay.cli.audit.verify import app
from hutong.relay.verify.inputs import UnusableInput
from hutong.relay.verify.proof_files import judge_ics23, read_eip1186, read_ics23
from tests.light_clients.proofs.reference_trees import IavlTree, SparseTree, TendermintTree, items
from tests.light_clients.proofs.test_mpt import ROUTER, ROUTER_PROOF, STATE, STORAGE, storage_proof, word

STORE = IavlTree(items(9))
MULTISTORE = TendermintTree({b"acc": b"\1" * 32, b"ibc": STORE.root, b"staking": b"\2" * 32})
KEY = STORE.keys[4]
VALUE = STORE.items[KEY]
ABSENT = b"key/003"


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def ics23_run(path, *extra, root=STORE.root, spec="iavl", key=KEY, value=VALUE):
    claim = () if value is None else ("--value", value.hex())
    return run("ics23", "--root", root.hex(), "--spec", spec, "--key", key.hex(), *claim, *extra, path)


CLAIMS = [(STORE.keys[1], STORE.items[STORE.keys[1]]), (KEY, VALUE), (ABSENT, None)]


def claims_run(tmp_path, claims, *extra, proved=CLAIMS, root=STORE.root):
    proof, asked = tmp_path / "batch.bin", tmp_path / "claims.json"
    proofs = [STORE.non_existence(key) if value is None else STORE.existence(key) for key, value in proved]
    proof.write_bytes(ics23.encode_batch_proof(proofs))
    asked.write_text(json.dumps(claims))
    return run("ics23", "--root", root.hex(), "--spec", "iavl", "--claims", asked, *extra, proof)


def in_hex(claims):
    return {key.hex(): None if value is None else value.hex() for key, value in claims}


def test_many_claims_by_one_batch(tmp_path):
    result = claims_run(tmp_path, in_hex(CLAIMS[::-1]), "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["subject"]["claims"] == "2 values, 1 absent"
    names = [check["name"] for check in document["checks"]]
    assert names[:2] == ["items_are_well_formed", "batch_well_formed"]
    assert {f"{KEY.hex()}.root_matches", f"{ABSENT.hex()}.nothing_between"} < set(names)


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({KEY.hex(): "00"}, f"{KEY.hex()}.value_matches"),
        ({KEY.hex(): None}, f"{KEY.hex()}.batch_holds_key"),
        ({ABSENT.hex(): "00"}, f"{ABSENT.hex()}.batch_holds_key"),
        ({STORE.keys[7].hex(): STORE.items[STORE.keys[7]].hex()}, f"{STORE.keys[7].hex()}.batch_holds_key"),
    ],
)
def test_attack_B15_one_false_claim_of_many(tmp_path, changes, failed):
    assert claims_run(tmp_path, in_hex(CLAIMS)).exit_code == 0
    result = claims_run(tmp_path, {**in_hex(CLAIMS), **changes}, "--json")
    assert result.exit_code == 1
    assert [check["name"] for check in json.loads(result.stdout)["checks"] if not check["held"]] == [failed]


@pytest.mark.parametrize("claims", [[], {}, {"zz": None}, {"": None}, {"00": ""}, {"00": 5}, {"00": "0"}])
def test_unusable_claims(tmp_path, claims):
    assert claims_run(tmp_path, claims).exit_code == 2


def test_claims_go_alone(tmp_path):
    for extra in (("--key", "00"), ("--value", "00"), ("--store", "ibc")):
        assert claims_run(tmp_path, in_hex(CLAIMS), *extra).exit_code == 2
    asked = tmp_path / "claims.json"
    chained = tmp_path / "chained.bin"
    chained.write_bytes(ics23.encode_merkle_proof((STORE.existence(KEY), MULTISTORE.existence(b"ibc"))))
    assert run("ics23", "--root", "11" * 32, "--spec", "iavl", "--claims", asked, chained).exit_code == 2


def abci_response(proofs, key=KEY, value=VALUE, code=0):
    kinds = ("ics23:iavl", "ics23:simple")
    ops = [
        {
            "type": kind,
            "key": base64.b64encode(proof.key).decode(),
            "data": base64.b64encode(ics23.encode_commitment_proof(proof)).decode(),
        }
        for kind, proof in zip(kinds, proofs, strict=False)
    ]
    return {
        "jsonrpc": "2.0",
        "id": -1,
        "result": {
            "response": {
                "code": code,
                "log": "",
                "index": "0",
                "key": base64.b64encode(key).decode(),
                "value": None if value is None else base64.b64encode(value).decode(),
                "proofOps": {"ops": ops} if ops else None,
                "height": "41",
            }
        },
    }


SINGLE = ics23.encode_commitment_proof(STORE.existence(KEY))
CHAIN = ics23.encode_merkle_proof((STORE.existence(KEY), MULTISTORE.existence(b"ibc")))


@pytest.mark.parametrize(
    "content",
    [
        SINGLE,
        SINGLE.hex().encode(),
        b"0x" + SINGLE.hex().upper().encode() + b"\n",
        base64.b64encode(SINGLE) + b"\n",
        json.dumps(base64.b64encode(SINGLE).decode()).encode(),
        ics23.encode_merkle_proof((STORE.existence(KEY),)),
        json.dumps(abci_response([STORE.existence(KEY)])).encode(),
    ],
    ids=["raw", "hex", "0x-hex", "base64", "json string", "merkle proof", "abci query"],
)
def test_every_form_of_a_proof_is_read(tmp_path, content):
    path = tmp_path / "proof"
    path.write_bytes(content)
    result = ics23_run(path)
    assert result.exit_code == 0, result.output
    assert "tree_0.root_matches" in result.output
    assert "valid: 11 predicates held" in result.output


@pytest.mark.parametrize(
    "changes", [{"root": b"\5" * 32}, {"key": STORE.keys[3]}, {"value": b"x"}, {"spec": "tendermint"}]
)
def test_a_wrong_claim_is_invalid(tmp_path, changes):
    path = tmp_path / "proof"
    path.write_bytes(SINGLE)
    assert ics23_run(path).exit_code == 0
    result = ics23_run(path, **changes)
    assert result.exit_code == 1
    assert "FAILED" in result.output
    assert result.output.rstrip().endswith("invalid")


def test_absence(tmp_path):
    path = tmp_path / "proof"
    path.write_text(json.dumps(abci_response([STORE.non_existence(ABSENT)], key=ABSENT, value=None)))
    assert ics23_run(path, key=ABSENT, value=None).exit_code == 0
    assert ics23_run(path, key=ABSENT, value=b"claimed").exit_code == 1
    assert ics23_run(path, key=KEY, value=None).exit_code == 1


def test_a_store_of_a_multistore(tmp_path):
    path = tmp_path / "proof"
    for content in (CHAIN, json.dumps(abci_response([STORE.existence(KEY), MULTISTORE.existence(b"ibc")])).encode()):
        path.write_bytes(content)
        assert ics23_run(path, "--store", "ibc", root=MULTISTORE.root).exit_code == 0
        assert ics23_run(path, "--store", "acc", root=MULTISTORE.root).exit_code == 1
        unnamed = ics23_run(path, root=MULTISTORE.root)
        assert unnamed.exit_code == 2
        assert "--store" in unnamed.output
    path.write_bytes(SINGLE)
    assert ics23_run(path, "--store", "ibc", root=MULTISTORE.root).exit_code == 1


def test_smt_and_tendermint_specs(tmp_path):
    path = tmp_path / "proof"
    for kind, spec in ((SparseTree, "smt"), (TendermintTree, "tendermint")):
        tree = kind(items(5))
        path.write_bytes(ics23.encode_commitment_proof(tree.existence(tree.keys[0])))
        key = tree.keys[0]
        assert ics23_run(path, root=tree.root, spec=spec, key=key, value=tree.items[key]).exit_code == 0


def test_one_key_of_a_batch(tmp_path):
    proofs = [STORE.existence(key) for key in STORE.keys[:3]]
    batch = pb.BatchProof()
    for proof in proofs:
        batch.entries.add().exist.CopyFrom(pb.CommitmentProof.FromString(ics23.encode_commitment_proof(proof)).exist)
    path = tmp_path / "batch"
    path.write_bytes(pb.CommitmentProof(batch=batch).SerializeToString())
    for proof in proofs:
        assert ics23_run(path, key=proof.key, value=proof.value).exit_code == 0
    missing = ics23_run(path)
    assert missing.exit_code == 1
    assert "batch_holds_key" in missing.output


@pytest.mark.long
def test_a_tampered_proof_is_invalid_and_never_a_crash(tmp_path):
    path = tmp_path / "proof"
    path.write_bytes(SINGLE)
    assert ics23_run(path).exit_code == 0
    for index in range(len(SINGLE)):
        path.write_bytes(SINGLE[:index] + bytes([SINGLE[index] ^ 0x10]) + SINGLE[index + 1 :])
        assert ics23_run(path).exit_code in {1, 2}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"{", "is not JSON"),
        (b"[1]", "holds no"),
        (b"{}", "has no proof"),
        (b"not a proof!", "no ICS-23 proof"),
        (b"\x00\x01\x02", "no ICS-23 proof"),
        (b"abc", "base64"),
        (b'{"result": {}, "result": {}}', "is not JSON"),
        (b'{"code": NaN}', "is not JSON"),
        (b'{"a":' + b"[" * 100_000, "nested deeper"),
        (b"00", "no ICS-23 proof"),
        (json.dumps({"jsonrpc": "2.0", "error": {"code": -32603}}).encode(), "error response"),
        (json.dumps(abci_response([], code=0)).encode(), "prove=true"),
        (json.dumps(abci_response([], code=6)).encode(), "code 6"),
        (
            json.dumps({"response": {"proofOps": {"ops": [{"type": "iavl:v", "data": "AA=="}]}}}).encode(),
            "only ics23 ones",
        ),
        (json.dumps({"response": {"proofOps": {"ops": [{"type": "ics23:iavl", "data": "@"}]}}}).encode(), "base64"),
        (json.dumps({"response": {"proofOps": {"ops": [{"type": "ics23:iavl", "data": 5}]}}}).encode(), "base64"),
        (json.dumps({"response": {"proofOps": {"ops": ["x"]}}}).encode(), "only ics23 ones"),
    ],
)
def test_what_is_no_proof_is_unusable_in_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "proof"
    path.write_bytes(content)
    result = ics23_run(path)
    assert result.exit_code == 2
    assert sentence in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_without_a_trust_root_nothing_is_judged(tmp_path):
    path = tmp_path / "proof"
    path.write_bytes(SINGLE)
    result = run("ics23", "--spec", "iavl", "--key", KEY.hex(), path)
    assert result.exit_code == 2
    assert "--root" in result.output
    assert run("ics23", "--root", STORE.root.hex(), "--key", KEY.hex(), path).exit_code == 2
    assert run("ics23", "--root", STORE.root.hex(), "--spec", "iavl", path).exit_code == 2
    assert run("ics23", "--root", "xyz", "--spec", "iavl", "--key", "00", path).exit_code == 2
    assert run("ics23", "--root", STORE.root.hex(), "--spec", "iavl", "--key", "", path).exit_code == 2
    assert run("ics23", "--root", bytes(32).hex(), "--spec", "iavl", "--key", KEY.hex(), path).exit_code == 1
    assert run("eip1186", path).exit_code == 2
    assert ics23_run(tmp_path / "missing").exit_code == 2
    assert ics23_run(tmp_path).exit_code == 2


def test_text_from_a_file_cannot_drive_the_terminal(tmp_path):
    path = tmp_path / "proof.json"
    for nasty in ("\x1b[2J", "\ud800", "[red]x[/]", "\n\n"):
        result = eip1186_run(path, get_proof(address=nasty))
        assert result.exit_code == 2
        assert "\x1b" not in result.output
        assert len(result.output.strip().splitlines()) == 1


def test_json_output(tmp_path):
    path = tmp_path / "proof"
    path.write_bytes(SINGLE)
    good = json.loads(ics23_run(path, "--json").output)
    assert good["valid"] is True
    assert {check["held"] for check in good["checks"]} == {True}
    bad = ics23_run(path, "--json", value=b"x")
    assert bad.exit_code == 1
    report = json.loads(bad.output)
    assert report["valid"] is False
    assert report["checks"][-1]["name"] == "tree_0.value_matches"
    assert report["checks"][-1]["reason"].startswith("value_matches")
    assert report["subject"]["path"] == KEY.decode()


def hexed(nodes):
    return ["0x" + node.hex() for node in nodes]


def get_proof(**changes):
    answer = {
        "address": "0x" + ROUTER.hex(),
        "accountProof": hexed(ROUTER_PROOF),
        "balance": hex(10**18),
        "codeHash": "0x" + keccak256(b"code").hex(),
        "nonce": "0x1",
        "storageHash": "0x" + STORAGE.root_hash.hex(),
        "storageProof": [
            {"key": hex(7), "value": hex(50), "proof": hexed(storage_proof(7))},
            {"key": "0x" + word(777).hex(), "value": "0x0", "proof": hexed(storage_proof(777))},
        ],
    }
    return answer | changes


def eip1186_run(path, answer, *extra, root=STATE.root_hash):
    path.write_text(json.dumps(answer))
    return run("eip1186", "--state-root", "0x" + root.hex(), *extra, path)


def test_eth_get_proof_bare_and_enveloped(tmp_path):
    path = tmp_path / "proof.json"
    result = eip1186_run(path, get_proof())
    assert result.exit_code == 0, result.output
    assert "valid: 7 predicates held" in result.output
    assert "0x" + ROUTER.hex() in result.output
    assert eip1186_run(path, {"jsonrpc": "2.0", "id": 1, "result": get_proof()}).exit_code == 0
    assert eip1186_run(path, get_proof(), "--address", ROUTER.hex()).exit_code == 0
    assert eip1186_run(path, get_proof(), "--address", (b"\5" * 20).hex()).exit_code == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"balance": "0x1"},
        {"nonce": "0x2"},
        {"codeHash": "0x" + "11" * 32},
        {"storageHash": "0x" + "11" * 32},
        {"address": "0x" + "05" * 20},
        {"accountProof": hexed(ROUTER_PROOF[:-1])},
        {"accountProof": []},
        {"storageProof": [{"key": "0x7", "value": "0x33", "proof": hexed(storage_proof(7))}]},
        {"storageProof": [{"key": "0x7", "value": "0x0", "proof": hexed(storage_proof(7))}]},
        {"storageProof": [{"key": "0x8", "value": "0x32", "proof": hexed(storage_proof(7))}]},
        {"storageProof": [{"key": "0x7", "value": "0x32", "proof": []}]},
    ],
)
def test_a_false_answer_of_a_node_is_invalid(tmp_path, changes):
    path = tmp_path / "proof.json"
    assert eip1186_run(path, get_proof()).exit_code == 0
    result = eip1186_run(path, get_proof(**changes))
    assert result.exit_code == 1
    assert "FAILED" in result.output


def test_attack_B40_a_storage_root_of_the_files_own(tmp_path):
    """Slots under an invented storage root fail at the account, whatever the slots say."""
    from tests.light_clients.proofs.test_mpt import proof_of, storage_trie

    forged = storage_trie({7: 10**6})
    answer = get_proof(
        storageHash="0x" + forged.root_hash.hex(),
        storageProof=[{"key": "0x7", "value": hex(10**6), "proof": hexed(proof_of(forged, keccak256(word(7))))}],
    )
    path = tmp_path / "proof.json"
    assert eip1186_run(path, get_proof()).exit_code == 0
    result = eip1186_run(path, answer)
    assert result.exit_code == 1
    assert "account_matches" in result.output


@pytest.mark.parametrize("empty", ["0x" + "00" * 32, None])
def test_an_absent_account(tmp_path, empty):
    from tests.light_clients.proofs.test_mpt import proof_of

    stranger = b"\xee" * 20
    answer = get_proof(
        address="0x" + stranger.hex(),
        accountProof=hexed(proof_of(STATE, keccak256(stranger))),
        balance="0x0",
        nonce="0x0",
        codeHash=empty or "0x" + mpt.EMPTY_CODE_HASH.hex(),
        storageHash=empty or "0x" + mpt.EMPTY_TRIE_ROOT.hex(),
        storageProof=[{"key": "0x0", "value": "0x0", "proof": []}],
    )
    path = tmp_path / "proof.json"
    result = eip1186_run(path, answer)
    assert result.exit_code == 0, result.output
    assert "absent or empty" in result.output
    assert eip1186_run(path, answer | {"balance": "0x1"}).exit_code == 1


@pytest.mark.parametrize(
    "answer",
    [
        [],
        "text",
        {},
        {"error": {"code": -32000, "message": "missing trie node"}},
        get_proof(address="0x00"),
        get_proof(address=5),
        get_proof(balance="12"),
        get_proof(nonce=1),
        get_proof(storageHash="0x11"),
        get_proof(accountProof="0x"),
        get_proof(accountProof=[5]),
        get_proof(accountProof=["0xzz"]),
        get_proof(storageProof={}),
        get_proof(storageProof=["x"]),
        get_proof(storageProof=[{"key": "0x" + "1" * 65, "value": "0x0", "proof": []}]),
    ],
)
def test_what_is_no_get_proof_answer_is_unusable(tmp_path, answer):
    result = eip1186_run(tmp_path / "proof.json", answer)
    assert result.exit_code == 2
    assert len(result.output.strip().splitlines()) == 1


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(["0x", "0x0", "0x" + "11" * 32]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
QUERY_FIELDS = st.sampled_from(["result", "response", "proofOps", "proof_ops", "ops", "type", "data", "code", "error"])
QUERIES = st.recursive(
    JSON_VALUES | st.sampled_from(["ics23:iavl", base64.b64encode(SINGLE).decode()]),
    lambda inner: st.dictionaries(QUERY_FIELDS, inner | st.lists(inner, max_size=3), max_size=5),
    max_leaves=12,
)


def judged(data):
    try:
        file = read_ics23(data, "file")
    except UnusableInput:
        return
    for specs, path in (((ics23.IAVL_SPEC,), (KEY,)), ((ics23.IAVL_SPEC, ics23.TENDERMINT_SPEC), (b"ibc", KEY))):
        for value in (VALUE, None):
            audit(judge_ics23, file, specs, STORE.root, path, value)


@given(
    st.binary(max_size=200)
    | st.builds(lambda i, b: SINGLE[:i] + b + SINGLE[i:], st.integers(0, 300), st.binary(max_size=4))
)
def test_attack_H_any_file_is_judged_or_unusable(data):
    judged(data)
    judged(data.hex().encode())
    judged(base64.b64encode(data))


@pytest.mark.long
@given(QUERIES)
def test_attack_H_any_query_response_is_judged_or_unusable(document):
    judged(json.dumps(document).encode())


@given(
    JSON_VALUES
    | st.builds(
        lambda changes: get_proof(**changes),
        st.dictionaries(st.sampled_from(sorted(get_proof())), JSON_VALUES, min_size=1, max_size=3),
    )
    | st.builds(
        lambda slot: get_proof(storageProof=[slot]),
        st.dictionaries(st.sampled_from(["key", "value", "proof"]), JSON_VALUES, min_size=2),
    )
)
def test_attack_H_any_answer_is_judged_or_unusable(document):
    try:
        claim = read_eip1186(document, "file")
    except UnusableInput:
        return
    audit(mpt.judge_eip1186, STATE.root_hash, claim)
