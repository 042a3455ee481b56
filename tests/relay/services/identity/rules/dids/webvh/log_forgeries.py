"""Changes that tests make to entries before these are hashed and signed, and witnesses that they name."""

from typing import Any

from tests.relay.services.identity.rules.dids.webvh.log_maker import Change, multikey


def witness(threshold: int, *keys: int) -> dict[str, Any]:
    return {"threshold": threshold, "witnesses": [{"id": f"did:key:{multikey(key)}"} for key in keys]}


def moved(place: str, *, keeps: bool = True) -> Change:
    """To another host; `keeps` names the old one in alsoKnownAs."""

    def change(entry: dict[str, Any]) -> None:
        old = entry["state"]["id"]
        entry["state"]["id"] = ":".join((*old.split(":")[:3], place))
        entry["state"]["alsoKnownAs"] = [old] if keeps else []

    return change


def dated(text: str) -> Change:
    return lambda entry: entry.update(versionTime=text)
