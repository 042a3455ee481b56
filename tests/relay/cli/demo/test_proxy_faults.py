"""What each lie of the hostile proxy looks like, made from honest answers."""

import base64
import json
from random import Random

import pytest
from eth_abi.abi import encode

from hutong.adapters.ics26.answers import decode_log
from hutong.adapters.ics26.events import (
    SEND_PACKET_TOPIC,
    WRITE_ACKNOWLEDGEMENT_TOPIC,
    client_topic,
    packet_event,
    sequence_topic,
)
from hutong.adapters.rpc import Fields
from hutong.light_clients.ibc.abi import PACKET_TUPLE, packet_to_tuple
from hutong.light_clients.ibc.packet import Packet, Payload
from hutong.relay.local.faults import ERRORS, Exchange, FaultKind, Memory, forged_head, lie

HASH = "0x" + "ab" * 32
PACKET = Packet(3, "client-0", "bft-evm-0", 1_800_000_000, (Payload("mail", "mail", "v1", "text", b"hello"),))


def log(topic: bytes, *values) -> dict:
    types = [PACKET_TUPLE, "bytes[]"][: 1 + len(values)]
    client = PACKET.destination_client if values else PACKET.source_client
    topics = (topic, client_topic(client), sequence_topic(PACKET.sequence))
    return {
        "address": "0x" + "11" * 20,
        "topics": ["0x" + item.hex() for item in topics],
        "data": "0x" + encode(types, [packet_to_tuple(PACKET), *values]).hex(),
        "blockNumber": "0x5",
        "blockHash": HASH,
        "transactionHash": HASH,
        "logIndex": "0x0",
        "removed": False,
    }


SENT = log(SEND_PACKET_TOPIC)
ACKNOWLEDGED = log(WRITE_ACKNOWLEDGEMENT_TOPIC, [b"\x01"])
QUERY = [{"fromBlock": "0x1", "toBlock": "0x9"}]


def told(kind: FaultKind, method: str, params, result, *before: Exchange, seed: int = 1):
    memory = Memory()
    for exchange in before:
        memory.keep(exchange)
    return lie(kind, Exchange(method, params, result), memory, Random(seed))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("honest", [SENT, ACKNOWLEDGED])
def test_attack_G2_forged_log_is_well_formed_and_of_a_packet_never_sent(honest, seed):
    """The adapter's own decoder takes it for an event: only the chain's state can tell."""
    seen = Exchange("eth_getLogs", QUERY, [honest])
    made = told(FaultKind.FORGED_EVENT, "eth_getLogs", QUERY, [], seen, seed=seed)
    (forged,) = made.result
    event = packet_event(decode_log(Fields("eth_getLogs", forged)), 0)
    true_event = packet_event(decode_log(Fields("eth_getLogs", honest)), 0)
    assert event.kind is true_event.kind
    assert (event.packet, event.acknowledgement) != (true_event.packet, true_event.acknowledgement)


def test_forged_log_takes_a_block_that_is_known_and_keeps_the_honest_ones():
    block = Exchange("eth_getBlockByNumber", ["0x7", False], {"number": "0x7", "hash": "0x" + "cd" * 32})
    seen = Exchange("eth_getLogs", QUERY, [SENT])
    made = told(FaultKind.FORGED_EVENT, "eth_getLogs", QUERY, [SENT], seen, block)
    honest, forged = made.result
    assert honest == SENT
    assert (forged["blockNumber"], forged["blockHash"]) == ("0x7", "0x" + "cd" * 32)
    elsewhere = [{"fromBlock": "0x20", "toBlock": "0x21"}]
    assert told(FaultKind.FORGED_EVENT, "eth_getLogs", elsewhere, [], seen, block) is None
    assert told(FaultKind.FORGED_EVENT, "eth_getLogs", QUERY, []) is None, "nothing to forge from"
    assert told(FaultKind.FORGED_EVENT, "eth_blockNumber", [], "0x1", seen) is None


def test_old_and_replayed_answers_are_honest_ones_of_before():
    before = [Exchange("eth_blockNumber", [], hex(number)) for number in (1, 2, 3)]
    assert told(FaultKind.OLD_HEAD, "eth_blockNumber", [], "0x4", *before).result == "0x1"
    assert told(FaultKind.REPLAYED, "eth_blockNumber", [], "0x4", *before).result in ("0x1", "0x2", "0x3")
    assert told(FaultKind.OLD_HEAD, "eth_blockNumber", [], "0x1", before[0]) is None, "the same is no lie"
    assert told(FaultKind.REPLAYED, "eth_blockNumber", [], "0x4") is None
    named = Exchange("eth_getBlockByNumber", ["0x1", False], {"number": "0x1"})
    assert told(FaultKind.OLD_HEAD, "eth_getBlockByNumber", ["0x2", False], {"number": "0x2"}, named) is None
    commit = Exchange("commit", {}, {"signed_header": {"header": {"height": "5"}}})
    assert told(FaultKind.OLD_HEAD, "commit", {}, {"signed_header": {}}, commit).result == commit.result


def test_error_and_absence():
    assert told(FaultKind.ERROR, "eth_call", [], "0x").error in ERRORS
    for method in ("eth_getTransactionReceipt", "eth_getProof", "abci_query"):
        made = told(FaultKind.NOT_FOUND, method, [], {"some": "thing"})
        assert (made.result, made.error) == (None, None)
    assert told(FaultKind.NOT_FOUND, "eth_getLogs", QUERY, [SENT]).result == []
    assert told(FaultKind.NOT_FOUND, "eth_getLogs", QUERY, []) is None
    assert told(FaultKind.NOT_FOUND, "eth_blockNumber", [], "0x1") is None
    assert told(FaultKind.NOT_FOUND, "eth_getTransactionReceipt", [], None) is None, "it is absent in truth"


def test_hashes_are_exchanged_in_the_chain_s_own_form():
    made = told(FaultKind.OTHER_HASH, "eth_getLogs", QUERY, [SENT]).result[0]
    changed = [key for key in SENT if made[key] != SENT[key]]
    assert len(changed) == 1 and changed[0] in ("blockHash", "transactionHash")
    assert len(made[changed[0]]) == 66
    comet = {"signed_header": {"commit": {"block_id": {"hash": "AB" * 32}}}}
    made = told(FaultKind.OTHER_HASH, "commit", {}, comet).result["signed_header"]["commit"]["block_id"]["hash"]
    assert made != "AB" * 32 and made == made.upper() and len(bytes.fromhex(made)) == 32
    assert told(FaultKind.OTHER_HASH, "eth_sendRawTransaction", ["0x"], HASH).result != HASH
    assert told(FaultKind.OTHER_HASH, "eth_blockNumber", [], "0x1") is None


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize(
    ("kind", "method", "result"),
    [
        (FaultKind.FLIPPED_HEADER, "eth_getBlockByNumber", {"stateRoot": HASH, "number": "0x5", "transactions": []}),
        (FaultKind.FLIPPED_HEADER, "commit", {"signatures": [{"signature": base64.b64encode(bytes(64)).decode()}]}),
        (FaultKind.FLIPPED_HEADER, "validators", {"validators": [{"voting_power": "10"}], "total": "1"}),
        (FaultKind.FLIPPED_PROOF, "eth_getProof", {"accountProof": ["0xf8aa"], "storageProof": [{"proof": ["0x01"]}]}),
        (FaultKind.FLIPPED_PROOF, "abci_query", {"response": {"value": base64.b64encode(b"x" * 32).decode()}}),
        (FaultKind.FLIPPED_VALUE, "eth_call", "0x" + "00" * 32),
        (FaultKind.FLIPPED_VALUE, "eth_gasPrice", "0x0"),
    ],
)
def test_a_flip_changes_one_string_and_keeps_its_form(kind, method, result, seed):
    honest = json.dumps(result)
    made = told(kind, method, [], result, seed=seed)
    assert json.dumps(result) == honest, "the honest answer is not touched"
    changed = json.dumps(made.result)
    assert changed != honest
    for text in made.result if isinstance(made.result, list) else [made.result]:
        if isinstance(text, str) and text.startswith("0x"):
            int(text, 16)
    others = {FaultKind.FLIPPED_HEADER, FaultKind.FLIPPED_PROOF, FaultKind.FLIPPED_VALUE} - {kind}
    assert all(told(other, method, [], result) is None for other in others)


def test_forged_head_is_another_block():
    honest = {
        "method": "eth_subscription",
        "params": {"subscription": "0x1", "result": {"number": "0x5", "hash": HASH}},
    }
    forged = forged_head(honest, Random(1))
    assert forged["params"]["subscription"] == "0x1"
    assert forged["params"]["result"]["hash"] != HASH
    assert honest["params"]["result"]["hash"] == HASH
