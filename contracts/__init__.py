"""Solidity sources, their committed artifacts, and the tools that keep the two equal."""
