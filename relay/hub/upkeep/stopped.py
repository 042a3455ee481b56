"""What an operator does with a stopped node whose next block cannot be executed: look, sign, hand the certificate in."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lmdb

from hutong.light_clients.interface import PredicateFailed, VerificationError
from hutong.light_clients.tendermint.codec import encode_commit, encode_header, encode_validator_set
from hutong.light_clients.tendermint.skip_certificate import (
    SkipCertificate,
    SkipStatement,
    combined,
    encode_certificate,
    skip_is_decided,
    skip_is_signed,
)
from hutong.relay.evm.store.lmdb_store import LmdbStore, StoreFull
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.hub.application.application import HubApplication
from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.chain.block_records import BlockRecords
from hutong.relay.hub.chain.taking_off import take_off_state
from hutong.relay.hub.home.home import DATABASE_DIRECTORY, load_genesis
from hutong.relay.hub.home.key_file import Password
from hutong.relay.hub.home.process import MAP_BYTES, NodeRefused, open_store, refusal_at_open
from hutong.relay.hub.skipping.files import SkipFiles, read_file
from hutong.relay.hub.skipping.marker import ExecutionMarker, Stage, load_marker
from hutong.relay.hub.state import StateDamaged
from hutong.relay.hub.state.keys import skip_certificate_key
from hutong.relay.hub.upkeep.skip_keys import skip_signer_of


class SkipNotDue(Exception):
    """Nothing is signed or written: one sentence."""


@dataclass(frozen=True, slots=True)
class SkipStanding:
    """Where a node stands; heights are of blocks, powers those that vote on the height after `statement`'s."""

    chain_id: str
    height: int
    """Of the newest block whose state is on disk."""
    marker: ExecutionMarker | None
    """Of the block that follows, None where no execution of it was begun."""
    statement: SkipStatement | None
    """What this node could sign, if it may."""
    why_not: str | None
    """One sentence where it may not; None where it may."""
    certificate: SkipCertificate | None
    """That the home has of the block that follows, or of the newest one."""
    powers: dict[bytes, int]

    def as_dict(self) -> dict[str, Any]:
        """The fields that `--json` prints."""
        marker = self.marker
        return {
            "chain_id": self.chain_id,
            "height": self.height,
            "block": None
            if marker is None
            else {
                "height": marker.height,
                "hash": marker.block_hash.hex(),
                "stage": marker.stage.value,
                "attempts": marker.attempts,
                "reason": marker.why_failed(),
            },
            "may_sign": self.why_not is None,
            "why_not": self.why_not,
            "certificate_of": None if self.certificate is None else self.certificate.statement.height,
            "total_power": sum(self.powers.values()),
            "power_needed": sum(self.powers.values()) * 2 // 3 + 1,
        }

    def in_words(self, home: Path) -> list[str]:
        """The same for the operator of the node in `home`, with what to do, in lines."""
        lines = [f"hub {self.chain_id} stands at block {self.height} here"]
        if self.certificate is not None:
            height = self.certificate.statement.height
            return [*lines, f"a certificate of block {height} is in {home / 'skips'}: start the node"]
        if self.why_not is not None or self.marker is None:
            return [*lines, self.why_not or ""]
        total = sum(self.powers.values())
        return [
            *lines,
            f"block {self.marker.height} ({self.marker.block_hash.hex()}) failed here: {self.marker.why_failed()}",
            f"members with {total * 2 // 3 + 1} of {total} voting power must fail on the same hash: ask them, by another way, first",
            f"then: hutong hub skip sign --home {home}",
        ]


def standing_of(home: Path) -> SkipStanding:
    """Where a node stands, read from its home; the node may run.

    Raises:
        UnusableHome: genesis, marker or a certificate cannot be read.
        NodeRefused: the database cannot be opened, or the chain is not begun.
    """
    genesis = load_genesis(home)
    with _reading(home) as store:
        return _standing(home, genesis, HubApplication(store, genesis))


@contextmanager
def _reading(home: Path) -> Iterator[LmdbStore]:
    try:
        store = LmdbStore(home / DATABASE_DIRECTORY, map_bytes=MAP_BYTES, read_only=True)
    except (lmdb.Error, OSError) as error:
        raise NodeRefused(f"{home / DATABASE_DIRECTORY}: cannot be opened ({error})") from error
    try:
        yield store
    finally:
        store.close()


def certificate_in_state(home: Path, height: int) -> SkipCertificate | None:
    """The certificate by which block `height` counts as empty; None where it was executed or is to come.

    The node may run.

    Raises:
        UnusableHome: the genesis cannot be read.
        NodeRefused: the database cannot be opened.
    """
    genesis = load_genesis(home)
    with _reading(home) as store:
        return HubApplication(store, genesis).skips.certificate(height)


def evidence_in_state(home: Path, height: int, trusted_height: int) -> bytes | None:
    """JSON that an auditor judges offline, from the header of `trusted_height` on; None for a block that was executed.

    The node may run. The document holds the certificate, three signed headers, the trusted one with its next set, and a
    proof of the certificate in the state that the newest header names.

    Raises:
        SkipNotDue: a header is not stored here, or the second block after is not there yet.
        UnusableHome, NodeRefused: as `certificate_in_state`.
    """
    genesis = load_genesis(home)
    with _reading(home) as store:
        application, records = HubApplication(store, genesis), BlockRecords(store)
        certificate = application.skips.certificate(height)
        newest = records.latest_height()
        if certificate is None:
            return None
        if newest < height + 2:
            raise SkipNotDue(f"block {height + 2} is not there yet")
        rows = [_signed_row(records, one) for one in (height, height + 1, newest)]
        trusted, named = records.block(trusted_height), records.validators(trusted_height + 1)
        if trusted is None or named is None:
            raise SkipNotDue(f"block {trusted_height} is not stored here")
        _, proof = application.state.get_with_proof(newest - 1, skip_certificate_key(height))
        document = {
            "format": "hutong-skip-evidence-1",
            "certificate": encode_certificate(certificate).hex(),
            "blocks": rows,
            "trusted_header": encode_header(trusted.block.header).hex(),
            "trusted_validators": encode_validator_set(named).hex(),
            "proof": proof.hex(),
        }
    return json.dumps(document, indent=1).encode() + b"\n"


def _signed_row(records: BlockRecords, height: int) -> dict[str, str]:
    stored, commit, validators = records.block(height), records.commit(height), records.validators(height)
    if stored is None or commit is None or validators is None:
        raise SkipNotDue(f"block {height} is not stored here")
    return {
        "header": encode_header(stored.block.header).hex(),
        "commit": encode_commit(commit).hex(),
        "validators": encode_validator_set(validators).hex(),
    }


def _standing(home: Path, genesis: Genesis, application: HubApplication) -> SkipStanding:
    height = application.info().last_block_height
    if height < 0:
        raise NodeRefused(f"{home}: the chain is not begun")
    marker = load_marker(home)
    statement = why_not = None
    app_hash = application.info().last_block_app_hash
    if marker is None or marker.height != height + 1 or marker.prior_app_hash != app_hash:
        marker = None
        why_not = f"no execution failed here: the chain stands at block {height}"
    else:
        statement = SkipStatement(genesis.chain_id, marker.height, marker.block_hash, marker.prior_app_hash)
        why_not = _why_not(application, marker)
    files = SkipFiles(home)
    view = application.view()[0]
    return SkipStanding(
        genesis.chain_id,
        height,
        marker,
        statement,
        why_not,
        files.load(height + 1) or files.load(height),
        dict(application.skips.powers(view)),
    )


def _why_not(application: HubApplication, marker: ExecutionMarker) -> str | None:
    try:
        application.skips.require_skippable(marker.height)
    except PredicateFailed as error:
        return f"block {marker.height} cannot be skipped: {error}"
    if marker.stage is Stage.EXECUTED:
        return f"block {marker.height} was executed here, and its state not written: who executed a block signs no skip of it"
    if marker.why_failed() is None:
        return (
            f"block {marker.height} was begun {marker.attempts} times here and none of them failed: start the node again"
            + (f" ({marker.reason})" if marker.reason else "")
        )
    return None


@contextmanager
def _stopped(home: Path, genesis: Genesis) -> Iterator[tuple[LmdbStore, HubApplication]]:
    store = open_store(home)
    try:
        yield store, run_with_evm_stack(lambda: HubApplication(store, genesis))
    except (StateDamaged, StoreFull) as error:
        raise refusal_at_open(home, error) from error
    finally:
        store.close()


def sign_skip(home: Path, password: Password) -> SkipCertificate:
    """This validator's signature that its stopped node's next block counts as empty.

    The key is bound by it from the moment that it is on record.

    Raises:
        SkipNotDue: no execution failed here, the block cannot be skipped, or the key does not vote on the block after
            it.
        SkipRefused: the key signed something that contradicts it.
        SignerAway: the key is with a signer that does not answer.
        UnusableHome, NodeRefused: the home, or its node runs.
    """
    genesis = load_genesis(home)
    with _stopped(home, genesis) as (_, application):
        found = _standing(home, genesis, application)
        if found.why_not is not None or found.statement is None:
            raise SkipNotDue(found.why_not or "no execution failed here")
        signer = skip_signer_of(home, genesis.chain_id, password)
        try:
            if signer.public_key.data not in found.powers:
                raise SkipNotDue(
                    f"this key {signer.public_key.address.hex().upper()} is not in the set that votes on block"
                    f" {found.statement.height + 1}: its signature would count for nothing"
                )
            signature = signer.sign_skip(found.statement)
        finally:
            signer.close()
    return SkipCertificate(found.statement, (signature,))


@dataclass(frozen=True, slots=True)
class Combination:
    """Signatures of one block put together: how much voting power of how much has signed, and whether that decides."""

    certificate: SkipCertificate
    power: int
    total: int
    is_complete: bool


def combine_certificates(home: Path, files: Sequence[Path]) -> Combination:
    """Put signatures of one block together, each checked by the powers of a node's state.

    Raises:
        UnusableHome, NodeRefused: the home or a file is unusable.
        SkipNotDue: a signature is false, or they are of different blocks.
    """
    powers, parts = standing_of(home).powers, [read_file(path) for path in files]
    for path, part in zip(files, parts, strict=True):
        try:
            skip_is_signed(part, powers)
        except VerificationError as error:
            raise SkipNotDue(f"{path}: {error}") from None
    try:
        certificate = combined(parts)
        power = skip_is_signed(certificate, powers)
    except VerificationError as error:
        raise SkipNotDue(str(error)) from None
    try:
        skip_is_decided(certificate, powers)
    except VerificationError:
        return Combination(certificate, power, sum(powers.values()), is_complete=False)
    return Combination(certificate, power, sum(powers.values()), is_complete=True)


def apply_certificate(home: Path, certificate: SkipCertificate) -> str:
    """Put a complete certificate into a stopped node's home, judged by the state there; one sentence says what follows.

    Under CometBFT a block that was executed here is taken back at once; elsewhere at the node's next start.

    Raises:
        SkipNotDue: the block counts as empty here already, or the certificate does not fit this chain.
        UnusableHome, NodeRefused: the home, its node runs, the file cannot be written, or the block cannot be taken
            back; then the file stays.
    """
    genesis, height = load_genesis(home), certificate.statement.height
    with _stopped(home, genesis) as (store, application):
        if application.skips.certificate(height) is not None:
            raise SkipNotDue(f"block {height} counts as empty here already")
        try:
            application.skips.check(certificate)
        except VerificationError as error:
            raise SkipNotDue(f"the certificate does not fit this node's chain: {error}") from error
        executed = height == application.info().last_block_height
        try:
            path = SkipFiles(home).keep(certificate)
        except OSError as error:
            raise NodeRefused(f"{home}: {error.strerror or error}") from error
        if not executed:
            return f"{path}: at its next start this node applies block {height} as empty"
        if not (home / "cometbft").is_dir():
            return f"{path}: at its next start this node takes block {height} back, which it executed, and applies it as empty"

        def take_back() -> None:
            with store.batch() as batch:
                take_off_state(batch, store, application, height - 1)

        run_with_evm_stack(take_back)
    return (
        f"{path}: block {height} was taken back here; run `cometbft rollback --home {home / 'cometbft'}` before both are started"
        " again"
    )
