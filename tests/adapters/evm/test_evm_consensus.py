"""The evm adapter in front of IBFT 2.0, Istanbul, contract-selecting and Clique nodes: what it makes, the light clients take."""

from contextlib import asynccontextmanager
from random import Random

import pytest

from hutong.adapters.evm import EvmSettings, open_evm_chain
from hutong.adapters.evm.bft.consensus import BftConsensus
from hutong.adapters.evm.bft.validators import most_validators
from hutong.adapters.evm.clique.consensus import BLOCKS_PER_UPDATE, CliqueConsensus
from hutong.adapters.evm.consensus import RouterOnChain
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.ics26.execution import ExecutionRpc, hex_data
from hutong.adapters.ics26.reverts import RevertReader
from hutong.adapters.interface import (
    BadAnswer,
    ClientParameters,
    EndpointUnavailable,
    HeightUnavailable,
    NotSupported,
)
from hutong.adapters.rpc import RpcOptions, open_rpc_client
from hutong.light_clients.bft_evm import BftEvmClient, Consensus, QuorumRule, SealRules, block_hash
from hutong.light_clients.bft_evm.predicates import quorum_size
from hutong.light_clients.clique import CliqueClient, decode_client_state, decode_consensus_state
from hutong.light_clients.evm_header import header_to_rpc
from hutong.light_clients.interface import Height, MemoryConsensusStates, Updated
from tests.adapters.rpc.hostile_server import error, hostile_server, result
from tests.light_clients.bft_evm.simulated_chain import CONTRACT, ROUTER, SimulatedChain, proof_nodes
from tests.light_clients.clique.simulated_clique_chain import (
    CHAIN_ID,
    EPOCH,
    PERIOD_S,
    Branch,
    SimulatedCliqueChain,
)

QUICK = RpcOptions(attempt_timeout_s=2, rounds=2, backoff_first_s=0.01, backoff_most_s=0.02)
PARAMETERS = ClientParameters(1_000, 15, 0)
KEY = b"client-0\x01" + (7).to_bytes(8, "big")
OTHER_KEY = b"client-0\x01" + (8).to_bytes(8, "big")
VALUE = b"\x5a" * 32
RULES = {
    "ibft2": SealRules(Consensus.IBFT2),
    "istanbul": SealRules(Consensus.ISTANBUL, QuorumRule.TWO_F_PLUS_ONE),
    "contract": SealRules(validator_contract=CONTRACT),
}
each_rule = pytest.mark.parametrize("rules", RULES.values(), ids=RULES)


@pytest.mark.parametrize(
    ("consensus", "said"),
    [
        ("clique", "not supported: consensus clique without confirmations"),
        ("attested", "not supported: consensus attested without attestors"),
        ("nakamoto", "not supported: consensus nakamoto"),
    ],
)
async def test_a_consensus_that_lacks_something_says_what(consensus, said):
    settings = EvmSettings(1, ("http://127.0.0.1:9",), RouterSettings("alpha", "0x" + "11" * 20), consensus=consensus)
    with pytest.raises(NotSupported) as caught:
        async with open_evm_chain(settings, Random(1)):
            pass
    assert str(caught.value).startswith(said)


def account_answer(state, address: bytes, slots: list[str]) -> dict:
    trie = state.contract_trie if address == CONTRACT.address else state.storage_trie
    return {
        "address": hex_data(address),
        "accountProof": [hex_data(node) for node in proof_nodes(state.account_trie, address)],
        "storageHash": hex_data(trie.root_hash),
        "storageProof": [
            {
                "key": slot,
                "value": "0x0",
                "proof": [hex_data(node) for node in proof_nodes(trie, bytes.fromhex(slot[2:]))],
            }
            for slot in slots
        ],
    }


def bft_answers(chain: SimulatedChain) -> dict:
    def block(params):
        sealed = chain.headers[chain.height if params[0] == "latest" else int(params[0], 16)]
        return {**header_to_rpc(sealed[0]), "hash": hex_data(block_hash(*sealed)), "transactions": []}

    def proof(params):
        return account_answer(chain.states[int(params[2], 16)], bytes.fromhex(params[0][2:]), params[1])

    return {"eth_getBlockByNumber": block, "eth_getProof": proof}


def clique_answers(branch: Branch) -> dict:
    def block(params):
        number = int(params[0], 16)
        if number > branch.height:
            return None
        sealed = branch.at(number).block if number else branch.genesis_block
        return {**header_to_rpc(sealed.execution), "hash": hex_data(sealed.hash), "transactions": []}

    def signers(params):
        number = branch.height if params[0] == "latest" else int(params[0], 16)
        return [hex_data(signer) for signer in branch.at(max(1, number)).snapshot.signers]

    return {
        "eth_blockNumber": lambda params: hex(branch.height),
        "eth_getBlockByNumber": block,
        "eth_getProof": lambda params: account_answer(
            branch.at(int(params[2], 16)).state, bytes.fromhex(params[0][2:]), params[1]
        ),
        "clique_getSigners": signers,
    }


def serve(server, answers: dict) -> None:
    for method, answer in answers.items():
        server.answers[method] = lambda request, answer=answer: result(request, answer(request["params"]))


@asynccontextmanager
async def execution(*all_answers: dict):
    """An ExecutionRpc in front of one node for each set of answers."""
    if not all_answers:
        raise ValueError("no node")
    async with hostile_server() as server:
        serve(server, all_answers[0])
        async with open_rpc_client("alpha", [server.url], Random(1), QUICK) as client:
            yield ExecutionRpc(client, RevertReader())


class Followed:
    """A light client that takes what the adapter makes."""

    def __init__(self, light_client, states, now_ns: int) -> None:
        self.light_client = light_client
        self.now_ns = now_ns
        light_client.create(states.client_state, states.consensus_state, now_ns)
        self.latest = states.height
        self.state = states.client_state
        self.states = MemoryConsensusStates({states.height: states.consensus_state})

    def take(self, messages) -> None:
        for message in messages:
            verdict = self.light_client.verify_header(self.state, self.states, message, self.now_ns)
            assert isinstance(verdict, Updated), verdict
            self.state, self.latest = verdict.client_state, verdict.height
            self.states = self.states.with_state(verdict.height, verdict.consensus_state)

    def check(self, proof) -> None:
        state = self.states.get(proof.height)
        if proof.value is None:
            self.light_client.verify_non_membership(self.state, state, proof.proof, proof.path)
        else:
            self.light_client.verify_membership(self.state, state, proof.proof, proof.path, proof.value)


# sealed by validators


@each_rule
async def test_client_is_made_updated_and_proven_to(rules):
    chain = SimulatedChain(5, rules=rules)
    chain.advance(3)
    async with execution(bft_answers(chain)) as rpc:
        consensus = BftConsensus(RouterOnChain("alpha", 1337, ROUTER, rpc), rules)
        client = Followed(BftEvmClient(), await consensus.initial_states("bft-evm", PARAMETERS), chain.now_ns)
        chain.commit(KEY, VALUE)
        chain.advance(2)
        client.now_ns = chain.now_ns
        head = await consensus.head()
        assert (head.height, head.hash) == (6, block_hash(*chain.headers[6]))
        target = Height(0, 6)
        client.take(await consensus.client_messages("bft-evm", client.state, client.latest, target))
        present, absent = await consensus.prove_all([(KEY,), (OTHER_KEY,)], target, b"")
        assert (present.value, absent.value) == (VALUE, None)
        client.check(present)
        client.check(absent)
        assert await consensus.bare_header(5)


@each_rule
async def test_steps_are_halved_where_validators_change(rules):
    chain = SimulatedChain(4, rules=rules)
    chain.advance()
    async with execution(bft_answers(chain)) as rpc:
        consensus = BftConsensus(RouterOnChain("alpha", 1337, ROUTER, rpc), rules)
        client = Followed(BftEvmClient(), await consensus.initial_states("bft-evm", PARAMETERS), chain.now_ns)
        for first in range(1, 9):
            chain.replace_validators(range(first, first + 4))
            chain.advance()
        client.now_ns = chain.now_ns
        messages = await consensus.client_messages("bft-evm", client.state, client.latest, Height(0, chain.height))
        assert len(messages) > 1
        client.take(messages)
        assert client.latest == Height(0, chain.height)


@pytest.mark.parametrize("rule", QuorumRule)
def test_most_validators_of_a_quorum(rule):
    for seals in range(1, 40):
        most = most_validators(seals, rule)
        assert quorum_size(most, rule) <= seals < quorum_size(most + 1, rule)


@pytest.mark.parametrize(("kept", "replaced"), [(3, 0), (3, 1), (7, 1), (3, 2)])
async def test_a_client_of_a_contracts_validators_is_followed_where_nodes_forgot_old_states(kept, replaced):
    """GoQuorum and geth keep 128 states: nobody can say who was selected when the client was last updated."""
    rules = RULES["contract"]
    chain = SimulatedChain(4, rules=rules)
    chain.advance(2)
    answers = bft_answers(chain)
    async with execution(answers) as rpc:
        made = await BftConsensus(RouterOnChain("alpha", 1337, ROUTER, rpc), rules).initial_states(
            "bft-evm", PARAMETERS
        )
    chain.replace_validators(range(replaced, replaced + 4))
    chain.advance(8)

    def proof(request):
        if int(request["params"][2], 16) <= chain.height - kept:
            return error(request, -32000, "missing trie node 42c281 (path )")
        return result(request, answers["eth_getProof"](request["params"]))

    async with hostile_server() as server:
        serve(server, answers)
        server.answers["eth_getProof"] = proof
        async with open_rpc_client("alpha", [server.url], Random(1), QUICK) as client:
            consensus = BftConsensus(RouterOnChain("alpha", 1337, ROUTER, ExecutionRpc(client, RevertReader())), rules)
            followed = Followed(BftEvmClient(), made, chain.now_ns)
            followed.take(
                await consensus.client_messages("bft-evm", made.client_state, made.height, Height(0, chain.height))
            )
            assert followed.latest == Height(0, chain.height)


@each_rule
async def test_clients_of_another_kind_are_not_offered(rules):
    chain = SimulatedChain(rules=rules)
    chain.advance()
    async with execution(bft_answers(chain)) as rpc:
        consensus = BftConsensus(RouterOnChain("alpha", 1337, ROUTER, rpc), rules)
        with pytest.raises(NotSupported):
            await consensus.initial_states("clique", PARAMETERS)
        with pytest.raises(NotSupported):
            await consensus.client_messages("clique", b"", Height(0, 1), Height(0, 2))


@each_rule
async def test_attack_G1_node_of_another_rule_is_noticed(rules):
    chain = SimulatedChain()
    chain.advance(2)
    async with execution(bft_answers(chain)) as rpc:
        with pytest.raises(EndpointUnavailable):
            await BftConsensus(RouterOnChain("alpha", 1337, ROUTER, rpc), RULES["ibft2"]).head()
        if rules.validator_contract is not None:
            consensus = BftConsensus(RouterOnChain("alpha", 1337, ROUTER, rpc), rules)
            with pytest.raises(BadAnswer, match="no contract at the validator contract's address"):
                await consensus.initial_states("bft-evm", PARAMETERS)


@pytest.mark.parametrize("lie", ["account", "length", "elements", "fewer"])
async def test_attack_G1_validator_list_that_is_not_the_contracts(lie):
    rules = RULES["contract"]
    chain, other = SimulatedChain(rules=rules), SimulatedChain(5, rules=rules)
    chain.advance(2)
    other.advance(2)
    honest = bft_answers(chain)

    def proof(params):
        answer = honest["eth_getProof"](params)
        if params[0] != hex_data(CONTRACT.address):
            return answer
        forged = bft_answers(other)["eth_getProof"](params)
        is_length = params[1] == [hex_data(CONTRACT.slot)]
        if lie == "account":
            return answer | {"accountProof": forged["accountProof"]}
        if lie == "length" and is_length:
            return answer | {"storageProof": forged["storageProof"]}
        if lie == "elements" and not is_length:
            return answer | {"storageProof": answer["storageProof"][::-1]}
        if lie == "fewer" and not is_length:
            return answer | {"storageProof": answer["storageProof"][1:]}
        return answer

    async with execution(honest | {"eth_getProof": proof}) as rpc:
        with pytest.raises((EndpointUnavailable, BadAnswer)):
            await BftConsensus(RouterOnChain("alpha", 1337, ROUTER, rpc), rules).initial_states("bft-evm", PARAMETERS)


# Clique


def clique(rpc: ExecutionRpc, confirmations: int = 2, epoch: int = EPOCH) -> CliqueConsensus:
    router = RouterOnChain("alpha", CHAIN_ID, ROUTER, rpc)
    return CliqueConsensus(router, confirmations=confirmations, period_s=PERIOD_S, epoch_length=epoch)


def grown(signers: int = 3, blocks: int = 10, epoch: int = 5) -> SimulatedCliqueChain:
    """Small epochs, so that there is a checkpoint to count from; one vote is open."""
    chain = SimulatedCliqueChain(signers, epoch=epoch)
    chain.main.advance(blocks)
    chain.main.vote(chain.know(50), add=True)
    chain.main.advance(2)
    return chain


async def test_clique_client_is_made_from_the_checkpoint_updated_and_proven_to():
    chain = grown()
    async with execution(clique_answers(chain.main)) as rpc:
        consensus = clique(rpc, epoch=5)
        head = await consensus.head()
        assert head.height == chain.main.height - 2
        states = await consensus.initial_states("clique", PARAMETERS)
        snapshot = decode_consensus_state(states.consensus_state).snapshot
        assert snapshot == chain.main.at(head.height).snapshot
        assert snapshot.votes
        client = Followed(CliqueClient(), states, chain.time_ns(chain.main.height))
        chain.main.commit(KEY, VALUE)
        chain.main.advance(5)
        client.now_ns = chain.time_ns(chain.main.height)
        target = Height(0, (await consensus.head()).height)
        client.take(await consensus.client_messages("clique", client.state, client.latest, target))
        present, absent = await consensus.prove_all([(KEY,), (OTHER_KEY,)], target, b"")
        assert (present.value, absent.value) == (VALUE, None)
        client.check(present)
        client.check(absent)
        assert await consensus.client_messages("clique", client.state, target, target) == ()
        with pytest.raises(HeightUnavailable):
            await consensus.client_messages("clique", client.state, target, Height(0, 1))
        with pytest.raises(NotSupported):
            await consensus.client_messages("bft-evm", client.state, Height(0, 1), target)
        with pytest.raises(NotSupported):
            await consensus.initial_states("bft-evm", PARAMETERS)


async def test_clique_long_ways_are_cut_into_updates_that_each_fit():
    chain = SimulatedCliqueChain(2, epoch=50)
    chain.main.advance(53)
    async with execution(clique_answers(chain.main)) as rpc:
        consensus = clique(rpc, epoch=50)
        client = Followed(
            CliqueClient(), await consensus.initial_states("clique", PARAMETERS), chain.time_ns(chain.main.height)
        )
        chain.main.advance(2 * BLOCKS_PER_UPDATE + 20)
        client.now_ns = chain.time_ns(chain.main.height)
        target = Height(0, (await consensus.head()).height)
        messages = await consensus.client_messages("clique", client.state, client.latest, target)
        assert len(messages) == 3
        assert max(map(len, messages)) < 100 * 1024
        client.take(messages)
        assert client.latest == target
        with pytest.raises(HeightUnavailable):
            await consensus.client_messages("clique", client.state, Height(0, 1), Height(0, 100_000))


async def test_clique_head_is_under_half_of_the_signers_at_least():
    chain = SimulatedCliqueChain(7)
    chain.main.advance(9)
    async with execution(clique_answers(chain.main)) as rpc:
        assert (await clique(rpc, confirmations=1).head()).height == 10 - 3
        assert (await clique(rpc, confirmations=5).head()).height == 10 - 5


async def test_clique_shallow_reorganisation_is_nothing():
    chain = grown(epoch=EPOCH)
    async with execution(clique_answers(chain.main)) as rpc:
        consensus = clique(rpc)
        head = await consensus.head()
        states = await consensus.initial_states("clique", PARAMETERS)
        assert decode_consensus_state(states.consensus_state).snapshot == chain.main.at(head.height).snapshot
        client = Followed(CliqueClient(), states, chain.time_ns(chain.main.height))
        chain.main.advance(3)
        client.now_ns = chain.time_ns(chain.main.height)
        head = await consensus.head()
        client.take(await consensus.client_messages("clique", client.state, client.latest, Height(0, head.height)))
        chain.main.blocks[head.height :] = []
        chain.main.advance(4, gas_used=1)
        client.now_ns = chain.time_ns(chain.main.height)
        later = Height(0, (await consensus.head()).height)
        client.take(await consensus.client_messages("clique", client.state, client.latest, later))
        assert client.latest == later


async def test_attack_G2_clique_fork_of_a_final_block_is_noticed():
    chain = grown()
    answers = clique_answers(chain.main)
    async with execution(answers) as rpc:
        consensus = clique(rpc)
        head = await consensus.head()
        await consensus.facts(head.height - 1)
        chain.main.blocks[head.height - 3 :] = []
        chain.main.advance(8, gas_used=1)
        with pytest.raises(BadAnswer, match="forks from a final block"):
            await consensus.facts(head.height - 2)


@pytest.mark.parametrize("field", ["stateRoot", "timestamp", "extraData", "number", "hash", "difficulty"])
async def test_attack_G1_clique_forged_header_field(field):
    chain = grown()
    honest = clique_answers(chain.main)
    forged = {"timestamp": "0x1", "extraData": "0x00", "number": "0x2", "difficulty": "0x9"}

    def block(params):
        return honest["eth_getBlockByNumber"](params) | {field: forged.get(field, hex_data(b"\x66" * 32))}

    async with execution(honest | {"eth_getBlockByNumber": block}) as rpc:
        with pytest.raises(EndpointUnavailable, match="eth_getBlockByNumber"):
            await clique(rpc).head()


async def test_attack_G1_clique_signers_that_are_invalid_or_too_many():
    chain = grown()
    for signers in ([], ["0x11"], ["0x" + "11" * 20] * 1_000):
        async with execution(clique_answers(chain.main) | {"clique_getSigners": lambda _, said=signers: said}) as rpc:
            with pytest.raises(EndpointUnavailable):
                await clique(rpc).head()


async def test_clique_head_while_geth_does_not_find_the_newest_block_by_its_number():
    chain = grown()
    honest = clique_answers(chain.main)

    def signers(params):
        return honest["clique_getSigners"](params) if params[0] == "latest" else None

    async with execution(honest | {"clique_getSigners": signers}) as rpc:
        assert (await clique(rpc).head()).height == chain.main.height - 2


async def test_clique_epoch_of_another_chain_is_named():
    chain = grown()
    async with execution(clique_answers(chain.main)) as rpc:
        with pytest.raises(BadAnswer, match="is the epoch 4 blocks"):
            await clique(rpc, epoch=4).initial_states("clique", PARAMETERS)


async def test_clique_client_state_has_the_configured_parameters():
    chain = grown()
    async with execution(clique_answers(chain.main)) as rpc:
        states = await clique(rpc, confirmations=3, epoch=5).initial_states("clique", PARAMETERS)
    client = decode_client_state(states.client_state)
    assert (client.chain_id, client.router_address, client.confirmations) == (CHAIN_ID, ROUTER, 3)
    assert (client.period_s, client.epoch_length) == (PERIOD_S, 5)
    assert (client.trusting_period_s, client.max_clock_drift_s) == (1_000, 15)
