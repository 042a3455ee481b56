"""`hutong verify tendermint --bisect`: the fewest headers of a folder, each judged, and what keeps a way from its end."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.light_clients.tendermint import rpc_json
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.light_clients.tendermint.types import KeyType
from hutong.relay.cli.audit.verify import app
from tests.light_clients.tendermint.simulated_chain import SimulatedChain, flags, signers

GROUPS = [signers(4, KeyType.ED25519, label) for label in ("first", "second", "third")]


@pytest.fixture(scope="module")
def chain():
    """Everybody changes at heights 11 and 21: 1 vouches up to 10, 11 up to 20."""
    chain = SimulatedChain(members=dict.fromkeys(GROUPS[0], 10))
    for group in GROUPS[1:]:
        chain.advance(8)
        chain.set_members(dict.fromkeys(group, 10))
        chain.advance(2)
    chain.advance(9)
    return chain


def write_block(folder, block, *, validators=True):
    document = rpc_json.signed_header_to_rpc(block.signed_header)
    if validators:
        document["validator_set"] = rpc_json.validator_set_to_rpc(block.validators)
    path = folder / f"{block.header.height:04}.json"
    path.write_text(json.dumps({"result": document}))
    return path


def write_checkpoint(folder, chain, number=1, validators="validators"):
    block = chain.block(number)
    path = folder / "trusted.json"
    listed = getattr(block, validators)
    document = {
        "chain": chain.chain_id,
        "height": number,
        "hash": header_hash(block.header).hex(),
        "time": rpc_json.format_time(block.header.time_ns),
        validators: [rpc_json.validator_to_rpc(v) for v in listed.validators],
    }
    path.write_text(json.dumps(document))
    return path


class Judged:
    def __init__(self, tmp_path, chain, heights, *options, trusted=None, replaced=(), bare=()):
        folder = tmp_path / "headers"
        folder.mkdir(exist_ok=True)
        for number in heights:
            write_block(folder, chain.block(number), validators=number not in bare)
        for block in replaced:
            write_block(folder, block)
        now_ns = chain.latest.header.time_ns + NANOSECONDS_PER_SECOND
        checkpoint = trusted or write_checkpoint(tmp_path, chain)
        arguments = ["--bisect", "--trusted", str(checkpoint), "--now", rpc_json.format_time(now_ns), "--json"]
        result = CliRunner().invoke(app, ["tendermint", *arguments, *options, str(folder)])
        self.exit_code, self.output = result.exit_code, result.output
        if result.exit_code != 2:
            self.document = json.loads(result.stdout)
            self.way = self.document["subject"]["way"].split(" (")[0]
            self.names = [check["name"] for check in self.document["checks"]]
            failed = [check for check in self.document["checks"] if not check["held"]]
            self.failed = failed[0]["name"] if failed else None
            self.reason = failed[0]["reason"] if failed else None


def test_changes_of_the_set(chain):
    """The fixture is what its comment says."""
    sets = [block.validators for block in chain.blocks]
    assert [at + 1 for at in range(1, len(sets)) if sets[at] != sets[at - 1]] == [11, 21]


def test_fewest_headers_of_a_whole_chain(tmp_path, chain):
    judged = Judged(tmp_path, chain, range(2, 31))
    assert (judged.exit_code, judged.way) == (0, "1 > 10 > 11 > 20 > 21 > 30")
    assert judged.names[-1] == "target_is_reached"
    for height in (10, 20, 30):
        assert {f"{height}.trusted_power_signed", f"{height}.two_thirds_signed"} < set(judged.names)
    assert "11.next_validators_continue" in judged.names


def test_target_files_and_checkpoint_block(tmp_path, chain):
    judged = Judged(tmp_path, chain, range(1, 31), "--to", "15")
    assert (judged.exit_code, judged.way) == (0, "1 > 10 > 11 > 15")
    assert judged.names[:2] == ["1.chain_id_matches", "1.checkpoint_hash_matches"]


def test_sets_are_found_in_other_files_and_in_the_checkpoint(tmp_path, chain):
    judged = Judged(tmp_path, chain, range(2, 31), bare=[number for number in range(2, 31) if number not in (11, 25)])
    assert (judged.exit_code, judged.way) == (0, "1 > 10 > 11 > 20 > 21 > 30")


def test_text_names_the_way_and_every_predicate(tmp_path, chain):
    write_block(tmp_path, chain.block(7))
    now = rpc_json.format_time(chain.latest.header.time_ns)
    trusted = write_checkpoint(tmp_path, chain)
    result = CliRunner().invoke(
        app, ["tendermint", "--bisect", "--trusted", str(trusted), "--now", now, str(tmp_path / "0007.json")]
    )
    assert result.exit_code == 0
    assert "way: 1 > 7 (1 verdicts to find it)" in result.stdout
    assert "7.trusted_power_signed" in result.stdout


def test_checkpoint_may_name_the_next_validators(tmp_path, chain):
    trusted = write_checkpoint(tmp_path, chain, 10, "next_validators")
    judged = Judged(tmp_path, chain, [11, 15], trusted=trusted)
    assert (judged.exit_code, judged.way) == (0, "10 > 15")


def test_missing_headers_are_named(tmp_path, chain):
    judged = Judged(tmp_path, chain, [5, 10, 20, 21, 30])
    assert (judged.exit_code, judged.way) == (1, "1 > 10 > 20")
    assert judged.failed == "20.trusted_power_signed"


@pytest.mark.parametrize(
    ("changes", "predicate"),
    [
        ({"app_hash": b"\x07" * 32}, None),
        ({"flags": flags(nil=(0, 1))}, "two_thirds_signed"),
        ({"signed_chain_id": "sim-2"}, "trusted_power_signed"),
        ({"chain_id": "sim-2"}, "chain_id_matches"),
    ],
)
def test_attack_C1_step_that_fails_ends_the_way_there(tmp_path, chain, changes, predicate):
    """A fork that the validators signed is theirs to answer for; anything else fails at its step, by name."""
    height = 10
    judged = Judged(tmp_path, chain, [*range(2, 10), *range(11, 31)], replaced=[chain.fork(height, **changes)])
    if predicate is None:
        assert (judged.exit_code, judged.way) == (0, "1 > 10 > 11 > 20 > 21 > 30")
        return
    assert (judged.exit_code, judged.failed) == (1, f"{height}.{predicate}")


def test_attack_C1_wrong_validators_beside_the_header(tmp_path, chain):
    block = replace(chain.block(10), validators=chain.block(11).validators)
    judged = Judged(tmp_path, chain, [*range(2, 10), 11, 12], replaced=[block])
    assert judged.exit_code == 1
    assert judged.failed is not None
    assert judged.failed.startswith("10.")


def test_attack_C8_next_block_by_validators_that_were_not_announced(tmp_path, chain):
    """A set of the sender's own signs the block after the last one that is vouched for."""
    strangers = SimulatedChain(members=dict.fromkeys(signers(4, KeyType.ED25519, "strangers"), 10))
    strangers.advance(10)
    judged = Judged(tmp_path, chain, range(2, 11), replaced=[strangers.block(11)])
    assert (judged.exit_code, judged.way) == (1, "1 > 10 > 11")
    assert judged.failed == "11.trusted_validators_hash_matches"


def test_checkpoint_of_another_block(tmp_path, chain):
    trusted = write_checkpoint(tmp_path, chain)
    trusted.write_text(trusted.read_text().replace(header_hash(chain.block(1).header).hex(), "11" * 32))
    judged = Judged(tmp_path, chain, range(1, 12), trusted=trusted)
    assert (judged.exit_code, judged.failed) == (1, "1.checkpoint_hash_matches")
    (tmp_path / "headers" / "0001.json").unlink()
    judged = Judged(tmp_path, chain, range(2, 3), trusted=trusted)
    assert judged.exit_code == 0  # without the block itself and its next one, only the validators are compared
    judged = Judged(tmp_path, chain, range(2, 3), "--to", "2", trusted=trusted)
    assert (judged.exit_code, judged.failed) == (1, "2.follows_checkpoint")


def test_unusable_input_is_one_sentence(tmp_path, chain):
    (tmp_path / "empty").mkdir()
    other = tmp_path / "other"
    other.mkdir()
    write_block(other, chain.fork(5, app_hash=b"\x08" * 32))
    junk = tmp_path / "junk.json"
    junk.write_text('{"result": {}}')
    bare = tmp_path / "bare"
    bare.mkdir()
    for arguments, words in (
        ((str(tmp_path / "empty"),), "no .json file"),
        ((str(other),), "two headers of height 5"),
        ((str(junk),), "expected one header"),
        (("--to", "99"), "no header of height 99"),
        (("--to", "1"), "no header of height 1 above"),
        ((str(write_block(bare, chain.block(14), validators=False)),), "are not in any of the files"),
    ):
        only = arguments[0] != str(other) and not arguments[0].startswith("--")
        judged = Judged(tmp_path, chain, () if only else range(2, 7), *arguments)
        assert judged.exit_code == 2, judged.output
        assert words in judged.output, judged.output
