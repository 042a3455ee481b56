"""What an archive says when it cannot answer."""


class ArchiveUnavailable(Exception):
    """The directory or store cannot be written or read; one sentence."""
