"""What an attestor signs under the next set, and what it never signs."""

from dataclasses import replace

import pytest

from hutong.adapters.evm.attested.attestor_api import AttestorRefused
from hutong.light_clients.attestation import (
    AttestationKind,
    Rotation,
    StateAttestation,
    attestation_digest,
    decode_rotation,
    recover_attestor,
)
from hutong.relay.attestor.daemon import open_attestor
from hutong.relay.attestor.errors import AttestorUnusable
from hutong.relay.attestor.record import FILE_NAME
from hutong.relay.attestor.rotation import NextSet, sign_rotation
from tests.adapters.rpc.hostile_server import hostile_server
from tests.relay.attestor.attestor_tools import CHAIN_ID, ROUTER, ScriptedNode
from tests.relay.attestor.test_attestor import ADDRESS, SCOPE, SIGNER, config

NEW = (b"\x02" * 20, b"\x01" * 20, b"\x03" * 20)
WANTED = NextSet("attestation-0", 10, 1, NEW, 2, 100)


@pytest.fixture
async def loaded(tmp_path):
    async with hostile_server() as server:
        node = ScriptedNode(server)
        (tmp_path / FILE_NAME).write_text(f"hutong-signed-heights-1 {CHAIN_ID} 0x{ROUTER.hex()}\nfloor 0\n")
        yield config(tmp_path, [node.server.url])


async def test_rotation_names_the_final_block_and_is_signed_for_this_client(loaded):
    signed = await sign_rotation(loaded, SIGNER, WANTED)
    assert decode_rotation(signed.data) == Rotation(StateAttestation(10, 1010), 1, tuple(sorted(NEW)), 2, 110)
    digest = attestation_digest(SCOPE, AttestationKind.ROTATION, signed.data)
    assert recover_attestor(digest, signed.signature) == ADDRESS
    assert await sign_rotation(loaded, SIGNER, WANTED) == signed, "the same again is no second rotation"
    ended = decode_rotation(
        (await sign_rotation(loaded, SIGNER, replace(WANTED, set_number=2, overlap_heights=0))).data
    )
    assert ended.previous_until_height == 0


async def test_attack_D8_attestor_never_signs_two_sets_under_one_number(loaded):
    await sign_rotation(loaded, SIGNER, WANTED)
    for changed in ({"attestors": NEW[:1], "threshold": 1}, {"threshold": 3}, {"attestors": (*NEW, b"\x04" * 20)}):
        with pytest.raises(AttestorUnusable, match="another set was signed under number 1"):
            await sign_rotation(loaded, SIGNER, replace(WANTED, **{"threshold": 3, **changed}))
    await sign_rotation(loaded, SIGNER, replace(WANTED, set_number=2, threshold=3))


async def test_set_whose_first_signatures_came_to_nothing_is_signed_again(loaded):
    """No number can be left out: a block that grew too old would end all rotation of the client."""
    await sign_rotation(loaded, SIGNER, WANTED)
    for changed in ({"height": 11}, {"overlap_heights": 0}):
        await sign_rotation(loaded, SIGNER, replace(WANTED, **changed))


async def test_damaged_record_of_a_rotation_is_named(loaded):
    await sign_rotation(loaded, SIGNER, WANTED)
    (path,) = loaded.attestor.home.glob("rotation-*")
    for text in ("", "00", path.read_text("ascii")[:-2]):
        path.write_text(text)
        with pytest.raises(AttestorUnusable, match="is damaged: restore it"):
            await sign_rotation(loaded, SIGNER, WANTED)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"client_id": "attestation-9"}, "not one of the configured destinations: attestation-0"),
        ({"threshold": 1}, "more than half"),
        ({"attestors": ()}, "must be 1 to 64"),
        ({"attestors": (NEW[0], NEW[0])}, "ascending and distinct"),
        ({"overlap_heights": 10**7}, "from its height"),
    ],
)
async def test_unfit_wishes_are_refused(loaded, changed, reason):
    with pytest.raises(AttestorUnusable, match=reason):
        await sign_rotation(loaded, SIGNER, replace(WANTED, **changed))
    assert not list(loaded.attestor.home.glob("rotation-*"))


async def test_block_that_is_not_final_is_not_signed(loaded):
    with pytest.raises((AttestorRefused, ExceptionGroup)) as caught:
        await sign_rotation(loaded, SIGNER, replace(WANTED, height=19))
    assert "not final" in str(getattr(caught.value, "exceptions", [caught.value])[0])


async def test_attestor_that_runs_keeps_its_home(loaded):
    async with open_attestor(loaded, SIGNER):
        with pytest.raises((AttestorUnusable, ExceptionGroup)) as caught:
            await sign_rotation(loaded, SIGNER, WANTED)
    assert "another attestor runs" in str(getattr(caught.value, "exceptions", [caught.value])[0])
