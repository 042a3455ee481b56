"""What a request to send may say, before any chain is asked: receivers, and over which way a token goes."""

import pytest
from api_world import CLIENT, chain_table, hub_table
from eth_utils.address import to_checksum_address

from adapters.cosmos.addresses import encode_address
from relay.api.problems import ApiProblem, Code
from relay.api.sending.addresses import check_receiver
from relay.config import Config

COSMOS = {
    "name": "gamma", "kind": "cosmos", "chain_id": "gamma-1", "rpc": ["http://127.0.0.1:1"], "bech32_prefix": "gam",
    "gas_price": "0.025stake", "key": {"keystore": "k", "password_env": "P"},
}  # fmt: skip
ADDRESS = to_checksum_address("0x" + "ab" * 20)
ACCOUNT = encode_address("gam", b"\x07" * 20)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    home = tmp_path_factory.mktemp("wishes")
    whole = {
        "relay": {"home": str(home)},
        "chains": [chain_table("alpha", 1001), chain_table("beta", 1002), hub_table(), COSMOS],
        "paths": [{"a": {"chain": "alpha", "client": CLIENT}, "b": {"chain": "beta", "client": CLIENT}}],
    }
    return Config.model_validate(whole)


@pytest.mark.parametrize(
    ("destination", "receiver"),
    [("beta", ADDRESS), ("beta", ADDRESS.lower()), ("hub", ADDRESS), ("gamma", ACCOUNT), ("gamma", encode_address("gam", bytes(32)))],
)  # fmt: skip
def test_a_receiver_of_the_destination_is_taken(config, destination, receiver):
    check_receiver(config, destination, receiver)


def mistyped(text: str) -> str:
    return text[:-1] + ("q" if text[-1] != "q" else "p")


@pytest.mark.parametrize(
    ("destination", "receiver"),
    [
        ("beta", ADDRESS[:-1]), ("beta", ADDRESS[:-2] + ADDRESS[-2:].swapcase()), ("beta", ADDRESS[2:]), ("beta", ACCOUNT),
        ("hub", ADDRESS[:-2] + ADDRESS[-2:].swapcase()), ("hub", ACCOUNT),
        ("gamma", ADDRESS), ("gamma", mistyped(ACCOUNT)), ("gamma", ACCOUNT.upper()),
        ("gamma", encode_address("cosmos", b"\x07" * 20)),
    ],
)  # fmt: skip
def test_a_mistyped_receiver_is_refused_before_anything_is_paid(config, destination, receiver):
    with pytest.raises(ApiProblem) as caught:
        check_receiver(config, destination, receiver)
    assert (caught.value.code, caught.value.field) == (Code.INVALID_REQUEST, "receiver")
