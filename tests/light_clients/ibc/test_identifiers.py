"""docs/spec/identifiers.md."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.ibc.identifiers import check_client_id, check_port_id, client_id_for, client_type_of
from hutong.light_clients.interface import MalformedInput


@pytest.mark.parametrize(
    "client_id",
    ["client-0", "07-tendermint-0", "bft-evm-12", "abcdef-0", "a_b-c_d-99", "x" * 62 + "-0", "client-" + "9" * 20],
)
def test_identifiers_that_register_and_carry_packets(client_id):
    assert check_client_id(client_id) == client_id
    assert client_id_for(client_type_of(client_id), int(client_id.rpartition("-")[2])) == client_id


@pytest.mark.parametrize(
    "client_id",
    [
        "",
        "client",
        "client-",
        "client-x",
        "client-1x",
        "abc-0",
        "x" * 63 + "-0",
        "client-" + "9" * 21,
        "-client-0",
        "client--0",
        "client/sub-0",
        "client.x-0",
        "client 1-0",
        "client-0\n",
        "\nclient-0",
        "clïent-00",
        "client-0\0",
        "client-٣٣٣",
        "client-+1",
    ],
)
def test_identifiers_that_some_stock_chain_refuses(client_id):
    with pytest.raises(MalformedInput) as caught:
        check_client_id(client_id, "packet.source_client")
    assert caught.value.field == "packet.source_client"
    assert caught.value.got == client_id


@pytest.mark.parametrize("port_id", ["gmpport", "transfer", "forward", "ab", "a" * 128, "a.b_c+d-e#f[g]<h>"])
def test_ports(port_id):
    assert check_port_id(port_id) == port_id


@pytest.mark.parametrize("port_id", ["", "a", "a" * 129, "a/b", "a b", "ä-port", "port\n", "port\0", "a:b", "a@b"])
def test_ports_outside_ics24(port_id):
    with pytest.raises(MalformedInput):
        check_port_id(port_id)


@pytest.mark.parametrize("client_type", ["", "-a", "a-", "bft evm", "a/b"])
def test_client_types(client_type):
    assert client_id_for("07-tendermint", 3) == "07-tendermint-3"
    with pytest.raises(MalformedInput):
        client_id_for(client_type, 0)


@given(st.text(max_size=80))
def test_any_text_gives_a_verdict_within_bounded_time(text):
    for check in (check_client_id, check_port_id, client_type_of):
        try:
            check(text)
        except MalformedInput:
            continue


@given(st.integers(1, 64))
def test_a_long_run_of_hyphens_does_not_blow_up_the_pattern(count):
    with pytest.raises(MalformedInput):
        check_client_id(("a-" * count)[:63] + "!")
