"""One exercise on the live service: its devices publish over the real broker, and rules of its own judge what arrives.

These rules are a second engine on the drill devices alone. The real one never hears of them, so that no exercise can
reach into the state of a real alert, and a crash leaves nothing behind in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from alerts.drills.drill import Drill
from campus.campus import Campus
from campus.device import Device
from ingest.mqtt.connection import BrokerAddress
from rules.engine.engine import Engine
from rules.engine.settings import RuleSettings
from rules.verdict import Transition
from service.drills.rules import drill_rules
from simulators.drills.exercise import Exercise
from simulators.output.publisher import Publisher
from store.journal.recent import Batch


class DrillRun:
    """*exercise* under way."""

    def __init__(
        self,
        drill: Drill,
        exercise: Exercise,
        campus: Campus,
        devices: dict[str, Device],
        address: BrokerAddress,
        *,
        now_ms: Callable[[], int],
    ) -> None:
        self.drill = drill
        self.copies = exercise.copies
        rules = drill_rules(campus, exercise.copies, exercise.speed)
        own = Campus(site=campus.site, devices=devices.values(), hours=campus.hours, rules=rules)
        self._engine = Engine(own, RuleSettings(rules))
        self._publisher = Publisher(
            exercise.stage,
            host=address.host,
            port=address.port,
            now_ms=now_ms,
            username=address.username,
            password=address.password,
            tls=address.tls,
            ca_file=address.ca_file,
            certificate=(address.cert_file, address.key_file),
        )

    def start(self) -> None:
        self._publisher.start()

    def stop(self) -> None:
        """Nothing more is published."""
        self._publisher.stop()

    @property
    def failure(self) -> Exception | None:
        """Why it cannot go on."""
        return self._publisher.failure

    def judge(self, batches: Sequence[Batch]) -> list[Transition]:
        """What the drill's rules make of its part of the journal."""
        return [
            transition
            for batch in batches
            for transition in self._engine.advance(
                batch.committed_ms,
                [reading for reading in batch.readings if reading.series.device in self.copies],
            )
        ]
