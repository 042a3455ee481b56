"""The rule of each case: what its statements must be of, and what follows from them."""

from collections.abc import Mapping
from typing import Protocol

from hutong.relay.audit.cases import cold_chain, congestion_toll, food_lots, green_certificates, reserves, swaps
from hutong.relay.audit.cases.conclusion import Conclusion
from hutong.relay.audit.cases.credentials import (
    bill_of_lading,
    diploma_abroad,
    one_ticket,
    prescriptions,
    vehicle_passport,
)
from hutong.relay.audit.cases.shown import Shown
from hutong.relay.audit.cases.storage import court_evidence, model_receipts
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.audit.inquiry import Inquiry


class CaseRule(Protocol):
    """Pure: the same statements and trust have the same conclusion."""

    def __call__(self, inquiry: Inquiry, shown: Shown, trust: CaseTrust) -> Conclusion:
        """What follows from the statements, all of which hold.

        Raises:
            VerificationError: the first rule that does not hold, which `inquiry` has heard.
            MissingTrust: the reader does not say which chain, contract or person is meant.
        """


RULES: Mapping[str, CaseRule] = {
    bill_of_lading.CASE: bill_of_lading.conclude,
    cold_chain.CASE: cold_chain.conclude,
    congestion_toll.CASE: congestion_toll.conclude,
    court_evidence.CASE: court_evidence.conclude,
    diploma_abroad.CASE: diploma_abroad.conclude,
    food_lots.CASE: food_lots.conclude,
    green_certificates.CASE: green_certificates.conclude,
    model_receipts.CASE: model_receipts.conclude,
    one_ticket.CASE: one_ticket.conclude,
    prescriptions.CASE: prescriptions.conclude,
    reserves.CASE: reserves.conclude,
    swaps.CASE: swaps.conclude,
    vehicle_passport.CASE: vehicle_passport.conclude,
}
"""By the case's name."""
