"""What registrars, persons and guardians do on a hub: a folder follows the hub's blocks, and then something is sent."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from hutong.adapters.hub.chain import HubChain
from hutong.adapters.ics26.answers import Receipt
from hutong.light_clients.crypto import sha256
from hutong.relay.administration.errors import Declined
from hutong.relay.administration.hub.access import open_hub, transactor_of
from hutong.relay.administration.identity.reading import identity_record
from hutong.relay.config import HubChainConfig
from hutong.relay.hub.application.module import IDENTITY_ADDRESS
from hutong.relay.keys import Signer
from hutong.relay.services.identity.registrar.following import follow_blocks
from hutong.relay.services.identity.registrar.person_key import PersonKey
from hutong.relay.services.identity.registrar.shards import (
    NotOfTheseShards,
    Shards,
    ShardsInUse,
    open_shards,
)
from hutong.relay.services.identity.rules.persons import calls
from hutong.relay.services.identity.rules.persons.changing import (
    Change,
    encode_change,
    encode_changes,
    encode_control,
)
from hutong.relay.services.identity.rules.persons.person import Control, Person, Place, encode_opening, leaf_of
from hutong.relay.services.identity.rules.persons.person_proof import PersonProof
from hutong.relay.services.identity.rules.persons.person_recovery_record import decode_person_recovery_record
from hutong.relay.services.identity.rules.persons.registering import Registration, encode_registrations
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.shard_record import MAX_LEAVES

BATCH = 760
"""Registrations that fit a transaction of 128 KiB beside the edge."""


@dataclass(frozen=True, slots=True)
class At:
    """A hub, the folder of a registrar's shards, and the registrar's DID."""

    hub: HubChainConfig
    folder: Path
    registrar: bytes


@asynccontextmanager
async def _followed(at: At, random: Random) -> AsyncIterator[tuple[HubChain, Shards]]:
    """The hub, and the shards as of its newest block.

    Raises:
        Declined: the folder is open elsewhere or another registrar's, or what the node says does not give the hub's roots.
        AdapterError: the hub does not answer.
    """
    try:
        with open_shards(at.folder, at.registrar) as shards:
            async with open_hub(at.hub, random) as chain:
                await follow_blocks(chain.execution, shards)
                yield chain, shards
    except (ShardsInUse, NotOfTheseShards) as error:
        raise Declined(str(error)) from error


async def _send(chain: HubChain, shards: Shards, signer: Signer, data: bytes) -> Receipt:
    receipt = await (await transactor_of(chain, signer)).send(IDENTITY_ADDRESS, data)
    await follow_blocks(chain.execution, shards)
    return receipt


async def follow(at: At, random: Random) -> tuple[int, list[tuple[int, bytes]]]:
    """Read what is new; the height, and count and root of each shard."""
    async with _followed(at, random) as (_, shards):
        return shards.height, [(file.count, file.root) for file in shards.files]


async def register(
    at: At, signer: Signer, writer: tuple[bytes, bytes], entries: Sequence[Registration], random: Random
) -> list[Place]:
    """Append persons in batches of what fits a transaction; where each stands.

    Raises:
        RefusedByChain: the hub refuses a batch; those before it stand.
    """
    places: list[Place] = []
    async with _followed(at, random) as (chain, shards):
        while len(places) < len(entries):
            number, shard = shards.last()
            room = min(BATCH, MAX_LEAVES - shard.count)
            batch = entries[len(places) : len(places) + room]
            first, edge = shard.count, shard.edge()
            data = calls.REGISTER_PERSONS.encode(writer, number, edge, encode_registrations(batch))
            await _send(chain, shards, signer, data)
            places += [Place(at.registrar, number, first + index) for index in range(len(batch))]
    return places


async def prove(at: At, shard: int, index: int, random: Random) -> PersonProof:
    """The opening and path of a person as of the hub's newest block."""
    async with _followed(at, random) as (_, shards):
        file = shards.shard(shard)
        return PersonProof(Place(at.registrar, shard, index), _person(shards, shard, index), file.path(index))


def _person(shards: Shards, shard: int, index: int) -> Person:
    try:
        return shards.shard(shard).person(index)
    except IndexError as error:
        raise Declined(str(error)) from error


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to become of a person: its place, the account that follows, what that commits to next, and who may recover it.

    `recovery` None keeps what stands.
    """

    shard: int
    index: int
    account: bytes
    next_key: bytes
    recovery: bytes | None = None

    def control(self, person: Person) -> Control:
        """Who controls the person after it."""
        return Control(self.account, self.next_key, person.control.recovery if self.recovery is None else self.recovery)


async def change(
    at: At, signer: Signer, key: PersonKey, wanted: Wanted, writer: tuple[bytes, bytes] | None, random: Random
) -> Receipt:
    """Let the person's key decide; sent by anybody's account, or as the registrar's batch where `writer` is given.

    Raises:
        RefusedByChain: the hub refuses it, such as `following_key_was_committed_to`.
    """
    async with _followed(at, random) as (chain, shards):
        person = _person(shards, wanted.shard, wanted.index)
        following, place = wanted.control(person), Place(at.registrar, wanted.shard, wanted.index)
        entry = Change(wanted.index, person, following, key.change(place, leaf_of(person), following))
        path = shards.shard(wanted.shard).path(wanted.index)
        if writer is None:
            data = calls.CHANGE_PERSON.encode(at.registrar, wanted.shard, path, encode_change(entry))
        else:
            data = calls.CHANGE_PERSONS.encode(writer, wanted.shard, path, encode_changes([entry]))
        return await _send(chain, shards, signer, data)


async def approve(at: At, key: PersonKey, wanted: Wanted, expires_s: int, random: Random) -> bytes:
    """A guardian's signature over a recovery, 65 bytes."""
    async with _followed(at, random) as (_, shards):
        person = _person(shards, wanted.shard, wanted.index)
        place = Place(at.registrar, wanted.shard, wanted.index)
        return key.approve(place, leaf_of(person), wanted.control(person), expires_s)


@dataclass(frozen=True, slots=True)
class Grounds:
    """By what a recovery begins: the policy that the person committed to, and guardians' approvals; or the registrar itself."""

    policy: bytes
    expires_s: int
    signatures: tuple[bytes, ...]
    writer: tuple[bytes, bytes] | None = None


async def recover(at: At, signer: Signer, wanted: Wanted, grounds: Grounds, random: Random) -> int:
    """Begin a recovery; from when on it may take effect, in Unix seconds, by the node's word.

    Raises:
        RefusedByChain: the hub refuses it, such as `guardians_approve`.
    """
    async with _followed(at, random) as (chain, shards):
        person = _person(shards, wanted.shard, wanted.index)
        shown = encode_opening(person), shards.shard(wanted.shard).path(wanted.index)
        said = encode_control(wanted.control(person)), grounds.policy
        place = (at.registrar, wanted.shard, wanted.index)
        if grounds.writer is None:
            data = calls.START_RECOVERY.encode(place, *shown, *said, grounds.expires_s, list(grounds.signatures))
        else:
            data = calls.START_RECOVERY_AS_REGISTRAR.encode(grounds.writer, wanted.shard, wanted.index, *shown, *said)
        await _send(chain, shards, signer, data)
        return decode_person_recovery_record(await _recovery(chain, Place(*place))).effective_s


async def cancel(at: At, signer: Signer, key: PersonKey, place: Place, random: Random) -> Receipt:
    """Let the person's present key end a recovery that waits.

    Raises:
        Declined: none stands.
    """
    async with _followed(at, random) as (chain, shards):
        signature = key.cancel(place, sha256(await _recovery(chain, place)))
        struct = (place.registrar, place.shard, place.index)
        return await _send(chain, shards, signer, calls.CANCEL_RECOVERY.encode(struct, signature))


async def complete(at: At, signer: Signer, place: Place, random: Random) -> Receipt:
    """Let a recovery take effect whose delay is over."""
    async with _followed(at, random) as (chain, shards):
        person, path = _person(shards, place.shard, place.index), shards.shard(place.shard).path(place.index)
        struct = (place.registrar, place.shard, place.index)
        data = calls.COMPLETE_RECOVERY.encode(struct, encode_opening(person), path)
        return await _send(chain, shards, signer, data)


async def _recovery(chain: HubChain, place: Place) -> bytes:
    key = keys.person_recovery_key(place.registrar, place.shard, place.index)
    raw = await identity_record(chain.execution, key)
    if raw is None:
        raise Declined(f"no recovery of shard {place.shard}, index {place.index} waits")
    return raw
