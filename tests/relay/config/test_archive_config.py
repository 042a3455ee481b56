"""The table of the archive: places, the anchor's own key, and no secret."""

from pathlib import Path

import pytest

from hutong.relay.config import ConfigError, parse_config

HOME = Path("/somewhere")
BASE = """
[relay]
home = "data"
[[chains]]
name = "hub"
kind = "hub"
chain_id = "hutong-1"
rpc = ["http://127.0.0.1:8545"]
consensus_rpc = ["http://127.0.0.1:26657"]
[chains.key]
keystore = "hub.json"
password_env = "P"
"""
ANCHOR = """
[archive.anchor]
contract = "0x1111111111111111111111111111111111111111"
[archive.anchor.key]
keystore = "anchor.json"
password_env = "P"
"""


def config(text: str = ""):
    return parse_config((BASE + text).encode(), "relay.toml", HOME)


def refused(text: str) -> tuple[str, str]:
    with pytest.raises(ConfigError) as caught:
        config(text)
    (problem,) = caught.value.problems
    return problem.field, problem.reason


def test_places():
    assert config().archive is None and config().archive_location == "/somewhere/data/archive"
    assert config("[archive]\n").archive_location == "/somewhere/data/archive"
    assert config('[archive]\nlocation = "kept"\n').archive_location == "/somewhere/kept"
    assert config('[archive]\nlocation = "s3://bucket/relay"\n').archive_location == "s3://bucket/relay"


def test_an_anchor_has_a_key_of_its_own():
    found = config("[archive]\ninterval_s = 5\nretention_days = 30\n" + ANCHOR).archive
    assert (found.interval_s, found.retention_days, found.anchor.interval_s) == (5, 30, 3_600)
    assert found.anchor.key.keystore == HOME / "anchor.json"
    assert "submits with" in refused(ANCHOR.replace("anchor.json", "hub.json"))[1]
    assert refused(ANCHOR.replace("[archive.anchor.key]", 'hub = "x"\n[archive.anchor.key]'))[0] == "archive.anchor.hub"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('[archive]\nlocation = "ftp://x"\n', "archive.location"),
        ('[archive]\nlocation = ""\n', "archive.location"),
        ('[archive]\nlocation = "s3://key:secret@bucket"\n', "archive.location"),
        ("[archive]\ninterval_s = 0\n", "archive.interval_s"),
        ("[archive]\nretention_days = 0\n", "archive.retention_days"),
        ('[archive]\ns3_secret = "x"\n', "archive.s3_secret"),
        (ANCHOR.replace("1111", "zz"), "archive.anchor.contract"),
    ],
)
def test_a_mistake_names_its_field(text, field):
    assert refused(text)[0] == field
