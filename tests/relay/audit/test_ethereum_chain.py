"""Updates of an Ethereum chain in a bundle: from a checkpoint over several committee periods, and what is refused."""

from dataclasses import replace

import pytest
import trio

from hutong.adapters.interface import ClientInfo, HeightUnavailable
from hutong.light_clients.interface import ClientStatus, Height, UnsupportedOperation, VerificationError
from hutong.relay.archive.bundle import ChainHeaders, ChainKind
from hutong.relay.archive.checkpoint import decode_checkpoint, encode_checkpoint
from hutong.relay.audit.chains import ChainCase, judge_chain
from hutong.relay.audit.inquiry import Inquiry
from hutong.relay.audit.memory import HeaderMemory
from hutong.relay.core.archiving.bundling import read_checkpoint
from hutong.relay.core.archiving.bundling.headers import HeaderCollector
from tests.adapters.evm.test_beacon_source import PARAMETERS, PERIOD_SLOTS, now_ns, world


@pytest.fixture(scope="module")
def made():
    """(checkpoint, headers to the last of them, proof height, time): three periods lie between."""

    async def make():
        async with world() as (chains, chain):
            states = await chain.initial_states("ethereum", PARAMETERS)
            follower = ClientInfo(
                "ethereum-0",
                "ethereum",
                ClientStatus.ACTIVE,
                states.height,
                0,
                0,
                "client-0",
                (b"",),
                states.client_state,
            )
            with pytest.raises(UnsupportedOperation):
                await read_checkpoint(chain, [], [follower], 3)
            checkpoint = await read_checkpoint(chain, [], [follower], None)
            await chains.add_slots(3 * PERIOD_SLOTS)
            target = Height(0, (await chain.head()).height)
            collector = HeaderCollector(chain, ChainKind.ETHEREUM, checkpoint)
            headers = await collector.collect([target], states.client_state)
            with pytest.raises(HeightUnavailable, match="older one"):
                await collector.collect([Height(0, checkpoint.height - 1), target], states.client_state)
            alone = await HeaderCollector(chain, ChainKind.ETHEREUM, None).collect(
                [checkpoint_height(checkpoint)], states.client_state
            )
            return decode_checkpoint(encode_checkpoint(checkpoint)), headers, alone, target, now_ns(chains)

    return trio.run(make)


def checkpoint_height(checkpoint) -> Height:
    return Height(0, checkpoint.height)


def judged(checkpoint, headers: ChainHeaders, proof_heights, now: int):
    names = []
    case = ChainCase(None, headers, checkpoint, None, frozenset(proof_heights))
    chain = judge_chain(Inquiry(lambda verdict: names.append(verdict.check.name)), case, now, HeaderMemory())
    return chain, names


def refused(checkpoint, headers, proof_heights, now) -> str:
    inquiry = Inquiry()
    try:
        judge_chain(inquiry, ChainCase(None, headers, checkpoint, None, frozenset(proof_heights)), now, HeaderMemory())
    except VerificationError as error:
        assert inquiry.refused_by_a_rule(error)
        return inquiry.failure.check.name
    raise AssertionError("nothing was refused")


def test_updates_are_believed_from_the_checkpoint_on(made):
    checkpoint, headers, _, target, now = made
    assert len(headers.headers) == 4
    chain, names = judged(checkpoint, headers, {target, checkpoint_height(checkpoint)}, now)
    assert set(chain.states) == {target, checkpoint_height(checkpoint)}
    assert names.count("signed_by_committee") == names.count("update_is_used") == 4
    assert "signed by sync committees, forward" in chain.mode


def test_what_a_bundle_may_not_do_with_updates(made):
    checkpoint, headers, _, target, now = made
    entries = headers.headers

    def of(*chosen):
        return replace(headers, headers=tuple(chosen))

    proofs = {target}
    assert refused(checkpoint, of(entries[0], entries[2], entries[3]), proofs, now) == "signature_period_known"
    assert refused(checkpoint, of(*entries, entries[3]), proofs, now) == "update_is_used"
    assert refused(checkpoint, headers, {checkpoint_height(checkpoint)}, now) == "update_is_used"
    assert refused(checkpoint, of(replace(entries[0], commit=b"x"), *entries[1:]), proofs, now) == "update_stands_alone"
    assert refused(checkpoint, of(replace(entries[0], header=b"x"), *entries[1:]), proofs, now) == "header_well_formed"
    late = now + PARAMETERS.trusting_period_s * 10**9
    assert refused(checkpoint, headers, proofs, late) == "within_trusting_period"
    early = checkpoint.time_ns
    assert refused(checkpoint, headers, proofs, early) == "header_not_from_future"
    other = replace(checkpoint, kind=ChainKind.BFT_EVM)
    assert refused(other, headers, proofs, now) == "checkpoint_is_of_kind"


def test_without_a_checkpoint_a_bundle_has_the_updates_of_its_proofs(made):
    checkpoint, _, alone, _, _ = made
    assert len(alone.headers) == 1 and alone.kind is ChainKind.ETHEREUM
