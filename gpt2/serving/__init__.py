"""Serving: one model, many clients, over an interface like OpenAI's.

``batch`` decodes texts together, ``scheduler`` runs that in a thread behind a queue,
``api`` speaks HTTP, and ``deployment`` alone knows Ray.
"""
