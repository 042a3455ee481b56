"""Records of a hub that tell of other chains: observations and epochs, their keys, bytes, and the rules of reading them.

Pure, and read by the hub's module, by auditors offline and by the relay alike (docs/spec/records.md).
"""

from hutong.light_clients.records.codec import (
    MAX_OBSERVATION_BYTES,
    decode_epoch,
    decode_observation,
    decode_observation_of,
    encode_epoch,
    encode_observation,
)
from hutong.light_clients.records.evm_places import account_has_code, field_value, judge_evm_places
from hutong.light_clients.records.places import (
    MAX_NAME_BYTES,
    MAX_STORE_VALUE_BYTES,
    OBSERVATION_PREFIX,
    AccountField,
    FieldPlace,
    ObservationKey,
    Place,
    PlaceKind,
    SlotPlace,
    StorePlace,
    decode_place,
    epoch_key,
    parse_observation_key,
)
from hutong.light_clients.records.reading import (
    ANY_TRUST,
    PROVEN_ALONE,
    Demand,
    client_is_readable,
    epoch_is_current,
    epoch_is_proven,
    header_is_fresh,
    judge_observation,
    record_well_formed,
    source_is_fresh,
    trust_is_enough,
)
from hutong.light_clients.records.types import PROVEN, ClientEpoch, Observation, SourceTrust, TrustKind

__all__ = [
    "ANY_TRUST",
    "MAX_NAME_BYTES",
    "MAX_OBSERVATION_BYTES",
    "MAX_STORE_VALUE_BYTES",
    "OBSERVATION_PREFIX",
    "PROVEN",
    "PROVEN_ALONE",
    "AccountField",
    "ClientEpoch",
    "Demand",
    "FieldPlace",
    "Observation",
    "ObservationKey",
    "Place",
    "PlaceKind",
    "SlotPlace",
    "SourceTrust",
    "StorePlace",
    "TrustKind",
    "account_has_code",
    "client_is_readable",
    "decode_epoch",
    "decode_observation",
    "decode_observation_of",
    "decode_place",
    "encode_epoch",
    "encode_observation",
    "epoch_is_current",
    "epoch_is_proven",
    "epoch_key",
    "field_value",
    "header_is_fresh",
    "judge_evm_places",
    "judge_observation",
    "parse_observation_key",
    "record_well_formed",
    "source_is_fresh",
    "trust_is_enough",
]
