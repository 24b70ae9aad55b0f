"""Check a part's photos before a model costs anything: is each one usable, and do they fit together?

`python -m acr3d.photo_checks.inspection ANGLE=PHOTO…` runs in a child process (acr3d.sandbox). It reports
findings as codes; `acr3d.photo_checks.advice` turns them into sentences.
"""

VERSION = 5
"""Raise it when the inspection would report something else for the same photos: stored reports expire."""
