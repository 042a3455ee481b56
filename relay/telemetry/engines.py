"""Metrics of the engines of cryptography by which a daemon judges."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class EngineMetrics:
    """Series are bounded by the registry of engines: names of this code, and versions of what is installed."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._in_use = Gauge(
            "hutong_engine",
            "1 while an engine of cryptography is in use and nothing contradicts it; 0 once it computed wrongly.",
            ["algorithm", "engine", "version"],
            registry=registry,
        )
        self._questions = Counter(
            "hutong_engine_questions_total",
            "Questions that the watch asked the engines beside other authors' libraries.",
            registry=registry,
        )
        self._contradictions = Counter(
            "hutong_engine_contradictions_total",
            "Answers of an engine that another author's library contradicts.",
            ["algorithm", "engine"],
            registry=registry,
        )

    def in_use(self, algorithm: str, engine: str, version: str) -> None:
        """An engine passed its known answers."""
        self._in_use.labels(algorithm, engine, version).set(1)
        # So that an increase from nothing is one.
        self._contradictions.labels(algorithm, engine)

    def asked(self, count: int) -> None:
        """So many questions were answered rightly."""
        self._questions.inc(count)

    def contradicted(self, algorithm: str, engine: str, version: str) -> None:
        """An engine answered otherwise than another author's library."""
        self._in_use.labels(algorithm, engine, version).set(0)
        self._contradictions.labels(algorithm, engine).inc()
