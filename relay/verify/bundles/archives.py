"""An archive of bundles opened to be judged, and its bundles copied for somebody else."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hutong.light_clients.interface import MalformedInput
from hutong.relay.archive.errors import ArchiveUnavailable
from hutong.relay.archive.store import ArchiveSource, BundleArchive, WriteConflict, open_backend
from hutong.relay.verify.bundles.inputs import read_checkpoints
from hutong.relay.verify.bundles.names import bundle_file_names
from hutong.relay.verify.inputs import UnusableInput, read_file
from hutong.relay.verify.output_files import make_folder, write_file


@contextmanager
def usable_archive() -> Iterator[None]:
    """Turn what keeps an archive from being read or written into UnusableInput.

    Raises:
        UnusableInput: the block met it.
    """
    try:
        yield
    except (ArchiveUnavailable, WriteConflict, MalformedInput) as error:
        raise UnusableInput(str(error)) from None


@contextmanager
def opened_archive(location: str) -> Iterator[BundleArchive]:
    """The archive of a folder or `s3://bucket/prefix`.

    Raises:
        UnusableInput: it cannot be read, also within the block.
    """
    with usable_archive():
        yield BundleArchive(open_backend(location))


@dataclass(frozen=True, slots=True)
class Copied:
    """How many bundles were written, why others were not, and how many packets were pruned before."""

    written: int
    damaged: tuple[str, ...]
    pruned: int


def copy_bundles(location: str, folder: Path, packets: Sequence[str], checkpoints: Sequence[Path]) -> Copied:
    """Write the newest bundle of each packet as a file, and checkpoints beside them. One that is damaged does not stop
    the rest.

    Args:
        folder: made where it is not there.
        packets: chain id/client/sequence; none: of all.

    Raises:
        UnusableInput: the archive or a checkpoint cannot be read, or has no such packet; two files would have one name;
            or a file cannot be written.
    """
    trusted = read_checkpoints(checkpoints)
    with opened_archive(location):
        source = ArchiveSource(location)
    names = source.names()
    if unknown := sorted(set(packets) - set(names)):
        raise UnusableInput(f"the archive has no bundle of {unknown[0][:160]}")
    files = bundle_file_names(packets or names)
    roots = [f"{one.chain_id}.checkpoint.json" for one in trusted]
    if twice := sorted({root for root in roots if roots.count(root) > 1}):
        raise UnusableInput(f"two checkpoints would both be {twice[0]}: give one a chain")
    make_folder(folder)
    for root, path in zip(roots, checkpoints, strict=True):
        write_file(folder / root, read_file(path))
    written, damaged = 0, []
    for name, file in files.items():
        try:
            data = source.read(name)
        except MalformedInput as error:
            damaged.append(str(error))
            continue
        write_file(folder / file, data)
        written += 1
    return Copied(written, tuple(damaged), len(source.pruned))
