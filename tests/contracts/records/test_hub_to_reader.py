"""From a chain's state over the hub's own module, blocks and commits to a contract on another chain: each kind of client."""

from dataclasses import replace
from random import Random

import pytest

from hutong.adapters.evm.hub_client import encode_update
from hutong.adapters.evm.hub_reader import Presence, ShownRecords, decode_answers, encode_keep, encode_read_cached
from hutong.adapters.evm.hub_reader import encode_read_many as encode_read
from hutong.light_clients.interface import Height
from hutong.light_clients.proofs.ics23 import decode_merkle_proof
from hutong.light_clients.records import epoch_key
from hutong.light_clients.records.gathering import ShownKey, gather
from hutong.light_clients.records.multiproof import Claim
from hutong.relay.hub.state.multiproof import prove_many
from tests.contracts.evm import SENDER, Evm, Reverted
from tests.contracts.lane import client_state_tuple, consensus_state_tuple
from tests.relay.hub.application.observations.observed_chains import CHAINS, WORD, ObservedBft, key_of, observing_hub

FOR_EVER_S = 10**9
"""Other chains of a simulation have clocks of their own; ages are tried in test_hub_reader.py."""
AGE_S = 15


class OtherChain:
    """An EVM chain with a client of the hub and a reader."""

    def __init__(self, hub):
        self.hub, self.trusted = hub, hub.height
        self.evm = Evm(timestamp_s=hub.time_s + 1)
        router = self.evm.deploy("Router", self.evm.deploy("AccessManager", SENDER).address)
        states = (
            client_state_tuple(hub.client_state(hub.height)),
            consensus_state_tuple(hub.consensus_state(hub.height)),
        )
        self.client = self.evm.deploy("HubClient", *states)
        client_id = router.transact("addClient", ("bft-evm-9", (b"",)), self.client.address).value
        self.reader = self.evm.deploy("HubReader", router.address, client_id)

    def show(self, chain, places):
        """What the hub's newest state says, under its next header, which the client is brought to."""
        self.hub.advance()
        height = self.hub.height
        self.evm.timestamp_s = max(self.evm.timestamp_s, self.hub.time_s + 1)
        self.client.transact("updateClient", encode_update(self.hub.tendermint_header(height, self.trusted)))
        self.trusted = height
        state = self.hub.application.state
        keys = [*(key_of(chain.client, place) for place in places), epoch_key(chain.client)]
        claims, proof = prove_many(state.tree, state.root(height - 1), keys)
        served = [ShownKey(key, decode_merkle_proof(state.get_with_proof(height - 1, key)[1])[0]) for key in keys]
        assert gather(served) == (claims, proof)
        return ShownRecords.of(Height(1, height), claims, proof)

    def call(self, data, keep=False):
        return self.evm.send(self.reader.address, data, keep=keep).output

    def read(self, shown, min_trust=0):
        answers = decode_answers(self.call(encode_read(shown, FOR_EVER_S, min_trust)))
        return dict(zip((record.key for record in shown.records), answers, strict=True))


@pytest.mark.long
@pytest.mark.parametrize("kind", sorted(CHAINS))
def test_attack_J3_contract_what_a_chain_holds_is_read_on_another(kind):
    chain = CHAINS[kind](observing_hub())
    other = OtherChain(chain.hub)
    height = chain.put()
    places = (chain.place,) if kind == "07-tendermint" else (chain.place, chain.absent)
    assert chain.observe(height, places).ok
    shown = other.show(chain, places)
    answers = other.read(shown)
    answer = answers[key_of(chain.client, chain.place)]
    assert (answer.presence, answer.value, answer.source_height) == (
        Presence.PRESENT,
        WORD,
        Height(chain.revision, height),
    )
    assert (answer.threshold, answer.attestors) == chain.attested
    if chain.absent in places:
        assert answers[key_of(chain.client, chain.absent)].presence == Presence.ABSENT
    if chain.attested[0]:
        with pytest.raises(Reverted, match="TrustTooLow"):
            other.read(shown, min_trust=255)
    else:
        assert other.read(shown, min_trust=255) == answers
    for index, record in enumerate(shown.records):
        for place in range(len(record.value)):
            forged = record.value[:place] + bytes([record.value[place] ^ 1]) + record.value[place + 1 :]
            records = (*shown.records[:index], Claim(record.key, forged), *shown.records[index + 1 :])
            with pytest.raises(Reverted, match="InvalidProof"):
                other.read(replace(shown, records=records))


def test_attack_J7_contract_client_frozen_after_it_wrote():
    chain = ObservedBft(observing_hub())
    other = OtherChain(chain.hub)
    assert chain.observe(chain.put()).ok
    before = other.show(chain, (chain.place,))
    other.call(encode_keep(before), keep=True)
    key = key_of(chain.client, chain.place)
    cached = encode_read_cached([key], FOR_EVER_S)
    assert decode_answers(other.call(cached))[0] == other.read(before)[key]
    chain.remote.freeze()
    after = other.show(chain, (chain.place,))
    with pytest.raises(Reverted, match="ObservedClientClosed"):
        other.read(after)
    other.call(encode_keep(replace(other.show(chain, ()), records=())), keep=True)
    for data in (cached, encode_read(before, FOR_EVER_S)):
        with pytest.raises(Reverted, match="ObservedClientClosed"):
            other.call(data)


@pytest.mark.long
@pytest.mark.parametrize("rounds", [4, pytest.param(20, marks=pytest.mark.long)])
def test_attack_J1_contract_nothing_is_read_after_its_age_once_observing_stops(rounds):
    """In each round somebody observes, then nobody does, as after a kill, while the hub's headers still come to the reader's
    chain: what is kept, and what is proven under each later header, is read to the last second of its age and never after."""
    chain, random = ObservedBft(observing_hub()), Random(15)
    other, key = OtherChain(chain.hub), key_of(chain.client, chain.place)
    cached = encode_read_cached([key], AGE_S)
    for number in range(rounds):
        word = (1_000 + number).to_bytes(32, "big")
        assert chain.observe(chain.put(word)).ok
        kept = other.show(chain, (chain.place,))
        other.call(encode_keep(kept), keep=True)
        until_s = other.read(kept)[key].source_time_s + AGE_S
        chain.hub.advance(time_s=random.randrange(chain.hub.time_s + 1, until_s - 3))
        later = other.show(chain, (chain.place,))
        for data in (cached, encode_read(kept, AGE_S), encode_read(later, AGE_S)):
            with other.evm.at(until_s - 1):
                assert decode_answers(other.call(data))[0].value == word
            for after_s in (0, 1, random.randrange(2, 10**5)):
                with other.evm.at(until_s + after_s), pytest.raises(Reverted, match="Stale"):
                    other.call(data)
        chain.hub.advance(time_s=until_s + random.randrange(40))
        newest = other.show(chain, (chain.place,))
        assert other.read(newest)[key].header_time_s >= until_s, "the header is as fresh as it can be"
        for data, error in ((encode_read(newest, AGE_S), "StaleSource"), (cached, "Stale")):
            with pytest.raises(Reverted, match=error):
                other.call(data)
