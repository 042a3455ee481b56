"""Engines of cryptography at work: batches over threads and processes, rates beside the plain path, and differential runs.

The registry is `hutong.light_clients.crypto.engines`, which is pure; what reads a clock, a file or the machine is here. It is
software on a CPU: no chip, no GPU.
"""
