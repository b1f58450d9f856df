"""Finders of personal data in short support texts: one file a family, each a plain function from text to spans.

A finder takes a text and yields ``(start, end, kind)``; ``models.redaction.redact`` runs them in order over a text in which
everything found so far is blanked out, so that a finder never sees what an earlier one took.
"""
