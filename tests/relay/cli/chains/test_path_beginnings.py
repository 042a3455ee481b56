"""`hutong path create` says from which blocks its clients begin, and makes nothing that nobody agreed to (parity pain 23)."""

import json
from contextlib import ExitStack

import pytest
from typer.testing import CliRunner

from hutong.relay.cli.main import app
from tests.relay.cli.chains.hub_and_chain import Place

pytestmark = pytest.mark.long
"""Over processes of a hub and of chains."""

ASKED = "Did you compare them"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with ExitStack() as stack:
        yield Place(tmp_path_factory.mktemp("beginnings"), stack)


@pytest.mark.parametrize(
    ("said", "why"), [("n\n", "were not confirmed"), ("", "say --yes, or pin them")], ids=["no", "nobody"]
)
def test_parity_pain_23_first_blocks_are_shown_and_nothing_is_made_without_a_yes(place, said, why):
    before = place.sent()
    refused = place.create(said=said)
    assert refused.exit_code == 1 and ASKED in refused.output and why in refused.output
    assert "the client of alpha on hub begins at height" in refused.output
    assert "the client of hub on alpha begins at height 1-" in refused.output
    assert place.sent() == before, "nothing was sent"


def test_parity_pain_23_another_block_than_the_pinned_one_is_refused(place):
    before = place.sent()
    height = place.stands
    for prefix, real in (("", place.block(height)), ("hub-", place.hub_block(3))):
        at = str(height if prefix == "" else 3)
        wrong = real[:-1] + ("0" if real[-1] != "0" else "1")
        refused = place.create(f"--{prefix}trusted-height", at, f"--{prefix}trusted-hash", wrong, "--yes")
        assert refused.exit_code == 1 and real in refused.output and wrong in refused.output
        assert f"--{prefix}trusted-hash" in refused.output and ASKED not in refused.output
    far = place.create("--trusted-height", "9999999", "--trusted-hash", "11" * 32, "--yes")
    assert far.exit_code == 1 and "newest final block" in far.output
    assert place.sent() == before, "nothing was sent"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--trusted-height", "5"], "--trusted-hash goes with --trusted-height"),
        (["--hub-trusted-hash", "11" * 32], "--hub-trusted-hash goes with --hub-trusted-height"),
        (["--trusted-height", "5", "--trusted-hash", "0x11"], "64 hex digits"),
    ],
)
def test_pins_that_cannot_be_are_refused(place, options, why):
    refused = place.create(*options)
    assert refused.exit_code == 2 and why in refused.output


def test_parity_pain_23_clients_begin_at_the_pinned_blocks_and_ask_nothing(place):
    height, at_hub = place.stands + 1, 4
    place.until(lambda: int(place.rpc("alpha", "eth_blockNumber"), 16) > height)
    pins = ["--trusted-height", str(height), "--trusted-hash", place.block(height)]
    pins += ["--hub-trusted-height", str(at_hub), "--hub-trusted-hash", place.hub_block(at_hub).removeprefix("0x")]
    made = place.create(*pins)
    assert made.exit_code == 0 and ASKED not in made.output and "as given" in made.output
    path = json.loads(made.stdout)
    assert path["begins"] == [
        {"on": "hub", "of": "alpha", "height": str(height), "hash": place.block(height)},
        {"on": "alpha", "of": "hub", "height": f"1-{at_hub}", "hash": place.hub_block(at_hub)},
    ]
    for end, expected in (("b", str(height)), ("a", f"1-{at_hub}")):
        words = ["client", "status", "--chain", path[end]["chain"], "--client", path[end]["client"], "--json"]
        status = CliRunner().invoke(app, [*words, "--config", str(place.home / "relay.toml")])
        assert expected in status.stdout, status.output
