"""Members of a configuration in Open edX, and where their values are stored here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.web.rest.input import Values

#: Stands for a stored secret in responses. A request that returns it leaves the secret unchanged.
MASK: Final = "********"


#: Open edX's default. It stands for no limit: the number of items per call depends on the channel here.
DEFAULT_CHUNK_SIZE: Final = 500


@dataclass(frozen=True, slots=True)
class Members:
    """The members of one channel's configurations, in addition to the common members."""

    code: str  #: The channel's code here and in Open edX.
    base_url: str  #: The member that contains the LMS's base URL.
    settings: Mapping[str, str] = field(default_factory=dict)  #: Member -> field of the channel's settings.
    credentials: Mapping[str, str] = field(default_factory=dict)  #: Member -> field of the channel's credentials.
    constants: Mapping[str, object] = field(default_factory=dict)  #: Members without a meaning here -> their value.
    has_consent: bool = False  #: A user of the LMS grants access.
    shows_credentials_in_old_plug_in: bool = True


_CLIENT: Final = {"client_id": "client_id", "client_secret": "client_secret"}
_CONSENT: Final = _CLIENT | {"refresh_token": "refresh_token"}

#: Channel in a URL -> its members.
CHANNEL_MEMBERS: Final = {
    "moodle": Members(
        code="MOODLE",
        base_url="moodle_base_url",
        settings={"service_short_name": "service", "category_id": "category_id"},
        credentials={"username": "username", "password": "password", "token": "token"},
        shows_credentials_in_old_plug_in=False,
    ),
    "canvas": Members(
        code="CANVAS",
        base_url="canvas_base_url",
        settings={"canvas_account_id": "account_id"},
        credentials=_CONSENT,
        has_consent=True,
    ),
    "blackboard": Members(code="BLACKBOARD", base_url="blackboard_base_url", credentials=_CONSENT, has_consent=True),
    "cornerstone": Members(
        code="CSOD",
        base_url="cornerstone_base_url",
        credentials={"username": "username", "password": "password"},
        constants={"session_token": "", "session_token_modified": None},
    ),
    "degreed2": Members(
        code="DEGREED2",
        base_url="degreed_base_url",
        settings={"degreed_token_fetch_base_url": "token_base_url"},
        credentials=_CLIENT,
    ),
    "sap_success_factors": Members(
        code="SAP",
        base_url="sapsf_base_url",
        settings={"sapsf_company_id": "company_id", "sapsf_user_id": "user_id", "user_type": "user_type"},
        credentials={"key": "client_id", "secret": "client_secret"},
        constants={
            "additional_locales": "",
            "show_course_price": False,
            "transmit_total_hours": False,
            "prevent_self_submit_grades": False,
        },
    ),
}
#: Channel code -> the same members.
MEMBERS_BY_CODE: Final = {members.code: members for members in CHANNEL_MEMBERS.values()}

#: Common member -> column.
_COLUMNS: Final = {
    "display_name": "display_name",
    "active": "active",
    "enterprise_customer": "enterprise_customer_uuid",
    "transmission_chunk_size": "chunk_size",
}


def old_name(member: str) -> str:
    """Return the name of a credential in the old plug-in, such as ``encrypted_client_id``."""
    return member if member == "refresh_token" else f"encrypted_{member}"


def columns_of(values: Values, members: Members, settings: Mapping[str, object]) -> Values:
    """Return the values of a request by column, without credentials.

    Args:
        settings: the stored settings; they keep the values that the request does not name.
    """
    columns = {column: values[member] for member, column in _COLUMNS.items() if member in values}
    if members.base_url in values:
        columns["base_url"] = values[members.base_url]
    if columns.get("chunk_size") == DEFAULT_CHUNK_SIZE:
        columns["chunk_size"] = None
    named = {name: values[member] for member, name in members.settings.items() if member in values}
    kept = {name: value for name, value in settings.items() if name not in named}
    # An empty form field stands for the channel's default.
    columns["settings"] = kept | {name: value for name, value in named.items() if value not in ("", None)}
    return columns


def credentials_of(values: Values, members: Members) -> dict[str, object]:
    """Return the credentials that a request contains, under either plug-in's names; without masks and empty values."""
    found = {}
    for member, name in members.credentials.items():
        value = values.get(member) or values.get(old_name(member))
        if value not in ("", None, MASK):
            found[name] = value
    return found


def member_of(name: str, members: Members) -> str:
    """Return the member that stands for a column, or for a field of the settings or credentials."""
    members_by_name = {"base_url": members.base_url} | {column: member for member, column in _COLUMNS.items()}
    members_by_name |= {field: member for member, field in (*members.settings.items(), *members.credentials.items())}
    return members_by_name.get(name, name)
