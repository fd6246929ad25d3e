"""What becomes of one message: read, held back, known already, or rightly without readings."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from campus import selftest
from campus.campus import Campus
from campus.device import Device
from campus.reading import Reading
from ingest.births_file import BirthsFile
from ingest.decoding.contract import Hints
from ingest.decoding.reading.descriptions import Descriptions
from ingest.decoding.registry import Registry
from ingest.device_clocks import DeviceClocks
from ingest.errors import IngestError, Rejected
from ingest.message import LONGEST_TOPIC, Decoded, Message
from ingest.normalise import Normaliser, quantities, without_time
from store.quarantine import UNREGISTERED, QuarantineEntry

_SELFTEST = selftest.device()


class MessageFate(msgspec.Struct, frozen=True, gc=False):
    """*readings* to journal and *held* entries; both empty for a message that rightly holds nothing."""

    readings: tuple[Reading, ...] = ()
    held: tuple[QuarantineEntry, ...] = ()
    #: at least one device of the message is registered and was read
    read: bool = False


class MessageReader:
    """Decoding and normalising with the campus of the moment."""

    def __init__(self, campus: Callable[[], Campus], births: BirthsFile | None = None) -> None:
        self._campus = campus
        self._births = births
        self._for: Campus | None = None
        # the broker repeats descriptions on subscribing only: they must outlive a reload of the register
        self._descriptions = Descriptions()
        self._registry = Registry(descriptions=self._descriptions)
        self._hints = Hints() if births is None else Hints(births=births.births)
        #: what devices' own times say of our clock; it outlives a reload of the register
        self.clocks = DeviceClocks()
        self._normalise = Normaliser(self.clocks)

    def __call__(self, message: Message) -> MessageFate:
        """Never raises: whatever goes wrong with a message is its own quarantine entry."""
        campus = self._campus()
        if campus is not self._for:
            self._renew(campus)
        try:
            decoder, decoded = self._registry.decode(message, self._hints)
            return self._judged(message, decoder, decoded, campus)
        except Rejected as rejected:
            return MessageFate(held=(held(message, rejected.code, rejected.detail),))
        except IngestError as error:
            return MessageFate(held=(held(message, "configuration", str(error)),))
        except Exception as error:  # noqa: BLE001 - one message must never stop the others
            return MessageFate(held=(held(message, "internal_error", f"{type(error).__name__}: {error}"),))

    def keep(self, now_ms: int, *, at_once: bool = False) -> None:
        """Saves what decoding has learned, before the messages it was learned from are acknowledged."""
        if self._births is not None:
            self._births.save(now_ms, at_once=at_once)

    def topics(self, broker: str = "") -> list[str]:
        """What to subscribe to at the broker of that name, for the campus of the moment."""
        campus = self._campus()
        if campus is not self._for:
            self._renew(campus)
        return self._registry.topics(broker)

    def _renew(self, campus: Campus) -> None:
        self._registry = Registry(campus.site, self._descriptions)
        # what births said outlives a reload of the register
        self._hints = Hints(campus.site.zone, campus.device_at, self._hints.births)
        self._normalise = Normaliser(self.clocks)
        self._for = campus

    def _judged(self, message: Message, decoder: str, decoded: Decoded, campus: Campus) -> MessageFate:
        if message.retained and without_time(decoded.reports):
            detail = "a retained message without a time of its own may be days old"
            return MessageFate(held=(held(message, "retained_without_time", detail),))
        readings: list[Reading] = []
        entries: list[QuarantineEntry] = []
        read = False
        for report in decoded.reports:
            device = _device_of(report.address, message, campus)
            if device is None:
                if report.values or report.unread:
                    detail = f"device {report.address!r} is not in the register"
                    entries.append(
                        held(
                            message, UNREGISTERED, f"{detail}; {report.unread}".rstrip("; "),
                            address=report.address, decoder=decoder, quantities=quantities(report),
                        )
                    )  # fmt: skip
                continue
            if report.unread:
                code, _, detail = report.unread.partition(": ")
                entries.append(held(message, code, detail, address=report.address, decoder=decoder))
                continue
            read = True
            found = self._normalise(report, device, message.received_ms)
            readings += found.readings
            if found.refused and not found.readings:
                entries.append(held(message, "refused_values", "; ".join(found.refused)[:500], address=""))
        return MessageFate(tuple(readings), tuple(entries), read)


def topic_too_long(message: Message) -> MessageFate:
    """What becomes of a message whose topic no device has: it is held with the topic's beginning."""
    detail = f"a topic of {len(message.topic)} characters; expected at most {LONGEST_TOPIC}"
    short = msgspec.structs.replace(message, topic=message.topic[:LONGEST_TOPIC])
    entry = msgspec.structs.replace(held(short, "topic_too_long", detail), whole=False)
    return MessageFate(held=(entry,))


def _device_of(address: str, message: Message, campus: Campus) -> Device | None:
    """The device of the register; on the self-test's own topic the internal one."""
    return _SELFTEST if message.topic == selftest.TOPIC else campus.device_at(address)


def held(
    message: Message,
    code: str,
    detail: str,
    *,
    address: str = "",
    decoder: str = "",
    quantities: tuple[str, ...] = (),
) -> QuarantineEntry:
    """*message* as a quarantine entry."""
    return QuarantineEntry(
        time_ms=message.received_ms,
        topic=message.topic,
        payload=message.payload,
        code=code,
        detail=detail,
        address=address,
        decoder=decoder,
        quantities=quantities,
        size=len(message.payload),
    )
