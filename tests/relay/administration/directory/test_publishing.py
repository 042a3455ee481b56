"""What a publisher's command does with an entry follows from what stands; a node that leaves operations out is caught."""

import pytest

from hutong.light_clients.interface import PredicateFailed
from hutong.relay.administration.directory.publishing import WantedEntry, operation_for
from hutong.relay.administration.directory.reading import operations_of
from hutong.relay.cli.common.refusal import Refused
from hutong.relay.cli.directory.facet_options import FacetOptions
from hutong.relay.services.directory.rules.log.operations import OperationKind
from hutong.relay.services.directory.rules.records.facets import EVERYTHING, Facet, FacetKind, name_code
from tests.relay.services.directory.rules.log.published import (
    HEALTH,
    PUBLISHER,
    TRAFFIC,
    Published,
    content,
    put,
    update,
    withdraw,
)

LOCAL = (1).to_bytes(32, "big")
MADE = Published().publish(put(1, themes=(TRAFFIC,)), update(1, 1, themes=(HEALTH,)), put(2), withdraw(2, 1))


@pytest.mark.parametrize(
    ("wanted", "standing", "kind", "follows"),
    [
        (content(), None, OperationKind.PUT, 0),
        (content(2), MADE.log[1], OperationKind.UPDATE, 2),
        (None, MADE.log[1], OperationKind.WITHDRAW, 2),
        (content(), MADE.log[3], OperationKind.PUT, 2),
    ],
    ids=["put", "update", "withdraw", "put again"],
)
def test_the_operation_follows_from_what_stands(wanted, standing, kind, follows):
    found = operation_for(WantedEntry(LOCAL, wanted), standing)
    assert (found.kind, found.follows) == (kind, follows)


def test_nothing_is_sent_for_what_is_so_already():
    assert operation_for(WantedEntry(LOCAL, MADE.log[0].content), MADE.log[0]) is None
    assert operation_for(WantedEntry(LOCAL, None), None) is None
    assert operation_for(WantedEntry(LOCAL, None), MADE.log[3]) is None


def test_attack_R11_operations_of_a_facet_are_those_of_a_whole_log():
    log = tuple(MADE.log)
    for facet, leaves in MADE.leaves.items():
        assert operations_of(log, facet) == tuple(leaves)
    with pytest.raises(PredicateFailed, match="operation_has_its_place"):
        operations_of(log[:1] + log[2:], EVERYTHING)


def test_options_name_one_facet():
    assert FacetOptions().facet() == EVERYTHING
    assert FacetOptions(publisher=PUBLISHER.hex()).facet() == Facet(FacetKind.PUBLISHER, PUBLISHER)
    theme = FacetOptions(theme="urn:x")
    assert theme.is_given and theme.facet() == Facet(FacetKind.THEME, name_code(FacetKind.THEME, "urn:x"))
    for options in (FacetOptions(theme="a", format="b"), FacetOptions(publisher="11" * 32, origin="x")):
        with pytest.raises(Refused):
            options.facet()
    with pytest.raises(Refused):
        FacetOptions(theme="").facet()
