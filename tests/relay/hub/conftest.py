"""A hub with two remote chains, A and B."""

import pytest

from tests.relay.hub.simulated_hub import RemoteChain, SimulatedHub


@pytest.fixture
def hub():
    return SimulatedHub()


@pytest.fixture
def chain_a(hub):
    return RemoteChain(hub, salt=1)


@pytest.fixture
def chain_b(hub, chain_a):
    return RemoteChain(hub, salt=2)
