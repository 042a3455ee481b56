"""`hutong verify bitcoin`: files as nodes serve them, exit codes, and what is printed."""

import json

import pytest
from typer.testing import CliRunner

from hutong.light_clients.bitcoin import MerkleBlock, encode_headers, encode_merkle_block
from hutong.light_clients.bitcoin.merkle import partial_tree
from hutong.light_clients.bitcoin.types import display
from hutong.relay.cli.audit.verify import app
from tests.light_clients.bitcoin.bitcoin_chain import PUBLISHER, SimulatedChain, mine

KEY, VALUE = b"client-0\x01" + (1).to_bytes(8, "big"), bytes(range(1, 33))
CHAIN = SimulatedChain()
CHAIN.publish((KEY, VALUE))
CHAIN.advance(7)
NOW_S = CHAIN.state(CHAIN.height).time_s
HEADER_PREDICATES = [
    "checkpoint_in_file",
    "ancestors_linked",
    "difficulty_known",
    "headers_linked",
    "difficulty_as_required",
    "proof_of_work",
    "time_above_median",
    "version_not_obsolete",
    "header_not_from_future",
]


def headers(first: int = 0, last: int | None = None) -> bytes:
    return encode_headers(tuple(block.header for block in CHAIN.blocks[first : None if last is None else last + 1]))


def checkpoint(height: int = 11) -> dict:
    return {"height": height, "hash": display(CHAIN.state(height).block_hash)}


def proof(height: int = 13, *positions: int) -> bytes:
    block = CHAIN.blocks[height]
    return encode_merkle_block(MerkleBlock(block.header, partial_tree(block.txids, frozenset(positions or (0, 4)))))


@pytest.fixture
def run(tmp_path):
    def run(shown, trusted=None, *options, now=NOW_S, network="regtest", **files):
        """`shown` headers; each of `files` becomes an option of that name."""
        arguments = []
        for name, content in {
            "headers": shown,
            "trusted": checkpoint() if trusted is None else trusted,
            **files,
        }.items():
            path = tmp_path / name
            if isinstance(content, dict | list):
                content = json.dumps(content)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            arguments += [str(path)] if name == "headers" else [f"--{name}", str(path)]
        result = CliRunner().invoke(
            app, ["bitcoin", "--network", network, "--now", str(now), "--json", *arguments, *options]
        )
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


def checks(result) -> dict[str, bool]:
    return {check["name"]: check["held"] for check in json.loads(result.stdout)["checks"]}


@pytest.mark.parametrize("form", ["raw", "hex", "lines", "list", "answers"])
def test_headers_in_every_form_are_valid_and_every_predicate_is_printed(run, form):
    data = headers()
    texts = [block.header.encode().hex() for block in CHAIN.blocks]
    shown = {
        "raw": data,
        "hex": data.hex() + "\n",
        "lines": "\n".join(texts),
        "list": texts,
        "answers": {"result": texts, "error": None, "id": 1},
    }[form]
    result = run(shown)
    assert result.exit_code == 0, result.stdout
    assert list(checks(result)) == HEADER_PREDICATES
    subject = json.loads(result.stdout)["subject"]
    assert subject["tip"] == f"{CHAIN.height} {display(CHAIN.state(CHAIN.height).block_hash)}"


@pytest.mark.parametrize("witnesses", [False, True])
def test_transaction_in_a_block_at_its_depth(run, witnesses):
    block = CHAIN.blocks[13]
    files = {"proof": proof().hex(), "transaction": block.transactions[4].serialized.hex()}
    if witnesses:
        files["coinbase"] = {"result": block.transactions[0].serialized.hex()}
    result = run(headers(), None, **files)
    assert result.exit_code == 0, result.stdout
    expected = ["block_in_headers", "confirmation_depth", "partial_tree_has_root"]
    expected += ["coinbase_sets_depth"] * witnesses + ["transaction_not_64_bytes", "transaction_matches"]
    assert list(checks(result)) == HEADER_PREDICATES + expected
    subject = json.loads(result.stdout)["subject"]
    assert subject["block"] == f"13 {display(block.state.block_hash)}, 8 confirmations"
    assert VALUE.hex() in subject["message in output 1"]


def changed_header(height: int, **changes) -> bytes:
    from dataclasses import replace

    made = [block.header for block in CHAIN.blocks]
    made[height] = mine(replace(made[height], **changes))
    return encode_headers(tuple(made))


@pytest.mark.parametrize(
    ("predicate", "shown", "options"),
    [
        ("checkpoint_in_file", headers(12), {}),
        ("ancestors_linked", changed_header(5, nonce=999), {}),
        ("headers_linked", headers(0, 14) + headers(16), {}),
        ("headers_linked", changed_header(15, nonce=999), {}),
        ("difficulty_as_required", changed_header(20, bits=0x2000FFFF), {}),
        ("proof_of_work", headers()[:-80] + mine(CHAIN.blocks[-1].header, meet=False).encode(), {}),
        ("time_above_median", changed_header(20, time_s=CHAIN.state(19).median_time_past_s), {}),
        ("version_not_obsolete", changed_header(20, version=3), {}),
        ("header_not_from_future", headers(), {"now": NOW_S - 7_201}),
        ("block_in_headers", headers(), {"proof": proof(9)}),
        ("block_in_headers", headers(0, 12), {"proof": proof()}),
        ("confirmation_depth", headers(0, 17), {"proof": proof()}),
        ("partial_tree_has_root", headers(), {"proof": proof()[:88] + bytes([proof()[88] ^ 1]) + proof()[89:]}),
        (
            "transaction_matches",
            headers(),
            {"proof": proof(), "transaction": CHAIN.blocks[13].transactions[2].serialized},
        ),
        (
            "coinbase_sets_depth",
            headers(),
            {"proof": proof(13, 4), "coinbase": CHAIN.blocks[13].transactions[0].serialized},
        ),
        (
            "coinbase_sets_depth",
            headers(),
            {"proof": proof(), "coinbase": CHAIN.blocks[13].transactions[4].serialized},
        ),
    ],
)
def test_broken_rule_is_named_with_exit_code_1(run, predicate, shown, options):
    result = run(shown, None, **options)
    assert result.exit_code == 1, result.stdout
    assert list(checks(result).items())[-1] == (predicate, False)


def test_depth_is_the_users(run):
    for depth, code in ((8, 0), (9, 1)):
        assert run(headers(), None, "--depth", str(depth), proof=proof()).exit_code == code


def message_options(**changed) -> list[str]:
    options = {"key": KEY.hex(), "value": VALUE.hex(), "publisher": PUBLISHER.hex(), **changed}
    return [part for name, text in options.items() for part in (f"--{name}", text)]


FUNDING = CHAIN.published[KEY].funding.serialized
SPENT = {"proof": proof(), "transaction": CHAIN.blocks[13].transactions[4].serialized}


def test_message_is_judged_with_its_publisher(run):
    result = run(headers(), None, *message_options(), **SPENT, funding=FUNDING)
    assert result.exit_code == 0, result.stdout
    assert list(checks(result))[-2:] == ["publisher_spent", "message_commits"]


@pytest.mark.parametrize(
    ("predicate", "changed", "funding"),
    [
        ("message_commits", {"key": "00"}, FUNDING),
        ("message_commits", {"value": "11" * 32}, FUNDING),
        ("publisher_spent", {"publisher": "51"}, FUNDING),
        ("publisher_spent", {}, CHAIN.blocks[13].transactions[1].serialized),
    ],
)
def test_message_of_another_key_value_or_publisher(run, predicate, changed, funding):
    result = run(headers(), None, *message_options(**changed), **SPENT, funding=funding)
    assert result.exit_code == 1
    assert list(checks(result).items())[-1] == (predicate, False)


def test_part_of_a_message_is_unusable(run):
    for options, files in (
        (message_options(), SPENT),
        (message_options()[:2], {**SPENT, "funding": FUNDING}),
        (message_options(), {"proof": proof(), "funding": FUNDING}),
        (message_options(value="11"), {**SPENT, "funding": FUNDING}),
    ):
        result = run(headers(), None, *options, **files)
        assert result.exit_code == 2, result.stdout
        assert "unusable input" in result.stderr


@pytest.mark.parametrize(
    ("shown", "trusted", "options", "sentence"),
    [
        (b"\x01" * 79, None, {}, "80 bytes"),
        ("zz", None, {}, "80 bytes"),
        ({"error": {"code": -5}}, None, {}, "error response"),
        ({"result": {"a": 1}}, None, {}, "holds no hex"),
        (headers(1), checkpoint(11), {}, "headers from 0 on"),
        (headers(), checkpoint(11) | {"height": 10}, {}, "more headers below"),
        (headers(), {"height": 11}, {}, "height and hash"),
        (headers(), {"height": "11", "hash": "00" * 32}, {}, "not a number"),
        (headers(), {"height": 11, "hash": "00"}, {}, "32 bytes"),
        (headers(), "[", {}, "not JSON"),
        (headers(), None, {"network": "signet"}, "cannot be judged"),
        (headers(), None, {"network": "moon"}, "mainnet, testnet4"),
        (headers(), None, {"proof": b"\x00"}, "malformed"),
        (headers(), None, {"proof": proof(), "transaction": "00"}, "malformed"),
        (headers(), None, {"transaction": CHAIN.blocks[13].transactions[4].serialized}, "--proof"),
    ],
)
def test_unusable_input_is_one_sentence_with_exit_code_2(run, shown, trusted, options, sentence):
    result = run(shown, trusted, **options)
    assert result.exit_code == 2, result.stdout
    assert "unusable input" in result.stderr
    assert sentence in result.stderr.replace("\n", " ")
    assert "Traceback" not in result.stderr


def test_without_a_trust_root_nothing_is_judged(tmp_path):
    file = tmp_path / "headers"
    file.write_bytes(headers())
    result = CliRunner().invoke(app, ["bitcoin", str(file)])
    assert result.exit_code == 2
    assert "no trust root" in result.stderr


def test_checkpoint_in_toml(run, tmp_path):
    trusted = tmp_path / "trusted.toml"
    trusted.write_text('height = 11\nhash = "{hash}"\n'.format(**checkpoint()))
    file = tmp_path / "headers.bin"
    file.write_bytes(headers())
    arguments = ["bitcoin", "--network", "regtest", "--now", str(NOW_S), "--trusted", str(trusted), str(file)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "9 predicates held" in result.stdout
