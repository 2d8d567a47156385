"""Lists of the admin: their cost does not grow with the table.

``cells.py``      Short classes for cells.
``filters.py``    Filters of lists.
``search.py``     Search terms -> conditions that an index can answer.
``paginator.py``  Pagination without counting millions of rows.
"""
