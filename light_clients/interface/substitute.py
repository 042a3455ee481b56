"""What every client type asks of the state that is to take a frozen or expired client's place (ICS-02, recovery)."""

from collections.abc import Iterable

from hutong.light_clients.interface.errors import PredicateFailed


def check_substitute_fits(parameters: Iterable[tuple[str, object, object]], *, is_frozen: bool) -> None:
    """`parameters`: name, the substitute's value and the subject's, of each field that recovery must not change.

    Raises:
        PredicateFailed: `substitute_not_frozen`, or `substitute_parameters_match` of the first field that differs.
    """
    if is_frozen:
        raise PredicateFailed("substitute_not_frozen", "the substitute is frozen itself")
    for name, got, expected in parameters:
        if got != expected:
            raise PredicateFailed("substitute_parameters_match", f"{name} differs", got=got, expected=expected)
