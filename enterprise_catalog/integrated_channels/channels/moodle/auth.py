"""Authentication at a Moodle site: a web service token, or a login that returns one.

https://docs.moodle.org/dev/Creating_a_web_service_client
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, Field, SecretStr, model_validator

from enterprise_catalog.integrated_channels.channels.base import ChannelSettings
from enterprise_catalog.integrated_channels.channels.fields import shown

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.lms.client import RequestOptions

LOGIN: Final = "/login/token.php"


class MoodleCredentials(ChannelSettings):
    """A web service token, or a username and password to request one."""

    token: SecretStr | None = Field(default=None, description="Token of the web service.")
    username: str = Field(default="", description="User name for the login, if there is no token.")
    password: SecretStr | None = Field(default=None, description="Password for the login, if there is no token.")

    @model_validator(mode="after")
    def _require_login(self) -> MoodleCredentials:
        if not self.token and not (self.username and self.password):
            raise ValueError("give a token, or a username and a password")
        return self


class LoginResponse(BaseModel):
    """The response to a login."""

    token: str = Field(min_length=1)


def login_request(credentials: MoodleCredentials, *, service: str) -> RequestOptions:
    """Return the arguments of ``LMSClient.send`` for a login.

    Args:
        service: short name of the web service.
    """
    user = {"username": credentials.username, "password": shown(credentials.password)}
    return {"params": {"service": service}, "form": user, "response_is_secret": True}
