"""Our signer over HTTP: our own client conforms over it, and everything that it must not sign it does not."""

import json
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio

from hutong.adapters.interface import DocumentUnsupported, SignerUnavailable, SigningRefused
from hutong.adapters.rpc import AttemptFailed, Endpoint, RpcOptions
from hutong.adapters.rpc.transport import new_http_client
from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.crypto.hashes import keccak256
from hutong.relay.config.keys.policy import PolicyConfig
from hutong.relay.evm.listener import listen, listen_config
from hutong.relay.keys.documents import DocumentKind
from hutong.relay.keys.signing_record import SigningRecord, judged_file
from hutong.relay.keys.sources.eth1_api import (
    HUTONG_SIGN_PATH,
    MAX_SIGN_BYTES,
    PUBLIC_KEYS_PATH,
    SIGN_PATH,
    UPCHECK_PATH,
    identifier_of,
)
from hutong.relay.keys.sources.guarded import GuardedSource
from hutong.relay.keys.sources.in_memory import KeyInMemory
from hutong.relay.signer.app import HEALTH_PATH, SignerApp
from hutong.relay.signer.desk import SigningDesk
from tests.relay.keys.documents import cosmos_transaction, documents, transaction
from tests.relay.keys.source_conformance import SourceConformance
from tests.relay.keys.test_eth1_signer_source import BY_KECCAK, source_of

SECRET, OTHER = bytes(range(1, 33)), bytes(31) + b"\x07"
PUBLIC = secp256k1.public_key_of(SECRET)
ALLOWED = PolicyConfig.model_validate(
    {
        "documents": ["evm-transaction", "cosmos-transaction", "attestation", "typed-data"],
        "chains": ["31337", "simd-1"],
        "value_wei": 5,
        "cost_per_day_wei": 10**30,
    }
)


@asynccontextmanager
async def serving(*sources, timeout_s=5.0):
    app = SignerApp(SigningDesk(sources, timeout_s), 500, 32)
    async with trio.open_nursery() as nursery:
        port = await nursery.start(partial(listen, app, listen_config("127.0.0.1", 0)))
        yield f"http://127.0.0.1:{port}"
        nursery.cancel_scope.cancel()


@pytest.fixture
def record(tmp_path):
    opened = SigningRecord(tmp_path / "signed.jsonl")
    yield opened
    opened.close()


@pytest.fixture
async def url(record):
    async with serving(GuardedSource(KeyInMemory(SECRET, "keystore a"), ALLOWED, record)) as served:
        yield served


class TestOurSigner(SourceConformance):
    """Both dialects: what is hashed with Keccak-256, and transactions of Cosmos chains."""

    expected_key = PUBLIC
    signs = BY_KECCAK | {DocumentKind.COSMOS_TRANSACTION}

    @pytest.fixture
    async def source(self, url):
        found = source_of(url)
        yield found
        await found.aclose()


async def asked(url: str, path: str, body: bytes | None = None) -> bytes:
    """The answer's body; what is no success comes as an error of the transport, or as its JSON object."""
    async with new_http_client(1) as client:
        if body is None:
            return await client.get(Endpoint(url, RpcOptions()), path, "get", 2**20)
        return await client.post(Endpoint(url + path, RpcOptions()), "post", body, 2**20)


def code_of(answer: bytes) -> str:
    return json.loads(answer)["code"]


SIGN = SIGN_PATH + identifier_of(PUBLIC)
OURS = HUTONG_SIGN_PATH + identifier_of(PUBLIC)


async def test_the_api_is_the_one_of_web3signer(url):
    assert await asked(url, UPCHECK_PATH) == b"OK"
    assert json.loads(await asked(url, PUBLIC_KEYS_PATH)) == [identifier_of(PUBLIC)]
    health = json.loads(await asked(url, HEALTH_PATH))
    assert health["outcome"] == "UP" and health["checks"] == [{"id": identifier_of(PUBLIC), "status": "UP"}]
    body = json.dumps({"data": f"0x{transaction().preimage.hex()}", "note": "more members are allowed"}).encode()
    for path in (
        SIGN,
        SIGN.replace("/0x", "/"),
        SIGN.replace("/0x", "/0x04").upper().replace("/API/V1/ETH1/SIGN", "/api/v1/eth1/sign").replace("/0X", "/0x"),
    ):
        answer = await asked(url, path, body)
        signature = bytes.fromhex(answer.decode()[2:])
        assert len(signature) == 65 and signature[64] in (27, 28)
        recovered = secp256k1.recover_public_key(
            keccak256(transaction().preimage), signature[:64] + bytes([signature[64] - 27])
        )
        assert secp256k1.compress(recovered) == PUBLIC


NOT_SIGNED = {
    "a digest": (SIGN, {"data": "0x" + "11" * 32}, "malformed"),
    "text of a wallet": (SIGN, {"data": "0x" + b"\x19Ethereum Signed Message:\n5hello".hex()}, "malformed"),
    "nothing": (SIGN, {"data": "0x"}, "malformed"),
    "no hex": (SIGN, {"data": "0xzz"}, "malformed"),
    "no 0x": (SIGN, {"data": transaction().preimage.hex()}, "malformed"),
    "no data": (SIGN, {}, "malformed"),
    "a number": (SIGN, {"data": 7}, "malformed"),
    "a list": (SIGN, [], "malformed"),
    "bytes after the transaction": (SIGN, {"data": f"0x{transaction().preimage.hex()}00"}, "malformed"),
    "another chain": (SIGN, {"data": f"0x{transaction(chain_id=1).preimage.hex()}"}, "refused"),
    "too much value": (SIGN, {"data": f"0x{transaction(value_wei=6).preimage.hex()}"}, "refused"),
    "a creation": (SIGN, {"data": f"0x{transaction(to=None).preimage.hex()}"}, "refused"),
    "another key": (SIGN_PATH + identifier_of(secp256k1.public_key_of(OTHER)), {"data": "0x00"}, "unknown-key"),
    "a name": (SIGN_PATH + "alpha", {"data": "0x00"}, "unknown-key"),
    "an unknown kind": (OURS, {"kind": "bytes", "data": "0x00"}, "unsupported"),
    "a vote": (OURS, {"kind": "consensus-vote", "data": f"0x{documents(PUBLIC)[DocumentKind.CONSENSUS_VOTE].preimage.hex()}"}, "unsupported"),
    "no document of its kind": (OURS, {"kind": "cosmos-transaction", "data": "0x1234"}, "malformed"),
    "another key's document": (
        OURS,
        {"kind": "cosmos-transaction", "data": f"0x{cosmos_transaction(secp256k1.public_key_of(OTHER)).preimage.hex()}"},
        "malformed",
    ),
    "another Cosmos chain": (
        OURS,
        {"kind": "cosmos-transaction", "data": f"0x{cosmos_transaction(PUBLIC, 'x-1').preimage.hex()}"},
        "refused",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_SIGNED)
async def test_attack_G14_what_is_not_signed_is_answered_and_not_recorded(url, record, name):
    path, body, code = NOT_SIGNED[name]
    assert code_of(await asked(url, path, json.dumps(body).encode())) == code
    good = json.dumps({"data": f"0x{transaction().preimage.hex()}"}).encode()
    assert (await asked(url, SIGN, good)).startswith(b"0x")
    record.close()
    assert [line.kind for line in judged_file(record.path).signed] == ["evm-transaction"]


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b'{"data": "0x', b"[" * 5_000, b" " * MAX_SIGN_BYTES + b"}"])
async def test_attack_G2_malformed_bodies_are_one_answer(url, body):
    assert code_of(await asked(url, SIGN, body)) == "malformed"


async def test_attack_G2_a_body_that_goes_on_is_read_no_further(url, record):
    """Its sender hears the refusal, or that the connection ended while it was sending; others are served."""
    good = json.dumps({"data": f"0x{transaction().preimage.hex()}"}).encode()
    try:
        assert code_of(await asked(url, SIGN, good[:-1] + b" " * 3_000_000 + b"}")) == "malformed"
    except AttemptFailed as ended:
        assert "socket connection broken" in str(ended)
    assert (await asked(url, SIGN, good)).startswith(b"0x")
    record.close()
    assert len(judged_file(record.path).signed) == 1


async def test_the_relay_says_what_the_policy_says(url):
    source = source_of(url)
    with pytest.raises(SigningRefused, match="policy.chains: nothing is signed for 1"):
        await source.sign(transaction(chain_id=1))
    with pytest.raises(DocumentUnsupported):
        await source.sign(documents(PUBLIC)[DocumentKind.JWS])
    await source.aclose()


async def test_a_key_that_is_away_is_unavailable_to_others(record):
    class Away(KeyInMemory):
        async def sign(self, document):
            await trio.sleep_forever()

    async with serving(GuardedSource(Away(SECRET, "a token"), ALLOWED, record), timeout_s=0.05) as url:
        source = source_of(url)
        with pytest.raises(SignerUnavailable, match="503"):
            await source.sign(transaction())
        await source.aclose()
