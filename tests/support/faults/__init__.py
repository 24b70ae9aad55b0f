"""The built-in engine on a port of its own, with faults that a test orders over HTTP.

`engine.py` wraps the product's WSGI app, `__main__.py` serves it, `control.py` is the test's side. The
product itself holds no fault: no variable and no header of a normal start can ask for one.
"""
