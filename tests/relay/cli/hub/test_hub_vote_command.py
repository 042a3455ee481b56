"""What an operator votes for is proven first: a real hub behind endpoints that lie about proposals."""

import base64
import json
import re
import time
from functools import partial
from random import Random

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hutong.adapters.hub import ROUTER_ADDRESS, HubSettings, open_hub_chain
from hutong.adapters.hub.admin import set_paused
from hutong.adapters.hub.governance import propose_and_vote
from hutong.adapters.hub.proven_proposals import (
    NoSuchProposal,
    ProposalDiffers,
    ProvenProposals,
    decode_record,
    proposal_key,
)
from hutong.adapters.hub.verified_state import HubTrust, TrustedHeader, TrustTooOld, VerifiedState
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import EndpointMismatch, EndpointUnavailable
from hutong.adapters.rpc import RpcOptions
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.administration.hub.trust import trust_of
from hutong.relay.cli.main import app
from hutong.relay.config import load_config
from hutong.relay.hub.application.governance.proposals import Proposal
from hutong.relay.hub.state import keys
from hutong.relay.keys import Signer, create_keystore
from tests.relay.cli.chains.lying_endpoint import lying_endpoint
from tests.relay.cli.hub.test_hub_quota_and_stuck_commands import CONFIG
from tests.relay.hub.application.governance.governed_hub import OPERATORS
from tests.relay.hub.hub_process import HubProcess
from tests.relay.hub.simulated_hub import EVM_CHAIN_ID

INIT = ["--scrypt-iterations", "2", "--block-interval-ms", "100", "--proof-block-ms", "20"]
GOVERNED = ["--governed-by", "validators", "--operator", OPERATORS[0].address]
DAY_NS = 86_400 * 10**9


def invoke(*arguments: str, answer: str | None = None):
    return CliRunner().invoke(app, list(arguments), input=answer)


def write_config(folder, name: str, eth: str, cometbft: str, *lines: str) -> None:
    config = folder / name
    config.write_text(CONFIG.format(eth=eth, cometbft=cometbft) + "\n".join(lines) + "\n")
    config.chmod(0o600)


class Place:
    """Operator 0 has 10 of 14, operator 1 has 4: what the second proposes is open until the first votes."""

    def __init__(self, folder) -> None:
        self.folder = folder
        made = invoke("hub", "init", "--home", str(folder / "hub"), *INIT, *GOVERNED)
        assert made.exit_code == 0, made.output
        (folder / "password").write_text("word\n")
        (folder / "password").chmod(0o600)
        create_keystore(folder / "admin-0.json", b"\x11" * 32, b"word", 2)
        for number, account in enumerate(OPERATORS[:2]):
            create_keystore(folder / f"operator-{number}.json", bytes(account.key), b"word", 2)
        self.hub = HubProcess(folder / "hub").start()
        self.genesis = f'genesis = "{folder / "hub" / "genesis.json"}"'
        write_config(folder, "relay.toml", self.hub.eth_url, self.hub.cometbft_url, self.genesis)
        write_config(folder, "blind.toml", self.hub.eth_url, self.hub.cometbft_url)

    def admit_second(self) -> None:
        home = self.folder / "second"
        assert invoke("hub", "init", "--home", str(home), *INIT, *GOVERNED).exit_code == 0
        made = invoke("hub", "candidate", "--home", str(home), "--operator", OPERATORS[1].address)
        (self.folder / "candidate.json").write_text(made.output)
        done = self.act(0, "propose", "admit", "--candidate", str(self.folder / "candidate.json"), "--power", "4")
        assert done.exit_code == 0, done.output

    def act(self, operator: int, *arguments: str, config: str = "relay.toml", answer: str | None = None):
        return invoke(
            "hub", *arguments, "--config", str(self.folder / config),
            "--operator", str(self.folder / f"operator-{operator}.json"),
            "--operator-password-file", str(self.folder / "password"),
            answer=answer,
        )  # fmt: skip

    def proposed(self, *arguments: str) -> int:
        """By the second operator."""
        done = self.act(1, "propose", *arguments, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.output)["proposal"]

    def row(self, number: int) -> dict:
        shown = invoke("hub", "proposals", str(number), "--json", "--config", str(self.folder / "relay.toml"))
        assert shown.exit_code == 0, shown.output
        return json.loads(shown.output)[0]

    def approvals(self, number: int) -> int:
        return self.row(number)["approved_power"]

    def trust(self) -> HubTrust:
        return trust_of(load_config(self.folder / "relay.toml").chains[0])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("place"))
    place.admit_second()
    with lying_endpoint(place.hub.eth_url) as eth, lying_endpoint(place.hub.cometbft_url) as comet:
        place.eth, place.comet = eth, comet
        write_config(place.folder, "lying.toml", eth.url, comet.url, place.genesis)
        yield place
    assert place.hub.stop() == (0, "")


@pytest.fixture(scope="module")
def evil(place) -> int:
    """The proposal to which liars steer votes. One validator has 8 open proposals at most, so tests share it."""
    return place.proposed("parameter", "voting_period_s", "3600")


def names(number: int):
    """Every proposal that is made gets this number."""

    def lie(method, params, result):
        if method == "eth_getTransactionReceipt" and result is not None:
            for log in result["logs"]:
                if len(log["topics"]) > 2:
                    log["topics"][1] = f"0x{number:064x}"
        return result

    return lie


@pytest.mark.long
def test_a_vote_shows_the_proven_proposal_and_asks(place):
    number = place.proposed("pause", "--title", "alpha \x1b[2Jlies")
    refused = place.act(0, "vote", str(number), answer="n\n")
    assert refused.exit_code == 1 and refused.output.endswith("nothing was signed\n"), refused.output
    assert f"proposal {number}: pause packets (alpha \N{REPLACEMENT CHARACTER}[2Jlies), by " in refused.output
    assert place.approvals(number) == 4
    voted = place.act(0, "vote", str(number), answer="y\n")
    assert voted.exit_code == 0 and f"proposal {number} is executed in block " in voted.output, voted.output
    number = place.proposed("resume")
    voted = place.act(0, "vote", str(number), "--yes")
    assert voted.exit_code == 0 and "Approve it?" not in voted.output, voted.output


@pytest.mark.long
def test_a_vote_without_anything_to_prove_from_is_refused_before_anything_is_asked(place):
    refused = place.act(0, "vote", "1", "--yes", config="blind.toml")
    assert (refused.exit_code, refused.output.count("\n")) == (2, 1) and "genesis" in refused.output, refused.output
    for content, words in (("{}", "format"), (None, "No such file")):
        file = place.folder / "unusable.json"
        file.unlink(missing_ok=True)
        if content is not None:
            file.write_text(content)
        write_config(place.folder, "unusable.toml", place.hub.eth_url, place.hub.cometbft_url, f'genesis = "{file}"')
        refused = place.act(0, "vote", "1", "--yes", config="unusable.toml")
        assert (refused.exit_code, refused.output.count("\n")) == (2, 1), refused.output
        assert "unusable.json" in refused.output and words in refused.output, refused.output


@pytest.mark.long
def test_attack_G1_an_endpoint_that_names_another_proposal_gets_no_vote_for_it(place, evil):
    with place.eth.lying(names(evil)):
        refused = place.act(1, "propose", "pause", config="lying.toml")
        assert (refused.exit_code, refused.output.count("\n")) == (1, 1), refused.output
        assert f"proposal {evil} is another one: its action is " in refused.output and ", expected " in refused.output
        both = []
        for number in (1, 0):
            both += ["--hub-admin", str(place.folder / f"operator-{number}.json")]
            both += ["--hub-admin-password-file", str(place.folder / "password")]
        refused = invoke("hub", "pause", "--config", str(place.folder / "lying.toml"), *both)
        assert refused.exit_code == 1 and f"proposal {evil} is another one" in refused.output, refused.output
    assert place.approvals(evil) == 4 and not place.hub.rpc("hutong_chain")["paused"]
    honest = invoke("hub", "pause", "--config", str(place.folder / "lying.toml"), *both)
    assert honest.exit_code == 0 and place.hub.rpc("hutong_chain")["paused"], honest.output
    assert invoke("hub", "resume", "--config", str(place.folder / "relay.toml"), *both).exit_code == 0
    blind = invoke("hub", "pause", "--config", str(place.folder / "blind.toml"), *both)
    assert blind.exit_code == 1 and "cannot be proven" in blind.output, blind.output
    assert not place.hub.rpc("hutong_chain")["paused"]
    assert place.approvals(evil) == 4


def settings_of(eth: str, comet: str) -> HubSettings:
    quick = RpcOptions(attempt_timeout_s=10, rounds=1, backoff_first_s=0.01, backoff_most_s=0.05)
    return HubSettings(
        "hutong-1", (eth,), (comet,), RouterSettings("hub", ROUTER_ADDRESS, poll_interval_s=0.05), options=quick
    )


async def decided(place, trust: HubTrust):
    settings = settings_of(place.eth.url, place.comet.url)
    async with open_hub_chain(settings, Random(1)) as chain:
        state = VerifiedState(chain, trust, time.time_ns)
        await state.check_signing_domain()
        proven = ProvenProposals(state)
        signers = [Signer.in_memory(bytes(account.key)) for account in (OPERATORS[1], OPERATORS[0])]
        transactors = [Transactor(chain.execution, EVM_CHAIN_ID, signer) for signer in signers]
        return await propose_and_vote(transactors, set_paused(time.time_ns(), False), proven=proven)


def failure(work) -> BaseException:
    """The one error that came out, of whatever nursery."""
    with pytest.raises(BaseException) as caught:
        trio.run(work)
    error = caught.value
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
    return error


@pytest.mark.long
def test_the_errors_carry_what_was_got_and_what_was_expected(place, evil):
    with place.eth.lying(names(evil)):
        error = failure(partial(decided, place, place.trust()))
        assert isinstance(error, ProposalDiffers) and (error.number, error.field) == (evil, "action")
        assert error.got == bytes.fromhex(place.row(evil)["raw_action"]) != error.expected
    with place.eth.lying(names(999)):
        error = failure(partial(decided, place, place.trust()))
        assert isinstance(error, NoSuchProposal) and error.number == 999
    assert place.approvals(evil) == 4


def spoilt_query(change):
    def lie(method, params, result):
        if method != "abci_query" or bytes.fromhex(params["data"])[:20] != proposal_key(1)[:20]:
            return result
        return {"response": change(dict(result["response"]))}

    return lie


SPOILT = (
    lambda response: response | {"value": base64.b64encode(base64.b64decode(response["value"])[:-32]).decode()},
    lambda response: response | {"value": None},
    lambda response: response | {"proofOps": None},
)


@pytest.mark.long
def test_attack_G1_a_spoilt_proof_gets_no_vote(place, evil):
    for change in SPOILT:
        with place.comet.lying(spoilt_query(change)):
            error = failure(partial(read, place.trust(), evil, eth=place.eth.url, comet=place.comet.url))
            assert isinstance(error, EndpointUnavailable) and error.operation == "abci_query", error
            assert "abci_query" in place.comet.sent
    with place.comet.lying(spoilt_query(SPOILT[1])):
        refused = place.act(0, "vote", str(evil), "--yes", config="lying.toml")
        assert refused.exit_code == 1 and "proof" in refused.output, refused.output
    assert place.approvals(evil) == 4


@pytest.mark.long
def test_attack_G1_a_transaction_is_not_signed_for_another_chain(place):
    with place.eth.lying(lambda method, _, result: "0x539" if method == "eth_chainId" else result):
        error = failure(partial(decided, place, place.trust()))
        assert isinstance(error, EndpointMismatch)
        assert (error.what, error.got, error.expected) == ("eth_chainId", 1337, EVM_CHAIN_ID)
        refused = place.act(1, "propose", "pause", config="lying.toml")
        assert refused.exit_code == 1 and "eth_chainId is 1337, expected" in refused.output, refused.output
        assert "eth_sendRawTransaction" not in place.eth.sent


@pytest.mark.long
def test_attack_G1_another_chain_of_the_same_name_is_not_believed(place, tmp_path):
    """The liar runs validators of its own, whose blocks, state and proofs are right among themselves."""
    assert invoke("hub", "init", "--home", str(tmp_path / "fork"), *INIT, *GOVERNED).exit_code == 0
    fork = HubProcess(tmp_path / "fork").start()
    try:
        where = {"eth": fork.eth_url, "comet": fork.cometbft_url}
        fork.wait_for_height(2)
        write_config(place.folder, "fork.toml", fork.eth_url, fork.cometbft_url, place.genesis)
        error = failure(partial(read, place.trust(), 1, **where))
        assert isinstance(error, PredicateFailed) and error.predicate == "next_validators_continue"
        assert (len(error.got), len(error.expected)) == (32, 32) and error.got != error.expected
        height, hashed = trusted_at(place, 2)
        error = failure(partial(read, with_root(place.trust(), TrustedHeader(height, hashed)), 1, **where))
        assert isinstance(error, PredicateFailed) and error.predicate == "header_is_the_trusted_one"
        assert error.expected == hashed and error.got == bytes.fromhex(
            fork.cometbft(f"commit?height={height}")["signed_header"]["commit"]["block_id"]["hash"]
        )
        refused = place.act(0, "vote", "1", "--yes", config="fork.toml")
        assert (refused.exit_code, refused.output.count("\n")) == (1, 1), refused.output
        assert "next_validators_continue" in refused.output and "expected 0x" in refused.output
    finally:
        fork.kill()


async def read(trust: HubTrust, number: int, *, eth: str, comet: str, clock_ns=time.time_ns):
    async with open_hub_chain(settings_of(eth, comet), Random(1)) as chain:
        await chain.check_identity()
        return await ProvenProposals(VerifiedState(chain, trust, clock_ns)).read(number, (await chain.head()).height)


def trusted_at(place, height: int) -> tuple[int, bytes]:
    commit = place.hub.cometbft(f"commit?height={height}")["signed_header"]["commit"]
    return int(commit["height"]), bytes.fromhex(commit["block_id"]["hash"])


def with_root(trust: HubTrust, root: TrustedHeader) -> HubTrust:
    return HubTrust(trust.chain_id, trust.evm_chain_id, trust.trusting_period_s, trust.unbonding_period_s, root)


@pytest.mark.long
def test_a_vote_is_proven_from_a_header_that_the_operator_trusts_within_its_period(place, evil):
    height, hashed = trusted_at(place, place.hub.height)
    line = f'trusted_header = "{height}:{hashed.hex()}"'
    write_config(place.folder, "trusting.toml", place.hub.eth_url, place.hub.cometbft_url, place.genesis, line)
    voted = place.act(1, "vote", str(evil), "--reject", "--yes", config="trusting.toml")
    assert voted.exit_code == 0 and "approved by 0 of 14" in voted.output, voted.output
    trust = with_root(place.trust(), TrustedHeader(height, hashed))
    where = {"eth": place.hub.eth_url, "comet": place.hub.cometbft_url}
    found = trio.run(partial(read, trust, evil, **where))
    assert (found.number, found.account) == (evil, OPERATORS[1].address.lower())
    error = failure(partial(read, trust, evil, **where, clock_ns=lambda: time.time_ns() + 8 * DAY_NS))
    assert isinstance(error, TrustTooOld) and error.height == height and error.now_ns > error.expired_at_ns
    assert re.search(r"ended 8\d{4} s ago", str(error)), str(error)


@pytest.mark.long
def test_a_trusted_header_is_a_height_and_a_hash_beside_a_genesis(place):
    for lines, words in (
        ((place.genesis, 'trusted_header = "12"'), "trusted_header"),
        ((place.genesis, f'trusted_header = "0:{"00" * 32}"'), "trusted_header"),
        ((f'trusted_header = "5:{"00" * 32}"',), "needs genesis"),
    ):
        write_config(place.folder, "bad.toml", place.hub.eth_url, place.hub.cometbft_url, *lines)
        refused = place.act(0, "vote", "1", "--yes", config="bad.toml")
        assert refused.exit_code == 2 and words in refused.output, refused.output


@given(st.binary(max_size=512))
def test_a_record_is_a_proposal_or_malformed(raw):
    try:
        found = decode_record(7, raw)
    except MalformedInput:
        return
    account = bytes.fromhex(found.account[2:])
    again = Proposal(
        found.public_key, account, found.proposed_s, found.height, found.expires_s, found.title, found.action
    )
    assert again.encode() == raw


@given(st.binary(max_size=40), st.binary(min_size=20, max_size=20), st.text(max_size=40), st.binary(max_size=200))
def test_a_record_of_the_hub_is_read_as_it_was_written(key, account, title, action):
    written = Proposal(key, account, 1, 2, 3, title, action)
    found = decode_record(9, written.encode())
    assert (found.public_key, found.account, found.title, found.action) == (key, f"0x{account.hex()}", title, action)
    assert (found.number, found.proposed_s, found.height, found.expires_s) == (9, 1, 2, 3)
    assert proposal_key(9) == keys.proposal_key(9)
    with pytest.raises(MalformedInput):
        decode_record(9, written.encode() + bytes(128 * 1024))
