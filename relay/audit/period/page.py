"""placeholder"""

from relay.audit.period.replay import Replay


def page_of(replay: Replay) -> str:
    raise NotImplementedError
