"""`hutong reader prove` and `hutong identity sync` against processes: a hub, a chain with a client of it, and contracts that take what was made."""

import json
from contextlib import ExitStack

import pytest
from eth_abi.abi import encode

from hutong.adapters.evm.hub_reader import Presence, decode_answer, decode_answers
from hutong.contracts.artifacts import load_artifact
from hutong.light_clients.crypto import keccak256
from hutong.relay.hub.state.keys import GENESIS_KEY
from tests.relay.cli.chains.hub_and_chain import CHAIN, HUB_EVM, Place
from tests.relay.cli.identity.issuing_by_commands import MAX_AGE_S, SCHEMA, Issuing

pytestmark = pytest.mark.long
"""Over processes of a hub and of a chain."""

NOTHING = b"identity/nothing"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with ExitStack() as stack:
        place = Place(tmp_path_factory.mktemp("reader"), stack)
        made = place.create("--yes")
        assert made.exit_code == 0, made.output
        place.chain_options = ("--rpc", place.url("alpha"), "--chain-id", str(CHAIN))
        owner = place.keys["owner"]
        deploy = ("reader", "deploy", *place.chain_options, "--router", place.deployment["router"])
        place.reader = json.loads(place.hutong(*deploy, "--client", "client-0", *owner.options, "--json"))["reader"]
        yield place


def prove(place, *keys, more=()):
    hub = ("--hub-rpc", place.url("hub"), "--hub-chain-id", str(HUB_EVM))
    named = [part for key in keys for part in ("--key", f"0x{key.hex()}")]
    made = place.hutong("reader", "prove", *place.chain_options, "--reader", place.reader, *hub, *named, *more)
    return json.loads(made)


def asked(place, call):
    return bytes.fromhex(place.rpc("alpha", "eth_call", {"to": call["to"], "data": call["data"]}, "latest")[2:])


def test_what_is_made_is_what_the_reader_takes(place):
    call = prove(place, GENESIS_KEY, more=("--max-age-s", "100000"))
    assert call["function"] == "read"
    answer = decode_answer(asked(place, call))
    assert (answer.presence, f"0x{answer.value.hex()}") == (Presence.PRESENT, call["records"][0]["value"])
    both = prove(place, GENESIS_KEY, NOTHING, more=("--max-age-s", "100000"))
    assert both["function"] == "readMany"
    answers = decode_answers(asked(place, both))
    assert {one.presence for one in answers} == {Presence.PRESENT, Presence.UNWRITTEN}
    kept = prove(place, GENESIS_KEY, more=("--keep",))
    assert kept["function"] == "keep"
    assert asked(place, kept) == b""


def test_from_an_accredited_issuer_to_a_ticket_and_to_a_refusal(place):
    """A contract developer's first hour: the issuer is accredited and opens a list, a cache is deployed and synchronised, a gate
    accepts. Then the credential is revoked, the cache synchronised, and the gate refuses."""
    issuing = Issuing(place)
    did = issuing.accredited()
    router = place.deployment["router"]
    deploying = ("identity", "deploy-cache", *issuing.chain, "--router", router, *issuing.owner.options, "--json")
    issuing.run(*deploying, "--client", "client-9", code=1)
    deployed = json.loads(issuing.run(*deploying, "--client", "client-0"))
    assert (deployed["router"], deployed["client"], deployed["chain_id"]) == (router, "client-0", CHAIN)
    cache = deployed["cache"]
    arguments = encode(["address", "uint64", "bytes32"], [cache, MAX_AGE_S, bytes.fromhex(SCHEMA)])
    gate = issuing.send(None, load_artifact("ExampleAgeGate").bytecode + arguments)["contractAddress"]
    file = issuing.sealed(did)

    issuing.synchronise(did, cache)
    assert issuing.send(gate, issuing.mint_call(file, gate, 1))["status"] == "0x1"
    call = {"to": gate, "data": f"0x{keccak256(b'totalSupply()')[:4].hex()}"}
    assert int(place.rpc("alpha", "eth_call", call, "latest"), 16) == 1

    issuing.revoke(did)
    issuing.synchronise(did, cache)
    refused = issuing.mint_call(file, gate, 2)
    assert issuing.refusal(gate, refused) == keccak256(b"CredentialRevoked(uint256)")[:4]
    assert issuing.send(gate, refused)["status"] == "0x0"
    for wrong, number in ((did, 1), (f"did:hutong:hutong:{'0' * 63}", 0)):
        unopened = ("identity", "sync", wrong, "--list", number, *issuing.chain, "--cache", cache, *issuing.hub)
        issuing.run(*unopened, code=2)
