"""`hutong verify qbft`: files as nodes serve them, exit codes, and what is printed."""

import json

import pytest
from typer.testing import CliRunner

from hutong.light_clients.bft_evm import block_hash
from hutong.light_clients.evm_header import encode_header, header_to_rpc
from hutong.relay.cli.audit.verify import app
from tests.light_clients.bft_evm.simulated_chain import GENESIS_TIME_S, SimulatedChain, address_of

CHAIN = SimulatedChain()
CHAIN.advance(5)
PREDICATES = [
    "header_is_well_formed",
    "within_trusting_period",
    "height_increases",
    "time_does_not_decrease",
    "header_not_from_future",
    "qbft_constant_fields",
    "validators_are_listed",
    "commit_seals_of_validators",
    "quorum_of_own_validators",
    "overlap_with_trusted_validators",
]


def rpc_block(sealed) -> dict:
    return {**header_to_rpc(sealed[0]), "hash": "0x" + block_hash(*sealed).hex(), "size": "0x1", "transactions": []}


def checkpoint(height: int = 2, **changed) -> dict:
    header, extra = CHAIN.headers[height]
    return {
        "chain": 1337,
        "height": height,
        "hash": "0x" + block_hash(header, extra).hex(),
        "time": header.timestamp_s,
        "validators": ["0x" + address.hex() for address in extra.validators],
        **changed,
    }


@pytest.fixture
def run(tmp_path):
    def run(served, trusted=None, *options, now=GENESIS_TIME_S + 10):
        file, trust = tmp_path / "block.json", tmp_path / "trusted.json"
        file.write_text(served if isinstance(served, str) else json.dumps(served))
        trust.write_text(trusted if isinstance(trusted, str) else json.dumps(trusted or checkpoint()))
        result = CliRunner().invoke(
            app, ["qbft", "--trusted", str(trust), "--now", str(now), "--json", *options, str(file)]
        )
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


def checks(result) -> dict[str, bool]:
    return {check["name"]: check["held"] for check in json.loads(result.stdout)["checks"]}


@pytest.mark.parametrize("envelope", [False, True])
def test_block_as_served_is_valid_and_every_predicate_is_printed(run, envelope):
    block = rpc_block(CHAIN.headers[5])
    result = run({"jsonrpc": "2.0", "id": 1, "result": block} if envelope else block)
    assert result.exit_code == 0
    verdicts = checks(result)
    assert list(verdicts) == [PREDICATES[0], "block_hash_matches", *PREDICATES[1:]]
    assert all(verdicts.values())
    assert json.loads(result.stdout)["valid"] is True


@pytest.mark.parametrize("prefix", ["0x", ""])
def test_header_rlp_in_hex_is_valid(run, prefix):
    result = run(prefix + encode_header(CHAIN.headers[5][0]).hex() + "\n")
    assert result.exit_code == 0
    assert list(checks(result)) == PREDICATES
    assert run({"headerRlp": encode_header(CHAIN.headers[5][0]).hex()}).exit_code == 0


def test_next_block_must_follow_the_checkpoint(run):
    assert checks(run(rpc_block(CHAIN.headers[3])))["follows_checkpoint"]
    result = run(rpc_block(CHAIN.headers[3]), checkpoint(hash="0x" + "11" * 32))
    assert result.exit_code == 1
    assert not checks(result)["follows_checkpoint"]


def test_at_the_checkpoint_only_its_very_block_is_valid(run):
    assert run(rpc_block(CHAIN.headers[2])).exit_code == 0
    for changed in ({"hash": "0x" + "11" * 32}, {"time": 1}, {"validators": ["0x" + "01" * 20]}):
        result = run(rpc_block(CHAIN.headers[2]), checkpoint(**changed))
        assert result.exit_code == 1
        assert not checks(result)["checkpoint_hash_matches"]


@pytest.mark.parametrize(
    ("predicate", "served", "options"),
    [
        ("block_hash_matches", {**rpc_block(CHAIN.headers[5]), "gasUsed": "0x1"}, {}),
        ("header_is_well_formed", {**rpc_block(CHAIN.headers[5]), "gasUsed": "0x01"}, {}),
        ("header_is_well_formed", {**rpc_block(CHAIN.headers[5]), "extraData": "0x"}, {}),
        ("height_increases", rpc_block(CHAIN.headers[1]), {}),
        ("quorum_of_own_validators", rpc_block(CHAIN.propose(5, signers=CHAIN.keys[:2])), {}),
        ("commit_seals_of_validators", rpc_block(CHAIN.propose(5, signers=CHAIN.keys[:1] * 3)), {}),
        ("validators_are_listed", rpc_block(CHAIN.propose(5, validators=(), signers=[])), {}),
        ("qbft_constant_fields", rpc_block(CHAIN.propose(5, difficulty=2)), {}),
        ("within_trusting_period", rpc_block(CHAIN.headers[5]), {"now": GENESIS_TIME_S + 2 + 14 * 86_400}),
        ("header_not_from_future", rpc_block(CHAIN.headers[5]), {"now": GENESIS_TIME_S + 5 - 15}),
    ],
)
def test_broken_rule_is_named_with_exit_code_1(run, predicate, served, options):
    result = run(served, **options)
    assert result.exit_code == 1
    assert list(checks(result).items())[-1] == (predicate, False)


def test_other_validators_than_the_checkpoint_knows(run):
    strangers = checkpoint(validators=["0x" + bytes([n]).hex() * 20 for n in range(1, 5)])
    result = run(rpc_block(CHAIN.headers[5]), strangers)
    assert result.exit_code == 1
    assert not checks(result)["overlap_with_trusted_validators"]
    half = checkpoint(validators=["0x" + address_of(key).hex() for key in CHAIN.keys[:2]])
    assert run(rpc_block(CHAIN.headers[5]), half).exit_code == 0


@pytest.mark.parametrize("time", ["2023-11-14T22:13:22Z", str(GENESIS_TIME_S + 2), hex(GENESIS_TIME_S + 2)])
def test_time_of_a_checkpoint_in_each_form(run, time):
    assert run(rpc_block(CHAIN.headers[2]), checkpoint(time=time)).exit_code == 0


@pytest.mark.parametrize(
    ("served", "trusted"),
    [
        ("", None),
        ("nonsense", None),
        ("[1]", None),
        ({"error": {"code": 1}}, None),
        ({"result": None}, None),
        (rpc_block(CHAIN.headers[5]), "{"),
        (rpc_block(CHAIN.headers[5]), "[]"),
        *(
            (rpc_block(CHAIN.headers[5]), {name: value for name, value in checkpoint().items() if name != missing})
            for missing in ("chain", "height", "hash", "time", "validators")
        ),
        *(
            (rpc_block(CHAIN.headers[5]), {**checkpoint(), **changed})
            for changed in (
                {"height": -1},
                {"height": "x"},
                {"height": 2**64},
                {"hash": "0x11"},
                {"time": "yesterday"},
                {"validators": []},
                {"validators": "0x"},
                {"validators": ["0x11"]},
                {"validators": ["0x" + "11" * 20] * 2},
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
    file.write_text(json.dumps(rpc_block(CHAIN.headers[5])))
    result = CliRunner().invoke(app, ["qbft", str(file)])
    assert result.exit_code == 2
    assert "no trust root" in result.stderr
