"""Keys of issuer and verifier that another machine holds: what is signed, and what happens while it is away."""

import pytest
from authlib.integrations.base_client.errors import OAuthError
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from httpx import HTTPStatusError

from hutong.light_clients.interface import VERIFY
from hutong.relay.config import AwsKmsConfig, ConfigError
from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.daemon.token_key import open_token_key
from hutong.relay.services.identity.rules.sd_jwt import Clock
from hutong.relay.services.identity.rules.status import ListDemand, judge_status, status_claim_well_formed
from hutong.relay.services.identity.serving.configuration import load_identity_config
from tests.relay.keys.fake_kms import fake_kms
from tests.relay.services.identity.certificates import key_of
from tests.relay.services.identity.issuer.issuer_world import CONFIG, ISSUER_KEY, issuing, write_config
from tests.relay.services.identity.issuer.test_issuing_flows import judged, trust
from tests.relay.services.identity.login.test_login import LOGIN, PUBLIC_URL, claims_of, login_scene
from tests.relay.services.identity.rules.actors import NOW_S
from tests.relay.services.identity.verifier.scene import CONFIG as VERIFIER_CONFIG
from tests.relay.services.identity.verifier.scene import VERIFIER_SECRET, verifier_scene
from tests.relay.services.identity.verifier.scene import write_files as write_verifier

SECP256K1 = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"


def public(secret: int) -> str:
    return key_of(secret).public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint).hex()


def kms(secret: int, url: str = "http://127.0.0.1:9") -> str:
    table = f'kind = "aws-kms", curve = "p256", key_id = "alias/city", region = "eu-central-1", public_key = "{public(secret)}"'
    return f'key = {{ {table}, endpoint_url = "{url}", timeout_ms = 2_000 }}'


def with_key(key: str) -> str:
    """The issuer's configuration, before it is formatted."""
    return CONFIG.replace('key = "issuer.pem"', key.replace("{", "{{").replace("}", "}}"))


WRONG = {
    "issuer.key.kind: eth1-signer signs no tokens": f'key = {{ kind = "eth1-signer", url = "http://127.0.0.1:1", public_key = "{SECP256K1}" }}',
    "issuer.key.kind: keystore signs no tokens": 'key = { keystore = "issuer.pem", password_file = "issuer.pem" }',
    "issuer.key.curve: is not p256": kms(ISSUER_KEY.secret).replace('curve = "p256", ', "").replace(public(ISSUER_KEY.secret), SECP256K1),
    "issuer.key.public_key: must be a compressed key of P-256": kms(ISSUER_KEY.secret).replace(public(ISSUER_KEY.secret), "02" + "ff" * 32),
    "issuer.key.kind: is no kind of key": 'key = { kind = "paper" }',
    "issuer.key.key_idd: unknown key": kms(ISSUER_KEY.secret).replace("key_id", "key_idd"),
    "issuer.key: is not a text": "key = 7",
}  # fmt: skip


@pytest.mark.parametrize("said", WRONG)
def test_a_key_that_signs_no_tokens_is_named_by_its_field(tmp_path, said):
    with pytest.raises(ConfigError) as caught:
        write_config(tmp_path, text=with_key(WRONG[said]))
    assert said in str(caught.value)


def test_the_verifiers_key_likewise(tmp_path):
    key = WRONG["issuer.key.kind: eth1-signer signs no tokens"]
    with pytest.raises(ConfigError, match=r"verifier\.key\.kind: eth1-signer signs no tokens"):
        load_identity_config(write_verifier(tmp_path, VERIFIER_CONFIG.replace('key = "verifier.pem"', key)))


def test_the_logins_key_likewise(tmp_path):
    key = WRONG["issuer.key.kind: eth1-signer signs no tokens"]
    write_verifier(tmp_path, VERIFIER_CONFIG + LOGIN.replace('key = "login.pem"', key))
    with pytest.raises(ConfigError, match=r"login\.key\.kind: eth1-signer signs no tokens"):
        load_identity_config(tmp_path / "identity.toml")


def test_a_key_of_accounts_is_refused_where_it_is_opened():
    table = {"kind": "aws-kms", "key_id": "a", "region": "r", "public_key": SECP256K1}
    with pytest.raises(RoleUnusable, match=r"issuer\.key\.curve is not p256"):
        open_token_key(AwsKmsConfig.model_validate(table), "issuer.key")


@pytest.fixture
def credentials(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")


@pytest.mark.long
async def test_an_issuer_signs_by_a_key_elsewhere_and_issues_nothing_while_it_is_away(tmp_path, credentials):
    async with fake_kms(ISSUER_KEY.secret.to_bytes(32, "big"), is_p256=True) as store:
        async with issuing(tmp_path, text=with_key(kms(ISSUER_KEY.secret, store.url))) as world:
            assert (await world.http.get("https://id.example/readyz")).status_code == 200
            first = (await world.wallet.take(await world.offer(), 3)).json()["credentials"]
            shown = [judged(tmp_path, one["credential"]) for one in first]
            places = [status_claim_well_formed(one.status) for one in shown]
            listed = await world.http.get(places[0].uri)
            demand = ListDemand(trust(tmp_path), Clock(NOW_S), shown[0].issuer)
            assert judge_status(VERIFY, listed.text, places[0], demand).status == 0
            metadata = "https://id.example/.well-known/openid-credential-issuer/city"
            signed = await world.http.get(metadata, headers={"accept": "application/jwt"})
            assert signed.status_code == 200 and signed.text.count(".") == 2

            size = world.issuer.ledger.log.size
            store.failures = [(400, "DisabledException")]
            refused = await world.wallet.take(await world.offer(), 2)
            assert refused.status_code == 503 and refused.json()["error"] == "server_error"
            assert world.issuer.ledger.log.size == size
            ready = await world.http.get("https://id.example/readyz")
            assert ready.status_code == 503 and "DisabledException" in ready.text
            store.lies = True
            assert (await world.wallet.take(await world.offer(), 1)).status_code == 503, "another key's signature"
            store.lies = False
            store.failures = [(400, "DisabledException")]
            assert (await world.http.get(metadata, headers={"accept": "application/jwt"})).status_code == 503
            assert (await world.wallet.take(await world.offer(), 1)).status_code == 200
            assert (await world.http.get("https://id.example/readyz")).status_code == 200


@pytest.mark.long
async def test_a_verifier_asks_by_a_key_elsewhere(tmp_path, credentials):
    async with fake_kms(VERIFIER_SECRET.to_bytes(32, "big"), is_p256=True) as store:
        text = VERIFIER_CONFIG.replace('key = "verifier.pem"', kms(VERIFIER_SECRET, store.url))
        async with verifier_scene(tmp_path, text) as scene:
            asked = await scene.ask()
            store.failures = [(400, "DisabledException")]
            request = await scene.desk.find(asked["id"])
            refused = await scene.http.get(f"/verifier/requests/{asked['id']}")
            assert request is not None and refused.status_code == 503
            assert "DisabledException" in (await scene.http.get("/readyz")).text
            assert (await scene.wallet.answer(await scene.wallet.open(asked["link"]))).status_code == 200
            assert (await scene.result(asked))["state"] == "accepted"
            assert (await scene.http.get("/readyz")).status_code == 200


@pytest.mark.long
async def test_a_login_signs_by_a_key_elsewhere_and_a_code_outlives_its_absence(tmp_path, credentials):
    secret, form = 0x106, {"authorization_response": "", "code_verifier": "v" * 43}
    async with fake_kms(secret.to_bytes(32, "big"), is_p256=True) as store:
        async with login_scene(tmp_path, kms(secret, store.url)) as scene, scene.client() as client:
            form["authorization_response"] = await scene.sign_in((await scene.begin(client))[0])
            for failure in (True, False):
                store.failures, store.lies = ([(400, "DisabledException")], False) if failure else ([], True)
                with pytest.raises((OAuthError, HTTPStatusError)):
                    await client.fetch_token(f"{PUBLIC_URL}/login/token", **form)
                assert scene.login.provider.key_problem is not None
            store.lies = False
            token = await client.fetch_token(f"{PUBLIC_URL}/login/token", **form)
            assert (await claims_of(scene, token))["given_name"] == "Erika"
            assert scene.login.provider.key_problem is None
            with pytest.raises(OAuthError, match="invalid_grant"):
                await client.fetch_token(f"{PUBLIC_URL}/login/token", **form)


@pytest.mark.long
async def test_a_key_that_is_not_the_certificates_is_refused(tmp_path, credentials):
    with pytest.raises(RoleUnusable, match="another key"):
        async with issuing(tmp_path, text=with_key(kms(0xBEEF))):
            raise AssertionError("it began")
