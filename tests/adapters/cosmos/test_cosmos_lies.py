"""The cosmos adapter before endpoints that lie about heads, events, state, proofs and history (attack list G1, G2, G10)."""

import base64
import copy

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.adapters.cosmos.clients import client_key
from hutong.adapters.interface import AdapterError, BadAnswer, EndpointUnavailable, HeightUnavailable, NotSupported
from hutong.adapters.rpc import RpcOptions
from hutong.light_clients.ibc.commitment import PathKind
from hutong.light_clients.ibc.packet import decode_packet, encode_packet
from hutong.light_clients.interface import Height
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.light_clients.tendermint.rpc_json import header_from_rpc
from tests.adapters.cosmos.reads import CLIENT_TYPE, PARAMETERS, path
from tests.adapters.cosmos.replay import (
    CLIENT,
    FACTS,
    HEAD,
    NO_INDEX,
    RECORDING,
    SENT,
    SETTLED,
    STANDING,
    attribute,
    refused,
    results_of,
    simd,
)

SENDS = results_of("send_packet")


def error(data: str, code: int = -32603) -> dict:
    return {"error": {"code": code, "message": "Internal error", "data": data}}


def at(height: int, change):
    """A lie about one block alone."""

    def lie(params, said):
        if params.get("height") == str(height):
            changed = change(said)
            return said if changed is None else changed
        return said

    return lie


def query(key_or_method, change):
    """A lie about one key of the ibc store, or one service."""

    def lie(params, said):
        asked = params["path"] if isinstance(key_or_method, str) else bytes.fromhex(params["data"])
        if asked == key_or_method:
            change(said["result"]["response"])
        return said

    return lie


async def events_of_send(chain):
    return await chain.packet_events(SENT, SENT)


async def head_height(chain):
    return (await chain.head()).height


# heads


async def test_attack_G1_simd_endpoint_of_another_network():
    def status(params, said):
        said["result"]["node_info"]["network"] = "simd-9"
        return said

    await refused({"status": status}, head_height, "chain id is simd-9, expected simd-1")


async def test_attack_G1_simd_head_that_was_not_signed():
    def commit(params, said):
        for entry in said["result"]["signed_header"]["commit"]["signatures"]:
            entry["signature"] = base64.b64encode(bytes(64)).decode()
        return said

    await refused({"commit": commit}, head_height, "is not to be believed")


async def test_attack_G1_simd_head_with_a_forged_field():
    def commit(params, said):
        said["result"]["signed_header"]["header"]["app_hash"] = "AB" * 32
        return said

    await refused({"commit": commit}, head_height, "is not of the header")


async def test_attack_G1_simd_old_head_is_outvoted_and_never_goes_back():
    said_heads = iter([HEAD, SENT, SENT, SENT])

    def commit(params, said):
        return said if params else RECORDING.answer("commit", {"height": str(next(said_heads))})

    async with simd({"commit": commit}) as chain:
        assert await head_height(chain) == HEAD
        assert await head_height(chain) == HEAD
    old = {"commit": lambda params, said: said if params else RECORDING.answer("commit", {"height": str(SENT)})}
    async with simd(old, None) as chain:
        assert await head_height(chain) == HEAD
    async with simd(old) as chain:
        assert await head_height(chain) == SENT


# events


async def test_attack_G1_simd_results_of_another_block():
    other = RECORDING.answer("block_results", {"height": str(SENT - 1)})
    await refused({"block_results": at(SENT, lambda said: other)}, events_of_send, f"is not the asked {SENT}")


async def test_attack_G1_simd_transactions_are_hidden():
    def hide(said):
        said["result"]["txs_results"] = None

    await refused({"block_results": at(SENT, hide)}, events_of_send, "txs_results")


async def test_attack_G1_simd_success_is_called_failure():
    def fail(said):
        said["result"]["txs_results"][0]["code"] = 11

    await refused({"block_results": at(SENT, fail)}, events_of_send, "do not hash to the next header's results")


async def test_attack_G1_simd_transactions_of_the_newest_block_are_hidden():
    """No header tells of its results yet, but its own tells whether it has transactions."""
    pinned = {"abci_info": lambda params, said: {"result": {"response": {"last_block_height": str(SENT)}}}}

    def hide(said):
        said["result"]["txs_results"] = []

    async with simd(pinned | {"block_results": at(SENT, hide)}) as chain:
        assert await head_height(chain) == SENT
        with pytest.raises(EndpointUnavailable, match="contradict the header's data"):
            await events_of_send(chain)


async def test_attack_G1_simd_transaction_that_the_block_does_not_hold():
    def replace(said):
        said["result"]["block"]["data"]["txs"][0] = base64.b64encode(b"another").decode()

    await refused({"block": at(SENT, replace)}, events_of_send, "do not hash to the header's data")


@pytest.mark.parametrize(
    ("key", "value", "match"),
    [
        ("encoded_packet_hex", "zz", "is not hexadecimal"),
        ("encoded_packet_hex", "0 8", "is not hexadecimal"),
        ("encoded_packet_hex", "08", "protobuf"),
        ("encoded_packet_hex", "", "contradicts"),
        ("packet_sequence", "7", "contradicts the packet's 1"),
        ("packet_source_client", "07-tendermint-9", "contradicts the packet's 07-tendermint-0"),
        ("packet_timeout_timestamp", "1", "contradicts"),
    ],
)
async def test_attack_G1_simd_event_that_contradicts_itself(key, value, match):
    def twist(said):
        (event,) = SENDS(said)
        attribute(event, key)["value"] = value

    await refused({"block_results": at(SENT, twist)}, events_of_send, match)


async def test_attack_G1_simd_attribute_that_is_there_twice():
    def twice(said):
        (event,) = SENDS(said)
        event["attributes"].append(dict(attribute(event, "encoded_packet_hex")))

    await refused({"block_results": at(SENT, twice)}, events_of_send, "is there more than once")


async def test_unknown_attributes_and_events_of_the_first_version_are_passed_over():
    def more(said):
        (event,) = SENDS(said)
        event["attributes"] += [{"key": "colour", "value": "red", "index": True}, {"key": "colour", "value": "blue"}]
        said["result"]["txs_results"][0]["events"].append(
            {"type": "send_packet", "attributes": [{"key": "packet_sequence", "value": "1", "index": True}]}
        )

    async with simd({"block_results": at(SENT, more)}) as chain:
        (event,) = await events_of_send(chain)
        assert event.packet.sequence == SETTLED


async def test_attack_G2_simd_forged_event_is_not_in_state():
    """Events are hashed nowhere: what an endpoint makes up is told apart by the commitment, which the relay reads again."""

    def forge(said):
        (event,) = SENDS(said)
        encoded = attribute(event, "encoded_packet_hex")
        packet = decode_packet(bytes.fromhex(encoded["value"]))
        encoded["value"] = encode_packet(
            type(packet)(999, *(getattr(packet, name) for name in packet.__slots__[1:]))
        ).hex()
        attribute(event, "packet_sequence")["value"] = "999"

    async with simd({"block_results": at(SENT, forge)}) as chain:
        (event,) = await events_of_send(chain)
        assert event.packet.sequence == 999
        assert await chain.commitment(CLIENT, 999) is None


async def test_attack_G2_simd_history_that_state_contradicts():
    """Whoever asks for a packet by its number is never given another one."""

    def forge(said):
        (event,) = SENDS(said)
        encoded = attribute(event, "encoded_packet_hex")
        packet = decode_packet(bytes.fromhex(encoded["value"]))
        values = [getattr(packet, name) for name in packet.__slots__]
        values[packet.__slots__.index("timeout_timestamp_s")] += 1
        encoded["value"] = encode_packet(type(packet)(*values)).hex()
        attribute(event, "packet_timeout_timestamp")["value"] = str(packet.timeout_timestamp_s + 1)

    for lies in ({"tx_search": lambda params, said: NO_INDEX}, {}):
        lies["block_results"] = at(SENT, forge)
        await refused(lies, lambda chain: chain.sent_packet(CLIENT, SETTLED), "contradict the commitment")


async def test_attack_G1_simd_hidden_event_of_a_packet_that_state_shows():
    def hide(said):
        events = said["result"]["txs_results"][0]["events"]
        events[:] = [event for event in events if event["type"] != "send_packet"]

    lies = {"block_results": at(SENT, hide), "tx_search": lambda params, said: NO_INDEX}
    await refused(lies, lambda chain: chain.sent_packet(CLIENT, SETTLED), "which state shows")
    hidden = {"block_results": at(SENT, hide)}
    await refused(hidden, lambda chain: chain.sent_packet(CLIENT, SETTLED), "which state shows")


@pytest.mark.parametrize(
    "said",
    [
        {"result": {"txs": [], "total_count": "0"}},
        {"result": {"txs": [{"height": "3"}], "total_count": "1"}},
        {"result": {"txs": [{"height": str(10**15)}], "total_count": "1"}},
        {"result": {"txs": [{"height": "-1"}], "total_count": "1"}},
        {"result": {"txs": [{"height": str(n)} for n in range(1_000)]}},
        {"result": {}},
        {"result": None},
        error("transaction indexing is disabled"),
        error("no such method", -32601),
    ],
)
async def test_attack_G1_simd_index_that_lies_or_is_off(said):
    """The index is a hint: state and one block's results tell where a packet was sent and acknowledged."""
    async with simd({"tx_search": lambda params, _: copy.deepcopy(said)}) as chain:
        assert (await chain.sent_packet(CLIENT, SETTLED)).height == SENT
        assert (await chain.sent_packet(CLIENT, STANDING)).packet.sequence == STANDING
        assert (await chain.written_acknowledgement(CLIENT, 1)).height == FACTS["received"]


async def test_attack_G1_simd_index_that_names_a_block_of_which_nothing_is_kept():
    lies = {
        "tx_search": lambda params, said: {"result": {"txs": [{"height": "2"}], "total_count": "1"}},
        "block_results": at(2, lambda said: error("could not find results for height #2")),
    }
    async with simd(lies) as chain:
        assert (await chain.sent_packet(CLIENT, SETTLED)).height == SENT


# state


async def test_attack_G10_simd_a_pruned_state_is_no_absence():
    """The SDK answers for a version that it keeps no more with code 0 and no value."""

    def pruned(params, said):
        return {"result": {"response": {"code": 0, "log": "version does not exist", "height": params["height"]}}}

    async with simd({"abci_query": pruned}) as chain:
        with pytest.raises(HeightUnavailable, match="version does not exist") as caught:
            await chain.commitment(CLIENT, SETTLED, SENT)
        assert caught.value.height == SENT
        with pytest.raises(HeightUnavailable):
            await chain.receipt(CLIENT, 1)
    async with simd({"abci_query": pruned}, None) as chain:
        assert await chain.receipt(CLIENT, 1) is not None


def pruned_below(height: int):
    def lie(params, said):
        if 0 < int(params["height"]) < height:
            return {"result": {"response": {"code": 0, "log": "version does not exist", "height": params["height"]}}}
        return said

    return lie


async def test_attack_G10_simd_a_packet_from_before_what_the_node_keeps():
    lies = {"abci_query": pruned_below(HEAD - 1), "tx_search": lambda params, said: NO_INDEX}
    async with simd(lies) as chain:
        with pytest.raises(HeightUnavailable, match=f"the node keeps no state before {HEAD - 1}"):
            await chain.sent_packet(CLIENT, SETTLED)
        with pytest.raises(HeightUnavailable, match=f"the node keeps no state before {HEAD - 1}"):
            await chain.written_acknowledgement(CLIENT, 1)
    async with simd(lies | {"abci_query": pruned_below(SENT)}) as chain:
        assert (await chain.sent_packet(CLIENT, SETTLED)).height == SENT


async def test_attack_G10_simd_results_that_the_node_keeps_no_more():
    gone = error(f"height {SENT} is not available, lowest height is {SENT + 1}")
    lies = {"block_results": at(SENT, lambda said: gone)}
    async with simd(lies) as chain:
        with pytest.raises(HeightUnavailable, match="lowest height is"):
            await events_of_send(chain)
    async with simd(lies, None) as chain:
        assert len(await events_of_send(chain)) == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (client_key(CLIENT, "clientState"), b"\xff\xff"),
        (client_key(CLIENT, "clientState"), b"\x0a\x01x"),
        (client_key(CLIENT, "counterparty"), b"\x08\x01"),
        (b"nextSequenceSend/" + CLIENT.encode(), b"\x01"),
    ],
)
async def test_attack_G1_simd_stored_garbage(key, value):
    def twist(response):
        response["value"] = base64.b64encode(value).decode()

    async with simd({"abci_query": query(key, twist)}) as chain:
        with pytest.raises((BadAnswer, NotSupported)):
            await chain.client(CLIENT)
            await chain.next_sequence_send(CLIENT)


async def test_attack_G1_simd_value_under_another_key():
    def twist(response):
        response["key"] = base64.b64encode(b"other").decode()

    key = client_key(CLIENT, "clientState")
    await refused({"abci_query": query(key, twist)}, lambda chain: chain.client(CLIENT), "is not the asked key")


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (b"\x0a\x02\x10\x04", "has commitments of other clients"),
        (b"\xff", "is not a list"),
        (
            b"\x0a\x13\x0a\x0f" + CLIENT.encode() + b"\x10\x03" + b"\x0a\x13\x0a\x0f" + CLIENT.encode() + b"\x10\x03",
            "page",
        ),
        (b"\x0a\x13\x0a\x0f" + CLIENT.encode() + b"\x10\x00", "page"),
    ],
)
async def test_attack_G1_simd_list_of_commitments_is_forged(value, match):
    def twist(response):
        response["value"] = base64.b64encode(value).decode()

    lies = {"abci_query": query("/ibc.core.channel.v2.Query/PacketCommitments", twist)}
    async with simd(lies) as chain:
        with pytest.raises(BadAnswer, match=match):
            await chain.unsettled_sends(CLIENT)


async def test_without_the_query_service_commitments_are_read_key_by_key():
    def refuse(response):
        response.update(code=6, codespace="sdk", log="unknown query path", value=None)

    lies = {"abci_query": query("/ibc.core.channel.v2.Query/PacketCommitments", refuse)}
    async with simd(lies) as chain:
        assert await chain.unsettled_sends(CLIENT) == (STANDING,)


async def test_without_staking_the_operator_says_how_long_validators_answer_for_it():
    def absent(response):
        response["value"] = None

    async with simd({"abci_query": query(b"\x51", absent)}) as chain:
        states = await chain.initial_states(CLIENT_TYPE, PARAMETERS)
        assert states.height == Height(1, HEAD)

    def garbage(response):
        response["value"] = base64.b64encode(b"\xff\xff").decode()

    async with simd({"abci_query": query(b"\x51", garbage)}) as chain:
        with pytest.raises(BadAnswer, match="staking"):
            await chain.initial_states(CLIENT_TYPE, PARAMETERS)


@pytest.mark.parametrize("value", [b"", b"\x0a\x00", b"\x0a\x02\x08\x00"])
async def test_attack_G1_simd_unbonding_time_of_nothing(value):
    def twist(response):
        response["value"] = base64.b64encode(value + b"\x10\x64").decode()

    async with simd({"abci_query": query(b"\x51", twist)}) as chain:
        with pytest.raises(BadAnswer, match="has no unbonding time"):
            await chain.initial_states(CLIENT_TYPE, PARAMETERS)


@pytest.mark.long
@given(
    st.sampled_from(["clientState", "counterparty", "staking", "sequence", "list"]), st.binary(min_size=1, max_size=64)
)
@settings(max_examples=60, deadline=None)
def test_attack_H_stored_values_may_be_any_bytes(item, value):
    keys = {
        "staking": b"\x51",
        "sequence": b"nextSequenceSend/" + CLIENT.encode(),
        "list": "/ibc.core.channel.v2.Query/PacketCommitments",
    }
    key = keys[item] if item in keys else client_key(CLIENT, item)

    def twist(response):
        response["value"] = base64.b64encode(value).decode()

    async def ask():
        async with simd({"abci_query": query(key, twist)}) as chain:
            await chain.client(CLIENT)
            await chain.initial_states(CLIENT_TYPE, PARAMETERS)
            await chain.unsettled_sends(CLIENT)

    try:
        trio.run(ask)
    except* AdapterError as caught:
        assert str(caught)


# proofs


@pytest.mark.parametrize("lie", ["value", "absence", "height", "garbage", "none", "half", "swapped", "flipped"])
async def test_attack_G1_simd_forged_proof(lie):
    def twist(params, said):
        response = said["result"]["response"]
        if not params["prove"]:
            return said
        ops = response["proofOps"]["ops"]
        match lie:
            case "value":
                response["value"] = base64.b64encode(b"\x08" * 32).decode()
            case "absence":
                response["value"] = None
            case "height":
                response["height"] = str(HEAD)
            case "garbage":
                ops[0]["data"] = base64.b64encode(b"\xff" * 40).decode()
            case "none":
                response["proofOps"] = None
            case "half":
                del ops[1]
            case "swapped":
                ops.reverse()
            case "flipped":
                data = bytearray(base64.b64decode(ops[1]["data"]))
                data[len(data) // 2] ^= 1
                ops[1]["data"] = base64.b64encode(bytes(data)).decode()
        return said

    wanted = path(FACTS, PathKind.COMMITMENT, STANDING)
    await refused(
        {"abci_query": twist}, lambda chain: chain.prove(wanted, Height(1, HEAD)), "abci_query answered badly"
    )


async def test_attack_G1_simd_presence_forged_for_what_is_absent():
    def twist(params, said):
        said["result"]["response"]["value"] = base64.b64encode(b"\x02").decode()
        return said

    wanted = path(FACTS, PathKind.RECEIPT, 999)
    await refused({"abci_query": twist}, lambda chain: chain.prove(wanted, Height(1, HEAD)), "proofOps")


# headers in bulk


@pytest.mark.parametrize("lie", ["forged", "unlinked", "missing", "renamed", "other"])
async def test_attack_G1_simd_headers_that_are_no_chain(lie):
    def twist(params, said):
        rows = said["result"]["block_metas"]
        match lie:
            case "forged":
                # sound in itself: only what follows tells that it is another block
                oldest = rows[-1] = copy.deepcopy(rows[-1])
                oldest["header"]["last_results_hash"] = "AB" * 32
                oldest["block_id"]["hash"] = header_hash(header_from_rpc(oldest["header"])).hex().upper()
            case "unlinked":
                rows[0] = copy.deepcopy(rows[0])
                rows[0]["header"]["last_block_id"]["hash"] = "AB" * 32
            case "missing":
                del rows[0]
            case "renamed":
                rows[0]["block_id"]["hash"] = "AB" * 32
            case "other":
                rows[0] = RECORDING.answer("blockchain", {"minHeight": "1", "maxHeight": "1"})["result"]["block_metas"][
                    0
                ]
        return said

    await refused(
        {"blockchain": twist}, lambda chain: chain.packet_events(SENT - 1, SENT + 1), "blockchain answered badly"
    )


# sizes


def many_events(count: int):
    def more(said):
        event = {"type": "coin_spent", "attributes": [{"key": "spender", "value": "c" * 40, "index": True}]}
        said["result"]["finalize_block_events"] = [event] * count

    return more


async def test_attack_G1_simd_thousands_of_events_are_read_within_bounds():
    async with simd({"block_results": at(SENT, many_events(50_000))}) as chain:
        assert len(await events_of_send(chain)) == 1


@pytest.mark.long
async def test_attack_G1_simd_endless_events():
    tight = RpcOptions(rounds=1, max_answer_bytes=1 << 20)
    async with simd({"block_results": at(SENT, many_events(50_000))}, options=tight) as chain:
        with pytest.raises(EndpointUnavailable, match="more than 1048576 bytes"):
            await events_of_send(chain)

    def too_many(said):
        said["result"]["finalize_block_events"] = [{"type": "x"}] * 200_001

    await refused({"block_results": at(SENT, too_many)}, events_of_send, "has more than")


def indexed(params, said):
    """What the index of a real simd says of one block, from the block and its results."""
    if not params["query"].startswith("tx.height="):
        return said
    kind = params["query"].split(" AND ")[1].split(".")[0]
    results = RECORDING.answer("block_results", {"height": str(SENT)})["result"]["txs_results"]
    transactions = RECORDING.answer("block", {"height": str(SENT)})["result"]["block"]["data"]["txs"]
    found = [
        {"height": str(SENT), "index": index, "tx": raw, "tx_result": result, "hash": ""}
        for index, (raw, result) in enumerate(zip(transactions, results, strict=True))
        if any(event["type"] == kind for event in result["events"])
    ]
    return {"result": {"txs": found, "total_count": str(len(found))}}


async def test_a_block_whose_results_are_more_than_an_answer_holds_is_read_through_the_index():
    tight = RpcOptions(rounds=1, max_answer_bytes=64 * 1024)
    lies = {"block_results": at(SENT, many_events(5_000)), "tx_search": indexed}
    async with simd(None) as chain:
        (whole,) = await events_of_send(chain)
    async with simd(lies, options=tight) as chain:
        (event,) = await events_of_send(chain)
        assert (event.packet, event.transaction_hash) == (whole.packet, whole.transaction_hash)
    async with simd(lies | {"tx_search": lambda params, said: NO_INDEX}, options=tight) as chain:
        with pytest.raises(EndpointUnavailable, match="more than 65536 bytes"):
            await events_of_send(chain)


async def test_attack_G9_simd_a_block_that_is_more_than_an_answer_holds_is_read_through_the_index():
    def large(said):
        said["result"]["block"]["evidence"] = {"evidence": ["e" * 100_000]}
        return said

    tight = RpcOptions(rounds=1, max_answer_bytes=64 * 1024)
    async with simd({"block": at(SENT, large), "tx_search": indexed}, options=tight) as chain:
        assert len(await events_of_send(chain)) == 1


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"height": "3"}, f"is not the asked {SENT}"),
        ({"index": -1}, "unsigned"),
        ({"tx": "~"}, "base64"),
        ({"tx_result": None}, "is not an object"),
    ],
)
async def test_attack_G1_simd_index_that_lies_about_a_large_block(change, match):
    def lie(params, said):
        answer = indexed(params, said)
        for entry in answer["result"]["txs"]:
            entry.update(change)
        return answer

    tight = RpcOptions(rounds=1, max_answer_bytes=64 * 1024)
    async with simd({"block_results": at(SENT, many_events(5_000)), "tx_search": lie}, options=tight) as chain:
        with pytest.raises(EndpointUnavailable, match=match):
            await events_of_send(chain)

    def endless(params, said):
        return {"result": indexed(params, said)["result"] | {"total_count": str(10**9)}}

    async with simd({"block_results": at(SENT, many_events(5_000)), "tx_search": endless}, options=tight) as chain:
        with pytest.raises(EndpointUnavailable, match="total_count"):
            await events_of_send(chain)


# anything


def leaves(value, steps=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*steps, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*steps, index))
    if steps:
        yield steps


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.text(max_size=6),
    st.just([]),
    st.just({}),
    st.sampled_from(["-1", "9" * 30, "AB" * 32, "AQ==", "2020-01-01T00:00:00Z", "\x00", "ff" * 60]),
)
METHODS = ["commit", "validators", "abci_query", "block_results", "block", "blockchain", "tx_search", "status"]


@pytest.mark.long
@given(st.sampled_from(METHODS), st.integers(0, 10**6), JUNK)
@settings(max_examples=120, deadline=None)
def test_attack_H_any_field_of_an_answer_of_simd_may_be_junk(method, position, junk):
    """The same packets come out, or a typed error."""

    def twist(params, said):
        if "result" in said:
            steps = list(leaves(said["result"]))
            *way, last = steps[position % len(steps)]
            target = said["result"]
            for step in way:
                target = target[step]
            target[last] = junk
        return said

    async def ask():
        options = RpcOptions(rounds=1, attempt_timeout_s=5)
        async with simd({method: twist}, options=options) as chain:
            events = await events_of_send(chain)
            # events are hashed nowhere: a node can hide and invent them
            assert [event.packet.sequence for event in events] == [SETTLED] or method == "block_results"
            await chain.sent_packet(CLIENT, SETTLED)
            await chain.client(CLIENT)
            proof = await chain.prove(path(FACTS, PathKind.COMMITMENT, STANDING), Height(1, HEAD))
            assert proof.value is not None

    try:
        trio.run(ask)
    except* AdapterError as caught:
        assert str(caught)
