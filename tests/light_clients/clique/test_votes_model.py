"""The client's snapshots beside a model kept as go-ethereum keeps it: a map of recent blocks, a list of votes and a running tally."""

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.clique import SealedBlock, Snapshot, apply_block
from hutong.light_clients.clique.snapshot import NONCE_ADD, NONCE_DROP, recents_before
from hutong.light_clients.interface import PredicateFailed
from tests.light_clients.bft_evm.simulated_chain import EMPTY_ROOT
from tests.light_clients.clique.simulated_clique_chain import header_of

PEOPLE = [bytes([number]) * 20 for number in range(1, 8)]


@dataclass
class Tally:
    authorize: bool
    votes: int


@dataclass
class Model:
    """A snapshot as EIP-225's reference implementation has it, word for word of its prose."""

    signers: set[bytes]
    epoch: int
    recents: dict[int, bytes] = field(default_factory=dict)
    votes: list[tuple[bytes, bytes, bool]] = field(default_factory=list)
    tally: dict[bytes, Tally] = field(default_factory=dict)

    def cast(self, candidate: bytes, authorize: bool) -> bool:
        if (candidate in self.signers) == authorize:
            return False
        if candidate in self.tally:
            self.tally[candidate].votes += 1
        else:
            self.tally[candidate] = Tally(authorize, 1)
        return True

    def uncast(self, candidate: bytes, authorize: bool) -> None:
        tally = self.tally.get(candidate)
        if tally is None or tally.authorize != authorize:
            return
        tally.votes -= 1
        if tally.votes == 0:
            self.tally.pop(candidate, None)

    def drop_votes(self, chosen) -> None:
        for vote in [vote for vote in self.votes if chosen(vote)]:
            self.votes.remove(vote)

    def block(self, number: int, signer: bytes, candidate: bytes, authorize: bool) -> bool:
        """False where the signer may not seal."""
        if number % self.epoch == 0:
            self.votes, self.tally = [], {}
            candidate, authorize = bytes(20), False
        self.recents.pop(number - (len(self.signers) // 2 + 1), None)
        if signer not in self.signers or signer in self.recents.values():
            return False
        self.recents[number] = signer
        for vote in self.votes:
            if vote[:2] == (signer, candidate):
                self.uncast(candidate, vote[2])
                self.votes.remove(vote)
                break
        if self.cast(candidate, authorize):
            self.votes.append((signer, candidate, authorize))
        tally = self.tally.get(candidate)
        if tally is not None and tally.votes > len(self.signers) // 2:
            if tally.authorize:
                self.signers.add(candidate)
            else:
                self.signers.remove(candidate)
                self.recents.pop(number - (len(self.signers) // 2 + 1), None)
                for vote in [vote for vote in self.votes if vote[0] == candidate]:
                    self.uncast(vote[1], vote[2])
                    self.votes.remove(vote)
            self.drop_votes(lambda vote: vote[1] == candidate)
            self.tally.pop(candidate, None)
        return True


def sealed(number: int, candidate: bytes, authorize: bool) -> SealedBlock:
    header = header_of(number, bytes(32), EMPTY_ROOT, number + 1, 1, bytes(97))
    changed = {"beneficiary": candidate, "nonce": NONCE_ADD if authorize else NONCE_DROP}
    return SealedBlock(replace(header, **changed), bytes(32), bytes(32), (), b"")


STEP = st.tuples(st.integers(0, 6), st.integers(0, 6), st.booleans(), st.booleans())


@settings(max_examples=150, deadline=None)
@given(first=st.integers(1, 5), epoch=st.sampled_from([4, 7, 1_000]), steps=st.lists(STEP, max_size=60))
def test_snapshots_are_those_of_the_reference(first, epoch, steps):
    genesis = tuple(PEOPLE[:first])
    model, snapshot = Model(set(genesis), epoch), Snapshot(0, genesis, ())
    number = 1
    for who, whom, authorize, votes in steps:
        signer = PEOPLE[who % len(PEOPLE)]
        candidate = PEOPLE[whom] if votes and number % epoch else bytes(20)
        authorize = authorize and votes and number % epoch != 0
        before = (dict(model.recents), list(model.votes), set(model.signers))
        allowed = model.block(number, signer, candidate, authorize)
        assert allowed == (signer in snapshot.signers and signer not in recents_before(snapshot))
        if not allowed:
            # a refused block leaves a checkpoint's reset and a forgotten recent behind: neither is seen before the next block
            model.recents = {**before[0]}
            model.votes = before[1]
            model.tally = {}
            for _, one, way in model.votes:
                model.tally.setdefault(one, Tally(way, 0)).votes += 1
            continue
        if not model.signers:
            try:
                apply_block(snapshot, sealed(number, candidate, authorize), signer, epoch)
            except PredicateFailed as error:
                assert error.predicate == "signers_remain"
                return
            raise AssertionError("the last signer was voted out")
        snapshot = apply_block(snapshot, sealed(number, candidate, authorize), signer, epoch)
        assert set(snapshot.signers) == model.signers
        assert snapshot.signers == tuple(sorted(snapshot.signers))
        assert {(vote.signer, vote.candidate) for vote in snapshot.votes} == {vote[:2] for vote in model.votes}
        assert list(snapshot.recents) == [model.recents[at] for at in sorted(model.recents)]
        number += 1
