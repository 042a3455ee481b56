"""Metrics as the code registers them, and those that a PromQL expression asks for."""

import re

from hutong.relay.telemetry import Metrics

SCRAPED = {"instance", "job"}
"""Labels that Prometheus adds."""
_FUNCTIONS = {
    "and", "or", "unless", "on", "ignoring", "by", "without", "sum", "rate", "increase", "changes", "time", "max", "min",
    "avg", "count", "histogram_quantile", "predict_linear", "label_values", "group_left", "group_right",
}  # fmt: skip


def registered() -> dict[str, set[str]]:
    """Names of samples and their labels."""
    found: dict[str, set[str]] = {"up": set()}
    for collector in Metrics().registry._collector_to_names:
        labels = set(getattr(collector, "_labelnames", ()))
        for family in collector.describe() if hasattr(collector, "describe") else collector.collect():
            own = set(getattr(family, "_labelnames", ())) | labels
            for suffix in {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(family.type, [""]):
                found[family.name + suffix] = own | ({"le"} if suffix == "_bucket" else set())
    return found


def asked_for(expression: str) -> dict[str, set[str]]:
    """Names of an expression with the labels that it selects or groups by."""
    text = re.sub(r"\[[^\]]*\]", "", expression)
    grouped: set[str] = set()
    for group in re.findall(r"\b(?:by|on|ignoring|without)\s*\(([^)]*)\)", text):
        grouped |= {label.strip() for label in group.split(",") if label.strip()}
    text = re.sub(r"\b(?:by|on|ignoring|without)\s*\([^)]*\)", "", text)
    text = re.sub(r'"[^"]*"', '""', text)
    found: dict[str, set[str]] = {}
    for name, selector in re.findall(r"\b([a-zA-Z_][a-zA-Z0-9_]*)\b(\{[^}]*\})?(?!\s*\()", text):
        if name not in _FUNCTIONS:
            found.setdefault(name, set()).update(re.findall(r"([a-zA-Z_]+)\s*[=!]", selector), grouped)
    return found
