"""A running hub that has observed three places of an attested chain, and the API over it."""

import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from queue import SimpleQueue

import trio

from hutong.adapters.hub import admin
from hutong.adapters.ics26.transactor import Transactor
from hutong.light_clients.records import AccountField, FieldPlace, ObservationKey, SlotPlace
from hutong.relay.hub.application.genesis_tables import OBSERVATIONS
from hutong.relay.hub.application.module import OBSERVATIONS_ADDRESS
from hutong.relay.hub.application.observations import interface
from hutong.relay.hub.application.observations.writers import ObservationRules
from tests.adapters.conformance.lane import ADMIN, CHAIN_ID, HUB_EVM_CHAIN_ID, RELAYER, new_hub, running_hub
from tests.light_clients.attestation.attested_chain import AttestedChain
from tests.light_clients.bft_evm.simulated_chain import ROUTER, State
from tests.light_clients.records.observed_state import ABSENT_SLOT, SLOT, WORD, attested_root, nodes_for
from tests.relay.api.api_world import api_under_trio, config_of, simulated_adapters
from tests.relay.audit.records.hub_checkpoint import checkpoint_of_hub

PLACES = (SlotPlace(ROUTER, SLOT), SlotPlace(ROUTER, ABSENT_SLOT), FieldPlace(ROUTER, AccountField.NONCE))
CLIENT = "attestation-0"


async def observe(hub) -> None:
    """Three places of an attested chain, by an account that nobody named: the hub is open to all."""
    chain = AttestedChain(genesis_s=int(time.time()) - 30)
    height = chain.advance(2)
    administrator = Transactor(hub.execution, HUB_EVM_CHAIN_ID, ADMIN)
    action = admin.create_client(1, "attestation", chain.client_state(height), chain.consensus_state(height))
    assert admin.created_client(await admin.approve_and_execute([administrator], CHAIN_ID, action)) == CLIENT
    state = State({SLOT: WORD})
    ordered = sorted(PLACES, key=lambda place: ObservationKey.of(CLIENT, place).to_bytes())
    items = [(int(place.kind), place.name, b"") for place in ordered]
    shown = attested_root(chain, height, state.account_trie.root_hash)
    call = interface.OBSERVE.call(CLIENT, (0, height), shown, list(nodes_for(state, PLACES)), items)
    receipt = await Transactor(hub.execution, HUB_EVM_CHAIN_ID, RELAYER).send(OBSERVATIONS_ADDRESS, call)
    await hub.wait_for_height(receipt.height + 2)


def open_hub():
    return replace(new_hub(), tables=((OBSERVATIONS, ObservationRules(True)),))


@contextmanager
def observed_api(home):
    """(URL, checkpoint of the hub) of the API in a thread of its own, for browsers."""
    started: SimpleQueue = SimpleQueue()

    async def run() -> None:
        try:
            async with running_hub(home / "hub", open_hub()) as hub:
                await observe(hub)
                checkpoint = await checkpoint_of_hub(hub)
                async with api_under_trio(config_of(home), simulated_adapters() | {"hub": hub}) as (url, _):
                    with trio.CancelScope() as scope:
                        started.put((url, checkpoint, scope, trio.lowlevel.current_trio_token()))
                        await trio.sleep_forever()
        except BaseException as error:
            started.put(error)
            raise

    thread = threading.Thread(target=trio.run, args=(run,), daemon=True)
    thread.start()
    first = started.get(timeout=120)
    if isinstance(first, BaseException):
        raise first
    url, checkpoint, scope, token = first
    try:
        yield url, checkpoint
    finally:
        token.run_sync_soon(scope.cancel)
        thread.join(60)
