import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.light_clients.tendermint import rpc_json
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.light_clients.tendermint.types import KeyType
from hutong.relay.cli.audit.verify import app
from tests.light_clients.tendermint.simulated_chain import SimulatedChain, flags, signers

HOUR_NS = 3600 * NANOSECONDS_PER_SECOND


@pytest.fixture
def chain():
    chain = SimulatedChain(members=dict.fromkeys(signers(4, KeyType.ED25519), 10))
    chain.advance(5)
    return chain


class Files:
    def __init__(self, folder, chain):
        self.folder, self.chain = folder, chain

    def write(self, name, document) -> str:
        path = self.folder / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return str(path)

    def checkpoint(self, number=1, **changes) -> str:
        block = self.chain.block(number)
        document = {
            "chain": self.chain.chain_id,
            "height": number,
            "hash": header_hash(block.header).hex().upper(),
            "time": rpc_json.format_time(block.header.time_ns),
            "validators": [rpc_json.validator_to_rpc(v) for v in block.validators.validators],
        }
        document.update(changes)
        return self.write("trusted.json", {name: value for name, value in document.items() if value is not None})

    def commit(self, block) -> str:
        signed_header = rpc_json.signed_header_to_rpc(block.signed_header)
        return self.write(
            "commit.json", {"jsonrpc": "2.0", "id": -1, "result": {"signed_header": signed_header, "canonical": True}}
        )

    def validators(self, block, pages=1) -> list[str]:
        listed = [rpc_json.validator_to_rpc(v) for v in block.validators.validators]
        size = -(-len(listed) // pages)
        return [
            self.write(
                f"validators_{page}.json",
                {"result": {"validators": listed[page * size : (page + 1) * size], "total": str(len(listed))}},
            )
            for page in range(pages)
        ]


@pytest.fixture
def files(tmp_path, chain):
    return Files(tmp_path, chain)


def run(*arguments):
    return CliRunner().invoke(app, ["tendermint", *arguments])


def judge(files, block, *, now_ns=None, trusted=None, options=()):
    now_ns = block.header.time_ns + NANOSECONDS_PER_SECOND if now_ns is None else now_ns
    return run(
        "--trusted",
        trusted or files.checkpoint(),
        "--now",
        rpc_json.format_time(now_ns),
        "--json",
        *options,
        files.commit(block),
        *files.validators(block),
    )


def verdict(result):
    document = json.loads(result.stdout)
    failed = [check for check in document["checks"] if not check["held"]]
    return document["valid"], failed[0]["name"] if failed else None


@pytest.mark.parametrize("number", [1, 2, 5])
def test_valid_headers_at_next_to_and_above_the_checkpoint(files, chain, number):
    result = judge(files, chain.block(number))
    assert (result.exit_code, verdict(result)) == (0, (True, None))
    names = [check["name"] for check in json.loads(result.stdout)["checks"]]
    assert "two_thirds_signed" in names


def test_text_prints_every_predicate(files, chain):
    block = chain.block(5)
    result = run(
        "--trusted", files.checkpoint(), "--now", "1700000100", files.commit(block), *files.validators(block, pages=2)
    )
    assert result.exit_code == 0, result.output
    for name in ("chain_id_matches", "within_trusting_period", "trusted_power_signed", "two_thirds_signed", "valid"):
        assert name in result.stdout


def test_joint_file_and_validators_left_out_where_the_set_stays(files, chain):
    block = chain.block(5)
    joint = files.write(
        "joint.json",
        {
            **rpc_json.signed_header_to_rpc(block.signed_header),
            "validator_set": rpc_json.validator_set_to_rpc(block.validators),
        },
    )
    now = rpc_json.format_time(block.header.time_ns)
    for served in (joint, files.commit(block)):
        assert run("--trusted", files.checkpoint(), "--now", now, served).exit_code == 0
    both = files.write(
        "both.json",
        {
            "commit": json.loads((files.folder / "commit.json").read_text()),
            "validators": json.loads(Path(files.validators(block)[0]).read_text()),
        },
    )
    assert run("--trusted", files.checkpoint(), "--now", now, both).exit_code == 0


def test_checkpoint_in_toml(files, chain):
    block = chain.block(1)
    validators = "\n".join(
        f'[[validators]]\npower = 10\npub_key = {{type = "tendermint/PubKeyEd25519", value = "{v["pub_key"]["value"]}"}}'
        for v in rpc_json.validator_set_to_rpc(block.validators)["validators"]
    )
    trusted = files.write(
        "trusted.toml",
        f'chain = "sim-1"\nheight = 1\nhash = "{header_hash(block.header).hex()}"\n'
        f"time = {rpc_json.format_time(block.header.time_ns)}\n{validators}\n",
    )
    assert judge(files, chain.block(5), trusted=trusted).exit_code == 0
    assert judge(files, chain.block(1), trusted=trusted).exit_code == 0


def tampered(chain, kind):
    block = chain.block(5)
    if kind == "commit_matches_header":
        header = replace(block.header, app_hash=b"\x01" * 32)
        return replace(block, signed_header=replace(block.signed_header, header=header))
    if kind == "two_thirds_signed":
        return chain.fork(5, flags=flags(absent=(0, 1)))
    if kind == "chain_id_matches":
        return chain.fork(5, chain_id="sim-2")
    if kind == "time_increases":
        return chain.fork(5, time_ns=chain.block(1).header.time_ns)
    if kind == "validators_hash_matches":
        return replace(
            block,
            validators=replace(
                block.validators, validators=tuple(replace(v, voting_power=11) for v in block.validators.validators)
            ),
        )
    return chain.fork(5, signed_round=7)


@pytest.mark.parametrize(
    "kind",
    [
        "commit_matches_header",
        "two_thirds_signed",
        "chain_id_matches",
        "time_increases",
        "validators_hash_matches",
        "trusted_power_signed",
    ],
)
def test_invalid_headers_name_the_rule_and_exit_1(files, chain, kind):
    result = judge(files, tampered(chain, kind), now_ns=chain.latest.header.time_ns)
    assert (result.exit_code, verdict(result)) == (1, (False, kind))
    assert "Traceback" not in result.output


def test_another_block_at_or_after_the_checkpoint_is_invalid(files, chain):
    fork = chain.fork(1, data_hash=b"\x09" * 32)
    assert verdict(judge(files, fork)) == (False, "checkpoint_hash_matches")
    orphan = chain.fork(2, last_block_id=fork.signed_header.commit.block_id)
    assert verdict(judge(files, orphan)) == (False, "follows_checkpoint")


def test_time_bounds_are_judged_at_now(files, chain):
    block = chain.block(5)
    trusted_ns = chain.block(1).header.time_ns
    for options, now_ns, rule in (
        (("--trusting-period", "3600"), trusted_ns + HOUR_NS, "within_trusting_period"),
        (("--trusting-period", "3600"), trusted_ns + HOUR_NS - 1, None),
        ((), block.header.time_ns - 10 * NANOSECONDS_PER_SECOND, "header_not_from_future"),
        (("--clock-drift", "11"), block.header.time_ns - 10 * NANOSECONDS_PER_SECOND, None),
    ):
        result = judge(files, block, now_ns=now_ns, options=options)
        assert verdict(result) == (rule is None, rule)
        assert result.exit_code == (0 if rule is None else 1)


def test_strangers_are_not_enough_trust(files, chain):
    chain.set_members(dict.fromkeys(signers(4, KeyType.ED25519, "newcomer"), 10))
    chain.advance(4)
    result = judge(files, chain.latest)
    assert (result.exit_code, verdict(result)) == (1, (False, "trusted_power_signed"))
    assert "not enough trust" in result.stdout
    result = judge(
        files,
        chain.block(8),
        trusted=files.checkpoint(
            7,
            validators=None,
            next_validators=[rpc_json.validator_to_rpc(v) for v in chain.block(7).next_validators.validators],
        ),
    )
    assert result.exit_code == 0, result.output
    left_out = run("--trusted", files.checkpoint(), "--now", "1700000100", files.commit(chain.latest))
    assert left_out.exit_code == 1
    assert "/validators" in left_out.stdout


@pytest.mark.parametrize("key", ["chain", "height", "hash", "time", "validators"])
def test_checkpoint_without_a_part_is_unusable(files, chain, key):
    result = judge(files, chain.block(5), trusted=files.checkpoint(**{key: None}))
    assert result.exit_code == 2
    assert key in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"hash": "00"},
        {"hash": "zz"},
        {"height": "x"},
        {"time": "noon"},
        {"validators": []},
        {"validators": [1]},
        {"validators": [{"pub_key": {"type": "x", "value": "AA=="}}]},
    ],
    ids=str,
)
def test_checkpoint_that_is_invalid_is_unusable(files, chain, changes):
    assert judge(files, chain.block(5), trusted=files.checkpoint(**changes)).exit_code == 2


def test_without_trust_root_or_readable_file_exit_2(files, chain):
    commit = files.commit(chain.block(5))
    result = run(commit)
    assert result.exit_code == 2
    assert "--trusted" in result.stderr
    trusted = files.checkpoint()
    for served in (
        files.write("empty.json", ""),
        files.write("text.json", "{"),
        files.write("other.json", {"a": 1}),
        files.write("list.json", [1]),
        files.write("nested.json", [[[{"signed_header": {}}]]]),
        files.write("error.json", {"error": {"code": 1}}),
        files.write("deep.json", "[" * 100_000),
        str(files.folder / "absent.json"),
    ):
        result = run("--trusted", trusted, "--now", "1700000100", served)
        assert result.exit_code == 2, served
        assert "Traceback" not in result.output
    for options in (("--now", "yesterday"), ("--trust-level", "1/4"), ("--trust-level", "x"), ("--clock-drift", "0")):
        assert run("--trusted", trusted, *options, commit).exit_code == 2, options


@pytest.mark.parametrize("where", ["header", "commit"])
def test_header_with_malformed_values_is_invalid(files, chain, where):
    signed_header = rpc_json.signed_header_to_rpc(chain.block(5).signed_header)
    if where == "header":
        signed_header["header"]["app_hash"] = "xyz"
    else:
        signed_header["commit"]["signatures"][0]["signature"] = "!"
    served = files.write("commit.json", {"result": {"signed_header": signed_header}})
    result = run("--trusted", files.checkpoint(), "--now", "1700000100", "--json", served)
    assert (result.exit_code, verdict(result)) == (1, (False, "file_is_well_formed"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


@pytest.mark.long
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_attack_H_damaged_files_end_in_a_verdict_or_as_unusable(files, chain, data):
    block = chain.block(5)
    served = {
        "commit": json.loads(Path(files.commit(block)).read_text()),
        "validators": json.loads(Path(files.validators(block)[0]).read_text()),
    }
    trusted = json.loads(Path(files.checkpoint()).read_text())
    where = data.draw(st.sampled_from((served, trusted)))
    while isinstance(where, dict | list) and where:
        key = data.draw(st.sampled_from(sorted(where) if isinstance(where, dict) else range(len(where))))
        if not isinstance(where[key], dict | list) or data.draw(st.integers(0, 3)) == 0:
            where[key] = data.draw(JSON)
            break
        where = where[key]
    result = run(
        "--trusted", files.write("trusted.json", trusted), "--now", "1700000100", files.write("both.json", served)
    )
    assert result.exit_code in (0, 1, 2)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception


def test_list_of_answers_in_one_file(files, chain):
    block = chain.block(5)
    answers = [json.loads(Path(path).read_text()) for path in (files.commit(block), *files.validators(block, pages=2))]
    result = run("--trusted", files.checkpoint(), "--now", "1700000100", files.write("all.json", answers))
    assert result.exit_code == 0, result.output
