"""What a request to send may say, before any chain is asked: receivers, and over which way a token goes."""

import pytest
from eth_utils.address import to_checksum_address

from hutong.adapters.cosmos.transactions.addresses import encode_address
from hutong.light_clients.ibc.denom import Denom
from hutong.relay.api.sending.addresses import check_receiver
from hutong.relay.api.sending.choosing import choice_of
from hutong.relay.config import Config
from hutong.relay.core.topology.paths import Paths
from hutong.relay.web.problems import ApiProblem, Code
from tests.relay.api.api_world import CLIENT, chain_table, hub_table

COSMOS = {
    "name": "gamma", "kind": "cosmos", "chain_id": "gamma-1", "rpc": ["http://127.0.0.1:1"], "bech32_prefix": "gam",
    "gas_price": "0.025stake", "key": {"keystore": "k", "password_env": "P"},
}  # fmt: skip
PATHS = [
    ("alpha", CLIENT, "beta", CLIENT),
    ("alpha", "bft-evm-9", "beta", "bft-evm-9"),
    ("alpha", "client-0", "hub", "bft-evm-1"),
    ("beta", "client-0", "hub", "bft-evm-2"),
    ("gamma", "07-tendermint-0", "hub", "07-tendermint-3"),
    ("gamma", "07-tendermint-1", "beta", "client-7"),
]
"""Two direct paths from alpha to beta, one each to the hub; gamma has no direct one to alpha."""
ADDRESS = to_checksum_address("0x" + "ab" * 20)
ACCOUNT = encode_address("gam", b"\x07" * 20)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    home = tmp_path_factory.mktemp("wishes")
    whole = {
        "relay": {"home": str(home)},
        "chains": [chain_table("alpha", 1001), chain_table("beta", 1002), hub_table(), COSMOS],
        "paths": [
            {"a": {"chain": a, "client": here}, "b": {"chain": b, "client": there}} for a, here, b, there in PATHS
        ],
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
        ("beta", "0x" + "00" * 20),
        ("hub", ADDRESS[:-2] + ADDRESS[-2:].swapcase()), ("hub", ACCOUNT),
        ("gamma", ADDRESS), ("gamma", mistyped(ACCOUNT)), ("gamma", ACCOUNT.upper()),
        ("gamma", encode_address("cosmos", b"\x07" * 20)),
    ],
)  # fmt: skip
def test_a_mistyped_receiver_is_refused_before_anything_is_paid(config, destination, receiver):
    with pytest.raises(ApiProblem) as caught:
        check_receiver(config, destination, receiver)
    assert (caught.value.code, caught.value.field) == (Code.INVALID_REQUEST, "receiver")


def chosen(config, source, destination, denom, **asked):
    choice = choice_of(config, Paths.of(config.paths), source, destination, **asked)
    way = choice.way_for(Denom.parse(denom))
    return way.via, way.client, way.next_client


NATIVE = "0x" + "70" * 20
OVER_HUB = f"transfer/client-0/transfer/bft-evm-1/{NATIVE}"
"""A token of alpha on beta, that came over the hub; the next came over the second direct path."""
OVER_SECOND = f"transfer/bft-evm-9/{NATIVE}"


@pytest.mark.parametrize(
    ("source", "destination", "denom", "asked", "way"),
    [
        ("alpha", "beta", NATIVE, {}, (None, CLIENT, None)),
        ("alpha", "beta", NATIVE, {"client": "bft-evm-9"}, (None, "bft-evm-9", None)),
        ("alpha", "beta", NATIVE, {"via": "hub"}, ("hub", "client-0", "bft-evm-2")),
        ("alpha", "beta", NATIVE, {"next_client": "bft-evm-2"}, ("hub", "client-0", "bft-evm-2")),
        ("beta", "alpha", OVER_HUB, {}, ("hub", "client-0", "bft-evm-1")),
        ("beta", "alpha", OVER_SECOND, {}, (None, "bft-evm-9", None)),
        # a voucher of gamma's, over the hub to alpha: no direct path would know it there
        ("beta", "alpha", "transfer/client-0/transfer/07-tendermint-3/ugam", {}, ("hub", "client-0", "bft-evm-1")),
        # not going home, so the user may choose
        ("beta", "alpha", "transfer/client-0/transfer/07-tendermint-3/ugam", {"client": CLIENT}, (None, CLIENT, None)),
        ("beta", "gamma", OVER_HUB, {}, ("hub", "client-0", "07-tendermint-3")),
        ("beta", "alpha", f"transfer/client-0/transfer/unknown-1/{NATIVE}", {}, ("hub", "client-0", "bft-evm-1")),
    ],
)  # fmt: skip
def test_a_token_goes_back_the_way_that_it_came(config, source, destination, denom, asked, way):
    assert chosen(config, source, destination, denom, **asked) == way


@pytest.mark.parametrize(
    ("denom", "asked", "named"),
    [
        (OVER_HUB, {"client": CLIENT}, '"via": "hub", "client": "client-0", "next_client": "bft-evm-1"'),
        (OVER_SECOND, {"via": "hub"}, '"client": "bft-evm-9" and without "via"'),
        (OVER_SECOND, {"client": CLIENT}, '"client": "bft-evm-9" and without "via"'),
    ],
)
def test_a_voucher_is_not_sent_home_another_way_and_the_right_one_is_named(config, denom, asked, named):
    with pytest.raises(ApiProblem) as caught:
        chosen(config, "beta", "alpha", denom, **asked)
    assert caught.value.field == "via" and named in str(caught.value)


def test_a_voucher_whose_way_back_is_too_long_is_told_where_to_go_first(config):
    denom = f"transfer/client-7/transfer/07-tendermint-0/transfer/bft-evm-1/{NATIVE}"
    with pytest.raises(ApiProblem, match="send it to gamma first") as caught:
        chosen(config, "beta", "alpha", denom)
    assert caught.value.field == "destination"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"source": "omega"}, "source"), ({"destination": "omega"}, "destination"), ({"via": "omega"}, "via"),
        ({"destination": "alpha"}, "destination"), ({"via": "beta"}, "via"), ({"client": "client-7"}, "client"),
        ({"client": CLIENT, "next_client": "bft-evm-2"}, "next_client"), ({"via": "hub", "client": CLIENT}, "client"),
    ],
)  # fmt: skip
def test_what_leads_nowhere_is_refused_at_its_field(config, asked, field):
    wanted = {"source": "alpha", "destination": "beta"} | asked
    with pytest.raises(ApiProblem) as caught:
        choice_of(config, Paths.of(config.paths), **wanted)
    assert (caught.value.field, caught.value.status) == (field, 422)
