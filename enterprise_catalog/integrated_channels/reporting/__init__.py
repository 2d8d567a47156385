"""Read models for people: what happened, why, and what is next, in words. No HTML; admin, API and commands render them.

``diagnosis.py``  Why a course is, or is not, in each of a customer's LMSs, and what to do.
``facts.py``      All facts about one item and one configuration: rows, catalog, translation, step of the next plan.
``causes.py``     The cause that follows from the facts.
``sentences.py``  Cause and remedy in words.
``steps.py``      The chain of steps from the content's source to the LMS.
``live.py``       Looks an item up in the LMS now.
``wording.py``    Parts of sentences, and sentences about refreshes.
``overview.py``   The status of all configurations, the worst first.
``fleet/``        Figures of the whole fleet, for charts and for Prometheus.
``search.py``     One search term -> the transmissions that it means.
``export.py``     The rows of a list, as flat records, in memory for one page.
``formats.py``    Records -> CSV and JSON lines.
``pages/``        The data of the pages of items, configurations, runs and customers, and of the preview.
``notifications/``  Messages by e-mail and webhook about events.
"""
