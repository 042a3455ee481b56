"""Records with one proof from a node's answers: what holds under the header is taken, anything else is the node's fault."""

import pytest

from hutong.adapters.hub.proven_records import proven_records, with_epochs
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import Fields
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.records import epoch_key
from hutong.relay.evm.rpc.json_params import Params
from hutong.relay.hub.rpc.hutong_methods import HutongMethods
from hutong.relay.hub.state.multiproof import prove_many
from tests.relay.hub.application.observations.observed_chains import ObservedBft, key_of, observing_hub


class AskedHub:
    """What the adapter asks through, with the hub's own methods at the other end; `bend` changes an answer."""

    def __init__(self, hub, bend=lambda answer: answer) -> None:
        self.client = self
        self._bend = bend
        self._methods = HutongMethods(hub.application).methods()

    async def call(self, method: str, params: list, decode):
        return decode(Fields(method, self._bend(await self._methods[method](Params(params)))))


@pytest.fixture(scope="module")
def observed():
    chain = ObservedBft(observing_hub())
    assert chain.observe(chain.put(), (chain.place, chain.absent)).ok
    chain.hub.advance()
    chain.keys = with_epochs(
        [key_of(chain.client, chain.place), key_of(chain.client, chain.absent), b"identity/nobody"]
    )
    return chain


def header(chain):
    """The newest header's height, and the root in it."""
    block = chain.hub.ledger.records.block(chain.hub.height).block
    return block.header.height, block.header.app_hash


def test_epochs_are_asked_for_once(observed):
    assert observed.keys[3:] == (epoch_key(observed.client),)
    assert with_epochs([b"identity/nobody"]) == (b"identity/nobody",)
    with pytest.raises(MalformedInput):
        with_epochs([b"observation/slot/short"])


async def test_a_nodes_proofs_become_the_trees_own(observed):
    height, root = header(observed)
    state = observed.hub.application.state
    assert await proven_records(AskedHub(observed.hub), observed.keys, height, root) == prove_many(
        state.tree, root, observed.keys
    )


async def test_attack_G1_a_nodes_lies_about_records_are_refused(observed):
    height, root = header(observed)
    state = observed.hub.application.state
    other = "0x" + state.get_with_proof(height - 1, observed.keys[0])[1].hex()
    older = AskedHub(observed.hub)
    lies = {
        "another key's proof": lambda answer: answer | {"proof": other},
        "no proof": lambda answer: answer | {"proof": "0x"},
        "cut": lambda answer: answer | {"proof": answer["proof"][:-2]},
        "no answer": lambda answer: {},
    }
    for bend in lies.values():
        with pytest.raises(BadAnswer):
            await proven_records(AskedHub(observed.hub, bend), observed.keys, height, root)
    with pytest.raises(BadAnswer, match="does not hold"):
        await proven_records(older, observed.keys, height, bytes(32))
    with pytest.raises(MalformedInput):
        await proven_records(older, (), height, root)
    assert await proven_records(older, observed.keys, height, root)
