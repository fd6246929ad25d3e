"""From a message to the journal: normalised, known again, held back, acknowledged."""

from __future__ import annotations

import json
import threading

import pytest
from tests_support import PATIENCE_S, wait_until

from campus.campus import Campus
from campus.device import Device, Place
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from ingest.allowance import Allowances
from ingest.dedupe import Repeats
from ingest.message import Message, Report, Value
from ingest.message_reader import MessageReader
from ingest.mqtt.burst import Burst
from ingest.normalise import Normaliser
from ingest.pipeline import Pipeline
from store.journal.counts import Counts
from store.journal.journal import Journal


def message(topic, body, clock, **more):
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message(topic, payload, clock.now_ms, **more)


FREEZER = "zigbee2mqtt/Freezer"


@pytest.fixture
def road(journal, campus, clock):
    """A running pipeline; ``send`` puts a message and tells when it was acknowledged."""
    pipeline = Pipeline(journal, MessageReader(lambda: campus), now_ms=clock)
    pipeline.start()
    acknowledged = []

    def send(*messages):
        done = threading.Event()
        for number, one in enumerate(messages):
            last = number == len(messages) - 1

            def acknowledge(messages, last=last):
                acknowledged.extend(one.payload for one in messages)
                if last:
                    done.set()

            pipeline.put(Burst([one], acknowledge))
        assert done.wait(PATIENCE_S)

    send.acknowledged = acknowledged
    send.pipeline = pipeline
    yield send
    pipeline.stop()


def stored(journal):
    return [
        (reading.series.device, reading.series.quantity.value, reading.value)
        for batch in journal.read(0)
        for reading in batch.readings
    ]


def test_a_message_is_acknowledged_after_its_commit(road, journal, clock):
    """By the time a message is acknowledged its readings are in the journal."""
    road(message(FREEZER, {"temperature": -18.5}, clock, qos=1, mid=1))
    assert stored(journal) == [("freezer", "temperature", -18.5)]
    assert journal.counts() == Counts(journaled=1)


def test_each_message_has_one_fate(road, journal, clock):
    """Read, repeated, ignored, held: the counts balance, and nothing stops the rest."""
    timed = {"temperature": -18, "last_seen": clock.now_ms - 1000}
    road(
        message(FREEZER, timed, clock),
        message(FREEZER, timed, clock),
        message("zigbee2mqtt/bridge/state", {"state": "online"}, clock),
        message(FREEZER, b"\xff\xfe", clock),
        message("zigbee2mqtt/Stranger", {"temperature": 4}, clock),
        message(FREEZER, b"x" * 10_000_000, clock),
        message(FREEZER, {"temperature": 9999}, clock),
        message("no/such/format", b"{}", clock),
        message(FREEZER, {"temperature": -17}, clock),
    )
    assert journal.counts() == Counts(journaled=2, duplicates=1, ignored=1, quarantined=5)
    assert [value for _, _, value in stored(journal)] == [-18.0, -17.0]
    codes = {entry.code for entry in journal.quarantined(limit=10)}
    assert codes == {"not_utf8", "unregistered", "too_large", "refused_values", "unknown_format"}
    big = journal.quarantined(code="too_large")[0]
    assert (big.size, len(big.payload)) == (10_000_000, 65_536)
    assert [(one.address, one.decoder, one.quantities) for one in journal.unregistered()] == [
        ("Stranger", "zigbee2mqtt", ("temperature",))
    ]


def test_a_redelivery_is_known(journal, campus, clock):
    """After a crash between commit and acknowledgement, the same message comes with dup set, and counts once."""
    first = message(FREEZER, {"temperature": -18}, clock, qos=1, mid=7)
    again = message(FREEZER, {"temperature": -18}, clock, qos=1, mid=7, dup=True)
    fresh = message(FREEZER, {"temperature": -18}, clock, qos=1, mid=8, dup=True)
    for batch in ([first], [again], [fresh]):
        clock.forward(5)
        pipeline = Pipeline(journal, MessageReader(lambda: campus), now_ms=clock)  # as after a restart
        pipeline.start()
        done = threading.Event()
        for one in batch:
            moved = Message(one.topic, one.payload, clock.now_ms, one.qos, one.mid, one.dup)
            pipeline.put(Burst([moved], lambda _, done=done: done.set()))
        assert done.wait(PATIENCE_S)
        pipeline.stop()
    assert journal.counts() == Counts(journaled=2, duplicates=1)


def test_a_redelivery_right_behind_is_known(road, journal, clock):
    """A second copy within the same group of messages is known, too."""
    first = message(FREEZER, {"temperature": -18}, clock, qos=1, mid=7)
    again = Message(first.topic, first.payload, clock.now_ms + 1, 1, 7, dup=True)
    road(first, again)
    assert journal.counts() == Counts(journaled=1, duplicates=1)


def test_a_retained_message_without_time_is_no_news(road, journal, clock):
    """What the broker kept for who knows how long is held back; with its own time it is history."""
    road(message(FREEZER, {"temperature": -18}, clock, retained=True))
    road(message(FREEZER, {"temperature": -18, "last_seen": clock.now_ms - 7_200_000}, clock, retained=True))
    assert journal.quarantined()[0].code == "retained_without_time"
    (reading,) = [reading for batch in journal.read(0) for reading in batch.readings]
    assert reading.quality is Quality.LATE


def test_what_was_held_is_replayed_after_adoption(journal, site, devices, clock):
    """Once a device is in the register, its held messages become readings of their own time, and leave quarantine."""
    known = [Campus(site=site, devices=devices)]
    pipeline = Pipeline(journal, MessageReader(lambda: known[-1]), now_ms=clock)
    pipeline.start()
    done = threading.Event()
    pipeline.put(Burst([message("zigbee2mqtt/New", {"temperature": 4}, clock)], lambda _: done.set()))
    assert done.wait(PATIENCE_S)
    then_ms = clock.now_ms
    clock.forward(60)
    new = Device(
        id="new",
        name="新冰箱",
        kind="cold_storage",
        place=Place(site="school"),
        address="New",
        decoder="zigbee2mqtt",
    )
    known.append(Campus(site=site, devices=[*devices, new]))
    assert pipeline.replay(journal.quarantined()) == 1
    wait_until(lambda: journal.counts().journaled == 1)
    pipeline.stop()
    (reading,) = [reading for batch in journal.read(0) for reading in batch.readings]
    assert (reading.series.device, reading.time_ms) == ("new", then_ms)
    assert journal.counts() == Counts(journaled=1)
    assert journal.unregistered() == []


def test_unread_bytes_wait_for_their_model(site, devices, clock):
    """Bytes nobody can read are held under their device's address, and read once the register names the model."""
    body = {
        "deviceInfo": {"devEui": "a84041000000aaaa", "deviceProfileName": "hall"},
        "time": "2026-11-20T23:59:00Z",
        "fPort": 2,
        "data": "y/YLDQN2AQrdf/8=",
    }
    up = message("application/1/device/a84041000000aaaa/event/up", body, clock)
    (entry,) = MessageReader(lambda: Campus(site=site, devices=devices))(up).held
    assert (entry.code, entry.address, entry.decoder) == ("unregistered", "a84041000000aaaa", "chirpstack_v4")
    assert "no_codec" in entry.detail
    probe = Device(
        id="probe", name="探头", kind="cold_storage", place=Place(site="school"), address="a84041000000aaaa"
    )
    (entry,) = MessageReader(lambda: Campus(site=site, devices=[*devices, probe]))(up).held
    assert (entry.code, entry.address) == ("no_codec", "a84041000000aaaa")
    named = probe.model_copy(update={"model": "LHT65N"})
    judgement = MessageReader(lambda: Campus(site=site, devices=[*devices, named]))(up)
    assert judgement.held == ()
    assert {reading.series.device for reading in judgement.readings} == {"probe"}


def test_a_full_journal_holds_the_acknowledgement_back(tmp_path, campus, clock):
    """At the quota nothing is acknowledged and nothing is dropped; with space again it goes on by itself."""
    small = Journal(tmp_path / "small.db", quota_bytes=90_000)
    pipeline = Pipeline(small, MessageReader(lambda: campus), now_ms=clock)
    pipeline.start()
    acknowledged = []
    for number in range(3000):
        pipeline.put(
            Burst(
                [message(FREEZER, {"temperature": -18 - number / 1000, "humidity": number % 100}, clock)],
                lambda _, number=number: acknowledged.append(number),
            )
        )
    wait_until(lambda: pipeline.stalled)
    assert "quota" in pipeline.stalled
    before = len(acknowledged)
    assert before < 3000
    small.trim(small.last_seq())
    small._quota_bytes = 10**9
    wait_until(lambda: len(acknowledged) == 3000)
    assert small.counts().journaled == 3000
    assert pipeline.stalled == ""
    pipeline.stop()
    small.close()


def test_pulses_and_calibration(clock):
    """Pulses become cubic metres by their weight, a probe's offset is added, its case's temperature is left."""
    place = Place(site="s")
    meter = Device(id="w", name="w", kind="water_meter", place=place, pulse_weight=0.01)
    probe = Device(id="p", name="p", kind="pipe_probe", place=place, calibration_offset=-0.5)
    report = Report(
        "x",
        None,
        (
            Value("pulse_count", 88467, "count"),
            Value("temperature", 3.0, "°C"),
            Value("temperature", 40.0, "°C", "device"),
        ),
    )
    by_meter = {
        reading.series: reading.value for reading in Normaliser()(report, meter, clock.now_ms).readings
    }
    assert by_meter[Series("w", Quantity.WATER_VOLUME)] == 884.67
    by_probe = {
        reading.series: reading.value for reading in Normaliser()(report, probe, clock.now_ms).readings
    }
    assert by_probe[Series("p", Quantity.TEMPERATURE)] == 2.5
    assert by_probe[Series("p", Quantity.TEMPERATURE, "device")] == 40.0


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (Value("temperature", 500, "°C"), "outside"),
        (Value("humidity", 104.7, "%"), "outside"),
        (Value("energy", 1, "kg"), "cannot measure"),
        (Value("WF", 1, ""), "WF"),
    ],
)
def test_impossible_values_are_refused_alone(clock, value, word):
    """A value that cannot be is named, and the good one beside it is kept."""
    device = Device(id="d", name="d", kind="climate", place=Place(site="s"))
    found = Normaliser()(Report("d", None, (value, Value("voltage", 230, "V"))), device, clock.now_ms)
    assert [reading.value for reading in found.readings] == [230.0]
    assert word in found.refused[0]


def test_wrong_clocks_fall_back_to_receipt(clock):
    """A time from 1970 or 2099 is not believed; an hour-old one is late."""
    device = Device(id="d", name="d", kind="climate", place=Place(site="s"))
    for wrong in (0, 4_070_908_800_000):
        (reading,) = Normaliser()(
            Report("d", wrong, (Value("voltage", 230, "V"),)), device, clock.now_ms
        ).readings
        assert (reading.time_ms, reading.quality) == (clock.now_ms, Quality.GOOD)
    old_ms = clock.now_ms - 3_700_000
    (reading,) = Normaliser()(
        Report("d", old_ms, (Value("voltage", 230, "V"),)), device, clock.now_ms
    ).readings
    assert (reading.time_ms, reading.quality) == (old_ms, Quality.LATE)


def test_memories_are_bounded(clock):
    """What is remembered of series does not grow without end."""
    repeats = Repeats()
    for number in range(60_000):
        repeats.fresh([Reading(Series(f"d{number}", Quantity.VOLTAGE), 1.0, 1, 1)])
    assert len(repeats._series) <= 50_000


def test_a_topic_too_long_is_held_by_its_beginning(road, journal, clock):
    """A topic of 60,000 characters is held cut short, remembered nowhere, and the next message is read."""
    long = "watermeter/" + "barometer" * 6_000
    road(
        message(long, {"value": 1}, clock, qos=1, mid=1),
        message(FREEZER, {"temperature": -18.5}, clock, qos=1, mid=2),
    )
    assert journal.counts() == Counts(journaled=1, quarantined=1)
    entry = journal.quarantined()[0]
    assert (entry.code, len(entry.topic)) == ("topic_too_long", 512)
    assert list(road.pipeline._allowances._left) == [FREEZER]


def test_values_of_one_millisecond_stay_apart(road, journal, clock):
    """A source without time that speaks fast loses nothing: each value has a time of its own, repeats are repeats."""
    road(
        *[message(FREEZER, {"temperature": -18 - number}, clock) for number in range(20)],
        message(FREEZER, {"temperature": -18}, clock),
    )
    times = [reading.time_ms for batch in journal.read(0) for reading in batch.readings]
    assert times[:20] == [clock.now_ms + number for number in range(20)]
    assert len(times) == len(set(times))


def test_times_given_before_a_restart_are_not_given_again(journal, campus, clock):
    """A backlog that moved receipt times ahead of the clock does not meet itself after a restart."""
    for start in (0, 100):
        pipeline = Pipeline(journal, MessageReader(lambda: campus), now_ms=clock)
        pipeline.start()
        done = threading.Event()
        for number in range(start, start + 100):
            pipeline.put(
                Burst(
                    [message(FREEZER, {"temperature": -18 - number / 100}, clock)],
                    (lambda _, done=done: done.set()) if number % 100 == 99 else None,
                )
            )
        assert done.wait(PATIENCE_S)
        pipeline.stop()
        clock.forward(0.03)
    times = [reading.time_ms for batch in journal.read(0) for reading in batch.readings]
    assert len(times) == len(set(times)) == 200


class PoisonedAllowances(Allowances):
    """Stands for anything of the road that no guard of its own protects."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def take(self, topic, now_ms):
        if topic == POISON:
            raise self.error
        return super().take(topic, now_ms)


POISON = "zigbee2mqtt/Poison"


@pytest.mark.parametrize("error", [RuntimeError("odd"), SystemExit(1)])
def test_an_escaped_exception_costs_one_message(journal, campus, clock, error):
    """Whatever escapes while a group is judged, each other message is journaled once, the one is held, all are acknowledged."""
    pipeline = Pipeline(
        journal, MessageReader(lambda: campus), now_ms=clock, allowances=PoisonedAllowances(error)
    )
    acknowledged = []
    burst = [message(FREEZER, {"temperature": -number}, clock, qos=1, mid=number) for number in range(1, 4)]
    burst[1:1] = [message(POISON, {"temperature": 1}, clock, qos=1, mid=9)]
    pipeline.put(Burst(burst, lambda messages: acknowledged.extend(one.mid for one in messages)))
    pipeline.put(Burst([message(FREEZER, {"temperature": -9}, clock, qos=1, mid=4)]))
    pipeline.start()
    wait_until(lambda: journal.counts().received == 5, 30)
    pipeline.stop()
    assert sorted(value for _, _, value in stored(journal)) == [-9.0, -3.0, -2.0, -1.0]
    assert journal.counts() == Counts(journaled=4, quarantined=1)
    assert [(one.code, one.topic) for one in journal.quarantined()] == [("internal_error", POISON)]
    assert acknowledged == [1, 9, 2, 3]
    assert pipeline.worker.progress().failures == 1
