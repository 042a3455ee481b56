"""What the HTTP API answers, said once: the server writes these values, the SDK reads them, and OpenAPI is made of them.

An answer is a frozen dataclass. In memory an amount is a number and a time is a `datetime`; on the wire both are text.
Bounds are the reader's guard against a server that is not one: they are in no document. Nothing here imports another
part of hutong.
"""
