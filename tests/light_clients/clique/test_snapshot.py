"""Votes, epochs and recent signers: the cases of EIP-225, walked by the client over really sealed blocks."""

import pytest

from hutong.light_clients.clique import Header, Snapshot
from hutong.light_clients.clique.snapshot import NONCE_ADD, NONCE_DROP
from hutong.light_clients.clique.types import TrustedState
from hutong.light_clients.clique.verification import signers_may_seal
from hutong.light_clients.interface import Height, PredicateFailed
from tests.light_clients.clique.simulated_clique_chain import Branch, address_of, key_of

NAMES = "ABCDEFG"
# In address order A < B < C …, so that turns do not depend on luck.
KEYS = dict(zip(NAMES, sorted(map(key_of, range(len(NAMES))), key=address_of), strict=True))
ADDRESS = {name: address_of(key) for name, key in KEYS.items()}


def walked(signers: str, votes: str, epoch: int = 30_000) -> Snapshot:
    """The snapshot after blocks such as `A+C` (A seals and votes C in), `B-D`, `C` (no vote), `A!` (a checkpoint)."""
    genesis = tuple(ADDRESS[name] for name in signers)
    branch = Branch({ADDRESS[name]: KEYS[name] for name in NAMES}, epoch, genesis=genesis)
    start = branch.snapshot
    for step in votes.split():
        sealer = ADDRESS[step[0]]
        changed = {}
        if step[1:2] in ("+", "-"):
            changed = {"beneficiary": ADDRESS[step[2]], "nonce": NONCE_ADD if step[1] == "+" else NONCE_DROP}
        try:
            branch.advance(1, sealer, **changed)
        except PredicateFailed:  # the client must come to the same end
            branch.add(branch.propose(sealer, **changed)[0])
    header = Header(Height(0, 1), branch.height, tuple(one.block for one in branch.blocks), ())
    return signers_may_seal(header, TrustedState(0, bytes(32), 0, start), epoch).snapshot


@pytest.mark.parametrize(
    ("signers", "votes", "expected"),
    [
        ("A", "A", "A"),
        ("A", "A+B B A+C", "AB"),
        ("AB", "A+C B+C A+D B+D C A+E B+E", "ABCD"),
        ("AB", "A-B", "AB"),
        ("AB", "A-B B-B", "A"),
        ("ABC", "A-C B-C", "AB"),
        ("ABCD", "A-C B-C", "ABCD"),
        ("ABCD", "A-D B-D C-D", "ABC"),
        ("AB", "A+C B A+C B A+C", "AB"),
        ("AB", "A+C B A+D B A B+D A B+C", "ABCD"),
        ("AB", "A-B B A-B B A-B", "AB"),
        ("ABCD", "A-C B C A-D B C A B-D C-D A B-C", "AB"),
        ("ABC", "C-B A-C B-C A-B", "AB"),
        ("ABC", "C+D A-C B-C A+D", "AB"),
        ("ABCD", "A-C B C A-D B-C C A B-D C-D", "ABC"),
        ("ABCD", "A-C B C A-D B-C C A B-D C-D A C+C", "AB"),
        ("ABCD", "A-C B C A-D B-C C A B-D C-D A B+C", "ABC"),
    ],
)
def test_votes_of_eip_225(signers, votes, expected):
    assert walked(signers, votes).signers == tuple(ADDRESS[name] for name in expected)


def test_votes_do_not_survive_a_checkpoint():
    assert walked("AB", "A+C B A! B+C", epoch=3).signers == (ADDRESS["A"], ADDRESS["B"])
    assert walked("AB", "A+C B A B+C").signers == (ADDRESS["A"], ADDRESS["B"], ADDRESS["C"])
    assert walked("AB", "A+C B A!", epoch=3).votes == ()


def test_pending_votes_do_not_survive_a_change_of_the_account():
    after = walked("ABC", "A+D B+D C D-C A-C B-C D A")
    assert after.signers == tuple(ADDRESS[name] for name in "ABD")
    assert after.votes == ()


@pytest.mark.parametrize(
    ("signers", "votes", "epoch", "predicate"),
    [
        ("A", "B", 30_000, "signer_is_authorized"),
        ("AB", "A A", 30_000, "signer_is_not_recent"),
        ("ABC", "A B A! A", 3, "signer_is_not_recent"),
        ("ABCDE", "A B C A", 30_000, None),
        ("ABCDE", "A B A", 30_000, "signer_is_not_recent"),
        ("A", "A-A", 30_000, "signers_remain"),
    ],
)
def test_who_may_not_seal(signers, votes, epoch, predicate):
    if predicate is None:
        walked(signers, votes, epoch)
        return
    with pytest.raises(PredicateFailed) as caught:
        walked(signers, votes, epoch)
    assert caught.value.predicate == predicate


def test_recents_are_as_many_as_matter_and_fewer_when_signers_leave():
    assert walked("ABCDE", "A B C D E").recents == tuple(ADDRESS[name] for name in "CDE")
    assert walked("ABCD", "A-D B-D C-D").recents == tuple(ADDRESS[name] for name in "BC")
