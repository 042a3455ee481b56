"""The daemon of `hutong identity serve`: its file, its front, and what machines ask of it."""

from pathlib import Path

import httpx
import pytest
import trio

from hutong.light_clients.interface import MalformedInput
from hutong.relay.config import ConfigError
from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.daemon.requests import MAX_BODY_BYTES, read_form
from hutong.relay.services.identity.serving.app import create_app
from hutong.relay.services.identity.serving.configuration import load_identity_config
from hutong.relay.services.identity.serving.daemon import common_of, serve
from hutong.relay.services.identity.serving.roles import begin_roles
from hutong.relay.web.rate_limit import RateLimit
from tests.relay.services.identity.certificates import AUTHORITY_KEY, certify, key_of, pem, private_pem

SERVER = """
[server]
home = "state"
listen = "127.0.0.1:0"
public_url = "https://id.example/city"
"""
ISSUER = """
[issuer]
name = "City"
key = "issuer.pem"
certificates = "chain.pem"

[[issuer.credentials]]
id = "residence"
vct = "https://id.example/types/residence"
name = "Certificate of residence"
claims = [{ name = "given_name", label = "Given name", mandatory = true }, { name = "district", hidden = false }]
"""


def write_files(folder: Path, text: str = SERVER + ISSUER) -> Path:
    key = key_of(0xA11CE)
    (folder / "issuer.pem").write_bytes(private_pem(key))
    (folder / "issuer.pem").chmod(0o600)
    chain = certify("city", key.public_key(), by="authority", key=AUTHORITY_KEY, uri="https://id.example/city")
    (folder / "chain.pem").write_bytes(pem(chain))
    file = folder / "identity.toml"
    file.write_text(text)
    return file


def test_a_file_is_refused_whole_with_each_field_named(tmp_path):
    wrong = {
        "file: has no role": SERVER,
        "server.public_url: is not a text": SERVER.replace('"https://id.example/city"', "7") + ISSUER,
        "without https": SERVER.replace("https://id", "http://id") + ISSUER,
        "did you mean certificates?": SERVER + ISSUER.replace("certificates =", "certificate ="),
        "issuer.key": SERVER + ISSUER.replace("issuer.pem", "absent.pem"),
        "server.database_url": SERVER + 'database_url = "postgresql://me:word@db/x"\n' + ISSUER,
        "is the id of another type": SERVER + ISSUER + ISSUER[ISSUER.index("[[") :],
        "listens on 0.0.0.0 without TLS": SERVER.replace("127.0.0.1", "0.0.0.0") + ISSUER,
    }
    missed = []
    for said, text in wrong.items():
        file = write_files(tmp_path, text)
        try:
            load_identity_config(file)
            missed.append(said)
        except ConfigError as error:
            if said not in str(error):
                missed.append(f"{said}: {error}")
    assert not missed
    config = load_identity_config(write_files(tmp_path))
    assert config.issuer is not None
    assert config.issuer.key == tmp_path / "issuer.pem"
    (tmp_path / "issuer.pem").chmod(0o644)
    with pytest.raises(ConfigError, match=r"issuer\.key"):
        load_identity_config(tmp_path / "identity.toml")


async def test_metadata_operations_and_bounds_of_the_daemon(tmp_path):
    config = load_identity_config(write_files(tmp_path))
    common = common_of(config)
    async with begin_roles(config, common) as roles:
        app = create_app(common, roles, RateLimit(1_000, trio.current_time))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="https://id.example") as http:
            answer = await http.get("/.well-known/openid-credential-issuer/city")
            assert answer.status_code == 200
            metadata = answer.json()
            assert metadata["credential_issuer"] == "https://id.example/city"
            offered = metadata["credential_configurations_supported"]["residence"]
            assert (offered["format"], offered["vct"]) == ("dc+sd-jwt", "https://id.example/types/residence")
            assert (await http.get("/healthz")).json() == {"status": "ok"}
            ready = await http.get("/readyz")
            assert (ready.status_code, ready.json()["roles"]) == (503, {"issuer": "no status list is open yet"})
            assert "hutong_identity_requests_total" in (await http.get("/metrics")).text
            missing = await http.get("/none")
            assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
            assert missing.headers["content-type"] == "application/problem+json"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert (await http.get("/v1/x", headers={"authorization": "Bearer hk_wrong"})).status_code == 401
            large = await http.post("/credential", content=b"x" * (MAX_BODY_BYTES + 1))
            assert large.status_code == 413


async def test_metrics_need_a_key_where_strangers_can_ask(tmp_path):
    text = SERVER + 'behind_proxy = true\ntrusted_proxies = ["10.0.0.1"]\n' + ISSUER
    config = load_identity_config(write_files(tmp_path, text))
    common = common_of(config)
    async with begin_roles(config, common) as roles:
        transport = httpx.ASGITransport(app=create_app(common, roles, RateLimit(1_000, trio.current_time)))
        async with httpx.AsyncClient(transport=transport, base_url="https://id.example") as http:
            assert (await http.get("/metrics")).status_code == 401


async def test_the_daemon_serves_a_port_and_keeps_its_home_alone(tmp_path):
    config = load_identity_config(write_files(tmp_path))
    addresses: list[str] = []
    ready = trio.Event()

    def on_ready(address: str) -> None:
        addresses.append(address)
        ready.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, config, on_ready)
        await ready.wait()
        async with httpx.AsyncClient(base_url=addresses[0], trust_env=False) as http:
            assert (await http.get("/healthz")).status_code == 200
        with pytest.raises(RoleUnusable, match="another identity daemon"):
            await serve(config, on_ready)
        nursery.cancel_scope.cancel()


def test_forms_are_read_in_one_way():
    assert read_form(b"a=1&b=%C3%A9") == {"a": "1", "b": "é"}
    for wrong in (b"a=1&a=2", b"a", b"a=%FF", "a=é".encode(), b"&".join(b"x%d=1" % n for n in range(65))):
        with pytest.raises(MalformedInput):
            read_form(wrong)
