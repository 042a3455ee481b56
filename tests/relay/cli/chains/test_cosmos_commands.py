"""Commands about Cosmos chains: what is refused before any chain is asked, and which packet a send makes."""

import pytest
from typer.testing import CliRunner

from hutong.adapters.interface import ClientParameters, RefusedByChain
from hutong.light_clients.ibc.transfer import ForwardInstruction, decode_forward_memo
from hutong.light_clients.interface import MalformedInput
from hutong.relay.administration.cosmos_paths import Wish, parameters_of_chain, parameters_of_hub
from hutong.relay.administration.cosmos_wish import CosmosWish, local_name, transfer_of
from hutong.relay.cli.main import app
from hutong.relay.keys import create_keystore

CONFIG = """
[relay]
home = "state"

[[chains]]
name = "alpha"
kind = "evm"
chain_id = 1001
consensus = "qbft"
rpc = ["http://127.0.0.1:9"]
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
key = { keystore = "key.json", password_env = "PASSWORD" }

[[chains]]
name = "simd"
kind = "cosmos"
chain_id = "simd-1"
rpc = ["http://127.0.0.1:9"]
bech32_prefix = "cosmos"
gas_price = "0.025stake"
key = { keystore = "key.json", password_env = "PASSWORD" }

[[chains]]
name = "hub"
kind = "hub"
chain_id = "hutong-1"
rpc = ["http://127.0.0.1:9"]
consensus_rpc = ["http://127.0.0.1:9"]
key = { keystore = "key.json", password_env = "PASSWORD" }
"""
PATHS = """
[[paths]]
a = { chain = "simd", client = "07-tendermint-0" }
b = { chain = "hub", client = "07-tendermint-0" }

[[paths]]
a = { chain = "simd", client = "07-tendermint-1" }
b = { chain = "hub", client = "07-tendermint-1" }
"""
KEY = ["--keystore", "key.json", "--password-env", "PASSWORD"]
ADMIN = ["--hub-admin", "key.json", "--hub-admin-password-file", "password"]
SEND = ["transfer", "send", "--amount", "5", "--receiver", "0x1", *KEY]


@pytest.fixture
def operator(tmp_path, monkeypatch):
    """Runs a command in a folder with a configuration and a key."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PASSWORD", "correct horse")
    create_keystore(tmp_path / "key.json", bytes(31) + b"\x01", b"correct horse", 2)
    for name, content in (("relay.toml", CONFIG + PATHS), ("password", "correct horse")):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o600)

    def run(*arguments: str):
        return CliRunner().invoke(app, [*arguments, "--config", "relay.toml"])

    return run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["path", "create", "--chain", "simd", "--mailbox", "0x1", *KEY, *ADMIN], "--mailbox is for EVM chains"),
        (["path", "create", "--chain", "simd", "--attestor", "0x1", *KEY, *ADMIN], "--attestor is for EVM chains"),
        (
            ["path", "create", "--chain", "simd", "--unbonding-period-s", "9", *KEY, *ADMIN],
            "--unbonding-period-s is for EVM chains",
        ),
        (["path", "create", "--chain", "simd", "--decide-as", "0x1", *KEY, *ADMIN], "--decide-as is for EVM chains"),
        (["path", "create", "--chain", "hub", *KEY, *ADMIN], "hub is a hub"),
        (
            ["path", "direct", "--a", "alpha", "--b", "simd", "--a-keystore", "key.json", "--b-keystore", "key.json"],
            "not supported: a path without a hub to simd",
        ),
        ([*SEND, "--chain", "simd", "--token", "stake"], "simd has 2 paths"),
        ([*SEND, "--chain", "simd", "--token", "stake", "--transfer", "0x1"], "--transfer is for EVM chains"),
        ([*SEND, "--chain", "alpha", "--token", "0x1"], "name its --transfer"),
        ([*SEND, "--chain", "hub", "--token", "x"], "is not how the hub names a token"),
        (["transfer", "balance", "--chain", "hub", "--holder", "0x1"], "hub is a hub: name the --token"),
        (["transfer", "balance", "--chain", "alpha", "--holder", "0x1"], "name the --token"),
        (
            ["transfer", "balance", "--chain", "alpha", "--holder", "0x1", "--token", "transfer/client-0/x"],
            "looked up at its --transfer",
        ),
        (
            ["client", "recover", "--chain", "simd", "--subject", "07-tendermint-9", *KEY],
            "not an end of a configured path",
        ),
        (
            ["client", "recover", "--chain", "simd", "--subject", "07-tendermint-0", "--deposit", "much", *KEY],
            "not an amount with its denomination",
        ),
        (["client", "recover", "--chain", "alpha", "--subject", "client-0", "--vote", *KEY], "are for Cosmos chains"),
        (
            ["client", "update", "--chain", "simd", "--client", "07-tendermint-9", *KEY],
            "not an end of a configured path",
        ),
        (
            ["client", "update", "--chain", "simd", "--client", "07-tendermint-9", "--follows", "moon", *KEY],
            "no chain is called moon",
        ),
    ],
)
def test_what_a_cosmos_chain_is_not_asked_is_one_sentence(operator, arguments, said):
    refused = operator(*arguments)
    assert refused.exit_code == 2 and said in refused.output and "Traceback" not in refused.output


RIGHT = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"
FROM_ALPHA = ["--chain", "alpha", "--client", "client-0", "--transfer", "0x" + "11" * 20, "--token", "0x" + "22" * 20]
FROM_SIMD = ["--chain", "simd", "--client", "07-tendermint-0", "--token", "stake"]
TO_ALPHA, TO_SIMD = ["--next-client", "bft-evm-0"], ["--next-client", "07-tendermint-1"]
WAY_OF_ALPHA = """
[[paths]]
a = { chain = "alpha", client = "client-0" }
b = { chain = "hub", client = "bft-evm-0" }
"""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([*FROM_SIMD, *TO_ALPHA, "--receiver", "bob"], "--receiver is not an address"),
        ([*FROM_SIMD, *TO_ALPHA, "--receiver", RIGHT.replace("d8dA", "d8da")], "wrong EIP-55 checksum"),
        ([*FROM_SIMD, *TO_ALPHA, "--receiver", "0x" + "0" * 40], "zero address"),
        (
            [*FROM_ALPHA, *TO_SIMD, "--receiver", RIGHT],
            "--receiver is not an address of a chain with the prefix cosmos",
        ),
        ([*FROM_SIMD, "--next-client", "bft-evm-9", "--receiver", RIGHT], "--next-client 'bft-evm-9' is on no path"),
        ([*FROM_SIMD[:2], "--client", "07-tendermint-9", "--token", "stake", "--receiver", RIGHT], "is on no path"),
        ([*FROM_ALPHA, *TO_SIMD, "--receiver", RIGHT, "--amount", str(2**256)], "--amount"),
        ([*FROM_SIMD, "--next-client", "07-tendermint-0", "--receiver", RIGHT], "leads back to simd"),
        (
            [*FROM_SIMD, "--next-client", "07-tendermint-0", "--receiver", RIGHT],
            "which the tokens come from: hub has bft-evm-0 for alpha",
        ),
        ([*FROM_SIMD, "--next-client", "bft-evm-9", "--receiver", RIGHT], "(hub has bft-evm-0 for alpha there)"),
        ([*FROM_SIMD, "--receiver", RIGHT], "give --next-client, the hub's client of that chain (bft-evm-0 for alpha)"),
        ([*FROM_SIMD, "--receiver", RIGHT, "--unchecked-receiver"], "give --stay-on-hub. Nothing was sent"),
        ([*FROM_SIMD, "--receiver", RIGHT, "--json"], "give --stay-on-hub. Nothing was sent"),
        ([*FROM_SIMD, *TO_ALPHA, "--stay-on-hub", "--receiver", RIGHT], "leave --stay-on-hub out"),
    ],
)
def test_trial_T3_what_cannot_arrive_is_refused_before_anything_is_asked(operator, tmp_path, arguments, said):
    (tmp_path / "relay.toml").write_text(CONFIG + PATHS + WAY_OF_ALPHA)
    refused = operator("transfer", "send", "--amount", "5", *KEY, *arguments)
    assert refused.exit_code == 2 and said in refused.output and "Traceback" not in refused.output


@pytest.mark.parametrize(
    "arguments",
    [
        [*FROM_SIMD, *TO_ALPHA, "--receiver", RIGHT],
        [*FROM_SIMD, *TO_ALPHA, "--receiver", RIGHT.lower()],
        [*FROM_SIMD, "--stay-on-hub", "--receiver", RIGHT],
        [*FROM_SIMD, "--next-client", "bft-evm-9", "--receiver", "bob", "--unchecked-receiver"],
    ],
)
def test_trial_T3_what_can_arrive_is_asked_of_the_chain(operator, tmp_path, arguments):
    """Whose endpoint nobody serves."""
    (tmp_path / "relay.toml").write_text(CONFIG + PATHS + WAY_OF_ALPHA)
    asked = operator("transfer", "send", "--amount", "5", *KEY, *arguments)
    assert asked.exit_code == 1 and "simd" in asked.output and "receiver" not in asked.output


def test_holder_that_is_no_address_of_the_chain_is_refused(operator):
    refused = operator("transfer", "balance", "--chain", "simd", "--holder", "osmo1qqqqqq")
    assert refused.exit_code == 1 and "address" in refused.output and "Traceback" not in refused.output


def wish(**more):
    fields = {
        "client": "07-tendermint-0", "token": "stake", "amount": 7, "receiver": "0xabc", "next_client": None,
        "memo": "", "timeout_s": 900, "forward_margin_s": 600,
    }  # fmt: skip
    return CosmosWish(**(fields | more))


def test_send_over_the_hub_ends_the_first_leg_a_margin_before_the_second():
    transfer = transfer_of(wish(next_client="bft-evm-0"), 1_000)
    assert transfer.timeout_timestamp_s == 1_300
    assert decode_forward_memo(transfer.memo) == ForwardInstruction("0xabc", "bft-evm-0", timeout_timestamp_s=1_900)
    assert (transfer.client_id, transfer.token.amount, transfer.token.denom) == ("07-tendermint-0", 7, "stake")


def test_send_to_the_hub_itself_has_the_senders_memo_and_the_whole_time():
    transfer = transfer_of(wish(memo="thanks"), 1_000)
    assert (transfer.timeout_timestamp_s, transfer.memo, transfer.receiver) == (1_900, "thanks", "0xabc")


@pytest.mark.parametrize("timeout_s", [1, 599, 600])
def test_send_whose_first_leg_has_no_time_is_refused(timeout_s):
    with pytest.raises(MalformedInput) as refused:
        transfer_of(wish(next_client="bft-evm-0", timeout_s=timeout_s), 1_000)
    assert (refused.value.field, refused.value.got, refused.value.expected) == ("timeout_s", timeout_s, "> 600")
    assert "raise --timeout-s" in str(refused.value)


@pytest.mark.parametrize("more", [{"receiver": " "}, {"amount": 0}, {"client": "channel"}])
def test_send_that_is_invalid_is_refused(more):
    with pytest.raises(MalformedInput):
        transfer_of(wish(**more), 1_000)


@pytest.mark.parametrize(
    ("token", "denom"),
    [
        ("stake", "stake"),
        ("ibc/27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2",) * 2,
        (
            "transfer/channel-0/uatom",
            "ibc/27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2",
        ),
        ("factory/cosmos1x/gold", "factory/cosmos1x/gold"),
    ],
)
def test_token_is_named_as_the_bank_does_or_by_its_trace(token, denom):
    assert local_name(token) == denom


class Chain:
    """Answers the two queries that parameters are made of."""

    name = "simd"

    def __init__(self, allowed, unbonding_s):
        self.allowed, self.unbonding_s = allowed, unbonding_s

    @property
    def rpc(self):
        return self

    async def service(self, method, request):
        from google.protobuf.duration_pb2 import Duration

        from hutong.adapters.cosmos.rpc import ServiceAnswer
        from hutong.light_clients.protobuf import cosmos_queries_pb2 as queries

        if "staking" in method:
            params = queries.StakingParams(unbonding_time=Duration(seconds=self.unbonding_s))
            answer = queries.QueryStakingParamsResponse(params=params)
        else:
            answer = queries.QueryClientParamsResponse(params=queries.ClientParams(allowed_clients=self.allowed))
        return ServiceAnswer(0, "", "", answer.SerializeToString(), 1)


@pytest.mark.parametrize(
    ("unbonding_s", "asked_s", "trusting_s"),
    [(21 * 86_400, None, 7 * 86_400), (3 * 86_400, None, 2 * 86_400), (60, None, 40), (60, 59, 59)],
)
async def test_trust_in_a_cosmos_chain_follows_its_unbonding_period(unbonding_s, asked_s, trusting_s):
    found = await parameters_of_chain(Chain(["*"], unbonding_s), Wish(asked_s, 15))
    assert found == ClientParameters(trusting_s, 15, unbonding_s)


@pytest.mark.parametrize("asked_s", [60, 61])
async def test_attack_C20_trusting_period_that_outlives_accountability_is_refused(asked_s):
    with pytest.raises(RefusedByChain, match="not below the 60 s"):
        await parameters_of_chain(Chain(["07-tendermint"], 60), Wish(asked_s, 15))


@pytest.mark.parametrize("allowed", [[], ["06-solomachine"]])
async def test_chain_whose_governance_shuts_our_clients_out_is_told(allowed):
    with pytest.raises(RefusedByChain, match="its governance has to add 07-tendermint"):
        await parameters_of_chain(Chain(allowed, 60), Wish(None, 15))


class Hub:
    """Says its genesis parameters, as `hutong_chain` does."""

    name = "hub"

    def __init__(self, trusting_s, unbonding_s):
        self._answer = {"trustingPeriod": trusting_s, "unbondingPeriod": unbonding_s}

    @property
    def execution(self):
        return self

    @property
    def client(self):
        return self

    async def call(self, method, _params, decode):
        from hutong.adapters.rpc import Fields

        return decode(Fields(method, self._answer))


async def test_trust_in_a_hub_is_what_its_genesis_says():
    assert await parameters_of_hub(Hub(604_800, 1_814_400), Wish(None, 15)) == ClientParameters(604_800, 15, 1_814_400)
    with pytest.raises(RefusedByChain, match="validators of hub"):
        await parameters_of_hub(Hub(604_800, 1_814_400), Wish(1_814_400, 15))
