"""The plan of a city: names, ports and sizes, without a process."""

import pytest

from hutong.relay.city.plan import CHAINS, FULL, MAX_STORAGE_OPERATORS, SMALL, Belief, CityPlan, storage_ports


@pytest.mark.parametrize("size", [FULL, SMALL])
def test_no_two_parts_share_a_port(size):
    offsets = CityPlan.port_offsets(size)
    assert len(set(offsets)) == len(offsets)
    plan = CityPlan(size, 21_000)
    said = [plan.api_port, plan.relay_port, plan.log_port, *plan.attestor_ports, *map(plan.port_of, CHAINS)]
    said += plan.cosmos_ports
    said += [plan.hub_port + 10 * number + part for number in range(size.validators) for part in range(3)]
    said += [storage_ports(21_000, 0)[0], *(storage_ports(21_000, at)[1] for at in range(MAX_STORAGE_OPERATORS))]
    assert sorted(said) == sorted(21_000 + offset for offset in offsets)


def test_a_small_city_has_every_name_and_fewer_processes():
    assert len(CityPlan.port_offsets(SMALL)) < len(CityPlan.port_offsets(FULL))
    assert CityPlan(SMALL, 1).attestor_names == ("attestor-1",)
    assert CityPlan(FULL, 1).attestor_names == ("attestor-1", "attestor-2", "attestor-3")


@pytest.mark.parametrize("size", [FULL, SMALL])
def test_more_than_half_of_the_attestors_must_sign(size):
    assert size.threshold * 2 > size.attestors


def test_the_chains_are_of_both_beliefs_and_no_two_have_one_id():
    assert {chain.belief for chain in CHAINS} == set(Belief)
    assert len({chain.chain_id for chain in CHAINS}) == len(CHAINS) == len({chain.name for chain in CHAINS})
