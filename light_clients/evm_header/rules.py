"""A rule of heights that clients of EVM chains share."""

from hutong.light_clients.interface import Height, PredicateFailed


def height_increases(height: Height, trusted_height: Height) -> None:
    """A header is vouched for by a lower one of the same revision.

    Raises:
        PredicateFailed: equal heights, a lower one, or two revisions.
    """
    if trusted_height.revision_number != height.revision_number or height <= trusted_height:
        raise PredicateFailed(
            "height_increases", "header is not above its trusted height", got=height, expected=f"> {trusted_height}"
        )
