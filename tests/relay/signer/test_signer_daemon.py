"""The signer as it is configured: certificates of both sides, several keys, one record, and its end in order."""

from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio

from hutong.adapters.interface import SignerUnavailable, SigningRefused
from hutong.light_clients.crypto import secp256k1
from hutong.relay.config import load_signer_config
from hutong.relay.keys import KeyUnavailable, create_keystore
from hutong.relay.keys.signing_record import SigningRecord, judged_file
from hutong.relay.signer.daemon import run_signer
from tests.adapters.rpc.guarded_server import authority, signed_by
from tests.relay.keys.documents import transaction
from tests.relay.keys.source_conformance import recovered
from tests.relay.keys.test_eth1_signer_source import source_of

SECRETS = {"a": bytes(range(1, 33)), "b": bytes(31) + b"\x07"}
PUBLIC = {name: secp256k1.public_key_of(secret) for name, secret in SECRETS.items()}


def private(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def configured(folder, more="", contracts=("22", "23")):
    private(folder / "password", "p")
    text = f'[signer]\nlisten = "127.0.0.1:0"\nrecord = "signed.jsonl"\n{more}\n'
    for (name, secret), byte in zip(SECRETS.items(), contracts, strict=True):
        if not (folder / f"{name}.json").exists():
            create_keystore(folder / f"{name}.json", secret, b"p", iterations=2)
        text += f'[[keys]]\nkeystore = "{name}.json"\npassword_file = "password"\n'
        text += f'policy = {{ documents = ["evm-transaction"], value_wei = 5, contracts = ["0x{byte * 20}"] }}\n'
    return load_signer_config(private(folder / "signer.toml", text))


@asynccontextmanager
async def running(config):
    told, hears = trio.open_memory_channel[str](1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(run_signer, config, told.send_nowait))
        said = await hears.receive()
        yield said.split(" ready at ")[1].split(": record")[0]
        nursery.cancel_scope.cancel()


async def test_each_key_has_its_own_policy_and_all_have_one_record(tmp_path):
    async with running(configured(tmp_path)) as url:
        a, b = (source_of(url, PUBLIC[name]) for name in ("a", "b"))
        assert recovered(transaction(), await a.sign(transaction())) == PUBLIC["a"]
        with pytest.raises(SigningRefused, match="contracts"):
            await b.sign(transaction())
        other = transaction(to=b"\x23" * 20)
        assert recovered(other, await b.sign(other)) == PUBLIC["b"]
        with pytest.raises(KeyUnavailable, match="something else signs"):
            SigningRecord(tmp_path / "signed.jsonl")
        for source in (a, b):
            await source.aclose()
    assert [line.key for line in judged_file(tmp_path / "signed.jsonl").signed] == [PUBLIC["a"], PUBLIC["b"]]
    async with running(configured(tmp_path)) as url:
        source = source_of(url, PUBLIC["a"])
        await source.sign(transaction(8))
        await source.aclose()
    assert len(judged_file(tmp_path / "signed.jsonl").signed) == 3


async def test_attack_G14_clients_without_its_certificate_are_not_heard(tmp_path):
    serving, clients = authority(tmp_path, "serving"), authority(tmp_path, "clients")
    server, client, stranger = (
        signed_by(serving, "server"),
        signed_by(clients, "client"),
        signed_by(serving, "stranger"),
    )
    tls = f'tls_certificate = "{server[0]}"\ntls_key = "{server[1]}"\nclient_ca = "{clients}"'
    async with running(configured(tmp_path, tls)) as url:
        assert url.startswith("https://")
        for files, is_heard in ((client, True), (stranger, False), (None, False)):
            shown = {} if files is None else {"client_certificate": files[0], "client_key": files[1]}
            source = source_of(url, PUBLIC["a"], ca_file=serving, **shown)
            if is_heard:
                assert recovered(transaction(), await source.sign(transaction())) == PUBLIC["a"]
            else:
                with pytest.raises(SignerUnavailable):
                    await source.sign(transaction())
            await source.aclose()
    assert len(judged_file(tmp_path / "signed.jsonl").signed) == 1


async def test_a_damaged_record_keeps_it_from_starting(tmp_path):
    config = configured(tmp_path)
    private(tmp_path / "signed.jsonl", "{}\n")
    with pytest.raises(KeyUnavailable, match="line 1"):
        await run_signer(config, print)
    private(tmp_path / "signed.jsonl", "")
    async with running(config) as url:
        assert url
