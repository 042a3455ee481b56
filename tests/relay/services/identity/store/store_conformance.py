"""What every database must do for an issuer and a registrar, whichever keeps their rows."""

import pytest

from hutong.relay.services.identity.registrar import invitations, operations
from hutong.relay.services.identity.registrar.operations import (
    Kind,
    Operation,
    OperationState,
    Outcome,
    PersonIsWaiting,
    TooManyWaiting,
)
from hutong.relay.services.identity.store import grants, issuances
from hutong.relay.services.identity.store.grants import Offer, SecretKind
from hutong.relay.services.identity.store.issuances import IssuedRow, ListRow
from hutong.relay.services.identity.store.seen import SeenBefore, see_once
from hutong.relay.services.identity.store.transactions import Database, StoreUnavailable


def row(position: int, index: int, reference: str | None = "case-1") -> IssuedRow:
    return IssuedRow(position, 0, index, "residence", reference, 10, 20, bytes([position]) * 40)


def offer(name: str, expires_s: int = 100) -> Offer:
    return Offer(name, {"claims": {"x": "ü"}, "issued": 0}, 0, is_taken=False, expires_s=expires_s)


class StoreConformance:
    """`database` and `again`, a second one on the same rows, come from the test of one kind."""

    def test_offers_are_taken_once_and_forgotten(self, database: Database, again):
        run = database.run_now
        run(lambda one: grants.put_offer(one, offer("a"), code="secret", state=None))
        run(lambda one: grants.put_offer(one, offer("b", 50), code=None, state="state"))
        assert run(lambda one: grants.offer_by_code(one, "secret")) == offer("a")
        assert run(lambda one: grants.offer_by_code(one, "other")) is None
        assert run(lambda one: grants.offer_by_state(one, "state")).id == "b"
        run(lambda one: grants.count_try(one, "a"))
        assert run(lambda one: grants.offer_by_id(one, "a")).code_tries == 1
        assert [run(lambda one: grants.take_offer(one, "a")) for _ in range(2)] == [True, False]
        run(lambda one: grants.put_document(one, "a", {"claims": {}, "issued": 3}))
        assert again().run_now(lambda one: grants.offer_by_id(one, "a")).document["issued"] == 3
        run(lambda one: grants.forget_ended(one, 60))
        assert run(lambda one: grants.offer_by_id(one, "b")).document == {}
        assert run(lambda one: grants.offer_by_id(one, "a")).document["issued"] == 3

    def test_secrets_serve_once_until_their_end(self, database: Database):
        run = database.run_now
        run(lambda one: grants.put_secret(one, SecretKind.CODE, "c", {"offer": "a"}, 100))
        run(lambda one: grants.put_secret(one, SecretKind.TOKEN, "t", {"offer": "a"}, 100))
        assert run(lambda one: grants.read_secret(one, SecretKind.CODE, "c", 99)) == {"offer": "a"}
        assert run(lambda one: grants.read_secret(one, SecretKind.CODE, "c", 100)) is None
        assert run(lambda one: grants.read_secret(one, SecretKind.TOKEN, "c", 99)) is None
        assert run(lambda one: grants.was_used(one, SecretKind.CODE, "c")) is None
        assert run(lambda one: grants.use_secret(one, SecretKind.CODE, "c", 99)) == {"offer": "a"}
        assert run(lambda one: grants.use_secret(one, SecretKind.CODE, "c", 99)) is None
        assert run(lambda one: grants.was_used(one, SecretKind.CODE, "c")) == {"offer": "a"}
        run(lambda one: grants.end_tokens_of(one, "a"))
        assert run(lambda one: grants.read_secret(one, SecretKind.TOKEN, "t", 99)) is None

    def test_what_comes_once_is_remembered_until_its_end(self, database: Database):
        run = database.run_now
        run(lambda one: see_once(one, "nonce", "n", 50, 10))
        run(lambda one: see_once(one, "dpop", "n", 50, 10))
        with pytest.raises(SeenBefore):
            run(lambda one: see_once(one, "nonce", "n", 60, 20))
        run(lambda one: see_once(one, "nonce", "m", 90, 51))
        run(lambda one: see_once(one, "nonce", "n", 90, 52))

    def test_issuances_are_whole_or_not_there(self, database: Database, again):
        run = database.run_now
        run(lambda one: issuances.add_list(one, ListRow(0, "ab", 1_024, is_open=True)))
        run(lambda one: issuances.add_issuances(one, [row(0, 7), row(1, 9, None)]))
        with pytest.raises(StoreUnavailable):
            run(lambda one: issuances.add_issuances(one, [row(2, 11), row(3, 9)]))
        with pytest.raises(StoreUnavailable):
            run(lambda one: issuances.add_issuances(one, [row(1, 12)]))
        other = again()
        assert other.run_now(issuances.count_of) == 2
        assert [one[:3] for one in other.run_now(lambda one: list(issuances.places_of(one)))] == [(0, 7, 0), (0, 9, 0)]
        assert run(lambda one: issuances.entry_at(one, 0, 9)) == row(1, 9, None)
        assert run(lambda one: issuances.entry_at(one, 0, 11)) is None
        assert run(lambda one: issuances.entries_of(one, "case-1")) == (row(0, 7),)

    def test_statuses_only_rise_and_are_told_in_order(self, database: Database):
        run = database.run_now
        run(lambda one: issuances.add_list(one, ListRow(0, "ab", 1_024, is_open=True)))
        run(lambda one: issuances.add_issuances(one, [row(0, 7), row(1, 9)]))
        assert [run(lambda one: issuances.raise_status(one, row(0, 7), 1)) for _ in range(2)] == [True, False]
        assert run(lambda one: issuances.raise_status(one, row(1, 9), 1))
        first, second = run(lambda one: issuances.revocations_after(one, 0))
        assert (first[1:], second[1:]) == ((0, 7, 1), (0, 9, 1))
        assert run(lambda one: issuances.revocations_after(one, first[0])) == (second,)
        assert run(lambda one: issuances.decisions_of(one, 0)) == ((first[0], 7), (second[0], 9))
        run(lambda one: issuances.set_told(one, 0, first[0], second[0]))
        run(lambda one: issuances.close_list(one, 0))
        (listed,) = run(issuances.lists_of)
        assert (listed.told, listed.sending, listed.is_open) == (first[0], second[0], False)

    def test_offers_end_with_their_reference_alone(self, database: Database):
        run = database.run_now
        for name, reference in (("a", "case_7"), ("b", "case-7"), ("c", None)):
            document = {"claims": {"x": "case_7"}, "reference": reference, "issued": 0}
            made = Offer(name, document, 0, is_taken=name == "a", expires_s=100)
            run(lambda one, made=made: grants.put_offer(one, made, code=made.id, state=None))
        assert run(lambda one: grants.end_offers_of(one, "case_7")) == 1
        assert run(lambda one: grants.end_offers_of(one, "case_7")) == 0
        assert [run(lambda one, name=name: grants.offer_by_id(one, name)).document == {} for name in "abc"] == [
            True,
            False,
            False,
        ]
        assert not run(lambda one: grants.put_document(one, "a", {"issued": 1})), "what has ended does not come back"
        assert not run(lambda one: grants.erase_offer(one, "a"))
        assert run(lambda one: grants.offer_by_id(one, "a")).document == {}

    def test_what_raises_undoes_all_of_it(self, database: Database):
        def failing(connection):
            grants.put_offer(connection, offer("z"), code="z", state=None)
            raise OSError("the disk is gone")

        with pytest.raises(OSError, match="gone"):
            database.run_now(failing)
        assert database.run_now(lambda one: grants.offer_by_id(one, "z")) is None

    def test_a_registrars_operations_wait_once_settle_and_are_forgotten(self, database: Database):
        run = database.run_now

        def asked(receipt: str, kind=Kind.CHANGE, subject="0/1", at_s=10):
            one = Operation(receipt, kind, subject, 0, None, "ab cd", at_s)
            return run(lambda connection: operations.add_operation(connection, one, 3))

        assert [asked("a"), asked("a")] == [OperationState.WAITING] * 2
        with pytest.raises(PersonIsWaiting):
            asked("b")
        asked("r2", Kind.REGISTRATION, "two", 11)
        asked("r1", Kind.REGISTRATION, "one", 12)
        with pytest.raises(TooManyWaiting):
            asked("c", subject="0/2")
        run(lambda one: operations.send_to(one, {"r1": 7}))
        waiting = run(lambda one: operations.waiting_operations(one, Kind.REGISTRATION, 5))
        assert [(one.receipt, one.index) for one in waiting] == [("r1", 7), ("r2", None)]
        outcomes = [Outcome("r1", OperationState.DONE, 7), Outcome("a", OperationState.REFUSED, reason="a rule")]
        run(lambda one: operations.settle(one, outcomes, 100))
        found = run(lambda one: operations.operation_of(one, "r1"))
        assert (found.state, found.index, found.body) == (OperationState.DONE, 7, "")
        assert (asked("r1", Kind.REGISTRATION, "one"), asked("a")) == (OperationState.DONE, OperationState.WAITING)
        assert run(operations.count_waiting) == 2
        run(lambda one: operations.forget_settled(one, 99))
        assert run(lambda one: operations.operation_of(one, "r1")) is not None
        run(lambda one: operations.forget_settled(one, 100))
        assert run(lambda one: operations.operation_of(one, "r1")) is None

    def test_an_invitation_lets_one_registration_in_until_its_end(self, database: Database):
        run = database.run_now
        run(lambda one: invitations.add_invitations(one, ["x", "y"], 50))

        def spent(code: str, receipt: str, at_s: int = 49) -> bool:
            return run(lambda one: invitations.spend_invitation(one, code, receipt, at_s))

        assert [spent("x", "a"), spent("x", "a"), spent("x", "b"), spent("z", "a")] == [True, True, False, False]
        assert not spent("y", "b", 50)
        run(lambda one: invitations.give_back_invitations(one, ["a"]))
        assert spent("x", "b")
        run(lambda one: invitations.forget_invitations(one, 50))
        assert not spent("x", "b")
