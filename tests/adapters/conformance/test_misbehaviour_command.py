"""`hutong client misbehaviour` against running chains: evidence is judged first, and freezes what it proves."""

import time
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial

import pytest
import trio

from hutong.adapters.hub import admin
from hutong.adapters.ics26.transactor import Transactor
from hutong.light_clients.interface import ClientStatus, Height
from hutong.light_clients.tendermint.codec import decode_tendermint_header
from hutong.light_clients.tendermint.types import KeyType
from hutong.relay.hub.home.home import load_validator_key
from tests.adapters.conformance.evidence_files import private, submit_evidence, url_of, write_answers, write_keystore
from tests.adapters.conformance.lane import ADMIN, CHAIN_ID, HUB_EVM_CHAIN_ID, join, running_hub
from tests.light_clients.bft_evm import simulated_chain as qbft
from tests.light_clients.tendermint.double_signing import twin
from tests.light_clients.tendermint.simulated_chain import Signer

CONFIG = """
[relay]
home = "state"

[[chains]]
name = "hub"
kind = "hub"
chain_id = "{chain_id}"
rpc = ["{hub}"]
consensus_rpc = ["{comet}"]
key = {{ keystore = "relayer.json", password_file = "password" }}
"""
ALPHA = """
[[chains]]
name = "alpha"
kind = "evm"
chain_id = 1001
consensus = "qbft"
rpc = ["{alpha}"]
router = "{router}"
key = {{ keystore = "relayer.json", password_file = "password" }}

[[paths]]
a = {{ chain = "alpha", client = "{client}" }}
b = {{ chain = "hub", client = "{hub_client}" }}
"""
UNREACHABLE = CONFIG.format(chain_id=CHAIN_ID, hub="http://127.0.0.1:1", comet="http://127.0.0.1:1")
LIMIT_S = 600
RELAYER_SECRET = bytes(31) + b"\x71"


def write_config(folder, hub, alpha=None) -> None:
    write_keystore(folder, RELAYER_SECRET)
    text = CONFIG.format(chain_id=CHAIN_ID, hub=url_of(hub.execution.client), comet=url_of(hub.comet.client))
    if alpha is not None:
        url = url_of(alpha.chain.execution.client)
        text += ALPHA.format(alpha=url, router=alpha.contracts.router, client=alpha.client, hub_client=alpha.hub_client)
    private(folder / "relay.toml", text)


@pytest.mark.long
async def test_attack_C17_two_answers_of_hub_nodes_freeze_a_router_s_client(tmp_path):
    with trio.fail_after(LIMIT_S):
        async with AsyncExitStack() as stack:
            hub = await stack.enter_async_context(running_hub(tmp_path / "hub"))
            alpha = await join(stack, hub, "alpha", 1001)
            write_config(tmp_path, hub, alpha)
            info = await alpha.chain.client(alpha.client)
            target = Height(1, info.latest_height.revision_height + 3)
            await hub.wait_for_height(target.revision_height)
            header = (await hub.client_messages(info.client_type, info.client_state, info.latest_height, target))[0]
            real = decode_tendermint_header(header)
            key = Signer(KeyType.SECP256K1, load_validator_key(tmp_path / "hub").private_key)
            honest = write_answers(tmp_path / "honest.json", real)
            forked = write_answers(tmp_path / "forked.json", twin(real, [key]))
            submitted = partial(trio.to_thread.run_sync, submit_evidence, tmp_path, "alpha", alpha.client)

            code, said = await submitted(honest, honest)
            assert (code, "both headers are the same block" in said) == (1, True)
            assert (await alpha.chain.client(alpha.client)).status is ClientStatus.ACTIVE
            code, said = await submitted(forked, honest)
            assert (code, said) == (0, f"alpha {alpha.client} is Frozen: two blocks at height {target}")
            assert (await alpha.chain.client(alpha.client)).status is ClientStatus.FROZEN
            code, said = await submitted(forked, honest)
            assert (code, "frozen" in said.lower()) == (1, True)


@pytest.mark.long
async def test_encoded_evidence_freezes_a_client_of_another_type(tmp_path):
    with trio.fail_after(LIMIT_S):
        async with running_hub(tmp_path / "hub") as hub:
            write_config(tmp_path, hub)
            chain = qbft.SimulatedChain(period_s=int(time.time()) - qbft.GENESIS_TIME_S - 5)
            chain.advance(3)
            administrator = Transactor(hub.execution, HUB_EVM_CHAIN_ID, ADMIN)
            action = admin.create_client(1, "bft-evm", chain.client_state(1), chain.consensus_state(1))
            client = admin.created_client(await admin.approve_and_execute([administrator], CHAIN_ID, action))
            fork_state = qbft.State({qbft.slot_of(b"key"): bytes(31) + b"\x01"})
            own, fork = chain.update(3, 1), chain.update(3, 1, chain.propose(3, fork_state), fork_state)
            evidence = tmp_path / "evidence"
            submitted = partial(trio.to_thread.run_sync, submit_evidence, tmp_path, "hub", client)
            evidence.write_bytes(chain.misbehaviour(own, own))
            code, said = await submitted(evidence)
            assert (code, "headers_conflict" in said) == (1, True)
            assert (await hub.client(client)).status is ClientStatus.ACTIVE
            evidence.write_text(chain.misbehaviour(own, replace(fork, account_proof=())).hex())
            code, said = await submitted(evidence)
            assert (code, said) == (0, f"hub {client} is Frozen: two blocks are sealed at height 3")
            assert (await hub.client(client)).status is ClientStatus.FROZEN


def test_files_that_are_no_evidence_are_told_apart_before_any_key_is_opened(tmp_path):
    private(tmp_path / "relay.toml", UNREACHABLE)
    header, text, binary = tmp_path / "header.json", tmp_path / "text", tmp_path / "binary"
    header.write_text('{"result": {"signed_header": {"header": {}, "commit": {}}}}')
    text.write_text("{")
    binary.write_bytes(b"\x0a\x00")
    for files, reason in (
        ((header,), "is JSON: give --evidence twice"),
        ((header, header, header), "is given once or twice, not 3 times"),
        ((text, header), "is not JSON"),
        ((header, header), "header.version"),
        ((binary, header), "is not JSON"),
        ((tmp_path / "none",), "cannot be read"),
    ):
        code, said = submit_evidence(tmp_path, "hub", "07-tendermint-0", *files)
        assert (code, reason in said) == (2, True), said
    code, said = submit_evidence(tmp_path, "nowhere", "07-tendermint-0", binary)
    assert (code, "no chain is called nowhere" in said) == (2, True)
