"""Actions of lists: each action asks for confirmation first.

``declaration.py``        Declares an action of a page.
``confirmed_actions.py``  Asks before an action runs, then runs it in batches.
``confirmation.py``       Signs the keys of the confirmed rows into the form.
``object_actions.py``     The actions of one row: their buttons, and their pages.
``deletion.py``           The delete action of every list.
"""
