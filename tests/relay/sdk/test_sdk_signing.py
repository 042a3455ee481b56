"""Signing for a chain that a scripted server keeps: one transaction after another, each with what the moment says."""

import json
import time

import pytest
from eth_account import Account

from hutong.relay.evm.vm.transaction import decode_transaction
from hutong.relay.sdk import BadAnswer, NotSigned, TooSlow, TransactionFailed, signing
from tests.relay.sdk.scripted_server import answer, problem, scripted
from tests.relay.sdk.sdk_values import HASH, settled, summary

ACCOUNT = Account.from_key(b"\x07" * 32)
TOKEN, TRANSFER = "0x" + "70" * 20, "0x" + "b0" * 20
APPROVE, SEND = "0x095ea7b3" + "00" * 64, "0x12345678" + "00" * 64


class Chain:
    """Takes transactions as an API before a chain does; an approval is needed first."""

    def __init__(self):
        self.taken = []
        self.prepared = 0
        self.nonce = 5
        self.fail = self.lie_about_hash = self.never = False
        self.looks = {}

    def _unsigned(self, number, to, data, gas, purpose):
        return {
            "chain": "alpha", "kind": "evm", "chain_id": 7001, "from": ACCOUNT.address, "to": to, "data": data, "value": "0",
            "gas": gas, "nonce": self.nonce + number, "max_fee_per_gas_wei": str(1_000 + self.prepared),
            "max_priority_fee_per_gas_wei": "1", "purpose": purpose,
        }  # fmt: skip

    def __call__(self, request):
        head, _, body = request.partition("\r\n\r\n")
        method, path, _ = head.split("\r\n")[0].split(" ")
        if path == "/v1/transfers/prepare":
            self.prepared += 1
            deadline = f"{self.prepared:064x}"  # the timeout moves on from preparation to preparation
            send = self._unsigned(0, TRANSFER, SEND + deadline, 90_000, "send the tokens")
            calls = [send]
            if not self.taken:
                calls = [
                    self._unsigned(0, TOKEN, APPROVE, 50_000, "allow"),
                    send | {"gas": None, "nonce": self.nonce + 1},
                ]
            hop = {"source": {"chain": "alpha", "client": "c"}, "destination": {"chain": "hub", "client": "d"}}
            return answer(200, {"route": {"hops": [hop], "via": None}, "transactions": calls, "expires_at": "2026-11-26T04:50:50.123Z",
                                "sends": {"chain": "alpha", "client": "c", "sequence": 1}})  # fmt: skip
        if method == "POST":
            raw = bytes.fromhex(json.loads(body)["raw"][2:])
            self.taken.append(decode_transaction(raw, 7001))
            self.nonce += 1
            told = HASH if self.lie_about_hash else "0x" + self.taken[-1].hash.hex()
            return answer(202, {"chain": "alpha", "hash": told, "state": "pending"})
        name = path.rsplit("/", 1)[1]
        looks = self.looks[name] = self.looks.get(name, 0) + 1
        state = "pending" if looks == 1 or self.never else "failed" if self.fail else "included"
        sent = [settled(sent_transaction=name)] if state == "included" and len(self.taken) == 2 and looks > 2 else []
        return answer(200, {"chain": "alpha", "hash": name, "state": state, "height": 7, "reason": "Paused" if state == "failed" else None,
                            "messages": [summary(sent_transaction=HASH), *sent]})  # fmt: skip


@pytest.fixture
def chain(monkeypatch):
    monkeypatch.setattr(signing, "LOOK_EVERY_S", 0.001)
    return Chain()


def prepare(client, url):
    return client.call(
        url, "prepare_transfer", "alpha", "beta", token=TOKEN, amount=7, sender=ACCOUNT.address, receiver="0x1"
    )


def test_one_after_another_with_the_nonce_and_prices_of_the_moment(client, chain):
    with scripted(chain) as server:
        prepared = prepare(client, server.url)
        chain.nonce = 9  # the account was used meanwhile
        sent = client.call(server.url, "sign_and_submit", prepared, ACCOUNT)
    approval, send = chain.taken
    assert (approval.nonce, send.nonce) == (9, 10)
    assert (approval.to.hex(), send.to.hex()) == (TOKEN[2:], TRANSFER[2:])
    assert send.data.hex() == prepared.transactions[1].data[2:]  # what was shown is what is signed
    assert (approval.gas_limit, send.gas_limit) == (50_000, 90_000)
    assert (approval.max_fee_per_gas_wei, send.max_fee_per_gas_wei) == (1_002, 1_003)
    assert {approval.sender.hex(), send.sender.hex()} == {ACCOUNT.address[2:].lower()}
    assert sent.hashes == tuple(f"0x{one.hash.hex()}" for one in chain.taken)
    assert sent.message.sent_transaction == sent.hashes[1]
    keys = [line for request in server.requests for line in request.split("\r\n") if line.startswith("Idempotency-Key")]
    assert keys == [f"Idempotency-Key: {one[2:]}" for one in sent.hashes]


def test_a_transaction_that_fails_ends_it(client, chain):
    chain.fail = True
    with scripted(chain) as server:
        with pytest.raises(TransactionFailed) as caught:
            client.call(server.url, "sign_and_submit", prepare(client, server.url), ACCOUNT)
    assert len(chain.taken) == 1 and caught.value.reason == "Paused" and caught.value.hashes == (caught.value.hash,)


def test_one_that_is_never_included_is_waited_for_in_time(client, chain):
    chain.never = True
    with scripted(chain) as server:
        with pytest.raises(TooSlow):
            client.call(server.url, "sign_and_submit", prepare(client, server.url), ACCOUNT, within_s=0.2)
    assert len(chain.taken) == 1


@pytest.mark.parametrize("busy", ["POST /v1/transfers/prepare", "POST /v1/transactions", "GET /v1/"])
def test_a_busy_server_does_not_outlast_the_limit(client, chain, busy):
    """It asks for pauses of half a minute, wherever it is asked: they end with the caller's limit."""
    is_busy = False

    def said(request):
        return problem("busy", 503, retry_after=30) if is_busy and request.startswith(busy) else chain(request)

    with scripted(said) as server:
        prepared = prepare(client, server.url)
        is_busy = True
        began_s = time.monotonic()
        with pytest.raises(TooSlow) as caught:
            client.call(server.url, "sign_and_submit", prepared, ACCOUNT, within_s=0.3)
        assert 0.3 <= time.monotonic() - began_s < 10
        assert sum(request.startswith(busy) for request in server.requests) in (1, 2)
    assert caught.value.limit_s == 0.3


def test_a_busy_server_in_time_is_asked_again(client, chain):
    refusals = [problem("busy", 503, retry_after=0)] * 3
    with scripted(
        lambda request: refusals.pop() if refusals and "/prepare" not in request else chain(request)
    ) as server:
        sent = client.call(server.url, "sign_and_submit", prepare(client, server.url), ACCOUNT, within_s=30)
    assert len(sent.hashes) == 2 and refusals == []


def test_a_server_that_took_something_else_is_not_believed(client, chain):
    chain.lie_about_hash = True
    with scripted(chain) as server:
        with pytest.raises(BadAnswer):
            client.call(server.url, "sign_and_submit", prepare(client, server.url), ACCOUNT)


def test_what_is_not_the_account_s_or_costs_too_much_is_not_signed(client, chain):
    with scripted(chain) as server:
        prepared = prepare(client, server.url)
        with pytest.raises(NotSigned):
            client.call(server.url, "sign_and_submit", prepared, Account.from_key(b"\x08" * 32))
        with pytest.raises(NotSigned) as caught:
            client.call(server.url, "sign_and_submit", prepared, ACCOUNT, max_cost_wei=50_000 * 1_000)
    assert "wei" in str(caught.value) and len(chain.taken) == 0


def test_a_call_that_is_not_the_one_that_was_shown_is_not_signed(client, chain):
    with scripted(chain) as server:
        prepared = prepare(client, server.url)
        chain.taken.append(None)  # the allowance is there already: another first call than was shown
        with pytest.raises(NotSigned):
            client.call(server.url, "sign_and_submit", prepared, ACCOUNT)
    assert chain.taken == [None]
