"""Whole networks on one machine: processes, ports, keys, chains, proxies with faults."""
