"""Places of a running chain, read and shown as the hub's client judges them: each kind of consensus that seals blocks."""

from contextlib import asynccontextmanager
from random import Random

import pytest
import trio

from hutong.adapters.evm import open_evm_chain
from hutong.adapters.evm.administration import deploy as deployment
from hutong.adapters.evm.proofs import previous_sequence_slot
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import HeightUnavailable, NotSupported
from hutong.light_clients.interface import VERIFY, Height, PredicateFailed
from hutong.light_clients.records import AccountField, FieldPlace, SlotPlace, StorePlace, judge_evm_places
from hutong.light_clients.table import light_client
from hutong.relay.core.route.local_verification import verify_update
from hutong.relay.devnet import Genesis, Pace, running_devnet
from tests.adapters.conformance.lane import DEPLOYER, PARAMETERS, address_bytes, evm_settings

LIMIT_S = 600
NOBODY = b"\x5a" * 20


@asynccontextmanager
async def running_chain(consensus):
    genesis = Genesis(1001, funds_wei={address_bytes(DEPLOYER): 10**24}, consensus=consensus)
    async with running_devnet(genesis, Pace(500, 100)) as devnet:
        async with open_evm_chain(evm_settings("alpha", 1001, devnet, "0x" + "11" * 20), Random(2)) as bare:
            transactor = Transactor(bare.execution, 1001, DEPLOYER)
            contracts = await deployment.deploy(transactor, forward_margin_s=5, open_relaying=True)
        settings = evm_settings("alpha", 1001, devnet, contracts.router, contracts.height)
        async with open_evm_chain(settings, Random(2)) as chain:
            await chain.wait_for_height(contracts.height)
            yield chain, bytes.fromhex(contracts.router[2:])


@pytest.mark.long
@pytest.mark.parametrize("consensus", ["qbft", "ibft2", "clique"])
async def test_attack_J4_places_are_read_shown_and_judged(consensus):
    client_type = "clique" if consensus == "clique" else "bft-evm"
    judge = light_client(client_type)
    with trio.fail_after(LIMIT_S):
        async with running_chain(consensus) as (chain, router):
            places = (
                FieldPlace(address_bytes(DEPLOYER), AccountField.NONCE),
                FieldPlace(NOBODY, AccountField.BALANCE),
                SlotPlace(router, previous_sequence_slot("client-0")),
                FieldPlace(router, AccountField.CODE_HASH),
            )
            states = await chain.initial_states(client_type, PARAMETERS)
            head = await chain.wait_for_height(states.height.revision_height + 2)
            height = Height(0, head.height)
            read = await chain.read_places(places, height)
            nonce, nothing, unset, code_hash = read.values
            assert int.from_bytes(nonce, "big") > 0 and (nothing, unset) == (None, None) and len(code_hash) == 32
            headers = await chain.client_messages(client_type, states.client_state, states.height, height)
            now_ns = head.time_ns
            client = verify_update(
                judge, states.client_state, states.height, states.consensus_state, headers, height, now_ns
            )
            shown = await chain.show_state_root(client_type, states.client_state, states.height, height)
            root = judge.judge_state_root(VERIFY, client.client_state, client.states, height, shown, now_ns)
            assert judge_evm_places(VERIFY, root.state_root, read.nodes, places) == read.values
            with pytest.raises(PredicateFailed, match="account_has_code"):
                await chain.read_places((SlotPlace(NOBODY, bytes(32)),), height)
            with pytest.raises(NotSupported):
                await chain.read_places((StorePlace(b"bank", b"key"),), height)
            if client_type == "bft-evm":
                with pytest.raises(HeightUnavailable):
                    await chain.show_state_root(client_type, states.client_state, None, height)
