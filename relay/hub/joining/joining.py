"""Joining a hub of embedded nodes: a new home, its state from a snapshot or from block 1, then block after block to the tip.

Everything believed is verified here; members only decide how long it takes. Done again after an interruption, it goes on.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hutong.light_clients.interface import VerificationError
from hutong.relay.base.durable_files import write_durably
from hutong.relay.evm.store.lmdb_store import LmdbStore, StoreFull
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.hub.application.application import HubApplication, SnapshotLied
from hutong.relay.hub.application.genesis import Genesis, UnfitRuntime, check_runtime, encode_genesis
from hutong.relay.hub.chain.ledger import ChainDamaged, HubLedger
from hutong.relay.hub.consensus.signing import LastSigned
from hutong.relay.hub.engine.block_sync import ChainContradiction, WrongTurn, apply_verified
from hutong.relay.hub.engine.following import SkippedHere, follow
from hutong.relay.hub.home.home import (
    GENESIS_FILE,
    LAST_SIGNED_FILE,
    VALIDATOR_KEY_FILE,
    UnusableHome,
    load_genesis,
    validator_key,
)
from hutong.relay.hub.home.key_file import PLAIN, EncodeKey, new_secret
from hutong.relay.hub.home.last_signed import encode_last_signed
from hutong.relay.hub.home.process import NodeRefused, open_store
from hutong.relay.hub.joining.light_follow import LightFollower, TrustedHash, TrustUnusable
from hutong.relay.hub.joining.member_rpc import Member, MemberFailed
from hutong.relay.hub.joining.member_snapshots import NoSnapshot, StateRestorer
from hutong.relay.hub.joining.snapshot_files import SNAPSHOTS_DIRECTORY, SnapshotFiles
from hutong.relay.hub.joining.state_sync import StateSync
from hutong.relay.hub.state import StateDamaged

BLOCKS_ASKED = 32


class JoinFailed(Exception):
    """The node has not joined: one sentence. What is on disk is whole, and the same command goes on from it."""


@dataclass(frozen=True, slots=True)
class Joined:
    height: int
    app_hash: bytes
    restored_height: int | None
    """Of the snapshot that this call restored."""
    blocks: int
    """Verified and applied by this call."""


def prepare_home(home: Path, genesis: Genesis, encode_key: EncodeKey = PLAIN) -> bool:
    """Write genesis, a new validator key and an empty last-signed record.

    Genesis comes last, so that a home without it is one whose making was interrupted.

    Returns:
        False where an earlier call has written the same genesis.

    Raises:
        UnusableHome: the home is of another hub or under CometBFT, has a key without its record, or cannot be written.
    """
    if (home / "cometbft").is_dir():
        raise UnusableHome(f"{home} is of a hub under CometBFT")
    if (home / GENESIS_FILE).exists():
        known = load_genesis(home)
        if known.digest != genesis.digest:
            raise UnusableHome(
                f"{home / GENESIS_FILE} is of hub {known.chain_id} ({known.digest.hex()[:16]}), the one given is of"
                f" {genesis.chain_id} ({genesis.digest.hex()[:16]})"
            )
        return False
    try:
        home.mkdir(parents=True, exist_ok=True)
        # The record first: a key without one was put there, and has a past that nobody told.
        if not (home / LAST_SIGNED_FILE).exists():
            if (home / VALIDATOR_KEY_FILE).exists():
                raise UnusableHome(
                    f"{home / VALIDATOR_KEY_FILE} is there without its last-signed record: a key that signed before comes"
                    " back with `hutong hub restore --key FILE`"
                )
            write_durably(home / LAST_SIGNED_FILE, encode_last_signed(LastSigned()))
        if not (home / VALIDATOR_KEY_FILE).exists():
            write_durably(home / VALIDATOR_KEY_FILE, encode_key(validator_key(new_secret())))
        write_durably(home / GENESIS_FILE, encode_genesis(genesis), mode=0o644)
    except OSError as error:
        raise UnusableHome(f"{home}: {error.strerror or error}") from None
    return True


def join_hub(
    home: Path,
    genesis: Genesis,
    members: Sequence[Member],
    trusted: TrustedHash | None,
    say: Callable[[str], None],
    now_ns: Callable[[], int] = time.time_ns,
) -> Joined:
    """Blocking, until no member that answers has more blocks than this node.

    Args:
        members: are closed at the end, also where it fails. Who answers falsely is not asked again.
        trusted: the header from which a snapshot is believed; None applies every block from the first on.
        say: is told of members that failed, by their URL, one sentence each.
        now_ns: nanoseconds of Unix time, against which the age of `trusted` is judged.

    Raises:
        UnusableHome, NodeRefused: the home, or a machine that cannot execute this hub.
        JoinFailed: no member helps, what they agree on contradicts this node's state or the trusted header, or the disk
            is too small.
    """
    try:
        check_runtime(genesis)
    except UnfitRuntime as error:
        raise NodeRefused(str(error)) from error
    return run_with_evm_stack(lambda: _Joining(home, genesis, list(members), trusted, say, now_ns).run())


class _Joining:
    def __init__(
        self,
        home: Path,
        genesis: Genesis,
        members: list[Member],
        trusted: TrustedHash | None,
        say: Callable[[str], None],
        now_ns: Callable[[], int],
    ) -> None:
        self._home = home
        self._genesis = genesis
        self._members = members
        self._trusted = trusted
        self._say = say
        self._now_ns = now_ns
        self._gave_turns: Member | None = None
        self._follower = None if trusted is None else LightFollower(genesis, trusted)

    def run(self) -> Joined:
        store = open_store(self._home)
        try:
            while True:
                try:
                    return self._once(store)
                except WrongTurn as error:
                    # Only where priorities came from a member; a node that replayed from block 1 has its own.
                    if HubLedger(store, self._genesis).application.blocks.restored() is None:
                        raise JoinFailed(f"the validators broke their own order: {error}") from error
                    self._blame_for_turns(error)
                    store.clear()
        except (ChainDamaged, StateDamaged, ChainContradiction, SnapshotLied, NoSnapshot, TrustUnusable) as error:
            raise JoinFailed(str(error)) from error
        except StoreFull as error:
            raise JoinFailed(f"{error}; nothing is lost: give the same command again with more room") from error
        finally:
            store.close()
            for member in self._members:
                member.close()

    def _once(self, store: LmdbStore) -> Joined:
        files = SnapshotFiles(self._home / SNAPSHOTS_DIRECTORY)
        begins = self._genesis.continues is None
        if begins:
            HubLedger(store, self._genesis)  # which writes the state of genesis where nothing is
        application = HubApplication(store, self._genesis)
        StateSync(application, store, files).discard_unfinished()
        restored = None
        if application.info().last_block_height <= 0 and self._follower is not None:
            restorer = StateRestorer(application, store, files, self._follower, self._now_ns, self._say)
            restored, self._gave_turns = restorer.restore(self._members)
        if not begins and application.info().last_block_height < 0:
            raise JoinFailed(
                f"{self._genesis.chain_id} begins with the state after block {self._genesis.base_height}, which this home"
                " does not have: give --trust-height and --trust-hash to begin from a snapshot"
            )
        ledger = HubLedger(store, self._genesis)
        before = ledger.tip.height
        self._check_trusted(ledger, before)
        ledger = self._catch_up(store, ledger)
        if ledger.tip.height == 0:
            raise JoinFailed("no member serves block 1: give --trust-height and --trust-hash to begin from a snapshot")
        return Joined(ledger.tip.height, ledger.tip.app_hash, restored, ledger.tip.height - before)

    def _catch_up(self, store: LmdbStore, ledger: HubLedger) -> HubLedger:
        """Until no member that answers has more."""
        able = list(self._members)
        while True:
            ahead = self._ahead(able, ledger.tip.height)
            if not able:
                raise JoinFailed(f"at block {ledger.tip.height}: no member is left to ask")
            if not ahead:
                return ledger
            claim, member = ahead[0]
            before = ledger.tip.height
            try:
                blocks, commit = member.blocks(before + 1, BLOCKS_ASKED)
                if len(blocks) > 1 and before + len(blocks) < claim:
                    # The last one waits: whether it was skipped is said by the one after it.
                    apply_verified(ledger, blocks[:-1], blocks[-1].last_commit, blocks[-1])
                else:
                    apply_verified(ledger, blocks, commit)
            except SkippedHere as error:
                ledger = follow(store, self._genesis, ledger, error.certificate)
            except MemberFailed as error:
                self._say(str(error))
                able.remove(member)
            except VerificationError as error:
                self._say(str(MemberFailed(member.url, f"block {ledger.tip.height + 1}", str(error))))
                able.remove(member)
            self._check_trusted(ledger, before)

    def _ahead(self, able: list[Member], height: int) -> list[tuple[int, Member]]:
        """The heights that they say they have, with those that have more, furthest first; who does not answer is taken out of `able`."""
        claims: list[tuple[int, Member]] = []
        for member in list(able):
            try:
                claims.append((member.latest_height(), member))
            except MemberFailed as error:
                self._say(str(error))
                able.remove(member)
        return sorted((one for one in claims if one[0] > height), key=lambda item: -item[0])

    def _check_trusted(self, ledger: HubLedger, before: int) -> None:
        """The chain on disk passes through the header that the person trusts, where it reaches it."""
        trusted = self._trusted
        if trusted is None or not (before < trusted.height <= ledger.tip.height or before == ledger.tip.height):
            return
        stored = ledger.records.header(trusted.height)
        if stored is not None and stored.block_id.hash != trusted.hash:
            raise JoinFailed(
                f"block {trusted.height} of this home is {stored.block_id.hash.hex()}, you trust {trusted.hash.hex()}:"
                " this home follows another chain, begin with an empty one"
            )

    def _blame_for_turns(self, error: WrongTurn) -> None:
        if self._gave_turns is not None and len(self._members) > 1:
            self._members.remove(self._gave_turns)
            self._gave_turns.close()
            self._say(f"{self._gave_turns.url}: priorities of the validators: {error}; beginning anew without it")
        elif self._gave_turns is not None:
            raise JoinFailed(f"{self._gave_turns.url}: priorities of the validators: {error}; no other member is left")
        else:
            self._say(f"whoever served this home's priorities lied ({error}); beginning anew")
        self._gave_turns = None
