"""The environment: every variable that this project reads, with its type, default and allowed values.

No other module reads variables. A wrong or missing value stops the start, with the variable's name and the allowed
values.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
from email.utils import parseaddr
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from enterprise_catalog.local_auth.keys import is_among, public_part, read_signing_key
from enterprise_catalog.settings.key_set import parse_key_set

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pydantic import ValidationInfo
    from pydantic_core import ErrorDetails


def _scheme(*allowed: str) -> AfterValidator:
    """Accept a URL whose scheme is in ``allowed``. The error lists the schemes and does not quote the URL's secrets."""

    def check(url: str) -> str:
        if _scheme_of(url) not in allowed:
            raise ValueError(f"must be a URL that starts with one of {', '.join(f'{s}://' for s in allowed)}")
        return url

    return AfterValidator(check)


def _scheme_of(url: str) -> str:
    try:
        parts = urlsplit(url)
        if parts.scheme != "sqlite":
            int(parts.port or 0)
    except ValueError:
        # The library's own message quotes the host or port, which may be part of a password.
        message = "must be a URL with a numeric port; percent-encode special characters in the user name and password"
        raise ValueError(message) from None
    return parts.scheme


def _comma_separated(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _fernet_keys(keys: list[str]) -> list[str]:
    for position, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError:
            # The library's own message may quote the key.
            message = f"key {position} must be 32 url-safe base64-encoded bytes (Fernet.generate_key() creates one)"
            raise ValueError(message) from None
    return keys


def _origins(origins: list[str]) -> list[str]:
    for origin in origins:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}" or "*" in origin:
            raise ValueError("must be origins such as https://portal.example.org, without a path and wildcards")
    return origins


def _writable_folder(path: str) -> str:
    """Create the folder if it is missing."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"must be a folder that can be created ({error.strerror})") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ValueError("must be a folder in which files can be created")
    return path


def _address(text: str) -> str:
    try:
        validate_email(parseaddr(text)[1])
    except DjangoValidationError:
        message = "must be an e-mail address, such as catalog@example.org or Catalog <catalog@example.org>"
        raise ValueError(message) from None
    return text


def _signing_key(text: str) -> dict[str, object]:
    return read_signing_key(text)


def _with_packages(endpoint: str) -> str:
    if endpoint and importlib.util.find_spec("opentelemetry") is None:
        raise ValueError("needs the packages of requirements/tracing.txt")
    return endpoint


HttpURL = Annotated[str, _scheme("http", "https"), AfterValidator(lambda url: url.rstrip("/"))]
CommaSeparated = Annotated[list[str], BeforeValidator(_comma_separated)]


#: Defaults of a deployment for variables that are not set. Its settings module adds them before it imports the base.
DEPLOYMENT_DEFAULTS: dict[str, str] = {}
#: Additional required variables of a deployment. Its settings module adds them before it imports the base.
DEPLOYMENT_REQUIRES: set[str] = set()
NO_DEFAULTS: Mapping[str, str] = MappingProxyType({})
#: Variables of the OAuth 2 client.
_CLIENT: Final = frozenset({"OAUTH2_PROVIDER_URL", "OAUTH2_CLIENT_ID", "OAUTH2_CLIENT_SECRET"})
#: Values that count as not set.
_EMPTY: tuple[object, ...] = ("", [], {"keys": []})


class Environment(BaseModel):
    """The parsed environment. Field names are the variables' names; docs/operations.rst describes each."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    SECRET_KEY: str = Field(min_length=32)
    DATABASE_URL: Annotated[str, _scheme("sqlite", "mysql")]
    CELERY_BROKER_URL: Annotated[str, _scheme("redis", "rediss", "amqp", "amqps", "filesystem", "memory")]
    CACHE_URL: Annotated[str, _scheme("redis", "rediss", "locmem")]
    ALLOWED_HOSTS: CommaSeparated = Field(min_length=1)
    #: Origins of web pages that may call the APIs with the user's cookies.
    CORS_ALLOWED_ORIGINS: Annotated[CommaSeparated, AfterValidator(_origins)] = []
    LOG_FORMAT: Literal["json", "console"] = "json"
    METRICS_TOKEN: str = ""
    #: Folder in which all processes of a machine count. prometheus_client gave the variable its name.
    PROMETHEUS_MULTIPROC_DIR: Annotated[str, AfterValidator(_writable_folder)] = ""
    #: Mail server: smtp:// without encryption, smtp+tls:// with STARTTLS, smtps:// with TLS; console:// for standard
    #: output.
    EMAIL_URL: Annotated[str, _scheme("smtp", "smtp+tls", "smtps", "console")] = ""
    DEFAULT_FROM_EMAIL: Annotated[str, AfterValidator(_address)] = ""
    #: Beginning of links to the admin in messages, without a path.
    ADMIN_BASE_URL: HttpURL = ""
    #: Collector of traces. OpenTelemetry gave the variable its name.
    OTEL_EXPORTER_OTLP_ENDPOINT: Annotated[HttpURL, AfterValidator(_with_packages)] = ""
    #: Redirect plain HTTP to HTTPS; restrict cookies to HTTPS; lifetime of HSTS in browsers.
    SECURE_SSL_REDIRECT: bool = True
    SECURE_COOKIES: bool = True
    SECURE_HSTS_SECONDS: int = Field(default=31_536_000, ge=0)
    #: The number of proxies that append their client's address to X-Forwarded-For.
    TRUSTED_PROXIES: int = Field(default=0, ge=0)
    #: Limit for failed logins and rejected requests, per address and per claimed name.
    FAILURE_THROTTLE_RATE: Annotated[str, Field(pattern=r"^[1-9]\d*/(second|minute|hour|day)$")] = "60/minute"

    # Read by the catalog service: the issuer of accepted tokens.
    JWT_ISSUER: str = ""
    JWT_AUDIENCE: str = ""
    JWT_PUBLIC_SIGNING_JWK_SET: Annotated[dict[str, Any], BeforeValidator(parse_key_set)] = {"keys": []}
    #: Set if this site issues its own tokens, without an Open edX LMS.
    JWT_SIGNING_KEY: Annotated[dict[str, object], BeforeValidator(_signing_key)] = {}
    LEARNER_PORTAL_URL: HttpURL = ""
    LMS_BASE_URL: HttpURL = ""
    ECOMMERCE_BASE_URL: HttpURL = ""
    API_THROTTLE_RATE: Annotated[str, Field(pattern=r"^\d+/(second|minute|hour|day)$")] = "1200/minute"
    SNAPSHOT_CACHE_MB: int = Field(default=128, ge=0)
    DISCOVERY_SERVICE_API_URL: HttpURL = ""
    #: In percent of a query's members. A refresh that adds and removes more items is held for approval.
    REFRESH_CHANGE_LIMIT_PERCENT: int = Field(default=20, ge=1)
    REFRESH_RETENTION_DAYS: int = Field(default=365, ge=1)
    CONTENT_CHANGES_RETENTION_DAYS: int = Field(default=30, ge=1)

    # Read by the integrated channels: the catalog service, and the encryption of customers' credentials.
    CATALOG_API_URL: HttpURL = ""
    #: Also read by the catalog service, for course-discovery and the LMS.
    OAUTH2_PROVIDER_URL: HttpURL = ""
    OAUTH2_CLIENT_ID: str = ""
    OAUTH2_CLIENT_SECRET: str = ""
    CREDENTIALS_ENCRYPTION_KEYS: Annotated[CommaSeparated, AfterValidator(_fernet_keys)] = []
    #: Allow LMSs at private, loopback or link-local addresses.
    LMS_PRIVATE_ADDRESSES: bool = False
    FEED_THROTTLE_RATE: Annotated[str, Field(pattern=r"^\d+/(second|minute|hour|day)$")] = "60/minute"
    ATTEMPT_RETENTION_DAYS: int = Field(default=180, ge=1)
    #: In seconds. A call must end long before the lease of 5 minutes, which is up to a minute old when the call starts.
    LMS_CALL_SECONDS: float = Field(default=100, ge=1, le=200)
    SYNC_RUN_SECONDS: float = Field(default=1800, ge=1)
    FULL_COMPARISON_HOURS: float = Field(default=24, ge=0)
    #: In seconds. A run that takes longer continues later, behind the syncs that wait for a worker.
    SYNC_SLICE_SECONDS: float = Field(default=60, ge=1)
    SLOW_SYNCS: int = Field(default=1, ge=1, le=1000)
    #: Time for which all calls fail until subscribers are notified. By default long enough for a second run.
    NOTIFY_OUTAGE_MINUTES: int = Field(default=90, ge=0)
    #: Time within which a change is to reach the LMS; a later one is an event.
    FRESHNESS_GOAL_MINUTES: int = Field(default=240, ge=1)
    #: The most messages in each of the queues of syncs.
    SYNC_QUEUE_SIZE: int = Field(default=100, ge=1, le=10_000)
    SYNCS_PER_LMS_HOST: int = Field(default=8, ge=1)

    @field_validator("SYNC_RUN_SECONDS")
    @classmethod
    def _run_takes_longer_than_a_call(cls, seconds: float, info: ValidationInfo) -> float:
        if seconds < info.data.get("LMS_CALL_SECONDS", 0):
            raise ValueError("must be at least LMS_CALL_SECONDS")
        return seconds

    @field_validator("JWT_SIGNING_KEY")
    @classmethod
    def _is_published(cls, key: dict[str, object], info: ValidationInfo) -> dict[str, object]:
        key_set = info.data.get("JWT_PUBLIC_SIGNING_JWK_SET")
        if key and key_set and not is_among(key, key_set):
            raise ValueError("must match a key in JWT_PUBLIC_SIGNING_JWK_SET with the same kid")
        return key

    @field_validator("*")
    @classmethod
    def _is_set_if_required(cls, value: object, info: ValidationInfo) -> object:
        if info.context and info.field_name in info.context and value in _EMPTY:
            raise ValueError("must be set")
        return value

    @classmethod
    def read(
        cls,
        environ: Mapping[str, str],
        defaults: Mapping[str, str] = NO_DEFAULTS,
        *,
        required: Collection[str] = frozenset(),
    ) -> Self:
        """Return the environment as validated values.

        Args:
            environ: variable -> text; an empty text counts as not set. ``NAME_FILE`` names a file whose text, without
                its final line break, is the value of ``NAME``.
            defaults: the deployment's own texts for variables that are not set.
            required: variables that this deployment needs in addition to those without a default.

        Raises:
            ImproperlyConfigured: lists every variable that is missing, set twice or wrong, with the allowed values. The
                message quotes no values, because a value may be a secret.
        """
        given: dict[str, str] = {}
        problems = {name: problem for name in cls.model_fields if (problem := _take(name, environ, given))}
        texts = {**defaults, **given}
        _publish_signing_key(texts)
        # A deployment that reads course-discovery needs a client for it.
        required = {*required, *(_CLIENT if texts.get("DISCOVERY_SERVICE_API_URL") else ())}
        required |= {"DEFAULT_FROM_EMAIL"} if texts.get("EMAIL_URL") else set()
        try:
            parsed = cls.model_validate(texts, context=required)
        except ValidationError as error:
            for details in error.errors(include_input=False):
                problems.setdefault(str(details["loc"][0]), _sentence(details))
        for name in required - texts.keys():
            problems.setdefault(name, f"{name}: must be set")
        if problems:
            raise ImproperlyConfigured(_complaint([problems[name] for name in cls.model_fields if name in problems]))
        return parsed


def _take(name: str, environ: Mapping[str, str], given: dict[str, str]) -> str | None:
    """Put the variable's text into ``given``; return the problem with how it was set, or ``None``."""
    direct, file_name = environ.get(name), environ.get(f"{name}_FILE")
    if direct and file_name:
        return f"{name}: set {name} or {name}_FILE, not both"
    if direct:
        given[name] = direct
    elif file_name:
        try:
            given[name] = Path(file_name).read_text(encoding="utf-8").removesuffix("\n")
        except OSError as error:
            return f"{name}_FILE: cannot be read ({error.strerror})"
        except UnicodeDecodeError:
            return f"{name}_FILE: must be text in UTF-8"
    return None


def _publish_signing_key(texts: dict[str, str]) -> None:
    """Accept the public part of ``JWT_SIGNING_KEY`` as the only key if no key set is given."""
    if texts.get("JWT_SIGNING_KEY") and not texts.get("JWT_PUBLIC_SIGNING_JWK_SET"):
        with contextlib.suppress(ValueError):  # The check of the key itself reports the error.
            public = public_part(read_signing_key(texts["JWT_SIGNING_KEY"]))
            texts["JWT_PUBLIC_SIGNING_JWK_SET"] = json.dumps({"keys": [public]})


def _sentence(error: ErrorDetails) -> str:
    message = "must be set" if error["type"] == "missing" else error["msg"].removeprefix("Value error, ")
    return f"{error['loc'][0]}: {message}"


def _complaint(problems: list[str]) -> str:
    return "The environment variables are invalid:\n  " + "\n  ".join(problems)
