"""The weekly review report: one self-contained HTML file, which loads nothing from elsewhere.

Its page is in :mod:`pipelines.report.render`; nothing is imported here, because light commands import the
modules that format its figures.
"""
