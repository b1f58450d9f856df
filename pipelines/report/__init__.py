"""The weekly review report: one HTML file that holds everything it needs and reaches for nothing.

Its page is in :mod:`pipelines.report.render`; nothing is imported here, because what formats its figures serves light
commands too.
"""
