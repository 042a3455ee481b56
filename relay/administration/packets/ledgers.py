"""The ledger of a configured relay, read beside it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from hutong.relay.administration.errors import Unusable
from hutong.relay.config import RelayConfig
from hutong.relay.core.history.ledgers import ledger_password
from hutong.relay.ledger import LedgerReader, LedgerUnavailable


@contextmanager
def opened_ledger(relay: RelayConfig) -> Iterator[LedgerReader | None]:
    """The ledger while the block lasts; None where there is no ledger file yet.

    Raises:
        Unusable: it cannot be read, also within the block.
    """
    reader: LedgerReader | None = None
    try:
        if relay.ledger_url is not None:
            reader = LedgerReader.open_url(relay.ledger_url, ledger_password(relay, os.environ))
        elif (path := relay.home / "ledger.sqlite").exists():
            reader = LedgerReader.open_file(path)
        yield reader
    except LedgerUnavailable as error:
        raise Unusable(str(error)) from None
    finally:
        if reader is not None:
            reader.close()
