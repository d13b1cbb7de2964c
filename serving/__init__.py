"""How does a promoted model answer requests?

One process follows the ledger of one model, verifies what it loads, and answers over HTTP. It
writes nothing but its prediction log. ``serving.main`` starts it, ``serving.app`` is the HTTP
surface, ``serving.follower`` decides which model stands behind it.
"""
