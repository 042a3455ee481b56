"""ABI of the observations module (docs/spec/records.md); its errors stand here."""

from typing import Final

from hutong.light_clients.ibc.abi import HEIGHT_TUPLE
from hutong.relay.hub.application.abi import Error, Event, Function

ITEM_TUPLE = "(uint8,bytes,bytes)"
"""Kind, name and claimed value of a place."""

OBSERVE: Final = Function("observe", ["string", HEIGHT_TUPLE, "bytes", "bytes[]", f"{ITEM_TUPLE}[]"], ["bool[]"])
CLOSE_OBSERVATION: Final = Function("closeObservation", ["bytes"])
GET_OBSERVATION: Final = Function("getObservation", ["bytes"], ["bytes"])
GET_EPOCH: Final = Function("getEpoch", ["string"], ["uint64", "bool"])
GET_WRITER: Final = Function("getWriter", ["address"], ["uint64", "uint64"])
OPEN_TO_ALL: Final = Function("openToAll", [], ["bool"])

OBSERVED_EVENT: Final = Event("Observed", ["bytes32"], ["bytes", "bytes"])
OBSERVATION_CLOSED_EVENT: Final = Event("ObservationClosed", ["bytes32"], ["bytes"])

OBSERVATIONS_NOT_OPEN: Final = Error("ObservationsNotOpen", "address")
TOO_MANY_OBSERVATIONS: Final = Error("TooManyObservations", "address", "uint64")
