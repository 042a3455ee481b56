"""What the vectors hold that no code judges: by format of the manifest, and by folder for areas that have a list of their own.

Newer areas are not in the manifest yet. Each has a `MANIFEST.md`, some a `manifest.json` too, whose entries have an area and
no format. Their files, and whatever else the manifest leaves out, are skipped by part, with the reason: nothing silently.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SUBJECTS = {
    "w3c": "credentials and decentralised identifiers",
    "w3c-id": "credentials and decentralised identifiers",
    "dataspace": "data directory and sharing",
    "storage": "trusted storage",
    "vdaf": "privacy-preserving operations",
    "hpke": "privacy-preserving operations",
    "voprf": "privacy-preserving operations",
    "gm": "encryption with SM4 and signing with SM2",
}
LISTS = ("MANIFEST.md", "manifest.json")


def why_unjudged(area: str, name: str) -> str:
    """The reason to skip a format or a part of an area."""
    subject = SUBJECTS.get(area)
    of = f"area {area}" if subject is None else f"area {area}: {subject}"
    return f"format {name} is not supported ({of}; no code judges it yet)"


@dataclass(frozen=True)
class Unjudged:
    """Files of one part of a folder."""

    folder: str
    part: str
    files: tuple[str, ...]

    @property
    def reason(self) -> str:
        return f"{why_unjudged(self.folder, self.part)}: {len(self.files)} files, {self.files[0]} the first"


def unjudged_parts(root: Path, listed: frozenset[str]) -> Iterator[Unjudged]:
    """Every part of every folder of `root`, but for files that the manifest (`listed`) has."""
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        areas = areas_of(folder)
        parts: dict[str, list[str]] = {}
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(root).as_posix()
            within = path.relative_to(folder)
            if not path.is_file() or name in listed or within.as_posix() in LISTS:
                continue
            part = within.parts[0] if len(within.parts) > 1 else within.suffix.removeprefix(".") or "files"
            parts.setdefault(areas.get(within.as_posix(), part), []).append(name)
        for part, files in sorted(parts.items()):
            yield Unjudged(folder.name, part, tuple(files))


def areas_of(folder: Path) -> dict[str, str]:
    """Area by file, as the folder's own `manifest.json` says, if there is one."""
    own = folder / "manifest.json"
    try:
        entries = json.loads(own.read_bytes())["entries"]
        return {entry["file"]: str(entry["area"]) for entry in entries if "area" in entry}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
