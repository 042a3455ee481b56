"""Writes the bundles that the audit's tests judge: `python -m tests.relay.audit.recorded_bundles` from the root.

A hub and two QBFT chains run in this process, packets are relayed by hand, and our own exporter makes the bundles, from
the chains alone. To be recorded anew when the bundle's format or the chains' rules change.
"""

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import trio
from eth_abi.abi import encode

from hutong.adapters.evm.administration import deploy as deployment
from hutong.adapters.ics26.abi import Function
from hutong.adapters.interface import PacketEvent, TimeoutPacket
from hutong.contracts.artifacts import load_artifact
from hutong.light_clients.ibc.commitment import merkle_path, receipt_key
from hutong.light_clients.ibc.packet import Acknowledgement
from hutong.light_clients.ibc.transfer import SUCCESS_ACKNOWLEDGEMENT
from hutong.relay.archive import Archive
from hutong.relay.archive.bundle import encode_bundle
from hutong.relay.archive.checkpoint import Checkpoint, encode_checkpoint
from hutong.relay.config import PathConfig, PathEnd
from hutong.relay.core.archiving.bundling import Exporter, read_checkpoint
from hutong.relay.core.topology.paths import Paths
from hutong.relay.devnet import Genesis, Pace, running_devnet
from tests.adapters.conformance.attested_pair import DEPLOYER, RELAYER, Node, address_bytes, attested_pair, quick_pause
from tests.adapters.conformance.lane import Lane, running_lane
from tests.adapters.conformance.suite import Link, acknowledge, receive, send_one, submit, updates

APPROVE = Function("approve", ("address", "uint256"))
SEND_TOKENS = Function("sendForwarded", ("string", "string", "address", "uint256", "string", "uint64"))
FOLDER = Path(__file__).with_name("recorded")
DELIVERED, REFUSED, LEG_1_LATE, LEG_2_LATE, UNDER_WAY, TOKENS = range(1, 7)
NAMES = {
    DELIVERED: "message-delivered",
    REFUSED: "message-refused-by-the-hub",
    LEG_1_LATE: "timeout-leg-1",
    LEG_2_LATE: "timeout-leg-2",
    UNDER_WAY: "received-on-the-hub",
    TOKENS: "tokens-delivered",
}


def paths_of(lane: Lane) -> Paths:
    return Paths.of(
        PathConfig(
            a=PathEnd(chain=member.chain.name, client=member.client), b=PathEnd(chain="hub", client=member.hub_client)
        )
        for member in (lane.alpha, lane.beta)
    )


async def take_checkpoints(lane: Lane) -> list[Checkpoint]:
    """One of each chain at its head, as `hutong audit checkpoint` takes it."""
    hub_on_alpha = await lane.alpha.chain.client(lane.alpha.client)
    hub_on_beta = await lane.beta.chain.client(lane.beta.client)
    members = (lane.alpha, lane.beta)
    checkpoints = [
        await read_checkpoint(member.chain, [member.client], [await lane.hub.client(member.hub_client)], None)
        for member in members
    ]
    clients = [member.hub_client for member in members]
    return [*checkpoints, await read_checkpoint(lane.hub, clients, [hub_on_alpha, hub_on_beta], None)]


async def sent(lane: Lane, link: Link, timeout_s: int, value: bytes = b"hello") -> PacketEvent:
    sequence = await lane.alpha.chain.next_sequence_send(lane.alpha.client)
    await link.send(value, (await lane.alpha.chain.head()).time_ns // 10**9 + timeout_s)
    event = await lane.alpha.chain.sent_packet(lane.alpha.client, sequence)
    assert event is not None
    return event


async def onward(lane: Lane, event: PacketEvent) -> PacketEvent:
    """Deliver leg 1 to the hub and return what the hub sent on."""
    sequence = await lane.hub.next_sequence_send(lane.beta.hub_client)
    await receive(lane.first_leg(), event)
    second = await lane.hub.sent_packet(lane.beta.hub_client, sequence)
    assert second is not None
    return second


async def written(end, sequence: int) -> PacketEvent:
    with trio.fail_after(60):
        while True:
            event = await end.adapter.written_acknowledgement(end.client, sequence)
            if event is not None:
                return event
            await trio.sleep(0.1)


async def time_out(link: Link, event: PacketEvent) -> None:
    """Prove on A that B never received the packet, as the relay does."""
    a, b = link.a, link.b
    with trio.fail_after(60):
        while (await b.adapter.head()).time_ns // 10**9 <= event.packet.timeout_timestamp_s:  # noqa: ASYNC110  blocks raise no event
            await trio.sleep(0.1)
    height = b.adapter.proving_height((await b.adapter.head()).height)
    messages, _ = await updates(link, b, a, height)
    info = await a.adapter.client(a.client)
    proof = await b.adapter.prove(merkle_path(info.merkle_prefix, receipt_key(event.packet)), height)
    assert proof.value is None
    _, _, outcome = await submit(link, a, [*messages, TimeoutPacket(event.packet, proof.proof, proof.height)])
    assert outcome.failures == ()


async def relay_all(lane: Lane) -> None:
    """Five packets, in the order of `NAMES`."""
    code = load_artifact("ExampleReceiver").bytecode
    receipt = await lane.beta.deployer.send(None, code + bytes(12) + lane.beta.mailbox)
    assert receipt.contract_address is not None
    lane.receiver = "0x" + receipt.contract_address.hex()
    first, second = lane.first_leg(lane.beta.hub_client), lane.second_leg()

    event = await sent(lane, first, 600)
    leg_2 = await onward(lane, event)
    await receive(second, leg_2)
    await acknowledge(second, await written(second.b, leg_2.packet.sequence))
    await acknowledge(first, await written(first.b, event.packet.sequence))

    refused = lane.first_leg()
    event = await sent(lane, refused, 600)
    await receive(refused, event)
    await acknowledge(refused, await written(refused.b, event.packet.sequence))

    event = await sent(lane, first, 7)  # five seconds of it are the margin for the second leg
    await time_out(first, event)

    event = await sent(lane, first, 10)
    leg_2 = await onward(lane, event)
    await time_out(second, leg_2)
    await acknowledge(first, await written(first.b, event.packet.sequence))

    await onward(lane, await sent(lane, first, 600))


async def relay_tokens(lane: Lane) -> None:
    """An ERC-20 of alpha becomes a voucher on beta."""
    alpha, beta = lane.alpha, lane.beta
    transfers = [bytes.fromhex(member.contracts.transfer[2:]) for member in (alpha, beta)]
    await deployment.set_hub_client(alpha.deployer, transfers[0], alpha.client)
    arguments = encode(["string", "string", "uint256"], ["Example", "EX", 10**18])
    receipt = await alpha.deployer.send(None, load_artifact("ExampleToken").bytecode + arguments)
    token = receipt.contract_address
    assert token is not None
    await alpha.deployer.send(token, APPROVE.encode(transfers[0], 1_000))
    late_s = (await alpha.chain.head()).time_ns // 10**9 + 600
    receiver = alpha.deployer.signer.address.lower()
    sequence = await alpha.chain.next_sequence_send(alpha.client)
    data = SEND_TOKENS.encode(alpha.client, beta.hub_client, token, 1_000, receiver, late_s)
    receipt = await alpha.deployer.send(transfers[0], data)
    await alpha.chain.wait_for_height(receipt.height)
    event = await alpha.chain.sent_packet(alpha.client, sequence)
    assert event is not None
    second, first = lane.second_leg(), lane.first_leg()
    leg_2 = await onward(lane, event)
    await receive(second, leg_2)
    await acknowledge(second, await written(second.b, leg_2.packet.sequence))
    settled = await written(first.b, event.packet.sequence)
    assert settled.acknowledgement == Acknowledgement((SUCCESS_ACKNOWLEDGEMENT,))
    await acknowledge(first, settled)


async def record_direct(folder: Path, home: Path) -> None:
    """Two chains that attestors speak for, with clients of each other: no hub."""
    async with AsyncExitStack() as stack:
        nodes = []
        for name, chain_id in (("alpha", 2001), ("beta", 2002)):
            funds = {address_bytes(signer): 10**24 for signer in (DEPLOYER, RELAYER)}
            devnet = await stack.enter_async_context(running_devnet(Genesis(chain_id, funds_wei=funds), Pace(150, 40)))
            nodes.append(Node(name, chain_id, devnet.url, devnet.websocket_url))
        pair = await stack.enter_async_context(attested_pair(home, *nodes))
        link = pair.link(quick_pause)
        for end, other in ((pair.a, pair.b), (pair.b, pair.a)):
            follower = await other.chain.client(other.client)
            checkpoint = await read_checkpoint(end.chain, [end.client], [follower], None)
            path = folder / f"before-{checkpoint.chain_id}.checkpoint.json"
            path.write_bytes(encode_checkpoint(checkpoint))
        event = await send_one(link)
        await receive(link, event)
        await acknowledge(link, await written(link.b, event.packet.sequence))
        await link.a.adapter.wait_for_height((await link.a.adapter.head()).height + 2)
        ends = [PathEnd(chain=node.name, client=end.client) for node, end in zip(nodes, (pair.a, pair.b), strict=True)]
        adapters = {node.name: end.chain for node, end in zip(nodes, (pair.a, pair.b), strict=True)}
        exporter = Exporter(adapters, Paths.of([PathConfig(a=ends[0], b=ends[1])]), Archive(home / "empty"))
        bundle = await exporter.export(ends[0], event.packet.sequence)
        (folder / "direct-attested.bundle.json").write_bytes(encode_bundle(bundle))


async def record(folder: Path, lane: Lane) -> None:
    before = await take_checkpoints(lane)
    await relay_all(lane)
    for _ in range(2):
        await lane.hub.wait_for_height((await lane.hub.head()).height + 1)
    after = await take_checkpoints(lane)
    await relay_tokens(lane)
    adapters = {"hub": lane.hub, "alpha": lane.alpha.chain, "beta": lane.beta.chain}
    with tempfile.TemporaryDirectory() as empty:
        archive = Archive(Path(empty))
        forward = Exporter(adapters, paths_of(lane), archive)
        backward = Exporter(adapters, paths_of(lane), archive, after)
        source = PathEnd(chain="alpha", client=lane.alpha.client)
        for sequence, name in NAMES.items():
            (folder / f"{name}.bundle.json").write_bytes(encode_bundle(await forward.export(source, sequence)))
        bundle = await backward.export(source, LEG_2_LATE)
        (folder / "timeout-leg-2-backward.bundle.json").write_bytes(encode_bundle(bundle))
    for word, checkpoints in (("before", before), ("after", after)):
        for checkpoint in checkpoints:
            path = folder / f"{word}-{checkpoint.chain_id}.checkpoint.json"
            path.write_bytes(encode_checkpoint(checkpoint))


def main() -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory() as home:
            async with running_lane(Path(home) / "hub") as lane:
                await record(FOLDER, lane)
            await record_direct(FOLDER, Path(home))

    FOLDER.mkdir(exist_ok=True)
    trio.run(run)
    for path in sorted(FOLDER.iterdir()):
        print(f"{path.stat().st_size:8} {path.name}")


if __name__ == "__main__":
    main()
