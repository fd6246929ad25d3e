"""The connection to the broker: a session that outlives us, and acknowledgement by hand.

MQTT 5 where the broker speaks it, 3.1.1 otherwise; the client id is fixed and the session kept, so what was published
while we were away, or was not acknowledged when we died, is delivered again. (INTEGRATIONS.md 5.2: an exception in a
callback kills paho's thread silently, so none can leave one; ``clean_start=False`` alone keeps no session.)
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from campus.broker import RECEIVE_MAXIMUM
from campus.clock import steady_ms
from ingest.message import Message
from ingest.mqtt.burst import Burst
from ingest.mqtt.burst_client import BurstClient, Client, PlainClient, PublishFrame, supported
from ingest.mqtt.session import SessionWatch
from ingest.topic_texts import TopicTexts

log = structlog.get_logger()

KEEPALIVE_S = 30
#: we ask a broker of MQTT 5 for no larger packet; it drops what is larger, and counts it as dropped
MOST_PACKET_BYTES = 1024 * 1024 + 64 * 1024
_UNSUPPORTED_VERSION = 132
_DROPPED = b"$SYS/broker/publish/messages/dropped"
#: the words a school's staff can act on, by MQTT 5 reason code (3.1.1's codes are mapped onto these by paho)
_REASONS = {
    132: "the broker does not speak this MQTT version",
    133: "the client id was refused",
    134: "user name or password is wrong",
    135: "the account may not connect",
    136: "the broker is not available",
    138: "this client was banned",
}


class BrokerAddress(msgspec.Struct, frozen=True):
    """Where and how to connect. *protocol* 0 tries MQTT 5 first, then 3.1.1."""

    host: str
    port: int
    client_id: str
    username: str = ""
    password: str = ""
    tls: bool = False
    ca_file: str = ""
    #: our own certificate and its key, where the broker asks for one
    cert_file: str = ""
    key_file: str = ""
    protocol: int = 0
    receive_maximum: int = RECEIVE_MAXIMUM
    session_expiry_s: int = 7 * 24 * 3600
    #: the broker's name, where there are several
    name: str = ""


class Connection:
    """Receives messages of *topics* and hands them to *put*; reconnects by itself.

    *plain* uses paho as it is, which is slower.
    """

    def __init__(
        self,
        address: BrokerAddress,
        topics: Sequence[str],
        put: Callable[[Burst], object],
        *,
        now_ms: Callable[[], int],
        steady_ms: Callable[[], int] = steady_ms,
        plain: bool = False,
        session: SessionWatch | None = None,
    ) -> None:
        self._address = address
        self._topics = list(topics)
        self._put = put
        self._now_ms = now_ms
        self._steady_ms = steady_ms
        self._plain = plain or not supported()
        #: what becomes of our session there
        self.session = session or SessionWatch()
        self._text = TopicTexts()
        self._lock = threading.Lock()
        self._generation = 0
        self._protocol = address.protocol or 5
        self._client = self._make_client()
        self._stopping = False
        self.connected = False
        #: the broker has confirmed what we asked to hear
        self.listening = False
        self.reason = "not connected yet"
        self.received = 0
        #: what the broker does not let us hear
        self.refused_topics: tuple[str, ...] = ()
        self._asked: dict[int, list[str]] = {}
        #: messages the broker says it has dropped since it started; mosquitto tells, others do not
        self.broker_dropped = 0

    @property
    def where(self) -> str:
        """Host and port, for people."""
        return f"{self._address.host}:{self._address.port}"

    def start(self) -> None:
        """Connects in the background; a broker that is not there yet is tried again until it is."""
        self._client.connect_async(
            self._address.host, self._address.port, KEEPALIVE_S, **self._connect_options()
        )
        self._client.loop_start()

    def move(self, host: str, port: int) -> None:
        """The broker is to be found there from now on."""
        if (host, port) != (self._address.host, self._address.port):
            self._address = msgspec.structs.replace(self._address, host=host, port=port)
            self._client.connect_async(host, port, KEEPALIVE_S, **self._connect_options())

    def stop(self) -> None:
        """Disconnects for good; the broker keeps the session and what arrives meanwhile."""
        self._stopping = True
        self._client.disconnect()
        self._client.loop_stop()
        self.connected = self.listening = False

    def publish(self, topic: str, payload: bytes) -> bool:
        """Publishes once, at least; False where we hear nothing at present."""
        if not self.listening:
            return False
        return self._client.publish(topic, payload, qos=1).rc == mqtt.MQTT_ERR_SUCCESS

    def resubscribe(self, topics: Sequence[str]) -> None:
        """Follows a reloaded register: subscribes to what is new and leaves what is gone."""
        gone = [topic for topic in self._topics if topic not in topics]
        self._topics = list(topics)
        if self.connected:
            if gone:
                self._client.unsubscribe(gone)
            self._subscribe(self._client)

    def _make_client(self) -> Client:
        five = self._protocol == 5
        kind: type[Client] = PlainClient if self._plain else BurstClient
        client = kind(
            self._on_burst,
            on_reconnect=self._on_reconnect,
            client_id=self._address.client_id,
            clean_session=None if five else False,
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
            reconnect_on_failure=True,
        )
        if self._address.username:
            client.username_pw_set(self._address.username, self._address.password)
        if self._address.tls:
            client.tls_set_context(tls_context(self._address))
        client.reconnect_delay_set(min_delay=1, max_delay=30)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_connect_fail = self._on_connect_fail
        return client

    def _connect_options(self) -> dict[str, Any]:
        if self._protocol != 5:
            return {}
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types here
        properties.SessionExpiryInterval = self._address.session_expiry_s
        properties.ReceiveMaximum = self._address.receive_maximum
        properties.MaximumPacketSize = MOST_PACKET_BYTES
        return {"clean_start": False, "properties": properties}

    def _on_connect(
        self, client: mqtt.Client, _userdata: Any, flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        if client is not self._client:
            return
        if reason.is_failure:
            self._note_refusal(reason)
            return
        self.connected, self.reason = True, ""
        self.session.connected(self._now_ms(), session_present=bool(flags.session_present))
        log.info(
            "mqtt.connected",
            host=self._address.host,
            port=self._address.port,
            session=bool(flags.session_present),
        )
        # Harmless on a session that has them, and right after a broker that lost them.
        self._subscribe(client)

    def _subscribe(self, client: mqtt.Client) -> None:
        topics = [*self._topics, _DROPPED.decode()]
        _, mid = client.subscribe([*((topic, 1) for topic in self._topics), (_DROPPED.decode(), 0)])
        if mid is not None:
            self._asked[mid] = topics

    def _on_subscribe(
        self, _client: mqtt.Client, _userdata: Any, mid: int, codes: list[ReasonCode], _properties: Any
    ) -> None:
        """A broker may refuse single topics; without this nobody would know."""
        self.listening = True
        self.session.kept()
        asked = self._asked.pop(mid, [])
        refused = [topic for topic, code in zip(asked, codes, strict=False) if code.is_failure]
        self.refused_topics = tuple(topic for topic in refused if topic in self._topics)
        if self.refused_topics:
            log.warning("mqtt.topics_refused", host=self._address.host, topics=self.refused_topics)

    def _note_refusal(self, reason: ReasonCode) -> None:
        self.connected = False
        self.reason = _REASONS.get(reason.value, str(reason))
        log.warning("mqtt.refused", host=self._address.host, port=self._address.port, reason=self.reason)
        if reason.value == _UNSUPPORTED_VERSION and self._address.protocol == 0 and self._protocol == 5:
            self._fall_back()

    def _fall_back(self) -> None:
        """Replaces the client by one of MQTT 3.1.1, from another thread, as this one is the client's own."""

        def replace() -> None:
            old, self._protocol = self._client, 4
            self._client = self._make_client()
            old.disconnect()
            old.loop_stop()
            if not self._stopping:
                self.start()

        threading.Thread(target=replace, name="mqtt-fallback", daemon=True).start()

    def _on_disconnect(
        self, client: mqtt.Client, _userdata: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        if client is not self._client or self._stopping:
            return
        if self.connected:
            log.warning(
                "mqtt.disconnected", host=self._address.host, port=self._address.port, reason=str(reason)
            )
            self.reason = f"disconnected: {reason}"
            self.session.disconnected(self._now_ms(), reason.value)
        self.connected = self.listening = False

    def _on_connect_fail(self, _client: mqtt.Client, _userdata: Any) -> None:
        if self.connected or self.reason != "the broker cannot be reached":
            log.warning("mqtt.unreachable", host=self._address.host, port=self._address.port)
        self.connected, self.reason = False, "the broker cannot be reached"
        self.session.unreachable()

    def _on_reconnect(self) -> None:
        """A packet identifier means another message on the next connection, so acknowledgements of this one end here."""
        with self._lock:
            self._generation += 1

    def _on_burst(self, frames: list[PublishFrame]) -> None:
        try:
            if any(one.topic == _DROPPED for one in frames):
                frames = self._take_dropped(frames)
            if not frames:
                return
            now_ms, heard_ms, name, text = self._now_ms(), self._steady_ms(), self._address.name, self._text
            # nats-server does so, and speaks no MQTT 5; another of 3.1.1 loses nothing by being thought to
            renumbered = self._protocol != 5
            self.received += len(frames)
            messages = [
                Message(text(topic), payload, now_ms, qos, mid, dup, retained, name, renumbered, heard_ms)
                for topic, payload, qos, mid, dup, retained in frames
            ]
            self._put(Burst(messages, self._acknowledger()))
        except Exception:
            # Unacknowledged, so the broker keeps it; the thread must live on.
            log.exception("mqtt.receive_failed")

    def _take_dropped(self, frames: list[PublishFrame]) -> list[PublishFrame]:
        """*frames* without the broker's own count.

        A session from before may still deliver it at QoS 1. Unacknowledged, it would keep its packet identifier for ever:
        mosquitto gives the same identifier to another message 65,535 later, and takes our acknowledgement of that for this.
        """
        own = [one for one in frames if one.topic == _DROPPED]
        for one in own:
            if one.payload.isdigit():
                self.broker_dropped = int(one.payload)
        self._client.acknowledge([one.mid for one in own if one.qos])
        return [one for one in frames if one.topic != _DROPPED]

    def _acknowledger(self) -> Callable[[Sequence[Message]], None]:
        client, generation = self._client, self._generation

        def acknowledge(messages: Sequence[Message]) -> None:
            mids = [one.mid for one in messages if one.qos]
            with (
                self._lock
            ):  # held while queueing: a reconnect empties the client's queue after it took the lock
                if generation == self._generation:
                    client.acknowledge(mids)

        return acknowledge


def tls_context(address: BrokerAddress) -> ssl.SSLContext:
    """What a TLS connection to *address* trusts and shows; raises :class:`OSError` for files that are none."""
    context = ssl.create_default_context(cafile=address.ca_file or None)
    if address.cert_file:
        context.load_cert_chain(address.cert_file, address.key_file or None)
    return context
