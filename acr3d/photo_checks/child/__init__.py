"""Photos checked before they cost anything: what is wrong with each, and whether they fit together.

`python -m acr3d.photo_checks.child ANGLE=PHOTO…` runs in a child process (acr3d.sandbox). It reports findings
as codes; `acr3d.photo_checks.advice` turns them into sentences.
"""

VERSION = 2
"""Counts the changes after which an old report is no longer what this code would say."""
