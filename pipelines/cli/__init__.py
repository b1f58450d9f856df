"""The commands of ``lacuna``, one module a subject; ``pipelines.cli`` puts them in order."""
