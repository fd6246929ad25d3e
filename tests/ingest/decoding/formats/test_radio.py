"""rtl_433, rtlamr, rtlamr2mqtt and Theengs/OpenMQTTGateway, on messages of our own."""

from __future__ import annotations

import pytest
from decoding_support import NOW_MS, decoded, registered, reports, values

from campus.clock import SHANGHAI, parse_iso
from ingest.decoding.registry import Registry
from ingest.errors import Rejected

EVENTS = "rtl_433/host/events"


def event(**fields):
    return {"time": "2026-11-21 11:59:58", "model": "Maker-Model", "id": 7, **fields}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"temperature_C": -18.5}, {("temperature", ""): (-18.5, "°C")}),
        ({"temperature_F": 6.6}, {("temperature", ""): (6.6, "°F")}),
        ({"temperature_1_C": 1, "temperature_2_C": 2}, {("temperature", "1"): (1, "°C"), ("temperature", "2"): (2, "°C")}),
        ({"temperature2_F": 40, "temp3_C": 3}, {("temperature", "2"): (40, "°F"), ("temperature", "3"): (3, "°C")}),
        ({"temperature_C_ext": 3, "temperature_int_C": 4, "ambient_C": 5}, {
            ("temperature", "external"): (3, "°C"), ("temperature", "internal"): (4, "°C"), ("temperature", "ambient"): (5, "°C")}),
        ({"temperature_C_last": [1, 2], "setpoint_C": 20, "temperature_alarm": 1, "temperature_1_LO_C": 2}, {}),
        ({"humidity": 55, "humidity_1": 40}, {("humidity", ""): (55, "%"), ("humidity", "1"): (40, "%")}),
        ({"moisture": 30, "wind_avg_m_s": 3, "rain_mm": 3, "uvi": 1}, {}),
        ({"battery_ok": 0}, {("battery_ok", ""): (0, "bool")}),
        ({"battery_ok": 0.4, "battery_V": 2.7}, {("battery_level", ""): (0.4, "1"), ("battery_voltage", ""): (2.7, "V")}),
        ({"battery_mV": 2700, "battery_pct": 60}, {("battery_voltage", ""): (2700, "mV"), ("battery_level", ""): (60, "%")}),
        ({"power_W": 1200, "power1_W": 5, "current_2_A": 3, "voltage_V": 230, "frequency_Hz": 50, "energy_kWh": 12.5}, {
            ("active_power", ""): (1200, "W"), ("active_power", "1"): (5, "W"), ("current", "2"): (3, "A"), ("voltage", ""): (230, "V"),
            ("frequency", ""): (50, "Hz"), ("energy", ""): (12.5, "kWh")}),
        ({"total_kWh": 5, "impulses": 9, "impulses_total": 100}, {("energy", ""): (5, "kWh"), ("pulse_count", ""): (100, "count")}),
        ({"pressure_hPa": 1013}, {("pressure", ""): (1013, "hPa")}),
        ({"volume_m3": 12.345}, {("water_volume", ""): (12.345, "m3")}),
        ({"volume_gal": 500}, {("water_volume", ""): (500, "gal")}),
        ({"water": 1}, {("leak_detected", ""): (1, "bool")}),
        ({"detect_wet": 0}, {("leak_detected", ""): (0, "bool")}),
        ({"contact_open": 1, "reed_open": 0}, {("door_open", ""): (1, "bool"), ("door_open", "reed"): (0, "bool")}),
        ({"model": "Fineoffset-WH55", "alarm": 1}, {("leak_detected", ""): (1, "bool")}),
        ({"model": "Norgo-NGE101", "impulses": 9}, {("pulse_count", ""): (9, "count")}),
        ({"model": "Voltcraft-EC3k", "power": 40.5, "energy": 3.1}, {("active_power", ""): (40.5, "W"), ("energy", ""): (3.1, "kWh")}),
        ({"model": "Vaillant-VRT340f", "water": "ON"}, {}),
        ({"model": "ERT-SCM", "ert_type": 12, "consumption_data": 123}, {("gas_volume_raw", ""): (123, "meter units")}),
        ({"model": "SCMplus", "EndpointType": "0xAB", "Consumption": 123}, {("water_volume_raw", ""): (123, "meter units")}),
        ({"model": "IDM", "ERTType": "0x07", "MeterType": "Electric", "LastConsumptionCount": 9, "DifferentialConsumptionIntervals": [1]},
         {("register_raw", ""): (9, "meter units")}),
        ({"model": "Neptune-R900", "consumption": 1356645, "leaknow": 1}, {("water_volume_raw", ""): (1356645, "meter units")}),
    ],
)  # fmt: skip
def test_fields_of_rtl_433(fields, expected):
    """Units by the key's ending, probes by their number; settings, alarms and weather are none of ours."""
    assert values(EVENTS, event(**fields)) == expected


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ({}, "Maker-Model/7"),
        ({"channel": "A"}, "Maker-Model/7/A"),
        ({"channel": 3, "subtype": 1}, "Maker-Model/7/3"),
        ({"id": "0a1f"}, "Maker-Model/0a1f"),
        ({"id": None, "channel": 2}, "Maker-Model/2"),
    ],
)
def test_an_rtl_433_device_is_model_id_and_channel(fields, address):
    """The address is what the message itself says."""
    assert reports(EVENTS, event(temperature_C=1, **{"id": 7, **fields}))[0].address == address


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-11-21 11:59:58", "2026-11-21T03:59:58Z"),
        ("2026-11-21 11:59:58.123456", "2026-11-21T03:59:58.123Z"),
        ("2026-11-21T11:59:58", "2026-11-21T03:59:58Z"),
        ("2026-11-21T11:59:58+0800", "2026-11-21T03:59:58Z"),
        ("2026-11-21 03:59:58Z", "2026-11-21T03:59:58Z"),
        ("2026-11-21 03:59:58", "2026-11-21T03:59:58Z"),
        ("2026-11-21T03:59:58.123456", "2026-11-21T03:59:58.123Z"),
        ("1795233598", "2026-11-21T03:59:58Z"),
        ("1795233598.123456", "2026-11-21T03:59:58.123Z"),
        (1795233598, "2026-11-21T03:59:58Z"),
        ("@0.043184s", None),
        ("", None),
        (None, None),
    ],
)
def test_times_of_rtl_433(written, expected):
    """Local, ISO, epoch, with fractions, and UTC that does not say so but is the only reading that fits the receipt."""
    (report,) = reports(EVENTS, event(time=written, temperature_C=1))
    assert report.time_ms == (None if expected is None else parse_iso(expected))


def test_an_old_local_time_stays_local():
    """A time far from its receipt in either zone is the site's."""
    (report,) = reports(EVENTS, event(time="2026-11-19 08:38:19", temperature_C=1))
    assert report.time_ms == parse_iso("2026-11-19T08:38:19", SHANGHAI)


def test_values_of_rtl_433_by_topic():
    """``devices/MODEL/CHANNEL/ID/KEY`` leads to the address the events have; the others beside it hold nothing."""
    assert reports("rtl_433/h/devices/Nexus-TH/2/42/temperature_C", "20.5")[0].address == "Nexus-TH/42/2"
    assert values("rtl_433/h/devices/Nexus-TH/2/42/temperature_C", "20.5") == {
        ("temperature", ""): (20.5, "°C")
    }
    assert values("rtl_433/h/devices/Leak/7/detect_wet", "1") == {("leak_detected", ""): (1.0, "bool")}
    assert values("rtl_433/h/devices/Nexus-TH/2/42/time", "2026-11-21 11:59:58") == {}
    assert decoded("rtl_433/h/devices/TPMS/Toyota/1/pressure_kPa", "230")[1].ignored
    assert decoded("rtl_433/h/states", "{}")[1].ignored
    assert decoded(EVENTS, event(type="TPMS", pressure_kPa=230))[1].ignored


def test_rtl_433_without_a_model_is_rejected():
    """What names no device cannot be read."""
    with pytest.raises(Rejected, match="no_device"):
        decoded(EVENTS, {"time": "2026-11-21 11:59:58", "temperature_C": 1})


def radio(kind, **told):
    return {"Time": "2026-11-21T03:59:00.123456789Z", "Offset": 0, "Length": 0, "Type": kind, "Message": told}


@pytest.mark.parametrize(
    ("body", "address", "expected", "flags"),
    [
        (radio("SCM", ID=1, Type=7, TamperPhy=2, TamperEnc=0, Consumption=99), "1", {("register_raw", ""): 99}, {"TamperPhy": "2"}),
        (radio("SCM", ID=1, Type=12, Consumption=99), "1", {("gas_volume_raw", ""): 99}, {}),
        (radio("SCM", ID=1, Type=13, Consumption=99), "1", {("water_volume_raw", ""): 99}, {}),
        (radio("SCM+", EndpointType=0xAB, EndpointID=2, Consumption=99, Tamper=0), "2", {("water_volume_raw", ""): 99}, {}),
        (radio("IDM", ERTType=7, ERTSerialNumber=3, LastConsumptionCount=99, DifferentialConsumptionIntervals=[1, 2]), "3",
         {("register_raw", ""): 99}, {"intervals": "2"}),
        (radio("NetIDM", ERTType=8, ERTSerialNumber=4, LastConsumption=50, LastGeneration=20, LastConsumptionNet=30), "4",
         {("register_raw", ""): 50, ("register_raw", "net"): 30, ("register_raw", "produced"): 20}, {}),
        (radio("NetIDM", ERTType=8, ERTSerialNumber=4, LastConsumption=0, LastGeneration=20, LastConsumptionNet=30), "4",
         {("register_raw", "net"): 30, ("register_raw", "produced"): 20}, {}),
        (radio("R900", ID=5, NoUse=0, BackFlow=1, Consumption=99, Leak=2, LeakNow=0), "5", {("water_volume_raw", ""): 99},
         {"BackFlow": "1", "Leak": "2"}),
        (radio("R900BCD", ID=5, Consumption=99), "5", {("water_volume_raw", ""): 99}, {}),
    ],
)  # fmt: skip
def test_rtlamr(body, address, expected, flags):
    """Each message type's id and register, by endpoint type, wherever a bridge publishes it; the unit is the meter's own."""
    name, found = decoded("any/where", body)
    (report,) = found.reports
    assert (name, report.address, report.flags) == ("rtlamr", address, flags)
    assert report.time_ms == parse_iso("2026-11-21T03:59:00.123Z")
    assert {(one.quantity, one.channel): one.value for one in report.values} == expected
    assert {one.unit for one in report.values} == {"meter units"}


def test_the_register_gives_a_radio_meter_its_unit():
    """Tenths of a gallon by a field mapping, or any meter by its pulse weight."""
    tenths = registered(
        **{
            "5": {
                "kind": "water_meter",
                "fields": {"Consumption": {"quantity": "water_volume", "unit": "gal", "scale": 0.1}},
            }
        }
    )
    assert values("rtlamr", radio("R900", ID=5, Consumption=990), tenths) == {
        ("water_volume", ""): (99.0, "gal")
    }
    pulses = registered(**{"5": {"kind": "water_meter", "pulse_weight": 0.01}})
    assert values("rtlamr", radio("R900", ID=5, Consumption=990), pulses) == {
        ("pulse_count", ""): (990.0, "count")
    }


def test_rtlamr2mqtt():
    """Readings bare or in a document, as text; their unit from discovery, else the kind of meter, else unknown."""
    registry = Registry()
    topic = "rtlamr/7823010/state"
    body = {"reading": "001234.56", "lastseen": "2026-11-21T03:58:00Z"}
    assert reports(topic, body)[0].time_ms == parse_iso("2026-11-21T03:58:00Z")
    assert values(topic, body) == values(topic, "1234.56") == {("register_raw", ""): (1234.56, "meter units")}
    hints = registered(**{"7823010": {"kind": "water_meter"}})
    assert values(topic, body, hints) == {("water_volume", ""): (1234.56, "m3")}
    config = {
        "state_topic": topic,
        "device_class": "water",
        "unit_of_measurement": "ft³",
        "value_template": "{{ value_json.reading|float }}",
    }
    decoded("homeassistant/sensor/rtlamr/7823010/config", config, registry=registry)
    assert values(topic, body, hints, registry=registry) == {("water_volume", ""): (1234.56, "ft3")}
    assert decoded("rtlamr/7823010/attributes", {"ID": 1})[1].ignored
    assert decoded("rtlamr/status", "online")[1].ignored


BLUETOOTH = "home/gateway/BTtoMQTT/A4C138112233"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"tempc": -18.2, "tempf": -0.76, "hum": 40}, {("temperature", ""): (-18.2, "°C"), ("humidity", ""): (40, "%")}),
        ({"tempf": 32.5}, {("temperature", ""): (32.5, "°F")}),
        ({"tempc1": 1, "tempc2": 2, "tempc2_dp": 0.5, "tempc_max": 9}, {("temperature", "1"): (1, "°C"), ("temperature", "2"): (2, "°C")}),
        ({"batt": 80, "volt": 2.9}, {("battery_level", ""): (80, "%"), ("battery_voltage", ""): (2.9, "V")}),
        ({"volt": 0}, {}),
        ({"volt": 231, "power": 5, "current": 0.1, "energy": 1.5}, {("voltage", ""): (231, "V"), ("active_power", ""): (5, "W"),
                                                                    ("current", ""): (0.1, "A"), ("energy", ""): (1.5, "kWh")}),
        ({"open": True}, {("door_open", ""): (1, "bool")}),
        ({"leak": False, "pres": 1013}, {("leak_detected", ""): (0, "bool"), ("pressure", ""): (1013, "hPa")}),
        ({"tempc": -127.99, "tempf": -198.4, "hum": 0, "pres": 500, "batt": 50}, {("battery_level", ""): (50, "%")}),
        ({"litres": 12.5, "energy": 0.4, "tempc": 38}, {("water_volume", "cycle"): (12.5, "L"), ("temperature", ""): (38, "°C")}),
        ({"moi": 30, "lux": 5, "weight": 3, "accx": 1}, {}),
    ],
)  # fmt: skip
def test_theengs(fields, expected):
    """°C before °F, probes by number, battery volts; what a sensor says beside an invalid temperature is none either."""
    assert values(BLUETOOTH, {"id": "A4:C1:38:11:22:33", "model": "x", **fields}) == expected


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        (BLUETOOTH, {"tempc": 1}),
        (BLUETOOTH, {"id": "a4:c1:38:11:22:33", "tempc": 1}),
        ("attic/other/BTtoMQTT/A4C138112233", {"id": "A4:C1:38:11:22:33", "tempc": 1}),
        ("/BTtoMQTT/a4c138112233", {"tempc": 1}),
        ("home/gateway/BTtoMQTT", {"id": "A4:C1:38:11:22:33", "tempc": 1}),
    ],
)
def test_one_sensor_whoever_hears_it(topic, body):
    """The address is the sensor's, however it is written and whichever gateway heard it."""
    assert reports(topic, body)[0].address == "A4:C1:38:11:22:33"


def test_the_gateways_own_messages():
    """The gateway's state and will are ignored; what it hears on 433 MHz is read as rtl_433's."""
    assert decoded("home/gateway/SYStoMQTT", {"tempc": 55})[1].ignored
    assert decoded("home/gateway/LWT", "online")[1].ignored
    (report,) = reports("home/gateway/RTL_433toMQTT/x/42", event(temperature_C=20.5, channel=2))
    assert (report.address, report.time_ms) == ("Maker-Model/7/2", NOW_MS - 2000)
    with pytest.raises(Rejected, match="no_device"):
        decoded("home/gateway/BTtoMQTT", {"tempc": 1})
