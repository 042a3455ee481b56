"""The tables `[retries]` and `[turns]`: strict, with defaults that keep what the handbook promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hutong.relay.config import PathEnd, RetriesConfig, RetryRule, TurnsConfig, parse_config
from hutong.relay.config.retries import DEFAULT_RULES

TEXT = """
[relay]
home = "state"

[turns]
rank_ms = 500

[retries]
probe_most_s = 10

[retries.causes]
failed = {{ first_s = 10, most_s = 600 }}
{more}

[[chains]]
name = "alpha"
kind = "evm"
chain_id = 1001
consensus = "qbft"
rpc = ["http://127.0.0.1:9"]
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
key = {{ keystore = "key.json", password_env = "PASSWORD" }}

[[chains]]
name = "hub"
kind = "hub"
chain_id = "hutong-1"
rpc = ["http://127.0.0.1:9"]
consensus_rpc = ["http://127.0.0.1:9"]
key = {{ keystore = "key.json", password_env = "PASSWORD" }}

[[paths]]
a = {{ chain = "alpha", client = "client-0" }}
b = {{ chain = "hub", client = "bft-evm-0" }}
{path}
"""


def config(tmp_path, more="", path=""):
    return parse_config(TEXT.format(more=more, path=path).encode(), "relay.toml", tmp_path)


def test_parity_row_34_the_file_says_when_to_try_again(tmp_path):
    loaded = config(tmp_path, path="retries = { probe_most_s = 5 }")
    assert loaded.turns.rank_ms == 500 and loaded.turns.most_ms == 1_500
    assert loaded.retries.rule("failed") == RetryRule(first_s=10, most_s=600)
    assert loaded.retries.rule("would_fail") == DEFAULT_RULES["would_fail"]
    assert loaded.retries.rule("endpoint") == loaded.retries.rule("other") == DEFAULT_RULES["other"]
    end = PathEnd(chain="hub", client="bft-evm-0")
    assert loaded.retries_of(end).probe_most_s == 5, "a path's own table stands in place of the file's"
    assert loaded.retries_of(end).rule("failed") == DEFAULT_RULES["failed"]


@pytest.mark.parametrize(
    "more",
    [
        "no_such_cause = { first_s = 1, most_s = 2 }",
        "other = { first_s = 3, most_s = 2 }",
        "other = { first_s = 0, most_s = 2 }",
        "other = { first_s = 1 }",
        "other = { first_s = 1, most_s = 2, jitter = 1 }",
        "other = { first_s = '1', most_s = 2 }",
    ],
)
def test_parity_row_34_what_is_no_rule_is_refused(tmp_path, more):
    from hutong.relay.config import ConfigError

    with pytest.raises(ConfigError):
        config(tmp_path, more)


def test_parity_pain_14_the_defaults_keep_the_promise():
    """A simulation at least every 20 s, twice that with the gap between rounds; what is paid for every five minutes."""
    assert DEFAULT_RULES["would_fail"].most_s + RetriesConfig().probe_most_s <= 45
    assert DEFAULT_RULES["other"].most_s + RetriesConfig().probe_most_s <= 45
    assert DEFAULT_RULES["failed"].most_s >= 300
    assert TurnsConfig().most_ms <= 2_000


@given(st.integers(-5, 10_000), st.floats(0.1, 100), st.floats(1, 1_000))
def test_delays_grow_to_the_longest_and_no_further(failures, first_s, factor):
    rule = RetryRule(first_s=first_s, most_s=min(86_400.0, first_s * factor))
    assert first_s * 0.999 <= rule.delay_s(failures) <= rule.most_s
    assert rule.delay_s(failures) <= rule.delay_s(failures + 1)


def test_turns_are_bounded():
    with pytest.raises(ValidationError):
        TurnsConfig(most_ms=60_001)
    with pytest.raises(ValidationError):
        TurnsConfig.model_validate({"rank_s": 1})
