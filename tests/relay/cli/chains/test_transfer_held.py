"""Receives that wait: `hutong transfer held`, `release` and `claim`, and what `why` and `show` say of their packets."""

import json
import time
from dataclasses import replace
from functools import partial

import pytest
import trio
from eth_utils.address import to_checksum_address
from typer.testing import CliRunner

from hutong.adapters.evm.administration import transfer
from hutong.adapters.interface import PacketEventKind, RecvPacket, UpdateClient
from hutong.light_clients.ibc.abi import ABI_ENCODING
from hutong.light_clients.ibc.commitment import packet_commitment
from hutong.light_clients.ibc.packet import Packet, Payload
from hutong.light_clients.ibc.transfer import TRANSFER_PORT, TRANSFER_VERSION, TransferData, encode_transfer
from hutong.light_clients.interface import Height
from hutong.light_clients.tendermint.codec import encode_tendermint_header
from hutong.relay.cli.main import app
from hutong.relay.keys import create_keystore
from hutong.relay.ledger import Ledger, Note, Step, refusal_reason
from tests.adapters.conformance.suite import submit_alone
from tests.adapters.evm.test_evm_devnet import CHAIN_ID, KEY, commitment_key, evm_setting
from tests.adapters.evm.test_evm_transfer import CONFIG, address_of
from tests.relay.api.api_world import acknowledged, facts, received, sent

OWNER = "0x" + "22" * 20
DENOM = "transfer/bft-evm-1/0x" + "33" * 20
HUB_CLIENT = "bft-evm-0"


class World:
    """A dev chain, a simulated hub that sends tokens to it, and a ledger in which every packet is acknowledged."""

    def __init__(self, setting, home):
        self.setting, self.home, self.client = setting, home, setting.client
        self.transfer = to_checksum_address(address_of(setting.contracts.transfer))
        create_keystore(home / "key.json", KEY, b"correct horse", iterations=2)
        text = CONFIG.format(chain_id=CHAIN_ID, rpc=setting.devnet.url, router=setting.contracts.router)
        config = home / "relay.toml"
        config.write_text(text if "[relay]" in text else f'[relay]\nhome = "state"\n{text}')
        config.chmod(0o600)
        self.config = ("--config", str(config))
        self.signing = ("--keystore", str(home / "key.json"), "--password-env", "PASSWORD")

    async def run(self, *words):
        done = await trio.to_thread.run_sync(partial(CliRunner().invoke, app, [*words, *self.config]))
        return done.exit_code, done.stdout.strip() or done.stderr.strip()

    async def transfers(self, *words):
        return await self.run("transfer", *words, "--chain", "alpha", "--transfer", self.transfer)

    async def limit(self, limit):
        """Set what may arrive of the token; returns its voucher."""
        contract = address_of(self.transfer)
        voucher = await transfer.voucher_of(self.setting.chain.execution, contract, f"transfer/{self.client}/{DENOM}")
        await transfer.set_client_limit(self.setting.transactor, contract, self.client, voucher, limit)
        return to_checksum_address(voucher)

    async def receive(self, sequence, amount, delay_s):
        """Tokens arrive where a receive of more than 5 waits `delay_s`."""
        voucher = await self.limit(transfer.Limit(delay_above=5, window_s=3600, delay_s=delay_s))
        assert not (await self._deliver(sequence, amount)).acknowledgement.is_error
        await self._note(sequence, amount)
        return voucher

    async def refuse(self, sequence, amount, cap):
        """Tokens do not arrive, since no more than `cap` may in an hour."""
        setting = self.setting
        await self.limit(transfer.Limit(receive_cap=cap, window_s=3600))
        assert (await self._deliver(sequence, amount)).acknowledgement.is_error
        head = (await setting.chain.head()).height
        (event,) = (
            event
            for event in await setting.chain.packet_events(max(1, head - 20), head)
            if event.kind is PacketEventKind.WRITE_ACKNOWLEDGEMENT and event.packet.sequence == sequence
        )
        await self._note(sequence, amount, event)

    async def _deliver(self, sequence, amount):
        setting = self.setting
        data = encode_transfer(TransferData(DENOM, "0x" + "44" * 20, OWNER, amount), ABI_ENCODING)
        payload = Payload(TRANSFER_PORT, TRANSFER_PORT, TRANSFER_VERSION, ABI_ENCODING, data)
        packet = Packet(sequence, HUB_CLIENT, self.client, int(time.time()) + 600, (payload,))
        setting.hub.put(commitment_key(packet), packet_commitment(packet))
        trusted = (await setting.chain.client(self.client)).latest_height.revision_height
        setting.hub.advance(2)
        setting.sync_hub()
        at = setting.hub_height()
        header = encode_tendermint_header(setting.hub.update(at, trusted))
        proof, _, _ = setting.hub.prove(commitment_key(packet), at)
        messages = [UpdateClient(self.client, header), RecvPacket(packet, proof, Height(1, at))]
        await submit_alone(setting.chain, setting.transactor.signer, messages)
        return await setting.chain.written_acknowledgement(self.client, sequence)

    async def _note(self, sequence, amount, refused=None):
        one = facts(
            sequence, packet_id=f"hub/{HUB_CLIENT}/{sequence}", source_chain="hub", source_client=HUB_CLIENT,
            destination_chain="alpha", destination_client=self.client, source_port="transfer",
            destination_port="transfer", app="transfer", denom=DENOM, amount=amount,
            refused=refused is not None,
        )  # fmt: skip
        at_ns = time.time_ns()
        (self.home / "state").mkdir(mode=0o700, exist_ok=True)
        ledger = Ledger.open_file(self.home / "state" / "ledger.sqlite")
        try:
            ledger.note([sent(one, at_ns), received(one, at_ns)])
            if refused is not None:
                reason, when_ns = refusal_reason(refused.refusal), refused.block_time_ns
                seen = Note(one.packet_id, "acknowledge", Step.SEEN, "alpha", at_ns, facts=one, reason=reason)
                ledger.note([replace(seen, height=refused.height, block_time_ns=when_ns)])
            ledger.note([acknowledged(one, at_ns)])
            await ledger.flush()
        finally:
            ledger.close()


@pytest.mark.long
async def test_trial_O1_tokens_that_a_delay_holds_are_told_of_everywhere(tmp_path, monkeypatch):
    monkeypatch.setenv("PASSWORD", "correct horse")
    async with evm_setting() as setting:
        world = World(setting, tmp_path)
        packet = ("--client", world.client, "--sequence")
        assert await world.transfers("held") == (0, "nothing is held")
        token = await world.receive(1, 7, 600)
        code, listed = await world.transfers("held")
        line = f"receive {world.client}/1: 7 of {token} for {OWNER}, to release from "
        assert code == 0 and listed.startswith(line), listed
        (one,) = json.loads((await world.transfers("held", "--json"))[1])
        assert (one["kind"], one["sequence"], one["amount"]) == ("receive", 1, "7")

        release = f"hutong transfer release --config relay.toml --keystore KEY.json --chain alpha --transfer {world.transfer} --client {world.client} --sequence"
        why = json.loads((await world.run("why", f"hub/{HUB_CLIENT}/1", "--json"))[1])
        assert why["settled"] and f"7 of {token} for {OWNER} is held on alpha until 20" in why["waits_for"], why
        assert why["do"] == f"release it then with: {release} 1"
        (shown,) = json.loads((await world.run("show", f"hub/{HUB_CLIENT}/1", "--json"))[1])["packets"]
        assert (shown["waits_for"], shown["do"]) == (why["waits_for"], why["do"])

        claim = ("claim", *packet, "1", "--to", OWNER, *world.signing)
        name = f"packet {world.client}/1"
        assert await world.transfers(*claim) == (1, f"no refund is held of {name}, but a receive is: give --receive")
        code, said = await world.transfers(*claim, "--receive")
        assert code == 1 and " s more" in said, said
        assert await world.transfers("release", *packet, "1", "--refund", *world.signing) == (
            1,
            f"no refund is held of {name}, but a receive is: leave out --refund",
        )

        await world.receive(2, 6, 1)
        await world.receive(3, 5, 1)
        await trio.sleep(2)
        await setting.chain.wait_for_height((await setting.chain.head()).height + 2)
        why = json.loads((await world.run("why", f"hub/{HUB_CLIENT}/2", "--json"))[1])
        assert "is held on alpha, and may be paid since 20" in why["waits_for"], why
        assert why["do"] == f"release it with: {release} 2"
        code, said = await world.transfers("release", *packet, "2", *world.signing)
        assert (code, said) == (0, f"6 of {token} paid to {OWNER}"), said
        for paid in (2, 3):
            why = json.loads((await world.run("why", f"hub/{HUB_CLIENT}/{paid}", "--json"))[1])
            assert "held" not in why["waits_for"] and why["do"] == "nothing to do", why
        assert [one["sequence"] for one in json.loads((await world.transfers("held", "--json"))[1])] == [1]

    code, said = await world.run("why", f"hub/{HUB_CLIENT}/1")
    assert code == 0 and "it is settled" in said, "the ledger's answer stands where the chain does not answer"


@pytest.mark.long
async def test_when_a_window_ends_is_told_of_a_receive_that_met_its_cap(tmp_path, monkeypatch):
    monkeypatch.setenv("PASSWORD", "correct horse")
    async with evm_setting() as setting:
        world = World(setting, tmp_path)
        await world.refuse(3, 6, cap=5)
        why = json.loads((await world.run("why", f"hub/{HUB_CLIENT}/3", "--json"))[1])
        assert "room 5, amount 6" in why["waits_for"], why
        assert why["waits_for"].endswith("a window of that limit lets 5 arrive at most on alpha")
        assert (why["settled"], why["do"]) == (True, "send less at once")
        await world.limit(transfer.Limit(receive_cap=10, window_s=3600))
        for command in ("why", "show"):
            told = json.loads((await world.run(command, f"hub/{HUB_CLIENT}/3", "--json"))[1])
            told = told["packets"][0] if command == "show" else told
            assert "the window of that limit on alpha ends at 20" in told["waits_for"], told
            assert told["do"] == "send it again after that"
        await world.limit(transfer.Limit(receive_cap=10, window_s=1))
        await setting.chain.wait_for_height((await setting.chain.head()).height + 3)
        why = json.loads((await world.run("why", f"hub/{HUB_CLIENT}/3", "--json"))[1])
        assert "the window of that limit on alpha ended at 20" in why["waits_for"] and why["do"] == "send it again"
        await world.limit(transfer.Limit())
        why = json.loads((await world.run("why", f"hub/{HUB_CLIENT}/3", "--json"))[1])
        assert "window" not in why["waits_for"] and why["do"] == "nothing to do"
