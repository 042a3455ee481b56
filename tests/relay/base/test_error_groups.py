"""Expected errors out of a nursery's groups; anything else is not hidden."""

import pytest

from hutong.relay.base.error_groups import expected_leaves

FULL, AWAY, BUG = OSError("full"), ConnectionError("away"), KeyError("bug")


@pytest.mark.parametrize(
    ("error", "leaves"),
    [
        (FULL, [FULL]),
        (ExceptionGroup("", [FULL, ExceptionGroup("", [AWAY])]), [FULL, AWAY]),
        (ExceptionGroup("", [ExceptionGroup("", [AWAY]), FULL]), [AWAY, FULL]),
    ],
)
def test_expected_errors_come_out_in_order(error, leaves):
    assert expected_leaves(error, (OSError,)) == leaves


@pytest.mark.parametrize("error", [BUG, ExceptionGroup("", [FULL, ExceptionGroup("", [BUG])])])
def test_a_defect_among_them_is_raised_again(error):
    with pytest.raises(type(error)) as raised:
        expected_leaves(error, (OSError,))
    assert raised.value is error
