"""The dashboard: pages that the server renders, over the same actions as the API."""
