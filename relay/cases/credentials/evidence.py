"""What a case with credentials states: a credential under the hub's records, and where a contract keeps what it accepted."""

from web3 import Web3

from hutong.relay.cases.case import CaseRun
from hutong.relay.cases.city_file import City
from hutong.relay.cases.credentials.seals import Presented


def mapping_slot(key: bytes, slot: int) -> bytes:
    """Where a contract keeps the value of a mapping's key (32 bytes each)."""
    return bytes(Web3.keccak(key + slot.to_bytes(32, "big")))


def state_credential(
    run: CaseRun, city: City, name: str, bundle: bytes, presented: Presented, refused_by: str | None = None
) -> None:
    """State that a presented credential was good under the records of a bundle, or which rule refused it."""
    run.evidence.seal(name, bundle, presented.fields(), city.hub_time_s, refused_by)
