"""The Moodle sandbox.

``web_service.py``  The login page that issues tokens, and the REST server.
``changes.py``      Web service functions that create, update and delete courses.
``lookups.py``      Web service functions that look up courses.
``parameters.py``   Parameters of the functions, validated as strictly as in Moodle.
``php_forms.py``    PHP's form parsing, including the fields that PHP drops silently.
``courses.py``      The course table.
``sorting.py``      Row locks, and the duration of creates in a large category.
``text.py``         Text cleaning and collation.
``errors.py``       Errors as clients see them.
``answers.py``      Responses as JSON, XML or HTML.
``settings.py``     Settings and state of the site, and its account.
"""
