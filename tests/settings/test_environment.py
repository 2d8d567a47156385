"""Environment variables: an error names the variable and the allowed values, and never quotes the value."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.core.exceptions import ImproperlyConfigured

from enterprise_catalog.local_auth.keys import new_signing_key
from enterprise_catalog.settings.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

REQUIRED: Final = {
    "SECRET_KEY": "s" * 32,
    "DATABASE_URL": "mysql://user:password@db.example.org:3306/catalog",
    "CELERY_BROKER_URL": "redis://broker.example.org:6379/0",
    "CACHE_URL": "redis://cache.example.org:6379/1",
    "ALLOWED_HOSTS": "catalog.example.org",
}
CLIENT: Final = {
    "OAUTH2_PROVIDER_URL": "https://lms.example.org/oauth2",
    "OAUTH2_CLIENT_ID": "catalog",
    "OAUTH2_CLIENT_SECRET": "s",
}
SIGNING_KEY: Final = json.loads(new_signing_key())
KEYS: Final = [base64.urlsafe_b64encode(bytes([number] * 32)).decode() for number in range(2)]


def complaints(environ: Mapping[str, str], *, required: Collection[str] = ()) -> list[str]:
    """Return the errors that prevent the start, one line per variable."""
    with pytest.raises(ImproperlyConfigured) as error:
        Environment.read(environ, required=required)
    assert error.value.__cause__ is None
    title, *lines = str(error.value).splitlines()
    assert title == "The environment variables are invalid:"
    return [line.strip() for line in lines]


def test_what_is_required_suffices() -> None:
    environment = Environment.read(REQUIRED)

    assert environment.SECRET_KEY == "s" * 32
    assert environment.ALLOWED_HOSTS == ["catalog.example.org"]
    assert environment.LOG_FORMAT == "json"
    assert environment.TRUSTED_PROXIES == 0
    assert environment.JWT_PUBLIC_SIGNING_JWK_SET == {"keys": []}


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, ""])
def test_each_required_variable_is_missed(name: str, value: str | None) -> None:
    environ = {**REQUIRED, name: value} if value is not None else {k: v for k, v in REQUIRED.items() if k != name}

    assert complaints(environ) == [f"{name}: must be set"]


def test_all_problems_are_reported_at_once() -> None:
    assert [line.partition(":")[0] for line in complaints({"LOG_FORMAT": "xml"})] == [*REQUIRED, "LOG_FORMAT"]


URL_COMPLAINT: Final = "must be a URL that starts with one of "
PORT_COMPLAINT: Final = (
    "must be a URL with a numeric port; percent-encode special characters in the user name and password"
)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("SECRET_KEY", "geheim", "String should have at least 32 characters"),
        ("DATABASE_URL", "geheim", URL_COMPLAINT + "sqlite://, mysql://"),
        ("DATABASE_URL", "postgres://user:geheim@db/catalog", URL_COMPLAINT + "sqlite://, mysql://"),
        ("DATABASE_URL", "mysql://user:geheim@db:geheim/catalog", PORT_COMPLAINT),
        ("DATABASE_URL", "mysql://user:geheim/geheim@db/catalog", PORT_COMPLAINT),
        ("DATABASE_URL", "mysql://user:[geheim]@db/catalog", PORT_COMPLAINT),
        ("DATABASE_URL", "mysql://user:geheim℀@db/catalog", PORT_COMPLAINT),
        ("CELERY_BROKER_URL", "http://user:geheim@broker", URL_COMPLAINT + "redis://, rediss://, amqp://, amqps://"),
        ("CELERY_BROKER_URL", "redis://:geheim@broker:99999/0", PORT_COMPLAINT),
        ("CACHE_URL", "memcached://geheim", URL_COMPLAINT + "redis://, rediss://, locmem://"),
        ("ALLOWED_HOSTS", " , ", "List should have at least 1 item"),
        ("LOG_FORMAT", "xml", "Input should be 'json' or 'console'"),
        ("JWT_PUBLIC_SIGNING_JWK_SET", "geheim", 'must be a JSON Web Key Set, {"keys": […]}'),
        ("JWT_PUBLIC_SIGNING_JWK_SET", '["geheim"]', 'must be a JSON Web Key Set, {"keys": […]}'),
        ("JWT_PUBLIC_SIGNING_JWK_SET", '{"keys": "geheim"}', 'must be a JSON Web Key Set, {"keys": […]}'),
        ("LEARNER_PORTAL_URL", "learn.example.org", URL_COMPLAINT + "http://, https://"),
        ("API_THROTTLE_RATE", "many", "String should match pattern"),
        ("DISCOVERY_SERVICE_API_URL", "discovery.geheim/api/v1", URL_COMPLAINT + "http://, https://"),
        ("CATALOG_API_URL", "ftp://user:geheim@catalog", URL_COMPLAINT + "http://, https://"),
        ("OAUTH2_PROVIDER_URL", "geheim", URL_COMPLAINT + "http://, https://"),
        ("CREDENTIALS_ENCRYPTION_KEYS", "geheim", "key 1 must be 32 url-safe base64-encoded bytes"),
        ("LMS_CALL_SECONDS", "geheim", "Input should be a valid number"),
        ("LMS_CALL_SECONDS", "201", "Input should be less than or equal to 200"),
        ("SYNC_RUN_SECONDS", "99", "must be at least LMS_CALL_SECONDS"),
        ("SLOW_SYNCS", "0", "Input should be greater than or equal to 1"),
        ("EMAIL_URL", "http://user:geheim@mail", URL_COMPLAINT + "smtp://, smtp+tls://, smtps://, console://"),
        ("EMAIL_URL", "smtp://user:geheim@mail:geheim", PORT_COMPLAINT),
        ("DEFAULT_FROM_EMAIL", "geheim", "must be an e-mail address, such as catalog@example.org"),
        ("DEFAULT_FROM_EMAIL", "Catalog <geheim>", "must be an e-mail address, such as catalog@example.org"),
        ("ADMIN_BASE_URL", "admin.geheim", URL_COMPLAINT + "http://, https://"),
        ("NOTIFY_OUTAGE_MINUTES", "-1", "Input should be greater than or equal to 0"),
        ("FRESHNESS_GOAL_MINUTES", "0", "Input should be greater than or equal to 1"),
        ("CREDENTIALS_ENCRYPTION_KEYS", f"{KEYS[0]},gehéim", "key 2 must be 32 url-safe base64-encoded bytes"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed_and_not_quoted(name: str, value: str, complaint: str) -> None:
    [line] = complaints({**REQUIRED, **CLIENT, "DEFAULT_FROM_EMAIL": "catalog@example.org", name: value})

    assert line.startswith(f"{name}: {complaint}")
    assert "geh" not in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "sqlite:////var/lib/catalog.sqlite3"),
        ("DATABASE_URL", "sqlite://:memory:"),
        ("DATABASE_URL", "mysql://user:p%40ss%2Fword@db/catalog?ssl-ca=/etc/ca.pem"),
        ("CELERY_BROKER_URL", "amqps://user:password@broker//"),
        ("CELERY_BROKER_URL", "filesystem://"),
        ("CELERY_BROKER_URL", "memory://"),
        ("CACHE_URL", "locmem://"),
        ("CACHE_URL", "rediss://[::1]:6379/0"),
        ("LOG_FORMAT", "console"),
        ("API_THROTTLE_RATE", "10/second"),
        ("DEFAULT_FROM_EMAIL", "Catalog <catalog@example.org>"),
    ],
)
def test_a_right_value_is_taken_as_it_is(name: str, value: str) -> None:
    assert getattr(Environment.read({**REQUIRED, name: value}), name) == value


@pytest.mark.parametrize("sender", [{}, {"DEFAULT_FROM_EMAIL": ""}])
def test_a_mail_server_needs_a_sender(sender: dict[str, str]) -> None:
    server = {"EMAIL_URL": "smtp+tls://user:p%40ss@mail.example.org:587"}

    assert complaints({**REQUIRED, **server, **sender}) == ["DEFAULT_FROM_EMAIL: must be set"]


def test_lists_are_separated_by_commas() -> None:
    environ = {**REQUIRED, "ALLOWED_HOSTS": "a.example, b.example,", "CREDENTIALS_ENCRYPTION_KEYS": ",".join(KEYS)}

    environment = Environment.read(environ)

    assert environment.ALLOWED_HOSTS == ["a.example", "b.example"]
    assert environment.CREDENTIALS_ENCRYPTION_KEYS == KEYS


@pytest.mark.parametrize("name", CLIENT)
def test_course_discovery_needs_a_client(name: str) -> None:
    environ = {**REQUIRED, **CLIENT, "DISCOVERY_SERVICE_API_URL": "https://discovery.example.org/api/v1/"}

    assert Environment.read(environ).DISCOVERY_SERVICE_API_URL == "https://discovery.example.org/api/v1"
    assert complaints({**environ, name: ""}) == [f"{name}: must be set"]


def test_addresses_lose_their_final_slash() -> None:
    environment = Environment.read({**REQUIRED, "CATALOG_API_URL": "https://catalog.example.org/base/"})

    assert environment.CATALOG_API_URL == "https://catalog.example.org/base"


def key_set(**changes: Any) -> str:
    """Return a key set with a valid key and a copy of it with ``changes``; None removes a member."""
    public = json.loads(new_signing_key())["public"]
    changed = {name: value for name, value in {**public, **changes}.items() if value is not None}
    return json.dumps({"keys": [public, changed]})


def private_key() -> str:
    return json.dumps({"keys": [json.loads(new_signing_key())["private"]]})


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: key_set(kty="oct", k="Z2VoZWlt"), "key 2 is a symmetric key; only RSA public keys are accepted"),
        (lambda: key_set(kty="EC", crv="P-256", x="Z2Vo", y="Z2Vo"), 'key 2 must have "kty": "RSA"'),
        (lambda: key_set(kty=None), 'key 2 must have "kty": "RSA"'),
        (lambda: key_set(kty=["RSA"]), 'key 2 must have "kty": "RSA"'),
        (private_key, "key 1 is a private key; use the public key"),
        (lambda: key_set(n=None), "key 2 is not an RSA public key"),
        (lambda: key_set(e=None), "key 2 is not an RSA public key"),
        (lambda: key_set(n=""), "key 2 is not an RSA public key"),
        (lambda: key_set(n=7), "key 2 is not an RSA public key"),
        (lambda: key_set(n="geheim!"), "key 2 "),
        (lambda: key_set(n="\N{SNOWMAN}"), "key 2 is not an RSA public key"),
        (lambda: key_set(e="AA"), "key 2 is not an RSA public key"),
        (lambda: key_set(e="Ag"), "key 2 is not an RSA public key"),
        (lambda: key_set(n="geheimgeheimgeheimge"), "key 2 "),
        (lambda: key_set(n="_" * 171), "key 2 must have at least 2,048 bits"),
        (lambda: key_set(use="enc"), 'key 2 must have "use": "sig"'),
        (lambda: key_set(alg="RSA-OAEP"), 'key 2 must have "alg": RS256 or RS512'),
        (lambda: key_set(alg="PS256"), 'key 2 must have "alg": RS256 or RS512'),
        (lambda: '{"keys": ["geheim"]}', "key 1 must be a JSON object"),
        (lambda: '{"keys": [null]}', "key 1 must be a JSON object"),
        (lambda: "[" * 9_999, "must be a JSON Web Key Set"),
    ],
)
def test_an_unusable_key_stops_the_start(make: Callable[[], str], complaint: str) -> None:
    [line] = complaints({**REQUIRED, "JWT_PUBLIC_SIGNING_JWK_SET": make()})

    assert line.startswith(f"JWT_PUBLIC_SIGNING_JWK_SET: {complaint}")
    assert "geheim" not in line


def test_the_key_set_is_read_as_json() -> None:
    keys = {"keys": [{**json.loads(new_signing_key())["public"], "use": "sig", "alg": "RS512"}]}

    read = Environment.read({**REQUIRED, "JWT_PUBLIC_SIGNING_JWK_SET": json.dumps(keys)}).JWT_PUBLIC_SIGNING_JWK_SET

    assert read == keys


def test_the_accepted_keys_are_derived_from_the_signing_key() -> None:
    environment = Environment.read({**REQUIRED, "JWT_SIGNING_KEY": json.dumps(SIGNING_KEY["private"])})

    assert SIGNING_KEY["private"] == environment.JWT_SIGNING_KEY
    [published] = environment.JWT_PUBLIC_SIGNING_JWK_SET["keys"]
    assert published == SIGNING_KEY["public"]


def test_a_signing_key_without_an_id_gets_its_thumbprint() -> None:
    key = {name: value for name, value in SIGNING_KEY["private"].items() if name != "kid"}

    environment = Environment.read({**REQUIRED, "JWT_SIGNING_KEY": json.dumps(key)})

    [published] = environment.JWT_PUBLIC_SIGNING_JWK_SET["keys"]
    assert len(published["kid"]) == 43
    assert published["kid"] == environment.JWT_SIGNING_KEY["kid"]


def test_a_signing_key_may_be_one_of_several_accepted_keys() -> None:
    key_set = {"keys": [json.loads(new_signing_key())["public"], SIGNING_KEY["public"]]}
    environ = {"JWT_SIGNING_KEY": json.dumps(SIGNING_KEY["private"]), "JWT_PUBLIC_SIGNING_JWK_SET": json.dumps(key_set)}

    assert key_set == Environment.read({**REQUIRED, **environ}).JWT_PUBLIC_SIGNING_JWK_SET


def test_a_signing_key_that_is_not_accepted_is_refused() -> None:
    key_set = {"keys": [json.loads(new_signing_key())["public"]]}
    environ = {"JWT_SIGNING_KEY": json.dumps(SIGNING_KEY["private"]), "JWT_PUBLIC_SIGNING_JWK_SET": json.dumps(key_set)}

    [complaint] = complaints({**REQUIRED, **environ})

    assert complaint.startswith("JWT_SIGNING_KEY: must match a key in JWT_PUBLIC_SIGNING_JWK_SET")


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"kty": "oct", "k": "geheim"}', json.dumps(SIGNING_KEY["public"]), '{"kty": "RSA", "n": 5}'],
)
def test_a_signing_key_that_cannot_sign_is_refused(text: str) -> None:
    [complaint] = complaints({**REQUIRED, "JWT_SIGNING_KEY": text})

    assert complaint.startswith("JWT_SIGNING_KEY: must be a private RSA key of 2,048 bits or more")
    assert "geheim" not in complaint


@pytest.mark.parametrize("name", Environment.model_fields)
def test_each_variable_may_stand_in_a_file(name: str, tmp_path: Path) -> None:
    values = {
        **REQUIRED,
        **CLIENT,
        "LOG_FORMAT": "console",
        "API_THROTTLE_RATE": "5/minute",
        "SNAPSHOT_CACHE_MB": "64",
        "TRUSTED_PROXIES": "2",
        "SECURE_SSL_REDIRECT": "false",
        "SECURE_COOKIES": "false",
        "SECURE_HSTS_SECONDS": "60",
        "JWT_SIGNING_KEY": json.dumps(SIGNING_KEY["private"]),
        "ATTEMPT_RETENTION_DAYS": "30",
        "REFRESH_CHANGE_LIMIT_PERCENT": "30",
        "REFRESH_RETENTION_DAYS": "30",
        "CONTENT_CHANGES_RETENTION_DAYS": "7",
        "LMS_CALL_SECONDS": "60",
        "SYNC_RUN_SECONDS": "600",
        "FULL_COMPARISON_HOURS": "12",
        "SLOW_SYNCS": "3",
        "SYNC_SLICE_SECONDS": "30",
        "SYNC_QUEUE_SIZE": "50",
        "SYNCS_PER_LMS_HOST": "4",
        "EMAIL_URL": "console://",
        "DEFAULT_FROM_EMAIL": "catalog@example.org",
        "NOTIFY_OUTAGE_MINUTES": "30",
        "FRESHNESS_GOAL_MINUTES": "120",
        "LMS_PRIVATE_ADDRESSES": "true",
        "FEED_THROTTLE_RATE": "5/minute",
        "FAILURE_THROTTLE_RATE": "5/minute",
        "JWT_PUBLIC_SIGNING_JWK_SET": json.dumps({"keys": [SIGNING_KEY["public"]]}),
        "CREDENTIALS_ENCRYPTION_KEYS": KEYS[0],
    }
    file = tmp_path / "value"
    file.write_text(values.get(name, "https://some.example.org") + "\n")
    others = {other: value for other, value in values.items() if other != name}

    from_file = Environment.read({**others, f"{name}_FILE": str(file)})

    direct = Environment.read({**others, name: values.get(name, "https://some.example.org")})
    assert from_file == direct


def test_only_the_final_line_break_of_a_file_is_no_part_of_the_value(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f" {'s' * 32}\n\n")

    secret = Environment.read({**REQUIRED, "SECRET_KEY": "", "SECRET_KEY_FILE": str(file)}).SECRET_KEY

    assert secret == f" {'s' * 32}\n"


def test_a_variable_and_its_file_are_not_both_set(tmp_path: Path) -> None:
    environ = {**REQUIRED, "SECRET_KEY_FILE": str(tmp_path / "secret")}

    assert "SECRET_KEY: set SECRET_KEY or SECRET_KEY_FILE, not both" in complaints(environ)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "OAUTH2_CLIENT_SECRET_FILE: cannot be read (No such file or directory)"),
        (b"geheim\xff", "OAUTH2_CLIENT_SECRET_FILE: must be text in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, complaint: str) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)

    assert complaints({**REQUIRED, "OAUTH2_CLIENT_SECRET_FILE": str(file)}) == [complaint]


def test_what_only_some_deployments_need_is_missed_by_them() -> None:
    needed = {"OAUTH2_CLIENT_ID", "OAUTH2_CLIENT_SECRET", "CREDENTIALS_ENCRYPTION_KEYS", "JWT_PUBLIC_SIGNING_JWK_SET"}
    environ = {**REQUIRED, "OAUTH2_CLIENT_ID": "channels", "JWT_PUBLIC_SIGNING_JWK_SET": '{"keys": []}'}

    assert {*complaints(environ, required=needed)} == {
        "OAUTH2_CLIENT_SECRET: must be set",
        "CREDENTIALS_ENCRYPTION_KEYS: must be set",
        "JWT_PUBLIC_SIGNING_JWK_SET: must be set",
    }


def test_missing_and_wrong_variables_are_reported_together_and_once_each(tmp_path: Path) -> None:
    missing_file = str(tmp_path / "no such file")
    environ = {**REQUIRED, "LOG_FORMAT": "xml", "CACHE_URL": "", "CACHE_URL_FILE": missing_file}

    problems = complaints(environ, required={"JWT_ISSUER", "CREDENTIALS_ENCRYPTION_KEYS"})

    assert [problem.partition(":")[0] for problem in problems] == [
        "CACHE_URL_FILE",
        "LOG_FORMAT",
        "JWT_ISSUER",
        "CREDENTIALS_ENCRYPTION_KEYS",
    ]


def test_defaults_count_where_nothing_is_set(tmp_path: Path) -> None:
    file = tmp_path / "format"
    file.write_text("console\n")
    defaults = {**REQUIRED, "LOG_FORMAT": "json", "CACHE_URL": "locmem://"}

    environment = Environment.read({"CACHE_URL": "redis://cache", "LOG_FORMAT_FILE": str(file)}, defaults)

    read = (environment.CACHE_URL, environment.LOG_FORMAT, environment.SECRET_KEY)
    assert read == ("redis://cache", "console", REQUIRED["SECRET_KEY"])
