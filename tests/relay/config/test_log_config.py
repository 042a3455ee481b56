"""Signed logs in configuration files: what is refused, with the field named, and that no path leads to one (G13)."""

from base64 import b64encode

import pytest

from hutong.light_clients.tlog import COSIGNATURE_V1, ED25519, encode_vkey
from hutong.relay.config import ConfigError
from tests.light_clients.tlog.simulated_log import LOG, ORIGIN, PUBLISHER, WITNESSES
from tests.relay.config.test_config import GOOD, parse

PUBLISHER_KEY = b64encode(PUBLISHER.key.public_key).decode()
VKEYS = [encode_vkey(witness.key, COSIGNATURE_V1) for witness in WITNESSES]
KEPT = 'kept_on = [{ chain = "hub", client = "c2sp-tlog-0" }]'
TABLE = f"""
[[logs]]
name = "registry"
url = ["https://log.example/registry"]
origin = "{ORIGIN}"
log_key = "{encode_vkey(LOG.key, ED25519)}"
witnesses = {VKEYS}
quorum = 2
publisher_key = "{PUBLISHER_KEY}"
{KEPT}
"""
CONFIG = GOOD + TABLE


def test_log_is_parsed_with_whom_its_readers_believe():
    log = parse(CONFIG).log("registry")
    assert log.trust.log_key == LOG.key
    assert log.trust.witnesses == tuple(witness.key for witness in WITNESSES)
    assert (log.trust.quorum, log.trust.publisher_key) == (2, PUBLISHER.key.public_key)
    assert [(end.chain, end.client) for end in log.kept_on] == [("hub", "c2sp-tlog-0")]
    assert parse(CONFIG).log("alpha") is None
    assert parse(GOOD).logs == ()


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("quorum = 2", "quorum = 1", "logs.0"),
        ("quorum = 2", "quorum = 4", "logs.0"),
        ("quorum = 2", "quorum = 0", "logs.0.quorum"),
        ("quorum = 2", "", "logs.0.quorum"),
        (VKEYS[1], VKEYS[0], "logs.0"),
        (VKEYS[1], VKEYS[1].replace("+", "-"), "logs.0"),
        (encode_vkey(LOG.key, ED25519), encode_vkey(LOG.key, COSIGNATURE_V1), "logs.0"),
        (PUBLISHER_KEY, b64encode(bytes(32)).decode(), "logs.0"),
        (PUBLISHER_KEY, "abc", "logs.0.publisher_key"),
        (PUBLISHER_KEY, PUBLISHER.key.public_key.hex(), "logs.0.publisher_key"),
        (PUBLISHER_KEY, b64encode(LOG.key.public_key).decode(), "logs.0"),
        ("https://log.example/registry", "ftp://log.example", "logs.0.url.0"),
        ('name = "registry"', 'name = "alpha"', "logs.0.name"),
        ('name = "registry"', 'name = "registry"\ncolour = 1', "logs.0.colour"),
        (KEPT, KEPT.replace("c2sp-tlog-0", "bft-evm-0"), "logs.0"),
        (KEPT, KEPT.replace('"hub"', '"alpha"'), "logs.0.kept_on.0.chain"),
        (KEPT, KEPT.replace('"hub"', '"nowhere"'), "logs.0.kept_on.0.chain"),
        (KEPT, f"kept_on = [{KEPT[11:-1]}, {KEPT[11:-1]}]", "logs.0"),
    ],
)
def test_attack_G13_unfit_logs_are_refused_with_their_field(old, new, field):
    parse(CONFIG)
    changed = GOOD + TABLE.replace(old, new, 1)
    with pytest.raises(ConfigError) as caught:
        parse(changed)
    assert any(problem.field.startswith(field) for problem in caught.value.problems), caught.value.problems


def test_attack_G13_one_log_twice_is_refused():
    with pytest.raises(ConfigError) as caught:
        parse(CONFIG + TABLE.replace('"registry"', '"again"', 1))
    assert [problem.field for problem in caught.value.problems] == ["logs.1.origin"]


def test_no_path_leads_to_a_log():
    """Nothing could prove that a packet was not received there."""
    path = (
        '\n[[paths]]\na = { chain = "registry", client = "client-0" }\nb = { chain = "hub", client = "c2sp-tlog-0" }\n'
    )
    with pytest.raises(ConfigError) as caught:
        parse(CONFIG + path)
    (problem,) = caught.value.problems
    assert problem.field == "paths.1.a.chain"
    assert "nothing can be sent to it" in str(caught.value)
