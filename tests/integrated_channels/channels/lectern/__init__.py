"""The example of docs/how-tos/add_a_channel.rst, which includes these files: a channel for *Lectern*, an invented LMS.

``transform.py``       Content items -> Lectern courses.
``channel.py``         The calls of Lectern's course API.
``sandbox.py``         A fake Lectern.
``vendor_answers.py``  Lectern's error responses, and the expected result of the item.
``test_channel.py``    Tests of the channel against the sandbox.
``test_page.py``       The page's own claims, such as the conformance of the channel.
"""
