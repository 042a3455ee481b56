"""What operators ask of a Cosmos chain: answers of any shape are values within bounds, or one of the adapter's errors."""

import pytest
import trio
from google.protobuf.duration_pb2 import Duration
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.cosmos.reading.queries import COINS_A_PAGE, MAX_COINS, ProposalStatus, Queries
from hutong.adapters.cosmos.rpc import ServiceAnswer
from hutong.adapters.cosmos.transactions.fees import Coin
from hutong.adapters.interface import AdapterError, BadAnswer, RpcRefused
from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.protobuf import cosmos_queries_pb2 as pb
from hutong.light_clients.protobuf.cosmos_tx_pb2 import Coin as CoinMessage

TRACE = Denom.parse("transfer/07-tendermint-0/transfer/bft-evm-0/0xabc")
ASKS = {
    "unbonding_period_s": (),
    "allowed_clients": (),
    "governance": (),
    "proposal": (7,),
    "balances": ("cosmos1x",),
    "trace": (TRACE.local_name,),
}


class Service:
    """Answers every query with the next of its messages; remembers what it was asked."""

    def __init__(self, *answers, code=0):
        self.answers, self.code, self.asked = list(answers), code, []

    async def service(self, method, request, height=0):
        self.asked.append((method, request))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        value = answer if isinstance(answer, bytes) else answer.SerializeToString()
        return ServiceAnswer(self.code, "sdk", "nothing here", value, 1)


def coins(*amounts: tuple[str, str], next_key: bytes = b""):
    return pb.QueryAllBalancesResponse(
        balances=[CoinMessage(amount=amount, denom=denom) for amount, denom in amounts],
        pagination=pb.PageResponse(next_key=next_key),
    )


async def test_parameters_and_proposals():
    unbonding = pb.QueryStakingParamsResponse(params=pb.StakingParams(unbonding_time=Duration(seconds=1_814_400)))
    assert await Queries(Service(unbonding)).unbonding_period_s() == 1_814_400
    allowed = pb.QueryClientParamsResponse(params=pb.ClientParams(allowed_clients=["06-solomachine", "07-tendermint"]))
    assert await Queries(Service(allowed)).allowed_clients() == ("06-solomachine", "07-tendermint")
    deposit = [CoinMessage(amount="10000000", denom="stake")]
    governance = pb.GovernanceParams(min_deposit=deposit, voting_period=Duration(seconds=172_800))
    found = await Queries(Service(pb.QueryGovernanceParamsResponse(params=governance))).governance()
    assert (found.min_deposit, found.voting_period_s) == ((Coin(10_000_000, "stake"),), 172_800)
    failed = pb.QueryProposalResponse(proposal=pb.Proposal(id=7, status=5, failed_reason="client is Active"))
    proposal = await Queries(Service(failed)).proposal(7)
    assert (proposal.status, proposal.status.is_open) == (ProposalStatus.FAILED, False)
    assert "client is Active" in proposal.failed_reason


async def test_balances_are_read_page_by_page():
    service = Service(coins(("1", "a/b"), ("2", "ibc/AB"), next_key=b"k"), coins(("3", "stake")))
    assert await Queries(service).balances("cosmos1x") == (Coin(1, "a/b"), Coin(2, "ibc/AB"), Coin(3, "stake"))
    second = pb.QueryAllBalancesRequest.FromString(service.asked[1][1])
    assert (second.address, second.pagination.key, second.pagination.limit) == ("cosmos1x", b"k", COINS_A_PAGE)


async def test_trace_is_the_one_that_the_name_is_the_hash_of():
    hops = [pb.Hop(port_id=hop.port, channel_id=hop.client) for hop in TRACE.hops]
    answer = pb.QueryDenomResponse(denom=pb.Denom(base=TRACE.base, trace=hops))
    assert await Queries(Service(answer)).trace(TRACE.local_name) == TRACE
    with pytest.raises(BadAnswer, match="hash"):
        await Queries(Service(answer)).trace("ibc/" + "00" * 32)


@pytest.mark.parametrize(
    ("ask", "answers", "field"),
    [
        ("unbonding_period_s", [pb.QueryStakingParamsResponse()], "params.unbonding_time"),
        ("proposal", [pb.QueryProposalResponse(proposal=pb.Proposal(id=8, status=2))], "proposal"),
        ("proposal", [pb.QueryProposalResponse(proposal=pb.Proposal(id=7, status=9))], "proposal"),
        ("balances", [coins(("-1", "stake"))], "amount"),
        ("balances", [coins(("1" * 79, "stake"))], "amount"),
        ("balances", [coins(("1", ""))], "denom"),
        ("balances", [coins(("1", "\x1b[2J"))], "denom"),
        ("balances", [coins(next_key=b"k")], "balances"),
        ("balances", [coins(*[("1", "stake")] * COINS_A_PAGE, next_key=b"k")], "balances"),
        ("balances", [b"\xff"], "response.value"),
        ("trace", [pb.QueryDenomResponse(denom=pb.Denom(base="a/b"))], "denom"),
    ],
)
async def test_attack_H_answer_that_cannot_be_is_refused_with_its_field(ask, answers, field):
    service = Service(*answers)
    with pytest.raises(BadAnswer) as refused:
        await getattr(Queries(service), ask)(*ASKS[ask])
    assert refused.value.field == field and len(service.asked) <= MAX_COINS // COINS_A_PAGE + 2


@pytest.mark.parametrize("ask", ASKS)
async def test_refusal_of_the_chain_is_told(ask):
    with pytest.raises(RpcRefused, match="nothing here"):
        await getattr(Queries(Service(b"", code=22)), ask)(*ASKS[ask])


@given(ask=st.sampled_from(sorted(ASKS)), junk=st.binary(max_size=200))
def test_attack_H_answers_of_any_bytes_are_values_or_adapter_errors(ask, junk):
    async def run():
        try:
            await getattr(Queries(Service(junk, b"")), ask)(*ASKS[ask])
        except AdapterError:
            pass

    trio.run(run)
