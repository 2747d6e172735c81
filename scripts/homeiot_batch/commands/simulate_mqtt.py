"""A simulated house that publishes to a broker as time passes, as meters do.

Each meter publishes JSON to home/power/NAME with QoS 1 and its own time.
"""

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import paho.mqtt.client as paho
import typer

from homeiot_batch.commands.simulate import METERS, SimulatedMeter
from homeiot_batch.config import load_settings
from homeiot_batch.core.host_paths import explained
from homeiot_batch.errors import HomeIotError, SettingsError, SourceUnavailable

PORT = 1883
ANSWER_S = 10  # how long the broker may take for an answer
QOS = 1
# Counters start higher the later the start, by more than any meter counts: none ever falls
EARLIER_KW = 5
BEGIN = 1577836800  # 2020-01-01 in UTC


def publish_house(address: str, tz: str, step_s: int, seed: int, seconds: int | None) -> None:
    """Publish a reading of each meter every `step_s` seconds, for `seconds` or until Ctrl-C."""
    try:
        zone = load_settings({"tz": tz}).zone
        broker = Broker(address, f"homeiot-simulate-{seed}", os.environ)
        published = _publish(broker, zone, step_s, seed, seconds)
    except HomeIotError as error:
        raise SystemExit(explained(f"error: {error}")) from None
    typer.echo(f"{address}: {published} readings published", err=True)


class Broker:
    """A connection that sends again what the broker has not taken.

    SettingsError if the address or the login cannot be used, SourceUnavailable if nobody answers.
    """

    def __init__(self, address: str, name: str, environment: Mapping[str, str]) -> None:
        self._address = address
        self._host, self._port = _host_and_port(address)
        self._answered = threading.Event()
        self._refusal = ""
        self._sent = self._taken = 0
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id=name, clean_session=False
        )
        user, password = _login(environment)
        if password is not None:
            self._client.username_pw_set(user, password)
        self._client.on_connect = self._connected
        self._client.on_publish = self._published
        self._connect()

    def publish(self, topic: str, payload: str) -> None:
        """Send it now, or as soon as the broker is back."""
        self._client.publish(topic, payload, QOS)
        self._sent += 1

    def close(self) -> None:
        """Wait until the broker has taken all. SourceUnavailable if it does not."""
        limit = time.monotonic() + ANSWER_S
        while self._taken < self._sent and time.monotonic() < limit:
            time.sleep(0.05)
        self._client.disconnect()
        self._client.loop_stop()
        left = self._sent - self._taken
        if left:
            raise SourceUnavailable(
                f"the broker {self._address} did not take {left} readings; see whether it runs"
            )

    def _connect(self) -> None:
        try:
            self._client.connect(self._host, self._port)
        except OSError as error:
            raise SourceUnavailable(
                f"--mqtt={self._address!r} does not answer ({error}); "
                "give the host and the port of a broker that runs"
            ) from None
        self._client.loop_start()
        is_answered = self._answered.wait(ANSWER_S)
        if self._refusal or not is_answered:
            self._client.loop_stop()
            raise SettingsError(
                f"the broker {self._address} refused the login "
                f"({self._refusal or 'no answer'}); set MQTT_USERNAME and MQTT_PASSWORD_FILE"
            )

    def _connected(self, _client: Any, _data: Any, _flags: Any, code: Any, _more: Any) -> None:
        if code.is_failure:
            self._refusal = str(code)
        self._answered.set()

    def _published(self, *_answer: object) -> None:
        self._taken += 1


def _publish(broker: Broker, zone: ZoneInfo, step_s: int, seed: int, seconds: int | None) -> int:
    """Publish at each multiple of the step, and return how many readings that were."""
    meters = [_later(SimulatedMeter(meter, seed)) for meter in METERS]
    end = float("inf") if seconds is None else time.time() + seconds
    published = 0
    try:
        for tick in _ticks(step_s, end):
            wall = datetime.fromtimestamp(tick, zone)
            for meter in meters:
                reading = {"time": tick, **meter.fields(wall, step_s)}
                broker.publish(f"home/power/{meter.source}", json.dumps(reading))
                published += 1
    except KeyboardInterrupt:
        typer.echo("", err=True)
    broker.close()
    return published


def _later(meter: SimulatedMeter) -> SimulatedMeter:
    """The meter with counters that have run on since the last start."""
    ahead = (time.time() - BEGIN) / 3600 * EARLIER_KW
    meter.imported_kwh += ahead
    meter.exported_kwh += ahead
    return meter


def _ticks(step_s: int, end: float) -> Iterator[int]:
    """The multiples of the step, in seconds since 1970, each when its time has come."""
    tick = int(time.time()) // step_s * step_s
    while True:
        tick = max(tick + step_s, int(time.time()) // step_s * step_s)
        if tick >= end:
            return
        time.sleep(max(0.0, tick - time.time()))
        yield tick


def _host_and_port(address: str) -> tuple[str, int]:
    """`host:port` or `host`, an IPv6 address in brackets."""
    try:
        parts = urlsplit(f"//{address}")
        if parts.hostname and parts.netloc == address and parts.username is None:
            return parts.hostname, parts.port or PORT
    except ValueError:
        pass
    raise SettingsError(f"--mqtt={address!r} is no broker; give HOST:PORT like localhost:1883")


def _login(environment: Mapping[str, str]) -> tuple[str, str | None]:
    """User and password. Without a password there is no login."""
    user = environment.get("MQTT_USERNAME") or "meters"
    file = environment.get("MQTT_PASSWORD_FILE")
    if not file:
        return user, environment.get("MQTT_PASSWORD")
    try:
        return user, Path(file).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"MQTT_PASSWORD_FILE={file!r} cannot be read ({error}); name a file with the password"
        ) from None
