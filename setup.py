"""The packages of the wheel: this repository's folders in one namespace, `lacuna`.

A DAG folder, or another wheel, may well have a `models` or `pipelines` of its own, and would be imported instead.
"""

from setuptools import find_namespace_packages, setup

FOLDERS = ("data_contracts", "models", "pipelines")

setup(
    packages=[f"lacuna.{name}" for name in find_namespace_packages(include=[f"{folder}*" for folder in FOLDERS])],
    package_dir={f"lacuna.{folder}": folder for folder in FOLDERS},
)
