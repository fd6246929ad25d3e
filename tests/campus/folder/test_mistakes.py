"""Each mistake in a campus folder is told with its place."""

import pytest
from folder_support import SITE, folder, problems

MODBUS = (
    "mappings: {m: {kind: modbus, address: 'topic:1', replies: [{unit: 1, function: 4, registers: 2, "
    "values: [{offset: 1, type: int16, quantity: temperature}]}]}}\n"
)


@pytest.mark.parametrize(
    ("files", "where", "found", "expected"),
    [
        ({"site.yaml": SITE + "langauge: en\n"}, "site.yaml:langauge", "langauge", "language"),
        ({"site.yaml": "id: [\n"}, "site.yaml:2", "expected", "valid YAML"),
        ({"site.yaml": SITE + "timezone: Mars/Base\n"}, "site.yaml:timezone", "Mars/Base", "Asia/Shanghai"),
        (
            {"site.yaml": SITE + "routes: [{channels: [d]}]\n"},
            "site.yaml:routes[0].channels",
            "d",
            "channels",
        ),
        (
            {"site.yaml": SITE + "broker: {password: '${NO_SUCH_VAR_X}'}\n"},
            "site.yaml:broker.password",
            "NO_SUCH_VAR_X",
            "set",
        ),
        (
            {"site.yaml": SITE + "broker: {password: a, password_file: b}\n"},
            "site.yaml:broker.password_file",
            "password",
            "at most one",
        ),
        ({"devices.csv": "id,name,kind\nx,X,水龙头\n"}, "devices.csv:2:kind", "水龙头", "water_meter"),
        ({"devices.csv": "id,name,kind,building\nx,X,水表,t2\n"}, "devices.csv:2:building", "t2", "t1"),
        ({"devices.csv": "id,name,kind\nx,X,水表\nx,Y,水表\n"}, "devices.csv:3:id", "x", "row 2"),
        ({"devices.csv": "id,name,kind\ndrill-x,X,水表\n"}, "devices.csv:2:id", "drill-x", "exercise"),
        (
            {"devices.csv": "id,name,kind,parent\nx,X,水表,y\ny,Y,水表,x\n"},
            "devices.csv:2:parent",
            "y",
            "circle",
        ),
        (
            {"devices.csv": "id,name,kind,decoder\nx,X,水表,tasmoto\n"},
            "devices.csv:2:decoder",
            "tasmoto",
            "tasmota",
        ),
        (
            {"devices.csv": "id,name,kind,interval_s\nx,X,水表,soon\n"},
            "devices.csv:2:interval_s",
            "soon",
            "number",
        ),
        (
            {"devices.csv": "id,name,kind,fields\nx,X,水表,a=flowing\n"},
            "devices.csv:2:fields",
            "a=flowing",
            "quantity",
        ),
        ({"people.csv": "id,name,phone\na,A,12345\n"}, "people.csv:2:phone", "12345", "11-digit"),
        (
            {"roster.csv": "person,from,to\nnobody,2026-01-01,2026-01-02\n"},
            "roster.csv:2:person",
            "nobody",
            "people.csv",
        ),
        (
            {"calendar.yaml": "terms: [{from: 2026-02-01, to: 2026-01-01}]\n"},
            "calendar.yaml:terms[0]",
            "",
            "before",
        ),
        (
            {"rules.yaml": "defaults: {water.brust: {limit_m3h: 1}}\n"},
            "rules.yaml:defaults.water.brust",
            "brust",
            "water.burst",
        ),
        (
            {"rules.yaml": "defaults: {water.burst: {limit_m3h: -1}}\n"},
            "rules.yaml:defaults.water.burst.limit_m3h",
            "-1",
            "greater",
        ),
        ({"rules.yaml": "devices: {ghost: {}}\n"}, "rules.yaml:devices.ghost", "ghost", "devices"),
        ({"rules.yaml": "- a\n- b\n"}, "rules.yaml:1", "list", "mapping"),
        ({"site.yaml": SITE + "name: 二\n"}, "site.yaml:5:name", "twice", "once"),
        ({"site.yaml": b"id: s\nname: \xff\n"}, "site.yaml:2", "UTF-8", "UTF-8"),
        ({"site.yaml": SITE + "x: &a [*a]\n"}, "site.yaml", "within themselves", "YAML"),
        (
            {"site.yaml": SITE + "brokers: {a: {listen: here}}\n"},
            "site.yaml:brokers.a.listen",
            "here",
            "host:port",
        ),
        (
            {"site.yaml": SITE + "brokers: {a: {}, b: {}}\n"},
            "site.yaml:brokers.b.url",
            "embedded",
            "brokers.a is the embedded one",
        ),
        (
            {"site.yaml": SITE + "broker: {}\nbrokers: {a: {}}\n"},
            "site.yaml:brokers",
            "broker and brokers",
            "one of",
        ),
        (
            {"site.yaml": SITE + "sources: [{topic: a, broker: lorra}]\nbrokers: {lora: {}}\n"},
            "site.yaml:sources[0].broker",
            "lorra",
            "lora",
        ),
        (
            {"site.yaml": SITE + "broker: {ca_file: missing.pem}\n"},
            "site.yaml:broker.ca_file",
            "missing.pem",
            "readable file",
        ),
        (
            {"site.yaml": SITE + "broker: {tls_cert_file: site.yaml}\n"},
            "site.yaml:broker.tls_key_file",
            "nothing",
            "belong together",
        ),
        ({"site.yaml": SITE + "broker: {listen: here}\n"}, "site.yaml:broker.listen", "here", "host:port"),
        (
            {"site.yaml": SITE + 'broker: {listen: "0.0.0.0:1883"}\n'},
            "site.yaml:broker.listen",
            "without an account",
            "password_file",
        ),
        ({"site.yaml": SITE + "broker: {url: tcp://a}\n"}, "site.yaml:broker.url", "tcp://a", "mqtt://"),
        ({"site.yaml": SITE + "store: postgres\n"}, "site.yaml:store", "", "influxdb2"),
        (
            {"site.yaml": SITE.replace("kind: console", "kind: wecom_boot")},
            "site.yaml:channels.c",
            "wecom_boot",
            "did you mean wecom_bot?",
        ),
        (
            {"site.yaml": SITE.replace("kind: console", "kind: wecom_bot, key: k, per_minut: 3")},
            "site.yaml:channels.c.per_minut",
            "per_minut",
            "per_minute",
        ),
        (
            {"site.yaml": SITE.replace("t1, name", "t1, use: dorm, name")},
            "site.yaml:buildings[0].use",
            "dorm",
            "dormitory",
        ),
        (
            {"site.yaml": SITE.replace("[{id", "[{id: t1, name: B}, {id")},
            "site.yaml:buildings[1].id",
            "t1",
            "once",
        ),
        (
            {"site.yaml": SITE + "sources: [{topic: a/#/b, decoder: tasmota}]\n"},
            "site.yaml:sources[0].topic",
            "a/#/b",
            "at the end",
        ),
        (
            {"site.yaml": SITE + "sources: [{topic: a, decoder: generic, mapping: plc}]\n"},
            "site.yaml:sources[0].mapping",
            "plc",
            "mappings",
        ),
        (
            {"site.yaml": SITE + "sources: [{topic: a, decoder: raw_modbus}]\n"},
            "site.yaml:sources[0].mapping",
            "nothing",
            "mappings",
        ),
        (
            {"site.yaml": SITE + MODBUS + "sources: [{topic: a, decoder: generic, mapping: m}]\n"},
            "site.yaml:sources[0].mapping",
            "m, of kind modbus",
            "of kind generic",
        ),
        (
            {"site.yaml": SITE + MODBUS.replace("modbus", "modbuss")},
            "site.yaml:mappings.m",
            "modbuss",
            "modbus",
        ),
        (
            {"site.yaml": SITE + MODBUS.replace("topic:1", "dtu")},
            "site.yaml:mappings.m.address",
            "dtu",
            "payload",
        ),
        (
            {"site.yaml": SITE + MODBUS.replace("temperature", "temprature")},
            "site.yaml:mappings.m.replies[0].values[0].quantity",
            "temprature",
            "temperature",
        ),
        (
            {"site.yaml": SITE + MODBUS.replace("int16", "int61")},
            "site.yaml:mappings.m.replies[0].values[0].type",
            "int61",
            "int16",
        ),
        (
            {"site.yaml": SITE + MODBUS.replace("int16", "float32")},
            "site.yaml:mappings.m.replies[0]",
            "function",
            "ends behind 2 registers",
        ),
        (
            {"site.yaml": SITE + MODBUS.replace("function: 4", "function: 1")},
            "site.yaml:mappings.m.replies[0]",
            "function",
            "gives bits",
        ),
        (
            {"site.yaml": SITE + "mappings: {m: {address: 'topic:x', fields: {}}}\n"},
            "site.yaml:mappings.m.address",
            "topic:x",
            "topic:N",
        ),
        (
            {"site.yaml": SITE + "mappings: {m: {address: id, fields: {a: {quantity: temperatur}}}}\n"},
            "site.yaml:mappings.m.fields.a.quantity",
            "temperatur",
            "temperature",
        ),
        (
            {"site.yaml": SITE + "mappings: {m: {address: id, fields: {a: {quantity: energy, unit: m3}}}}\n"},
            "site.yaml:mappings.m.fields.a.unit",
            "m3",
            "kwh",
        ),
        (
            {"site.yaml": SITE + "broker: {password_file: missing}\n"},
            "site.yaml:broker.password_file",
            "missing",
            "readable",
        ),
        (
            {"site.yaml": SITE + "broker: {password: 12345}\n"},
            "site.yaml:broker.password",
            "***",
            "text",
        ),
        ({"devices.csv": "id,name,kind,parent\nx,X,水表,y\n"}, "devices.csv:2:parent", "y", "a device"),
        ({"devices.csv": "id,name,kind,gateway\nx,X,水表,y\n"}, "devices.csv:2:gateway", "y", "a device"),
        (
            {"devices.csv": "id,name,kind,gateway\nx,X,水表,y\ny,Y,水表,\n"},
            "devices.csv:2:gateway",
            "y",
            "kind gateway",
        ),
        ({"devices.csv": "id,name,kind,keeper\nx,X,水表,li\n"}, "devices.csv:2:keeper", "li", "people.csv"),
        ({"devices.csv": "id,name,kind,role\nx,X,水表,管璧\n"}, "devices.csv:2:role", "管璧", "管壁"),
        ({"devices.csv": "id,name,kind,address\nx,X,水表,a1\n"}, "devices.csv:2:decoder", "", "reads a1"),
        (
            {"devices.csv": "id,name,kind,decoder,address\nx,X,水表,tasmota,A1\ny,Y,水表,zigbee2mqtt,a1\n"},
            "devices.csv:3:address",
            "a1",
            "x in row 2",
        ),
        (
            {"devices.csv": "id,name,kind,address\nx,X,水表,2.4E+15\n"},
            "devices.csv:2:address",
            "2.4E+15",
            "as text",
        ),
        (
            {"devices.csv": "id,name,kind,calibration_offset\nx,X,水表,nan\n"},
            "devices.csv:2:calibration_offset",
            "nan",
            "number",
        ),
        (
            {"devices.csv": "id,name,kind,calibration_date\nx,X,水表,soon\n"},
            "devices.csv:2:calibration_date",
            "soon",
            "date",
        ),
        ({"devices.csv": "id,name,kind\nx 1,X,水表\n"}, "devices.csv:2:id", "x 1", "without spaces"),
        ({"people.csv": "id,name,role\na,A,cook\n"}, "people.csv:2:role", "cook", "食堂"),
        ({"people.csv": "id,name\na,A\na,B\n"}, "people.csv:3:id", "a", "row 2"),
        (
            {"calendar.yaml": "terms: [{from: 2026-02-30, to: 2026-03-01}]\n"},
            "calendar.yaml:terms[0].from",
            "2026-02-30",
            "date",
        ),
        (
            {"calendar.yaml": "hours: {teachin: {school_day: []}}\n"},
            "calendar.yaml:hours.teachin",
            "teachin",
            "teaching",
        ),
        (
            {"calendar.yaml": "hours: {t1: {schoolday: []}}\n"},
            "calendar.yaml:hours.t1.schoolday",
            "schoolday",
            "did you mean school_day?",
        ),
        (
            {"calendar.yaml": "hours: {t1: {mon: ['8-9']}}\n"},
            "calendar.yaml:hours.t1.mon[0]",
            "8-9",
            "06:30-22:00",
        ),
        (
            {
                "calendar.yaml": "overrides: [{from: 2026-01-01, to: 2026-01-01, buildings: [t9], hours: []}]\n"
            },
            "calendar.yaml:overrides[0].buildings",
            "t9",
            "t1",
        ),
        (
            {"calendar.yaml": "overrides: [{from: 2026-01-01, to: 2026-01-01}]\n"},
            "calendar.yaml:overrides[0]",
            "",
            "day, hours or both",
        ),
    ],
)
def test_each_mistake_is_named(tmp_path, files, where, found, expected):
    """File, row or key, what was found, what was expected."""
    mistakes = [one for one in problems(folder(tmp_path, **files)) if one.where().startswith(where)]
    assert mistakes, problems(tmp_path)
    assert any(found in one.found and expected in one.expected for one in mistakes), mistakes
