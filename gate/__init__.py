"""The promotion gate: what a request may change, who may answer it, and the review page."""
