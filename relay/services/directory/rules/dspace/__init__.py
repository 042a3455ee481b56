"""The Dataspace Protocol 2025-1 without I/O: messages read and written, and what may follow what."""
