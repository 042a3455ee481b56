"""Decentralised identifiers: syntax, documents, the methods that are judged here, and the result of resolving one."""
