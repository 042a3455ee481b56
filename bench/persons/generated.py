"""`python -m bench identity generated`: a hundred million persons by generated shards and lists, and what one of them costs.

Every shard is a tree of 2^20 generated leaves, every list is of 2^20 generated statuses. Of each kind some are made as they are,
of drawn numbers (a whole hundred million leaves would be hashed for minutes and teach nothing more); the hub's records are
written for all of them, in the state of a hub: lists by the module that opens them, none of them sealed, which is when it holds
most. One draw of a shard then changes, is proven, and is judged, and so does one of a list.
"""

import json
import tempfile
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random
from statistics import median

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.persons.registrations import account_of
from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.hub.application.identity.issuing import MAX_CHECKPOINTS, MAX_OPEN_LISTS, open_list
from hutong.relay.hub.application.identity.registry import Registry
from hutong.relay.hub.state import StateView
from hutong.relay.services.identity.registrar.shards import Executed, Shards, open_shards
from hutong.relay.services.identity.rules.persons import calls
from hutong.relay.services.identity.rules.persons.changing import Change, encode_change, judge_changes
from hutong.relay.services.identity.rules.persons.person import (
    Control,
    Person,
    Place,
    encode_opening,
    leaf_of,
    next_key_commitment,
    person_id,
)
from hutong.relay.services.identity.rules.persons.person_proof import PersonProof, encode_person_proof, judge_person
from hutong.relay.services.identity.rules.persons.signed import change_digest, compact_form
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.identity.rules.records.list_record import ListBinding
from hutong.relay.services.identity.rules.records.log_record import LogRecord, encode_log_record
from hutong.relay.services.identity.rules.records.shard_record import MAX_LEAVES, ShardRecord, encode_shard_record
from hutong.relay.services.identity.rules.status.chunk_tree import (
    TreeShape,
    encode_chunk_proof,
    layers_of,
    list_root,
    prove_chunk,
)
from hutong.relay.services.identity.rules.status.chunk_update import (
    ChunkChange,
    ListUpdate,
    encode_update,
    judge_update,
)
from tests.relay.hub.application.identity.organisations import SCHEMA, Organisation, accredited_by, root_of
from tests.relay.hub.simulated_hub import SimulatedHub

HUB, DID, AT = "hutong", sha256(b"registrar of a hundred million").digest(), Moment(1, 1_700_000_000)
PERSONS = 100_000_000
SHAPE = TreeShape(1, MAX_LEAVES)
LISTS = -(-PERSONS * 30 // MAX_LEAVES)
"""Of 30 one-time credentials each."""
ROUNDS = 200
APPENDED = 65_536


def main(console: Console, shards: int, lists: int) -> None:
    """The figures, and the bounds that they are held against.

    Args:
        shards: how many are made leaf by leaf.
        lists: how many are made bit by bit; the records of all are written.

    Raises:
        SystemExit: code 1, a bound does not hold.
    """
    random = Random(17)
    issuer = accredited_by(root_of(SimulatedHub()), "issuer")
    state = issuer.hub.view()
    with tempfile.TemporaryDirectory(prefix="hutong-bench-") as folder, open_shards(Path(folder), DID) as kept:
        figures = _shards(console, kept, random, shards)
        for number in range(-(-PERSONS // MAX_LEAVES)):
            state.set(keys.shard_key(DID, number), encode_shard_record(_record(kept, number % shards)))
    figures |= {"hub state of all shards, bytes": (_bytes(state, keys.SHARD_PREFIX), None)}
    figures |= _lists(console, (state, issuer), random, lists)
    figures |= {
        "hub state of all lists, bytes": (_bytes(state, keys.LIST_PREFIX), None),
        "hub state of all, all that identity holds, bytes": (_bytes(state, keys.IDENTITY_PREFIX), 1_000_000),
        "beside it, earlier roots of an issuer's log at most, bytes": (_log_bytes(), None),
    }
    table = Table(title=f"{PERSONS:,} persons by generated shards and lists", title_justify="left")
    for name in ("what", "is", "at most"):
        table.add_column(name, justify="left" if name == "what" else "right")
    failed = []
    for name, (figure, most) in figures.items():
        table.add_row(name, f"{figure:,.3f}" if figure < 10 else f"{figure:,.0f}", "" if most is None else f"{most:,}")
        if most is not None and figure > most:
            failed.append(name)
    console.print(table)
    console.print_json(json.dumps({name: figure for name, (figure, _) in figures.items()}))
    if failed:
        raise SystemExit(f"above their bounds: {', '.join(failed)}")


Figures = dict[str, tuple[float, float | None]]


def _shards(console: Console, kept: Shards, random: Random, made: int) -> Figures:
    total = -(-PERSONS // MAX_LEAVES)
    began = time.process_time()
    for number in track(range(made), "shards", console=console, transient=True):
        _, shard = kept.last()
        for first in range(0, MAX_LEAVES, APPENDED):
            shard.append(_openings(number, first))
    hashed_s = time.process_time() - began
    proofs, updates, sizes = [], [], []
    for _ in range(ROUNDS):
        number, index = random.randrange(made), random.randrange(MAX_LEAVES)
        proof_ms, update_ms, size = _one_person(kept, number, index)
        proofs.append(proof_ms)
        updates.append(update_ms)
        sizes.append(size)
    return {
        f"shards made of {total}, each of 2^20 leaves": (made, None),
        "a shard made, CPU-s": (hashed_s / made, None),
        "proof of a person, bytes": (max(sizes), 1_024),
        "proof made and judged, CPU-ms": (median(proofs), None),
        "a change made, judged and kept, CPU-ms": (median(updates), 2),
    }


def _bytes(state: StateView, prefix: bytes) -> int:
    """Keys and values below a prefix."""
    return sum(len(key) + len(value) for key, value in state.with_prefix(prefix))


def _log_bytes() -> int:
    """However many persons there are: one root of each of the last seconds with an append is kept."""
    row = keys.checkpoint_key(DID, AT.time_s) + encode_log_record(LogRecord(bytes(32), 1, AT))
    return MAX_CHECKPOINTS * len(row)


def _openings(number: int, first: int) -> bytes:
    """Of persons whose keys can be made again from their number."""
    return b"".join(encode_opening(_person(number, index)) for index in range(first, first + APPENDED))


def _secret(number: int, index: int) -> bytes:
    return sha256(b"%d of shard %d" % (index, number)).digest()


def _person(number: int, index: int) -> Person:
    """With an account of random bytes, for none but the committed key ever signs."""
    drawn = sha256(_secret(number, index)).digest()
    return Person(Control(drawn[:20], sha256(drawn).digest(), bytes(32)), drawn[16:])


def _record(kept: Shards, number: int) -> ShardRecord:
    return ShardRecord(kept.files[number].root, MAX_LEAVES, 1, AT)


def _one_person(kept: Shards, number: int, index: int) -> tuple[float, float, int]:
    """CPU-ms of a proof and of a change, and the proof's bytes."""
    shard, place, secret = kept.files[number], Place(DID, number, index), _secret(number, index)
    person = shard.person(index)
    if person.control.next_key != next_key_commitment(account_of(secret)):
        # The generated commitment is to nobody: first let the person commit to a key that can sign.
        person = Person(Control(person.control.account, next_key_commitment(account_of(secret))), person.salt)
        shard.put(index, person)
    record = _record(kept, number)
    began = time.process_time()
    proof = PersonProof(place, person, shard.path(index))
    raw = encode_person_proof(proof)
    judge_person(VERIFY, HUB, person_id(HUB, place, person.salt), record, proof)
    proof_ms = (time.process_time() - began) * 1_000
    following = Control(account_of(secret))
    signature = compact_form(secp256k1.sign_recoverable(secret, change_digest(HUB, place, leaf_of(person), following)))
    began = time.process_time()
    change = Change(index, person, following, signature)
    siblings = shard.path(index)
    after = judge_changes(VERIFY, HUB, (DID, number), record, (siblings, [change]), AT.time_s)
    kept.apply(Executed(calls.CHANGE_PERSON.encode(DID, number, siblings, encode_change(change)), AT.time_s))
    update_ms = (time.process_time() - began) * 1_000
    if shard.root != after.root:
        raise AssertionError("the registrar and the hub's rules have another root each")
    return proof_ms, update_ms, len(raw)


def _open_lists(state: StateView, issuer: Organisation, roots: list[bytes]) -> None:
    """Every list, opened by the module: as many to a key as it lets be open, then under the next key."""
    registry = Registry(state, Moment(issuer.hub.height + 1, issuer.hub.time_s))
    one = issuer.key(issuer.issuing)
    for number in range(LISTS):
        print_of = sha256(b"key %d" % (number // MAX_OPEN_LISTS)).digest()
        if number % MAX_OPEN_LISTS == 0:
            registry.put_key(issuer.did, print_of, one)
        if open_list(registry, issuer.did, ListBinding(print_of, SCHEMA), SHAPE) != number:
            raise AssertionError("lists are numbered otherwise")
        token, opened = sha256(b"%d" % number).digest(), registry.list(issuer.did, number)
        registry.put_list(
            issuer.did, number, replace(opened, root=roots[number % len(roots)], token_hash=token, updates=1)
        )


def _lists(console: Console, hub: tuple[StateView, Organisation], random: Random, made: int) -> Figures:
    drawn = [
        bytearray(random.randbytes(SHAPE.chunks * 32))
        for _ in track(range(made), "lists", console=console, transient=True)
    ]
    layers = [layers_of(SHAPE, bytes(octets)) for octets in drawn]
    _open_lists(*hub, [one[-1][0] for one in layers])
    times, sizes = [], []
    for _ in range(ROUNDS):
        number, chunk = random.randrange(made), random.randrange(SHAPE.chunks)
        octets, nodes = drawn[number], layers[number]
        before = bytes(octets[chunk * 32 : chunk * 32 + 32])
        after = (int.from_bytes(before, "big") | 1 << _zero_bit(before)).to_bytes(32, "big")
        siblings = prove_chunk(nodes, chunk)
        sizes.append(len(encode_chunk_proof(siblings)))
        began = time.process_time()
        update = ListUpdate((ChunkChange(chunk, before, after),), siblings.siblings)
        judge_update(VERIFY, SHAPE, nodes[-1][0], update)
        encode_update(update)
        times.append((time.process_time() - began) * 1_000)
    if list_root(SHAPE, bytes(drawn[0])) != layers[0][-1][0]:
        raise AssertionError("a list has two roots")
    return {
        f"lists made of {LISTS:,}, each of 2^20 statuses": (made, None),
        "proof of a status, bytes": (max(sizes), 1_024),
        "a revocation made and judged, CPU-ms": (median(times), 2),
        "all lists as they are served, raw, bytes": (LISTS * SHAPE.chunks * 32, 400_000_000),
    }


def _zero_bit(chunk: bytes) -> int:
    """The lowest bit that is not set; of a random chunk there is one."""
    number = int.from_bytes(chunk, "big")
    return (~number & number + 1).bit_length() - 1
