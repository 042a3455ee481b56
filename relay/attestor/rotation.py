"""`hutong attest rotate`: this attestor's signature under the set that is to follow its own.

Two sets with one number are misbehaviour, so the set that was signed under a number is on disk before the signature leaves,
and no other is signed under it. The same set may be signed again over a newer block: the first signatures may be lost, or
their block too old, and no number can be left out.
"""

from dataclasses import dataclass
from pathlib import Path

import trio

from hutong.adapters.interface import SigningFailed
from hutong.light_clients.attestation import (
    AttestationKind,
    Rotation,
    Scope,
    StateAttestation,
    decode_rotation,
    encode_rotation,
    scope_hash,
)
from hutong.light_clients.interface import MalformedInput
from hutong.relay.attestor.attestor import Attestor
from hutong.relay.attestor.daemon import open_attestor, scopes_of
from hutong.relay.attestor.errors import AttestorUnusable
from hutong.relay.base.durable_files import write_durably
from hutong.relay.config import AttestorConfig
from hutong.relay.keys import Signer

LIMIT_S = 60


@dataclass(frozen=True, slots=True)
class NextSet:
    """What the operator asks for. `overlap_heights` is how long the present set stays good; 0 ends it at once."""

    client_id: str
    height: int
    set_number: int
    attestors: tuple[bytes, ...]
    threshold: int
    overlap_heights: int


@dataclass(frozen=True, slots=True)
class SignedRotation:
    """The data of the rotation, and one signature over it."""

    data: bytes
    signature: bytes


async def sign_rotation(config: AttestorConfig, signer: Signer, wanted: NextSet) -> SignedRotation:
    """Read the block at the height, which must be final, and sign.

    Raises:
        AttestorUnusable: no such client in the configuration, an unfit set, another set signed under the number,
            or the attestor's home is in use.
        AttestorRefused: the block is not final or cannot be read.
    """
    scope = _scope(config, wanted.client_id)
    with trio.move_on_after(LIMIT_S):
        async with open_attestor(config, signer) as attestor:
            rotation = await _rotation(attestor, wanted)
            await trio.to_thread.run_sync(_record, config.attestor.home, scope, rotation)
            data = encode_rotation(rotation)
            try:
                return SignedRotation(data, await signer.sign_attestation(scope, AttestationKind.ROTATION, data))
            except SigningFailed as error:
                raise AttestorUnusable(str(error)) from None
            finally:
                with trio.CancelScope(shield=True):
                    await signer.aclose()
    raise AttestorUnusable(f"the chain's endpoints do not answer within {LIMIT_S} s")


def _scope(config: AttestorConfig, client_id: str) -> Scope:
    named = [scope for scope in scopes_of(config) if scope.destination_client_id == client_id]
    if len(named) != 1:
        known = ", ".join(scope.destination_client_id for scope in scopes_of(config))
        raise AttestorUnusable(f"--client {client_id[:80]} is not one of the configured destinations: {known}")
    return named[0]


async def _rotation(attestor: Attestor, wanted: NextSet) -> Rotation:
    timestamp_s = await attestor.final_timestamp_s(wanted.height)
    until = wanted.height + wanted.overlap_heights if wanted.overlap_heights else 0
    try:
        state = StateAttestation(wanted.height, timestamp_s)
        return Rotation(state, wanted.set_number, tuple(sorted(wanted.attestors)), wanted.threshold, until)
    except MalformedInput as error:
        raise AttestorUnusable(f"the rotation is unfit: {error.field} {error.reason}, got {error.got}") from error


def _record(home: Path, scope: Scope, rotation: Rotation) -> None:
    path = home / f"rotation-{scope_hash(scope).hex()[:16]}-{rotation.set_number}"
    try:
        if path.exists():
            _check_recorded(path, rotation)
        else:
            write_durably(path, encode_rotation(rotation).hex().encode("ascii"))
    except OSError as error:
        raise AttestorUnusable(f"{path} cannot be used: {error.strerror}") from None


def _check_recorded(path: Path, rotation: Rotation) -> None:
    try:
        recorded = decode_rotation(bytes.fromhex(path.read_text("ascii")))
    except (ValueError, MalformedInput):
        raise AttestorUnusable(f"{path} is damaged: restore it from a copy") from None
    if not recorded.names_set_of(rotation):
        raise AttestorUnusable(
            f"another set was signed under number {rotation.set_number} ({path}): two of them would freeze the client"
        )
