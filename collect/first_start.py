"""Creates what broker, gateway and InfluxDB need at the first start. It overwrites nothing.

first_start.py secrets SECRETS HOUSE   random passwords, in files that only their readers can read
first_start.py users SECRETS           the users of InfluxDB with these passwords, least rights each

It needs nothing but Python. docker-compose.yml calls both before the services start.
"""

import base64
import hashlib
import http.client
import json
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

MOSQUITTO = (1883, 1883)  # user and group in the broker's image
ROUNDS = 101  # as mosquitto_passwd does
OK = 300
UNAUTHORIZED, FORBIDDEN = 401, 403


class Refused(Exception):
    """Something that only a person can put right. Its text is one line."""


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Do what the arguments say, and return what was done."""
    match list(arguments):
        case ["secrets", folder, house]:
            return create_secrets(Path(folder), Path(house), _batch_user(environment))
        case ["users", folder]:
            return create_users(Path(folder), environment)
    raise Refused("first_start.py: give `secrets SECRETS HOUSE` or `users SECRETS`")


def _batch_user(environment: Mapping[str, str]) -> tuple[int, int]:
    return int(environment.get("UID", "1000")), int(environment.get("GID", "1000"))


class Files(NamedTuple):
    """The files of the secrets."""

    folder: Path

    @property
    def admin(self) -> Path:
        """The administrator of InfluxDB: a password that is also the token of 2.x."""
        return self.folder / "admin"

    @property
    def reader(self) -> Path:
        """The batch at InfluxDB."""
        return self.folder / "batch/reader"

    @property
    def meters(self) -> Path:
        """The meters at the broker."""
        return self.folder / "meters"

    @property
    def gateway(self) -> Path:
        """The gateway at the broker."""
        return self.folder / "gateway/gateway"

    @property
    def writer(self) -> Path:
        """The gateway at InfluxDB."""
        return self.folder / "gateway/writer"

    @property
    def passwords(self) -> Path:
        """What the broker has of the passwords."""
        return self.folder / "broker/passwords"

    @property
    def healthcheck(self) -> Path:
        """The options of mosquitto_sub in the broker's healthcheck."""
        return self.folder / "broker/mosquitto_sub"


def create_secrets(folder: Path, house: Path, owner: tuple[int, int]) -> str:
    """Create the passwords that are missing, and the folders with their owners."""
    files = Files(folder)
    for own in (folder, folder / "gateway", files.reader.parent, house, house / "gateway"):
        _folder(own, owner)
    _folder(folder / "broker", MOSQUITTO)
    known = [files.gateway, files.meters, files.healthcheck]
    missing = [file for file in known if not file.exists()]
    if missing and files.passwords.exists():
        raise Refused(
            f"{missing[0]} is missing, but the broker has its password; "
            f"move {files.passwords} away, and run again"
        )
    for file in (files.admin, files.gateway, files.meters):
        _create(file, _password(), owner)
    _create(files.healthcheck, f"-u health\n-P {_password()}\n", MOSQUITTO)
    _create(files.passwords, _broker_passwords(files), MOSQUITTO)
    if files.writer.exists():  # else new secrets are wanted, or it is a new house
        _copy_of_the_first_version(folder / "reader", files.reader, owner)
    return f"secrets: {folder}"


def _folder(path: Path, owner: tuple[int, int]) -> None:
    """Make a folder. One without files that Docker made for a mount, as root, gets its owner."""
    path.mkdir(parents=True, exist_ok=True)
    has_files = any(not entry.is_dir() for entry in path.iterdir())
    if os.geteuid() == 0 and path.stat().st_uid == 0 and not has_files:
        os.chown(path, *owner)


def _create(path: Path, text: str, owner: tuple[int, int]) -> None:
    """Write a file that only its owner may read, whole or not at all. One that is there stays."""
    if path.exists():
        return
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if os.geteuid() == 0:
        os.chown(part, *owner)
    part.replace(path)


def _copy_of_the_first_version(before: Path, now: Path, owner: tuple[int, int]) -> None:
    """The batch's secret was elsewhere at first. It stays there too, as .env may name the file."""
    if before.is_file():
        _create(now, before.read_text(), owner)


def _password() -> str:
    return secrets.token_urlsafe(32)


def _broker_passwords(files: Files) -> str:
    """The password file of mosquitto 2: a user a line, hashed as mosquitto_passwd does."""
    health = files.healthcheck.read_text().split("-P ")[1].strip()
    of_user = {"gateway": _read(files.gateway), "meters": _read(files.meters), "health": health}
    return "".join(f"{user}:{_hashed(password)}\n" for user, password in of_user.items())


def _hashed(password: str) -> str:
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS)
    return "$".join(["", "7", str(ROUNDS), *(base64.b64encode(x).decode() for x in (salt, digest))])


def _read(file: Path) -> str:
    text = file.read_text().strip()
    if not text:
        raise Refused(f"{file} is empty; move it away, and run again")
    return text


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    body: Any

    @property
    def error(self) -> str:
        """The error, also one that came with the status 200."""
        if self.status >= OK:
            return f"{self.status} {self.body}"
        results = (self.body or {}).get("results", [{}])
        return str(results[0].get("error", ""))


def create_users(folder: Path, environment: Mapping[str, str]) -> str:
    """Create the users of InfluxDB, and prove that their secrets are taken."""
    url = environment.get("INFLUX_URL", "http://influxdb:8086")
    bucket = environment.get("INFLUX_BUCKET", "home_energy")
    if environment.get("INFLUXDB_VERSION", "1.8").startswith("1."):
        files = Files(folder)
        password = environment.get("INFLUXDB_ADMIN_PASSWORD") or _read(files.admin)
        admin = Login(environment.get("INFLUXDB_ADMIN_USER") or "admin", password)
        create_users_1(url, bucket, files, admin, _batch_user(environment))
    else:
        organization = environment.get("INFLUX_ORG", "house")
        create_tokens_2(url, bucket, Files(folder), organization, _batch_user(environment))
    return f"users: {url}"


class Login(NamedTuple):
    """A user of InfluxDB 1.x."""

    user: str
    password: str

    def created(self) -> str:
        """The statement that creates the user."""
        user, password = self.user.replace('"', '\\"'), self.password.replace("'", "\\'")
        return f"CREATE USER \"{user}\" WITH PASSWORD '{password}'"

    def headers(self) -> dict[str, str]:
        """What a request of the user has."""
        return _basic(self.user, self.password)


def create_users_1(
    url: str, bucket: str, files: Files, administrator: Login, owner: tuple[int, int]
) -> None:
    """InfluxDB 1.x: an administrator, `writer` and `reader`. Their passwords are files."""
    admin = administrator.headers()
    for file in (files.writer, files.reader):
        _create(file, _password(), owner)
    # without a login this works only as long as there is no administrator
    _query(url, {}, f"{administrator.created()} WITH ALL PRIVILEGES")
    if not _query(url, {}, "SHOW DATABASES").error:
        raise Refused(
            f"InfluxDB at {url} asks for no password; "
            "write INFLUXDB_HTTP_AUTH_ENABLED=true into .env, and run `docker compose up -d` again"
        )
    _done(_query(url, admin, f'CREATE DATABASE "{bucket}"'), url)
    for name, file, right in (("writer", files.writer, "WRITE"), ("reader", files.reader, "READ")):
        made = _query(url, admin, Login(name, _read(file)).created())
        if "already exists" not in made.error:
            _done(made, url)
        _done(_query(url, admin, f'GRANT {right} ON "{bucket}" TO {name}'), url)
    _prove(url, bucket, _basic("writer", _read(files.writer)), files.writer, "/write")
    _prove(url, bucket, _basic("reader", _read(files.reader)), files.reader, "/query")


def create_tokens_2(
    url: str, bucket: str, files: Files, organization: str, owner: tuple[int, int]
) -> None:
    """InfluxDB 2.x: set it up, and a token each that may only write and only read the bucket."""
    token = _read(files.admin)
    if _ask(url, "GET", "/api/v2/setup", {}).body["allowed"]:
        setup = {"username": "admin", "password": token, "token": token}
        _json(url, {}, "/api/v2/setup", {**setup, "org": organization, "bucket": bucket})
    admin = _token(token)
    for file, action in ((files.writer, "write"), (files.reader, "read")):
        if not file.exists():
            made = _authorization(url, admin, bucket, action)
            _create(file, made, owner)
    _prove(url, bucket, _token(_read(files.writer)), files.writer, "/write")
    _prove(url, bucket, _token(_read(files.reader)), files.reader, "/query")


def _authorization(url: str, admin: dict[str, str], bucket: str, action: str) -> str:
    """A new token for one action on the bucket."""
    found = _done(_ask(url, "GET", f"/api/v2/buckets?name={quote(bucket)}", admin), url)
    if not found["buckets"]:
        raise Refused(f"InfluxDB at {url} has no bucket {bucket!r}; create it, and run again")
    [place] = found["buckets"]
    resource = {"type": "buckets", "id": place["id"], "orgID": place["orgID"]}
    wanted = {
        "orgID": place["orgID"],
        "description": f"homeiot {action}",
        "permissions": [{"action": action, "resource": resource}],
    }
    return str(_json(url, admin, "/api/v2/authorizations", wanted)["token"])


def _prove(url: str, bucket: str, login: dict[str, str], file: Path, path: str) -> None:
    """Refuse a secret that the server does not take. The gateway would lose what it sends."""
    if path == "/write":
        answer = _ask(url, "POST", f"/write?{urlencode({'db': bucket})}", login, b"# nothing\n")
    else:
        question = urlencode({"db": bucket, "q": "SELECT * FROM power LIMIT 1"})
        answer = _ask(url, "GET", f"/query?{question}", login)
    if answer.status in (UNAUTHORIZED, FORBIDDEN) or "not found" in answer.error:
        raise Refused(
            f"InfluxDB at {url} does not take the secret in {file} ({answer.error}); "
            f"put the right one there, or move {_with_former(file)} away, and run again"
        )


def _with_former(file: Path) -> str:
    """The file, with its copy of the first version, which would be copied again."""
    former = file.parent.parent / file.name
    if former.is_file():
        return f"{file} and {former}"
    return "the file"


def _done(answer: Answer, url: str) -> Any:
    if answer.error:
        raise Refused(
            f"InfluxDB at {url} refused: {answer.error}; "
            "see whether secrets/admin is its administrator's password"
        )
    return answer.body


def _query(url: str, login: dict[str, str], statement: str) -> Answer:
    form = {**login, "Content-Type": "application/x-www-form-urlencoded"}
    return _ask(url, "POST", "/query", form, urlencode({"q": statement}).encode())


def _json(url: str, login: dict[str, str], path: str, body: object) -> Any:
    return _done(_ask(url, "POST", path, login, json.dumps(body).encode()), url)


def _ask(
    url: str, method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> Answer:
    """Ask the server. Refused if it does not answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        text = response.read().decode(errors="replace").strip()
    except OSError as error:
        raise Refused(f"InfluxDB at {url} does not answer ({error}); start it first") from None
    finally:
        connection.close()
    try:
        return Answer(response.status, json.loads(text) if text else None)
    except ValueError:
        return Answer(response.status, {"error": text})


def _basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def _token(token: str) -> dict[str, str]:
    return {"Authorization": f"Token {token}"}


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:], os.environ))
    except Refused as refused:
        sys.exit(f"error: {refused}")
