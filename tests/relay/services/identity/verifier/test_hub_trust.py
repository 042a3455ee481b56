"""Issuers that a hub's records stand for: proven under a header of four validators, by bundles that are judged here."""

import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest

from hutong.light_clients.crypto import sha256
from hutong.relay.administration.identity.proven_ground import judged_ground
from hutong.relay.services.identity.daemon.hub_records import HubUnreachable, RecordsAsked
from hutong.relay.services.identity.rules.acceptance.standing import Ground
from hutong.relay.services.identity.rules.jose import JsonObject, sign_compact, write_json
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records.accreditation_record import AccreditationState
from hutong.relay.services.identity.rules.records.did_record import DidState
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose
from hutong.relay.services.identity.rules.status import Statuses, status_list_claim
from tests.relay.audit.identity.accepted_credentials import (
    ISSUER,
    MIDDLE,
    OTHER_SCHEMA,
    REVOKED,
    ROOT,
    SCHEMA,
    SIGNING,
    STOLEN,
    URI,
    World,
    accreditation,
    key_record,
    list_record,
    octets,
    p256,
)
from tests.relay.audit.records.shown_records import hub_time_s
from tests.relay.services.identity.verifier.scene import CONFIG, Scene, verifier_scene

QUERY = {
    "credentials": [
        {
            "id": "licence",
            "format": "dc+sd-jwt",
            "meta": {"vct_values": ["https://credentials.example/licence"]},
            "claims": [{"path": ["given_name"]}],
        }
    ]
}
HUB = f"""
[verifier.hub]
relay_config = "accredited.json"
checkpoint = "accredited.json"

[verifier.policies.accredited]
title = "Accredited issuers"
query = "accredited.json"
hub = {{ schema_sha256 = "sha256:{SCHEMA.hex()}", max_age_s = 15 }}
"""


@cache
def status_token(signer: Any = SIGNING, **claims: Any) -> str:
    every: JsonObject = {
        "sub": URI,
        "iat": hub_time_s(),
        "ttl": 15,
        "status_list": status_list_claim(Statuses(1, octets())),
        **claims,
    }
    return sign_compact({"alg": "ES256", "typ": "statuslist+jwt"}, write_json(every), signer.sign)


def listed(token: str, **bound: Any) -> dict[int, Any]:
    return {0: replace(list_record(**bound), token_hash=sha256(token.encode()))}


GOOD = World(lists=listed(status_token()))


@dataclass
class Records:
    """The hub of a world, through a node that shows `lie` in its place, if there is one."""

    world: World = GOOD
    is_away: bool = False
    lie: Callable[[Ground], Ground] = lambda ground: ground

    async def ground(self, asked: RecordsAsked) -> Ground:
        if self.is_away:
            raise HubUnreachable("the hub's node does not answer")
        assert asked == RecordsAsked(ISSUER, 0, SCHEMA)
        hub = self.world.hub
        return self.lie(judged_ground(hub.bundle(*self.world.records), hub.checkpoint(), hub.now_ns))


@asynccontextmanager
async def accredited_scene(folder):
    (folder / "accredited.json").write_text(json.dumps(QUERY))
    records = Records()
    async with verifier_scene(folder, CONFIG + HUB, records, hub_time_s()) as scene:
        scene.lists.uri, scene.lists.token = URI, status_token()
        yield scene, records


async def answered(scene: Scene, world: World) -> dict[str, Any]:
    asked = await scene.ask("accredited")
    request = await scene.wallet.open(asked["link"])
    await scene.wallet.answer(request, scene.wallet.presentation(request, world.issued))
    return await scene.result(asked)


async def test_an_accredited_issuer_is_believed_without_a_certificate(tmp_path):
    async with accredited_scene(tmp_path) as (scene, _):
        found = await answered(scene, GOOD)
        assert found["state"] == "accepted", found
        (shown,) = found["result"]["credentials"]["licence"]
        assert shown["issuer"]["name"] == f"did:hutong:hutong:{ISSUER.hex()}"
        assert shown["claims"]["given_name"] == "Erika" and shown["status"]["uri"] == URI


@pytest.mark.long
async def test_attack_N144_an_issuer_that_the_hub_does_not_stand_for(tmp_path):
    async with accredited_scene(tmp_path) as (scene, records):

        async def rule(world: World, token: str | None = None) -> str:
            records.world = world
            scene.lists.token = status_token() if token is None else token
            found = await answered(scene, world)
            assert found["state"] == "refused", found
            return found["result"]["rule"]

        middle = accreditation(ROOT, 1)
        middle_revoked = replace(middle, state=AccreditationState.REVOKED, revoked_s=hub_time_s() - 9)
        other_list = status_token(ttl=14)
        signing = key_record(p256(SIGNING), KeyPurpose.PRESENTATION)
        for said, world, token in (
            ("accreditation_counts", GOOD.but(levels={**GOOD.levels, MIDDLE: middle_revoked}), None),
            ("list_is_for_the_schema", GOOD.but(lists=listed(status_token(), schema=OTHER_SCHEMA)), None),
            ("key_is_for", GOOD.but(keys={**GOOD.keys, thumbprint(p256(SIGNING)): signing}), None),
            ("signature_verifies", GOOD.but(signer=STOLEN), None),
            ("issuance_is_logged", GOOD.but(state=DidState.DEACTIVATED), None),
            ("type_is_of_a_schema", GOOD.but(claims={"vct#integrity": "sha256-" + "A" * 43 + "="}), None),
            ("token_is_the_proven_one", GOOD, other_list),
            ("status_is_valid", GOOD.but(index=REVOKED), None),
        ):
            assert await rule(world, token) == said, said
        assert await rule(GOOD.but(epoch=9, index=REVOKED)) == "status_is_valid"
        assert await rule(GOOD) == "epoch_is_newest"
        records.world = GOOD.but(epoch=9)
        scene.lists.token = status_token()
        assert (await answered(scene, GOOD))["state"] == "accepted"


async def test_attack_N144_records_that_are_old_left_out_or_not_to_be_had(tmp_path):
    async with accredited_scene(tmp_path) as (scene, records):

        async def rule() -> str:
            found = await answered(scene, GOOD)
            assert found["state"] == "refused", found
            return found["result"]["rule"]

        def left_out(ground: Ground) -> Ground:
            first = min(name for name in ground.proven if b"identity/key/" in name)
            return replace(ground, proven={name: one for name, one in ground.proven.items() if name != first})

        records.lie = left_out
        assert await rule() == "every_key_is_shown"
        records.lie = lambda ground: replace(ground, time_s=ground.time_s - 16)
        assert await rule() == "header_is_fresh"
        records.lie = lambda ground: replace(ground, hub="another")
        assert await rule() == "hub_is_the_policys"
        records.lie = lambda ground: ground
        records.is_away = True
        assert await rule() == "hub_is_reachable"
        records.is_away = False
        scene.lists.token = None
        assert await rule() == "status_list_is_reachable"
        scene.lists.token = status_token()
        assert (await answered(scene, GOOD))["state"] == "accepted"
