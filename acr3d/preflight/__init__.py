"""Photos checked before they cost anything: what is wrong with each, and whether they fit together.

`python -m acr3d.preflight ANGLE=PHOTO…` works in a child (acr3d.children) and only looks: it says what it
found in words for programs, which `acr3d.web.advice` turns into sentences.
"""

VERSION = 2
"""Counts the changes after which an old report is no longer what this code would say."""
