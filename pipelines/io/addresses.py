"""Addresses of bundles and stores: messages for those that can't be opened, and the check that a store is local."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

from lacuna.data_contracts.errors import BundleUnreadable, SettingsInvalid

__all__ = ["FOLDER", "absent", "is_page", "local_folder", "scheme_of", "unreachable", "worth_a_retry"]

# The extra, or else the package, that brings the driver of a kind of address.
EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "http": "http", "https": "http"}
PACKAGES = {
    "abfs": "adlfs",
    "abfss": "adlfs",
    "az": "adlfs",
    "hdfs": "pyarrow",
    "sftp": "paramiko",
    "smb": "smbprotocol",
}
BUCKETS = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"}
CREDENTIALS = {
    "s3": "AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or `gcloud auth application-default login`",
}
FOLDER = "give the folder that holds conversations, messages and articles"
# ``Path`` drops one of the two slashes of an address; a single letter before the colon is a drive.
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
_LASTING = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, gzip.BadGzipFile)


def scheme_of(address: object) -> str:
    """The scheme of an address such as ``s3://bucket/folder``, lowered; empty for a path."""
    match = _ADDRESS.match(str(address))
    return match[1].lower() if match else ""


def local_folder(address: str | Path, option: str = "--store") -> Path:
    """The path of a folder on this machine.

    Parameters
    ----------
    address
        A path, or an address.
    option
        The command-line option that it comes from, for the message.

    Raises
    ------
    SettingsInvalid
        It is the address of a place that is not on this machine.
    """
    scheme = scheme_of(address)
    if not scheme:
        return Path(address)
    shown = re.sub(r":/+", ":///" if scheme == "file" else "://", str(address), count=1)
    what = "store" if option == "--store" else "path"
    problem = f"the {what} {shown} is not a local folder: only a bundle may lie elsewhere, for now"
    if scheme == "file":
        raise SettingsInvalid(f"the {what} {shown} is an address", f"give {option} the path alone")
    raise SettingsInvalid(problem, f"give {option} a path on this machine, such as ./{what}")


def is_page(address: str) -> bool:
    """Whether an address is that of a web page: there, a folder is a page too, which links its files."""
    return scheme_of(address) in ("http", "https")


def absent(fs: Any, address: str, root: str) -> BundleUnreadable:
    """The error that names the missing part of an address: the bucket, the folder in it, or the page."""
    scheme = scheme_of(address)
    if scheme in BUCKETS:
        bucket, _, folder = root.partition("/")
        if not folder or not fs.exists(bucket):
            return BundleUnreadable(
                f"there is no bucket '{bucket}' ({address})",
                "check its name, and that it belongs to the account and the endpoint that you are signed in to",
            )
        names = sorted(entry["name"].rstrip("/").rsplit("/", 1)[-1] for entry in fs.ls(bucket, detail=True))
        contents = f"it holds {', '.join(names[:5])}{', …' if len(names) > 5 else ''}" if names else "it is empty"
        return BundleUnreadable(f"there is no folder '{folder}' in the bucket '{bucket}': {contents}", FOLDER)
    if is_page(address):
        fs.cat_file(root)  # raises: the driver takes a server that does not answer for one without the page
    return BundleUnreadable(f"there is no folder {address}", FOLDER)


def unreachable(address: str, error: BaseException) -> BundleUnreadable:
    """The error that says why an address can't be opened: its driver, the credentials or the connection."""
    scheme = scheme_of(address)
    if isinstance(error, ImportError):
        extra, package = EXTRAS.get(scheme), PACKAGES.get(scheme, "the fsspec driver of this kind of address")
        remedy = f"pip install 'lacuna-kb[{extra}]'" if extra else f"pip install {package}"
        return BundleUnreadable(f"{address} can't be opened: the driver of {scheme}:// is not installed", remedy)
    if isinstance(error, ValueError) and "not known" in str(error):
        return BundleUnreadable(f"{address} can't be opened: there is no kind of address {scheme}://", FOLDER)
    if isinstance(error, FileNotFoundError) and is_page(address):
        return BundleUnreadable(f"there is no page {address}", "give that of a page that links the tables' files")
    if _refused(error):
        names = CREDENTIALS.get(EXTRAS.get(scheme, ""))
        where = f" ({names})" if names else ""
        return BundleUnreadable(
            f"{address} can't be opened: it does not let you in, or does not know you: {_first_line(error)}",
            f"check the credentials{where} and that they may list and read it",
        )
    if scheme:
        remedy = "check the address, and that this machine reaches the server; then try again"
        return BundleUnreadable(f"{address} can't be opened: {_first_line(error)}", remedy)
    return BundleUnreadable(f"{address} can't be opened: {error}", FOLDER)


def worth_a_retry(error: BundleUnreadable) -> bool:
    """Whether the same bundle may be readable later: the connection failed, not the content."""
    cause = error.__cause__
    if cause is None or isinstance(cause, (*_LASTING, ImportError, ValueError, TypeError)) or _refused(cause):
        return False
    # Every driver has errors of its own, and none says which of them are temporary.
    return isinstance(cause, OSError) or not isinstance(cause, EOFError | KeyError)


def _refused(error: BaseException) -> bool:
    names = ("Credentials", "Forbidden", "AccessDenied", "Unauthorized", "RefreshError", "TokenRetrieval")
    status = getattr(error, "status", None) or getattr(error, "code", None)
    named = any(sign in kind.__name__ for kind in type(error).__mro__ for sign in names)
    return isinstance(error, PermissionError) or named or status in (401, 403, "401", "403")


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__
