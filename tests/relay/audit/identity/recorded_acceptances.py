"""Acceptances as files, which `.ci/verifier`, the command's tests and other implementations judge.

`python -m tests.relay.audit.identity.recorded_acceptances` writes them anew, when the format gets a version beside it.
"""

from pathlib import Path

from hutong.relay.archive.acceptance import encode_acceptance
from hutong.relay.archive.checkpoint import encode_checkpoint
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose
from tests.relay.audit.identity.accepted_credentials import SIGNING, World, key_record, p256

RECORDED = Path(__file__).with_name("recorded")
NOW = "1700000010"
"""Unix seconds at which they are judged."""


def recorded() -> dict[str, bytes]:
    """Bytes by name of the file."""
    world = World()
    logged = World(logged=True)
    ended = key_record(p256(SIGNING), KeyPurpose.SIGNING, logged.log_end)
    retired = logged.but(keys={**logged.keys, thumbprint(p256(SIGNING)): ended})
    revoked = World(index=700_000)
    return {
        "credential.acceptance": encode_acceptance(world.acceptance),
        "seal.acceptance": encode_acceptance(world.sealed),
        "retired-key.acceptance": encode_acceptance(retired.acceptance),
        "revoked.acceptance": encode_acceptance(revoked.acceptance),
        "hub.checkpoint.json": encode_checkpoint(world.hub.checkpoint()),
    }


if __name__ == "__main__":
    RECORDED.mkdir(exist_ok=True)
    for name, data in recorded().items():
        (RECORDED / name).write_bytes(data)
