"""Values of docs/spec/records.md for property tests."""

from hypothesis import strategies as st

from hutong.light_clients.interface import Height
from hutong.light_clients.records import (
    PROVEN,
    AccountField,
    ClientEpoch,
    FieldPlace,
    Observation,
    ObservationKey,
    SlotPlace,
    SourceTrust,
    StorePlace,
    TrustKind,
)

UINT64 = st.integers(0, 2**64 - 1)
POSITIVE = st.integers(1, 2**64 - 1)
ACCOUNTS = st.binary(min_size=20, max_size=20)
WORDS = st.binary(min_size=32, max_size=32)
CLIENT_IDS = st.sampled_from(["bft-evm-0", "clique-12", "07-tendermint-3", "attestation-1", "ethereum-99"])
PLACES = st.one_of(
    st.builds(SlotPlace, ACCOUNTS, WORDS),
    st.builds(FieldPlace, ACCOUNTS, st.sampled_from(AccountField)),
    st.builds(StorePlace, st.binary(max_size=64), st.binary(min_size=1, max_size=512)),
)
KEYS = st.builds(ObservationKey.of, CLIENT_IDS, PLACES)
ATTESTED = st.integers(1, 64).flatmap(
    lambda n: st.builds(SourceTrust, st.just(TrustKind.ATTESTED), st.integers(1, n), st.just(n))
)
TRUST = st.one_of(st.just(PROVEN), ATTESTED)
OBSERVATIONS = st.builds(
    Observation,
    st.none() | WORDS | st.binary(min_size=1, max_size=300),
    TRUST,
    POSITIVE,
    st.builds(Height, UINT64, UINT64),
    POSITIVE,
)
EPOCHS = st.builds(ClientEpoch, POSITIVE, st.booleans(), UINT64)
