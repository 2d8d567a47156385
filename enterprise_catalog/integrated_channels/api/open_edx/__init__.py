"""The API of Open edX's integrated channels, in the shapes that the admin portal knows.

The same configurations as in the API above, below the URLs of both plug-ins. Secrets are masked; learner data does not
exist here, so its lists are empty.

``urls.py``            The URLs, below the prefix of a plug-in.
``members.py``         Members of a configuration in Open edX -> columns, settings and credentials.
``representation.py``  A configuration as Open edX returns it.
``configurations.py``  The views of configurations, and the check of their health.
``sync_status.py``     The views of content and of learner data, per configuration.
"""
