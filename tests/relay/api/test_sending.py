"""Prepared transactions, signed by a user's own key and passed on, on a running dev chain."""

import time
from contextlib import asynccontextmanager, closing
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
import trio
from eth_abi.abi import encode
from eth_account import Account
from eth_hash.auto import keccak

from hutong.adapters.evm.administration import deploy as deployment
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import EndpointUnavailable, RefusedByChain, RpcRefused
from hutong.contracts.artifacts import load_artifact
from hutong.light_clients.ibc.denom import Denom
from hutong.relay.api.reading.ways import Way
from hutong.relay.api.sending import receivers
from hutong.relay.api.sending.contract_rules import check_send
from hutong.relay.api.sending.evm import SEND_MESSAGE_WITH_GAS
from hutong.relay.api.sending.idempotency import IdempotencyStore
from hutong.relay.api.sending.receivers import warnings_about
from hutong.relay.api.tokens.metadata import read_metadata
from hutong.relay.config import PathConfig, PathEnd
from hutong.relay.web.api_keys import ApiKey, Scope, digest_of, new_key, write_keys
from hutong.relay.web.problems import ApiProblem
from tests.adapters.evm.test_evm_devnet import KEY, evm_setting
from tests.relay.api.api_world import api_under_trio, chains_of, config_of, simulated_adapters, write_ledger

RECEIVER = "0x" + "22" * 20
MISTYPED = "0xAbabababababababababababababababababAbAb"
LIMIT_S = 60
SECOND_HOP = (PathEnd(chain="hub", client="bft-evm-2"), PathEnd(chain="beta", client="client-0"))


@asynccontextmanager
async def sending_api(setting, home: Path):
    """`alpha` is the dev chain; its client follows the hub, which sends on to `beta`."""
    key = new_key()
    write_keys(home / "keys.json", [ApiKey("dapp", frozenset({Scope.WRITE}), digest_of(key), "2026-11-26T00:00:00Z")])
    config = config_of(home, keys_file=str(home / "keys.json"))
    paths = (
        PathConfig(a=PathEnd(chain="alpha", client=setting.client), b=PathEnd(chain="hub", client="bft-evm-1")),
        PathConfig(a=PathEnd(chain="beta", client="client-0"), b=PathEnd(chain="hub", client="bft-evm-2")),
    )
    router = setting.chain.settings.router
    chains = tuple(one.model_copy(update={"router": router}) if one.name == "alpha" else one for one in config.chains)
    config = config.model_copy(update={"paths": paths, "chains": chains})
    adapters = {**simulated_adapters(), "alpha": setting.chain}
    async with api_under_trio(config, adapters) as (url, _):
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=LIMIT_S) as http:
            yield http, key


def signed(unsigned: dict, key: bytes = KEY) -> str:
    fields = {
        "chainId": unsigned["chain_id"], "nonce": unsigned["nonce"], "to": unsigned["to"], "data": unsigned["data"],
        "value": int(unsigned["value"]), "gas": unsigned["gas"] or 500_000, "type": 2,
        "maxFeePerGas": int(unsigned["max_fee_per_gas_wei"]),
        "maxPriorityFeePerGas": int(unsigned["max_priority_fee_per_gas_wei"]),
    }  # fmt: skip
    return "0x" + Account.from_key(key).sign_transaction(fields).raw_transaction.hex().removeprefix("0x")


async def silent(*_args, **_named):
    await trio.sleep_forever()


async def away(*_args, **_named):
    raise EndpointUnavailable("beta", "eth_getCode", (("http://beta.test", "connection refused"),))


@pytest.mark.long
async def test_what_speaks_against_a_message_is_said_before_it_is_signed(tmp_path, monkeypatch):
    """O8, O11: a receiver without a contract, and a hub, which has no receivers."""
    await write_ledger(tmp_path)
    async with evm_setting() as setting, sending_api(setting, tmp_path) as (http, _):
        chains, _ = chains_of(config_of(tmp_path), {**simulated_adapters(), "beta": setting.chain})
        assert await warnings_about(chains, "hub", RECEIVER) == ()
        wish = {"source": "alpha", "sender": setting.transactor.signer.address, "payload": "0x68"}
        assert await warnings_about(chains, "beta", setting.contracts.mailbox) == ()
        (said,) = await warnings_about(chains, "beta", RECEIVER)
        assert f"no contract is at the receiver {RECEIVER} on beta now" in said
        mailbox = bytes.fromhex(setting.contracts.mailbox[2:])
        await setting.transactor.send(mailbox, deployment.SET_DIRECT_PEER.encode(setting.client, ""))
        refused = await http.post("/v1/messages/prepare", json={**wish, "destination": "hub", "receiver": RECEIVER})
        assert (refused.status_code, refused.json()["code"]) == (422, "refused_by_chain"), refused.text
        assert refused.json()["detail"].startswith(
            "hub is a hub: it sends messages on and has no receivers; name the chain"
        )
        assert "as destination (beta)" in refused.json()["detail"]
        monkeypatch.setattr(receivers, "CODE_LIMIT_S", 0.01)
        monkeypatch.setattr(ExecutionRpc, "code", silent)
        with trio.fail_after(LIMIT_S):
            assert await warnings_about(chains, "beta", RECEIVER) == (), "a silent chain holds nothing up"
        monkeypatch.setattr(ExecutionRpc, "code", away)
        assert await warnings_about(chains, "beta", RECEIVER) == ()


@pytest.mark.long
async def test_a_user_prepares_signs_and_submits_once(tmp_path, monkeypatch):
    await write_ledger(tmp_path)
    async with evm_setting() as setting:
        with trio.fail_after(4 * LIMIT_S):
            await deployment.set_hub_client(
                setting.transactor, bytes.fromhex(setting.contracts.transfer[2:]), setting.client
            )
            code = load_artifact("ExampleToken").bytecode + encode(
                ["string", "string", "uint256"], ["Example", "EX", 1000]
            )
            receipt = await setting.transactor.send(None, code)
            token = "0x" + receipt.contract_address.hex()
            async with sending_api(setting, tmp_path) as (http, key):
                await transfers(http, key, setting, token)
                await messages(http, key, setting, tmp_path)
            await metadata_of(setting, token, monkeypatch)


async def metadata_of(setting, token, monkeypatch) -> None:
    """A contract's own refusal is an answer, an endpoint's trouble is none."""
    found = await read_metadata(setting.chain, Denom(token))
    assert (found.name, found.symbol, found.decimals) == ("Example", "EX", 18)
    nameless = await read_metadata(setting.chain, Denom(setting.contracts.router.lower()))
    assert (nameless.name, nameless.symbol, nameless.decimals) == (None, None, None)

    async def limited(*_args, **_named):
        raise RpcRefused("eth_call", -32005, "limit exceeded")

    monkeypatch.setattr(ExecutionRpc, "call", limited)
    with pytest.raises(RpcRefused):
        await read_metadata(setting.chain, Denom(token))


async def rules_after_an_allowance(http, setting, wish) -> None:
    """Refused while the sender has allowed nothing yet: no approve is paid for a send that must revert."""
    execution, transfer = setting.chain.execution, bytes.fromhex(setting.contracts.transfer[2:])
    late = await http.post("/v1/transfers/prepare", json={**wish, "timeout_s": 3})
    assert (late.status_code, late.json()["field"]) == (422, "timeout_s") and "6 to 86400" in late.json()["detail"]
    for more, least_s in (((SECOND_HOP,), 6), ((), 1)):
        first = PathEnd(chain="alpha", client=setting.client), PathEnd(chain="hub", client="bft-evm-1")
        way = Way((first, *more))
        now_s = (await execution.latest_block()).time_s
        await check_send(execution, transfer, way, now_s + 3_600)
        for at_s in (now_s + least_s - 1, now_s + 86_400 + LIMIT_S * 10):
            with pytest.raises(ApiProblem, match=f"takes {least_s} to 86400 s"):
                await check_send(execution, transfer, way, at_s)
    with pytest.raises(RefusedByChain, match=f"forwards over {setting.client}"):
        other = PathEnd(chain="alpha", client="client-7"), PathEnd(chain="hub", client="bft-evm-7")
        await check_send(execution, transfer, Way((other, SECOND_HOP)), now_s + 3_600)


async def transfers(http, key, setting, token) -> None:
    sender = setting.transactor.signer.address
    wish = {
        "source": "alpha",
        "destination": "beta",
        "token": token,
        "amount": "300",
        "sender": sender,
        "receiver": RECEIVER,
    }
    await rules_after_an_allowance(http, setting, wish)
    response = await http.post("/v1/transfers/prepare", json=wish)
    assert response.status_code == 200, response.text
    prepared = response.json()
    assert prepared["route"]["via"] == "hub" and prepared["sends"] == {
        "chain": "alpha",
        "client": setting.client,
        "sequence": 1,
    }
    allowance, send = prepared["transactions"]
    assert allowance["gas"] and send["gas"] is None and send["nonce"] == allowance["nonce"] + 1
    assert send["to"] == setting.contracts.transfer

    write = {"authorization": f"Bearer {key}"}
    sent = []
    for number, unsigned in enumerate((allowance, send)):
        headers = {**write, "idempotency-key": f"pay-{number}"}
        body = {"chain": "alpha", "raw": signed(unsigned)}
        submitted = await http.post("/v1/transactions", json=body, headers=headers)
        assert submitted.status_code == 202, submitted.text
        again = await http.post("/v1/transactions", json=body, headers=headers)
        assert again.status_code == 202 and again.json() == submitted.json()
        other = await http.post("/v1/transactions", json={**body, "raw": "0x02"}, headers=headers)
        assert (other.status_code, other.json()["code"]) == (409, "conflict")
        sent.append(submitted.json()["hash"])
    while (found := (await http.get(f"/v1/transactions/alpha/{sent[1]}")).json())["state"] == "pending":  # noqa: ASYNC110
        await trio.sleep(0.05)
    assert found["state"] == "included" and found["height"] > 0
    assert await setting.chain.next_sequence_send(setting.client) == 2

    poor = await http.post("/v1/transfers/prepare", json={**wish, "sender": RECEIVER})
    assert (poor.status_code, poor.json()["code"]) == (422, "refused_by_chain") and "holds 0" in poor.json()["detail"]
    direct = await http.post(
        "/v1/transfers/prepare", json={**wish, "destination": "hub", "memo": "a remark", "client": setting.client}
    )
    assert direct.json()["route"]["via"] is None
    for field, value in (
        ("token", "0x1234"), ("token", "transfer/x"), ("sender", "cosmos1abc"), ("amount", "9" * 78), ("memo", "a remark"),
        ("destination", "alpha"), ("via", "beta"), ("receiver", MISTYPED), ("client", "client-9"),
        ("next_client", "client-0"), ("amount", "0"), ("timeout_s", 0), ("timeout_s", "5"),
    ):  # fmt: skip
        refused = await http.post("/v1/transfers/prepare", json={**wish, field: value})
        assert refused.status_code == 422 and refused.json()["code"] == "invalid_request", (field, value, refused.text)


async def messages(http, key, setting, home) -> None:
    sender = setting.transactor.signer.address
    wish = {"source": "alpha", "destination": "beta", "sender": sender, "receiver": RECEIVER, "payload": "0x68656c6c6f"}
    refused = await http.post("/v1/messages/prepare", json=wish)
    assert (refused.status_code, refused.json()["code"]) == (422, "refused_by_chain"), "its Mailbox has no hub client"
    for receiver in (MISTYPED, "cosmos1abc"):
        refused = await http.post("/v1/messages/prepare", json={**wish, "destination": "hub", "receiver": receiver})
        assert (refused.status_code, refused.json()["field"]) == (422, "receiver")
    direct = await http.post("/v1/messages/prepare", json={**wish, "destination": "hub"})
    assert direct.json()["warnings"] == [], "a simulated chain is not asked for code"
    (unsigned,) = direct.json()["transactions"]
    assert unsigned["to"] == setting.contracts.mailbox and unsigned["gas"] > 21_000

    heavy = await http.post("/v1/messages/prepare", json={**wish, "destination": "hub", "receive_gas": 3_000_000})
    (asking,) = heavy.json()["transactions"]
    assert asking["data"][:10] == f"0x{SEND_MESSAGE_WITH_GAS.selector.hex()}"
    assert int(asking["data"][10 + 4 * 64 : 10 + 5 * 64], 16) == 3_000_000
    for gas in (0, 10_000_001, "5"):
        refused = await http.post("/v1/messages/prepare", json={**wish, "destination": "hub", "receive_gas": gas})
        assert (refused.status_code, refused.json()["field"]) == (422, "receive_gas")

    async def offer(name: str, **changes):
        headers = {"authorization": f"Bearer {key}", "idempotency-key": name}
        raw = changes.pop("raw", None) or signed({**unsigned, **changes})
        return await http.post("/v1/transactions", json={"chain": "alpha", "raw": raw}, headers=headers)

    # An open relay to a chain's pool is not offered.
    for name, changes in {
        "elsewhere": {"to": RECEIVER},
        "coins": {"value": "1"},
        "creation": {"to": ""},
        "approve-another": {"to": RECEIVER, "data": "0x095ea7b3" + "00" * 12 + "33" * 20 + "ff" * 32},
        "other-chain": {"chain_id": 5},
        "nonsense": {"raw": "0x02c0"},
    }.items():
        refused = await offer(name, **changes)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request"), (name, refused.text)
    stale = await offer("stale", nonce=0)
    assert (stale.status_code, stale.json()["code"]) == (422, "refused_by_chain"), stale.text
    assert (await offer("stale")).status_code == 202, "a refused request leaves its key free"

    # The first request with this key was cut off on its way: nobody knows whether the pool has it.
    raw = signed({**unsigned, "nonce": 0})
    with closing(IdempotencyStore(home / "api.sqlite", time.time)) as store:
        assert store.claim("dapp", "cut-off", sha256(f"alpha\n{raw}".encode()).digest()) is None
    again = await offer("cut-off", raw=raw)
    assert (again.status_code, again.json()["code"]) == (503, "chain_unavailable"), again.text
    assert f"/v1/transactions/alpha/0x{keccak(bytes.fromhex(raw[2:])).hex()}" in again.json()["detail"]
    assert (await offer("cut-off")).json()["code"] == "conflict", "the key is not free for another transaction"
