"""What a deployment has set out to do, on disk before its first transaction, so that one that broke off can go on."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hutong.adapters.evm.administration.deploy import Beginning
from hutong.adapters.evm.administration.role_plan import RolePlan
from hutong.relay.administration.errors import Unusable
from hutong.relay.base.durable_files import READABLE, create_durably

MAX_JOURNAL_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Undertaking:
    """What is asked for, and where it began. `apps` by their names, in the order of creation."""

    chain_id: int
    deployer: str
    forward_margin_s: int
    plan: RolePlan
    beginning: Beginning
    apps: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON has it. Without applications it is as it was before there were any, so that what began then goes on."""
        document: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        if not self.apps:
            del document["apps"]
        return document

    def asked(self) -> dict[str, Any]:
        """What the command line says, as JSON has it: without the beginning."""
        asked = self.document()
        del asked["beginning"]
        return asked


def journal_of(out: Path) -> Path:
    """The journal's path: beside the file that the deployment will write, with `.unfinished` at its end."""
    return out.with_name(f"{out.name}.unfinished")


def begun(journal: Path, undertaking: Undertaking) -> Beginning:
    """Where an earlier run with this journal began, or where this one does, which is then on disk.

    Call it before the first transaction.

    Raises:
        Unusable: the journal asks for something else, or cannot be used.
    """
    if not journal.exists():
        _write(journal, undertaking)
        return undertaking.beginning
    try:
        with journal.open("rb") as file:
            document = json.loads(file.read(MAX_JOURNAL_BYTES))
        beginning = Beginning(**document.pop("beginning"))
        if type(beginning.nonce) is not int or type(beginning.height) is not int:
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Unusable(f"{journal} was not written by an interrupted deployment") from None
    asked = undertaking.asked()
    differing = sorted(key for key in asked.keys() | document.keys() if asked.get(key) != document.get(key))
    if differing:
        raise Unusable(
            f"{journal}: the interrupted deployment had another {', '.join(differing)}; repeat its options, or start over"
            " with another --out"
        )
    return beginning


def _write(journal: Path, undertaking: Undertaking) -> None:
    text = json.dumps(undertaking.document(), indent=1) + "\n"
    try:
        create_durably(journal, text.encode(), READABLE)
    except OSError as error:
        raise Unusable(f"{journal}: {error.strerror or error}") from None
