"""The learning systems that the proofs break: what differs from one vendor to the next, and nothing of the proofs.

``base.py``         what a proof has to know of any of them
``sturdy.py``       a program that serves one, which survives its own death
``registry.py``     all of them, by name
``moodle.py`` …     one each
"""
