"""Ethereum: final by its beacon chain."""
