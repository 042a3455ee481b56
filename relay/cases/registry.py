"""Which cases there are, by their numbers."""

from collections.abc import Sequence

from hutong.relay.cases import cold_chain, congestion_toll, food_lots, green_certificates, reserves, swaps
from hutong.relay.cases.case import Case
from hutong.relay.cases.credentials import bill_of_lading, diploma_abroad, one_ticket, prescriptions, vehicle_passport
from hutong.relay.cases.storage import court_evidence, model_receipts

CASES: tuple[Case, ...] = (
    prescriptions.CASE,
    cold_chain.CASE,
    diploma_abroad.CASE,
    model_receipts.CASE,
    swaps.CASE,
    reserves.CASE,
    vehicle_passport.CASE,
    one_ticket.CASE,
    congestion_toll.CASE,
    court_evidence.CASE,
    bill_of_lading.CASE,
    food_lots.CASE,
    green_certificates.CASE,
)


class NoSuchCase(Exception):
    """One sentence for the user."""


def chosen(names: Sequence[str]) -> tuple[Case, ...]:
    """The cases of these names or numbers, in the order of numbers; all where none is named.

    Raises:
        NoSuchCase: naming the first that there is not, and all that there are.
    """
    known = {case.name: case for case in CASES} | {str(case.number): case for case in CASES}
    for name in names:
        if name not in known:
            there = ", ".join(f"{case.number} {case.name}" for case in CASES)
            raise NoSuchCase(f"no case is called {name[:80]}; there are {there}")
    wanted = {known[name].number for name in names}
    return tuple(case for case in CASES if not names or case.number in wanted)
