"""The tests, one file per feature; what they need from outside is in services.py, browser.py and needs.py."""
