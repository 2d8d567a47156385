"""Messages by e-mail and webhook about events of configurations. ``audit/events.py`` writes the events.

``subscriptions.py``  Checks of subscriptions, and the encrypted URL and secret of webhooks.
``outbox.py``         Queues a message for each subscriber of an event that begins or ends.
``deliveries.py``     Claims a message, sends it, and records the result; retries.
``messages.py``       Events in words: the subject and text of a message.
``webhooks.py``       Signs and sends the body of a webhook.
``mail.py``           Sends an e-mail.
``errors.py``         The error of an attempt to send a message.

An event never causes two messages to one subscriber: a row with a unique key is written for each. A worker that dies
between sending a message and recording it makes another worker send it again, with the same ID and the same text.
"""
