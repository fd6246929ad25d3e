"""The configuration files of the embedded broker. All paths in them are relative: it runs in its own folder.

Everything is bounded in bytes: what one client may send at once, what waits for us, and the program's whole memory.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.broker.access import Account, nats_authorization

#: larger messages are dropped (and acknowledged, so that a device does not repeat them for ever)
LARGEST_MESSAGE_BYTES = 1024 * 1024
#: whoever announces a larger packet is disconnected before it is read
_LARGEST_PACKET_BYTES = 2 * 1024 * 1024
#: payloads waiting for the service; newer messages are dropped beyond it, and the drop is reported
_QUEUED_BYTES = 256 * 1024 * 1024
_QUEUED_MESSAGES = 2_000_000
_IN_FLIGHT_BYTES = 16 * 1024 * 1024
_IN_FLIGHT_MESSAGES = 10_000
#: all of mosquitto; a client whose message would take more is disconnected
_MEMORY_BYTES = 2 * 1024**3
_DEVICES = 10_000
#: nats-server allows 65,535 in flight a session over all its subscriptions, and a filter ending in ``#`` counts twice
_NATS_IN_FLIGHT = 60_000
_NATS_MOST_PENDING = 1_000
#: a client with more on its way is disconnected as too slow
_NATS_PENDING_BYTES = 256 * 1024 * 1024

PASSWORDS, RIGHTS = "mosquitto.accounts", "mosquitto.rights"

_MOSQUITTO = """\
listener {port} {host}
max_connections {devices}
{tls}
{own}
allow_anonymous {anonymous}
{accounts}
persistence true
persistence_location ./
autosave_interval 5
# the defaults drop messages beyond 1,000 queued and send 20 at a time
max_queued_messages {queued}
max_queued_bytes {queued_bytes}
max_inflight_messages {in_flight}
max_inflight_bytes {in_flight_bytes}
message_size_limit {message}
max_packet_size {packet}
memory_limit {memory}
persistent_client_expiration 30d
log_dest file mosquitto.log
log_type error
log_type warning
"""
_NATS = """\
server_name: shouyuan
host: 127.0.0.1
port: -1
max_payload: {message}
max_pending: {pending_bytes}
jetstream {{ store_dir: ".", max_file_store: 8GB, sync_interval: always }}
mqtt {{ host: "{host}", port: {port}, max_ack_pending: {pending}, ack_wait: "10s"{nameless} }}
{accounts}
log_file: "nats.log"
"""


def mosquitto_config(
    *,
    host: str,
    port: int,
    own_port: int,
    anonymous: bool,
    passwords: bool,
    rights: bool,
    certificate: tuple[str, str] | None,
    user: str,
) -> str:
    """mosquitto.conf. *own_port* is a second listener on loopback, for the service alone, where it differs from *port*."""
    accounts = [f"password_file {PASSWORDS}"] if passwords else []
    accounts += [f"acl_file {RIGHTS}"] if rights else []
    accounts += [f"user {user}"] if user else []
    return _MOSQUITTO.format(
        host=host,
        port=port,
        devices=_DEVICES,
        tls="certfile {}\nkeyfile {}".format(*certificate) if certificate else "",
        own=f"listener {own_port} 127.0.0.1" if own_port != port else "",
        anonymous=str(anonymous).lower(),
        accounts="\n".join(accounts),
        queued=_QUEUED_MESSAGES,
        queued_bytes=_QUEUED_BYTES,
        in_flight=_IN_FLIGHT_MESSAGES,
        in_flight_bytes=_IN_FLIGHT_BYTES,
        message=LARGEST_MESSAGE_BYTES,
        packet=_LARGEST_PACKET_BYTES,
        memory=_MEMORY_BYTES,
    )


def nats_config(*, host: str, port: int, topics: Sequence[str], accounts: Sequence[Account]) -> str:
    """nats.conf. *topics* are what we will subscribe to."""
    slots = sum(2 if topic.endswith("#") else 1 for topic in topics) or 1
    pending = max(10, min(_NATS_MOST_PENDING, _NATS_IN_FLIGHT // slots))
    block, nameless = nats_authorization(accounts)
    return _NATS.format(
        host=host,
        port=port,
        message=LARGEST_MESSAGE_BYTES,
        pending=pending,
        pending_bytes=_NATS_PENDING_BYTES,
        nameless=f', no_auth_user: "{nameless}"' if nameless else "",
        accounts=block,
    )
