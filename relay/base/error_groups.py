"""Errors that a command expects, alone or in the group that a nursery makes of them."""


def expected_leaves(error: BaseException, expected: tuple[type[BaseException], ...]) -> list[BaseException]:
    """Every error in a group and its groups, in order; a single error is its own only leaf.

    Raises:
        BaseException: `error` itself, where one that is not expected is among them.
    """
    leaves = _leaves(error)
    if not all(isinstance(leaf, expected) for leaf in leaves):
        raise error
    return leaves


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]
