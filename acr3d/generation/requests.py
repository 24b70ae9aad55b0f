"""What people ask of jobs: start, cancel, retry, choose a version. Called by pages, API and CLI alike.

A request only writes rows; the poller does the work.
"""
