"""gunicorn's settings that do not depend on the site; gunicorn reads this file from its working directory."""

from gunicorn.http import message

#: Clients send up to 100 content keys in a URL. gunicorn accepts no limit above MAX_REQUEST_LINE except 0, which means
#: no limit at all.
message.MAX_REQUEST_LINE = 2**17
limit_request_line = message.MAX_REQUEST_LINE - 1
