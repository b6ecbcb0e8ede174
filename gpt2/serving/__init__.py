"""Serves one model to many clients, over an interface like OpenAI's.

``batch`` decodes texts together. ``scheduler`` runs the batch in a thread behind a
queue. ``api`` answers HTTP requests. Only ``deployment`` uses Ray.
"""
