"""The [api] table: what is refused, and with which remedy."""

from pathlib import Path

import pytest

from hutong.relay.config import ConfigError, file_problems, parse_config

BASE = """
[relay]
home = "state"

[[chains]]
name = "alpha"
kind = "evm"
chain_id = 1001
consensus = "qbft"
rpc = ["http://127.0.0.1:1"]
router = "0x1111111111111111111111111111111111111111"
key = { keystore = "k", password_env = "P" }

[api]
"""


def parsed(text: str, directory: Path = Path("/tmp")):
    return parse_config((BASE + text).encode(), "relay.toml", directory)


def test_defaults_are_the_safe_ones(tmp_path):
    api = parsed('listen = "127.0.0.1:9480"\nkeys_file = "keys.json"', tmp_path).api
    assert (api.host, api.port, api.inside_relay, api.behind_proxy) == ("127.0.0.1", 9480, True, False)
    assert api.keys_file == tmp_path / "keys.json" and api.cors_origins == () and api.trusted_proxies == ()
    assert parsed('listen = "[::1]:0"').api.host == "::1"


@pytest.mark.parametrize(
    ("text", "field", "part"),
    [
        ('listen = "0.0.0.0:80"', "api", "without TLS"),
        ('listen = "[::]:80"', "api", "without TLS"),
        ('listen = "bridge.example:80"', "api", "without TLS"),
        ('listen = "127.0.0.1"', "api.listen", "host:port"),
        ('listen = "127.0.0.1:1"\ntls_key = "k"', "api", "both"),
        ('listen = "10.0.0.5:80"\nbehind_proxy = true', "api", "trusted_proxies"),
        ('listen = "127.0.0.1:1"\ncors_origins = ["https://a.example/path"]', "api.cors_origins.0", "origin"),
        ('listen = "127.0.0.1:1"\ncors_origins = ["javascript:x"]', "api.cors_origins.0", "origin"),
        ('listen = "127.0.0.1:1"\ntrusted_proxies = ["proxy"]', "api.trusted_proxies.0", "network"),
        ('listen = "127.0.0.1:1"\npublic_url = "file:///etc"', "api.public_url", "http"),
        ('listen = "127.0.0.1:1"\nrate_limit_per_s = 0', "api.rate_limit_per_s", "is less than 1"),
        ('listen = "127.0.0.1:1"\nmax_streams = 10_001', "api.max_streams", "is more than 10000"),
        ('listen = "127.0.0.1:1"\nkeys_fil = "x"', "api.keys_fil", "unknown key"),
    ],
)
def test_attack_G15_what_would_open_the_api_is_refused(text, field, part):
    with pytest.raises(ConfigError) as refusal:
        parsed(text)
    (problem,) = refusal.value.problems
    assert problem.field == field and part in problem.reason and problem.remedy


@pytest.mark.parametrize(
    "text",
    [
        'listen = "0.0.0.0:443"\ntls_certificate = "c"\ntls_key = "k"',
        'listen = "10.0.0.5:80"\nbehind_proxy = true\ntrusted_proxies = ["10.0.0.9"]',
    ],
)
def test_other_addresses_are_served_over_tls_or_behind_a_proxy(text):
    assert parsed(text).api.host in ("0.0.0.0", "10.0.0.5")


def test_attack_G14_secrets_that_others_can_read_are_refused(tmp_path):
    for name in ("key.pem", "cert.pem", "keys.json"):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(0o644)
    text = 'listen = "127.0.0.1:1"\ntls_certificate = "cert.pem"\ntls_key = "key.pem"\nkeys_file = "keys.json"'
    found = [one.field for one in file_problems(parsed(text, tmp_path)) if one.field.startswith("api")]
    assert found == ["api.tls_key", "api.keys_file"]
    for name in ("key.pem", "keys.json"):
        (tmp_path / name).chmod(0o600)
    assert not [one for one in file_problems(parsed(text, tmp_path)) if one.field.startswith("api")]
