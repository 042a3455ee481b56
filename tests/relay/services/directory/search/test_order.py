"""Operations on their way into an index follow one another."""

import pytest

from hutong.relay.services.directory.search.engine import EntryOperation, InOrder


def read(numbers, first):
    ordered = InOrder([EntryOperation(number, "a", None) for number in numbers], first)
    return [operation.sequence for operation in ordered], ordered.size_of_log(9)


def test_numbers_may_be_left_out():
    assert read([3, 4, 8], 3) == ([3, 4, 8], 9)
    assert InOrder([], 5).size_of_log(None) == 5


@pytest.mark.parametrize(("numbers", "first"), [([2], 3), ([4, 4], 3), ([5, 4], 3), ([9], 3)])
def test_attack_R7_operations_that_do_not_follow_are_refused(numbers, first):
    with pytest.raises(ValueError, match="operation"):
        read(numbers, first)
