"""Pages and the JSON API. Kept thin: read the request, make one call, render."""
