"""`hutong verify fisco`: files as nodes serve them, of simulated and of real chains, exit codes, and what is printed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hutong.light_clients.crypto.gm import libraries
from hutong.light_clients.fisco_bcos import BlockHeaderV2, CryptoSuite, Generation
from hutong.relay.cli.audit.verify import app
from tests.light_clients.fisco_bcos.fisco_chain import GENESIS_TIME_MS, SimulatedChain, receipt
from tests.light_clients.fisco_bcos.trees import tree_v2

RECORDED = json.loads((Path(__file__).parents[3] / "light_clients" / "fisco_bcos" / "recorded_blocks.json").read_text())
SENT = receipt([[b"\x11" * 20, [b"\x22" * 32], b"data"]])


def chain_of(generation: Generation, suite: CryptoSuite = CryptoSuite.ECDSA) -> SimulatedChain:
    chain = SimulatedChain(generation, suite)
    chain.advance(2)
    chain.include(SENT)
    chain.advance(2)
    return chain


V2 = chain_of(Generation.V2)
V3 = chain_of(Generation.V3)
NOW = GENESIS_TIME_MS // 1000 + 10
PREDICATES = [
    "header_is_well_formed",
    "block_hash_matches",
    "within_trusting_period",
    "height_increases",
    "time_does_not_decrease",
    "header_not_from_future",
    "sealers_are_listed",
    "signatures_of_sealers",
    "quorum_of_own_sealers",
    "overlap_with_trusted_sealers",
]


def rpc_block(chain: SimulatedChain, block) -> dict:
    header = block.header
    served = {
        "hash": "0x" + chain.block_hash(header).hex(),
        "number": header.number,
        "receiptsRoot": header.receipts_root.hex(),
        "stateRoot": header.state_root.hex(),
        "sealer": header.sealer,
        "gasUsed": str(header.gas_used),
        "timestamp": header.timestamp_ms,
    }
    if isinstance(header, BlockHeaderV2):
        return {
            **served,
            "parentHash": header.parent_hash.hex(),
            "transactionsRoot": header.transactions_root.hex(),
            "dbHash": header.db_hash.hex(),
            "logsBloom": header.logs_bloom.hex(),
            "gasLimit": hex(header.gas_limit),
            "extraData": [data.hex() for data in header.extra_data],
            "sealerList": [key.hex() for key in header.sealer_list],
            "signatureList": [{"index": hex(s.sealer_index), "signature": s.signature.hex()} for s in block.signatures],
        }
    return {
        **served,
        "version": header.version,
        "parentInfo": [{"blockNumber": header.parent_number, "blockHash": header.parent_hash.hex()}],
        "txsRoot": header.transactions_root.hex(),
        "extraData": "0x",
        "sealerList": ["0x" + sealer.public_key.hex() for sealer in header.sealers],
        "consensusWeights": [sealer.weight for sealer in header.sealers],
        "signatureList": [{"sealerIndex": s.sealer_index, "signature": s.signature.hex()} for s in block.signatures],
    }


def checkpoint(chain: SimulatedChain, height: int = 2, **changed) -> dict:
    header = chain.blocks[height].header
    return {
        "chain": "chain0/group0",
        "height": height,
        "hash": "0x" + chain.block_hash(header).hex(),
        "time": header.timestamp_ms,
        "sealers": [sealer.public_key.hex() for sealer in header.sealers],
        **changed,
    }


@pytest.fixture
def run(tmp_path):
    def run(served, trusted, *options, now=NOW, **inclusions):
        file, trust = tmp_path / "block.json", tmp_path / "trusted.json"
        file.write_text(served if isinstance(served, str) else json.dumps(served))
        trust.write_text(trusted if isinstance(trusted, str) else json.dumps(trusted))
        for name, answer in inclusions.items():
            path = tmp_path / f"{name}.json"
            path.write_text(json.dumps(answer))
            options = (*options, f"--{name}", str(path))
        result = CliRunner().invoke(
            app, ["fisco", "--trusted", str(trust), "--now", str(now), "--json", *options, str(file)]
        )
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


def checks(result) -> dict[str, bool]:
    return {check["name"]: check["held"] for check in json.loads(result.stdout)["checks"]}


@pytest.mark.parametrize("envelope", [False, True])
@pytest.mark.parametrize("chain", [V2, V3, chain_of(Generation.V2, CryptoSuite.GM)], ids=["v2", "v3", "v2-gm"])
def test_block_as_served_is_valid_and_every_predicate_is_printed(run, chain, envelope):
    block = rpc_block(chain, chain.blocks[5])
    result = run({"jsonrpc": "2.0", "id": 1, "result": block} if envelope else block, checkpoint(chain))
    assert result.exit_code == 0, result.stdout
    verdicts = checks(result)
    assert list(verdicts) == PREDICATES + ["sealers_are_the_trusted_ones"] * (chain is V3)
    assert all(verdicts.values())


@pytest.mark.parametrize("name", ["v2_one_sealer", "v2_four_sealers", "v2_gm", "v3"])
def test_blocks_of_real_chains_are_valid_with_themselves_as_the_checkpoint(run, name):
    block = RECORDED[name]
    trusted = {**block, "chain": "a", "time": int(str(block["timestamp"]), 0), "number": int(str(block["number"]), 0)}
    result = run(block, trusted)
    assert result.exit_code == 0, result.stdout
    assert "checkpoint_hash_matches" in checks(result)


def test_transaction_and_receipt_of_a_real_block(run):
    block = RECORDED["v3"]
    trusted = {**block, "chain": "a"}
    result = run(block, trusted, transaction={"result": RECORDED["v3_transaction"]})
    assert result.exit_code == 0 and checks(result)["transaction_included"]
    result = run(block, trusted, transaction={**RECORDED["v3_transaction"], "hash": "11" * 32})
    assert result.exit_code == 1 and not checks(result)["transaction_is_well_formed"]
    result = run(RECORDED["v2_gm"], {**RECORDED["v2_gm"], "chain": "a"}, receipt=RECORDED["v2_gm_receipt"])
    assert result.exit_code == 0 and checks(result)["receipt_included"]


def shown(result) -> str:
    return json.loads(result.stdout)["subject"]["transaction"]


def test_output_says_whether_a_transaction_of_generation_3_is_shown_or_its_hash_alone(run):
    block, trusted = RECORDED["v3"], {**RECORDED["v3"], "chain": "a"}
    served = RECORDED["v3_transaction"]
    assert "by its fields" in shown(run(block, trusted, transaction=served))
    bare = {"hash": served["hash"], "txProof": served["txProof"]}
    result = run(block, trusted, transaction=bare)
    assert result.exit_code == 0 and "may be an inner node's and no transaction's" in shown(result)
    assert checks(result)["transaction_hash_in_tree"] and "transaction_included" not in checks(result)
    assert "transaction" not in json.loads(run(block, trusted).stdout)["subject"]
    assert shown(run(block, trusted, transaction={**bare, "txProof": []})) != ""
    unreadable = run(block, trusted, transaction={**bare, "txProof": "x"})
    assert unreadable.exit_code == 1 and shown(unreadable) == "cannot be read"


@pytest.mark.parametrize(
    ("listed", "accepted"), [(None, False), ([], False), (["0x" + "11" * 32] * 2, False), ([1], True)]
)
def test_attack_B47_fisco_root_served_as_a_lone_transaction(run, listed, accepted):
    block = dict(RECORDED["v3"])
    if listed is not None:
        block["transactions"] = listed
    root = block["txsRoot"]
    answer = {"hash": root, "txProof": [root.removeprefix("0x")]}
    result = run(block, {**block, "chain": "a"}, transaction=answer)
    assert checks(result)["transaction_hash_in_tree"] is accepted
    assert result.exit_code == (0 if accepted else 1)
    assert "may be an inner node's" in shown(result)


def test_receipt_of_generation_2_is_hashed_from_its_fields(run):
    height = 4
    steps = tree_v2(V2.digest, [V2.digest(data) for data in V2.blocks[height].receipts], 1)[1]
    answer = {
        "transactionReceipt": {
            "transactionIndex": "0x1",
            "root": "00" * 32,
            "gasUsed": "0x5208",
            "contractAddress": "00" * 20,
            "logsBloom": "00" * 256,
            "status": "0x0",
            "output": "0x",
            "logs": [{"address": "11" * 20, "topics": ["22" * 32], "data": b"data".hex()}],
        },
        "receiptProof": [
            {"left": [s.hex() for s in step.left], "right": [s.hex() for s in step.right]} for step in steps
        ],
    }
    block = rpc_block(V2, V2.blocks[height])
    assert run(block, checkpoint(V2), receipt=answer).exit_code == 0
    answer["transactionReceipt"]["status"] = "0x1"
    result = run(block, checkpoint(V2), receipt=answer)
    assert result.exit_code == 1 and not checks(result)["receipt_included"]


def test_next_block_must_follow_the_checkpoint(run):
    block = rpc_block(V2, V2.blocks[3])
    assert checks(run(block, checkpoint(V2)))["follows_checkpoint"]
    result = run(block, checkpoint(V2, hash="0x" + "11" * 32))
    assert result.exit_code == 1 and not checks(result)["follows_checkpoint"]


def test_at_the_checkpoint_only_its_very_block_is_valid(run):
    block = rpc_block(V2, V2.blocks[2])
    assert run(block, checkpoint(V2)).exit_code == 0
    for changed in ({"hash": "0x" + "11" * 32}, {"time": 1}, {"sealers": ["01" * 64]}):
        result = run(block, checkpoint(V2, **changed))
        assert result.exit_code == 1
        assert not checks(result)["checkpoint_hash_matches"]


@pytest.mark.parametrize(
    ("predicate", "chain", "changes", "options"),
    [
        ("block_hash_matches", V2, {"gasUsed": "0x1"}, {}),
        ("block_hash_matches", V2, {"hash": None}, {}),
        ("header_is_well_formed", V2, {"gasUsed": "x"}, {}),
        ("header_is_well_formed", V3, {"extraData": "0x00"}, {}),
        ("quorum_of_own_sealers", V2, {"signatureList": rpc_block(V2, V2.blocks[5])["signatureList"][:2]}, {}),
        ("signatures_of_sealers", V3, {"signatureList": rpc_block(V3, V3.blocks[4])["signatureList"]}, {}),
        ("within_trusting_period", V2, {}, {"now": NOW + 15 * 86_400}),
        ("header_not_from_future", V3, {}, {"now": NOW - 20}),
    ],
)
def test_broken_rule_is_named_with_exit_code_1(run, predicate, chain, changes, options):
    result = run({**rpc_block(chain, chain.blocks[5]), **changes}, checkpoint(chain), **options)
    assert result.exit_code == 1
    assert list(checks(result).items())[-1] == (predicate, False)


def test_other_sealers_and_weights_than_the_checkpoint_knows(run):
    block = rpc_block(V2, V2.blocks[5])
    result = run(block, checkpoint(V2, sealers=[bytes([n]).hex() * 64 for n in range(1, 5)]))
    assert result.exit_code == 1 and not checks(result)["overlap_with_trusted_sealers"]
    result = run(rpc_block(V3, V3.blocks[5]), checkpoint(V3, weights=[1, 1, 1, 2]))
    assert result.exit_code == 1 and not checks(result)["sealers_are_the_trusted_ones"]


@pytest.mark.parametrize("time", ["2023-11-14T22:13:22Z", str(GENESIS_TIME_MS + 2_000), hex(GENESIS_TIME_MS + 2_000)])
def test_time_of_a_checkpoint_in_each_form(run, time):
    assert run(rpc_block(V2, V2.blocks[2]), checkpoint(V2, time=time)).exit_code == 0


GOOD = rpc_block(V2, V2.blocks[5])


@pytest.mark.parametrize(
    ("served", "trusted"),
    [
        ("", checkpoint(V2)),
        ("nonsense", checkpoint(V2)),
        ("[1]", checkpoint(V2)),
        ({"error": {"code": 1}}, checkpoint(V2)),
        ({"result": None}, checkpoint(V2)),
        ({"number": 1}, checkpoint(V2)),
        (GOOD, "{"),
        *(
            (GOOD, {name: value for name, value in checkpoint(V2).items() if name != missing})
            for missing in ("chain", "height", "hash", "time", "sealers")
        ),
        *(
            (GOOD, {**checkpoint(V2), **changed})
            for changed in (
                {"height": -1},
                {"hash": "0x11"},
                {"time": "yesterday"},
                {"sealers": []},
                {"sealers": ["11"]},
                {"sealers": ["11" * 64] * 2},
                {"weights": [1]},
                {"weights": [0, 1, 1, 1]},
                {"weights": "1"},
            )
        ),
    ],
)
def test_unusable_input_is_one_sentence_with_exit_code_2(run, served, trusted):
    result = run(served, trusted)
    assert result.exit_code == 2
    assert "unusable input" in result.stderr
    assert "Traceback" not in result.stderr


def test_without_a_trust_root_nothing_is_judged(tmp_path):
    file = tmp_path / "block.json"
    file.write_text(json.dumps(GOOD))
    result = CliRunner().invoke(app, ["fisco", str(file)])
    assert result.exit_code == 2
    assert "no trust root" in result.stderr


def test_attack_D2_gm_block_with_halves_of_a_signature_swapped_is_refused_and_nothing_else_is_printed(run, capfd):
    block = RECORDED["v2_gm"]
    trusted = {**block, "chain": "a"}
    assert run(block, trusted).exit_code == 0
    first, *others = block["signatureList"]
    digits = first["signature"].removeprefix("0x")
    swapped = {**first, "signature": "0x" + digits[64:128] + digits[:64] + digits[128:]}
    refused = run({**block, "signatureList": [swapped, *others]}, trusted)
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["checks"][-1]["name"] == "signatures_of_sealers"
    assert capfd.readouterr().err == ""


def test_block_of_a_gm_chain_without_the_extra_says_what_to_install(run, monkeypatch):
    block = RECORDED["v2_gm"]
    trusted = {**block, "chain": "a"}
    assert run(block, trusted).exit_code == 0
    monkeypatch.setattr(libraries, "_gmssl", lambda: None)
    result = run(block, trusted)
    assert result.exit_code == 1
    assert (
        "in the checkout of hutong run: pip install -c constraints.txt '.[gm]'"
        in json.loads(result.stdout)["checks"][-1]["reason"]
    )
    own = rpc_block(V2, V2.blocks[5])
    assert run(own, checkpoint(V2)).exit_code == 0
