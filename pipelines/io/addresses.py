"""Addresses of bundles and stores: paths and URLs, and messages for those that can't be opened."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from lacuna.data_contracts.errors import BundleUnreadable, SettingsInvalid, StoreUnusable

if TYPE_CHECKING:
    from upath import UPath

__all__ = [
    "FOLDER",
    "StorePath",
    "absent",
    "is_local",
    "is_page",
    "local_folder",
    "of_a_driver",
    "scheme_of",
    "store_path",
    "store_unusable",
    "unreachable",
    "worth_a_retry",
]

# A path on this machine, or on an object store: both are used alike.
StorePath: TypeAlias = "Path | UPath"

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
# Where a file is replaced in one step. "memory" is for tests: it ends with the process.
STORES = BUCKETS | {"memory"}
DRIVERS = ("adlfs", "aiobotocore", "aiohttp", "azure", "botocore", "fsspec", "gcsfs", "google", "requests", "s3fs")
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


def store_path(address: str | StorePath) -> StorePath:
    """The path of a store, or of a place in it.

    Parameters
    ----------
    address
        A path on this machine, or a URL: file, S3 (``s3://``), Google Cloud (``gs://``), Azure (``abfs://``).

    Raises
    ------
    SettingsInvalid
        It is the URL of a place that can't hold a store.
    """
    if not isinstance(address, str | Path):  # a URL's path already
        return address
    scheme = scheme_of(address)
    if not scheme:
        return Path(address)
    url = _whole(address, scheme)
    if scheme in ("file", "local"):
        return Path(url.removeprefix(f"{scheme}://"))
    if scheme not in STORES:
        kinds = "s3://, gs:// or abfs://"
        raise SettingsInvalid(
            f"the store {url} is of a kind that can't hold one: files are not replaced in one step there",
            f"give --store a path on this machine, or an address that begins with {kinds}",
        )
    from upath import UPath

    # What other workers have written meanwhile has to be seen: no list of files is kept.
    return UPath(url, use_listings_cache=False)


def is_local(path: StorePath) -> bool:
    """Whether a path is one of this machine's file system."""
    return isinstance(path, Path)


def local_folder(address: str | Path, option: str) -> Path:
    """The path of a file or folder that has to be on this machine.

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
    url = _whole(address, scheme)
    if scheme == "file":
        raise SettingsInvalid(f"the path {url} is an address", f"give {option} the path alone")
    raise SettingsInvalid(
        f"the path {url} is not on this machine: only a bundle and a store may lie elsewhere",
        f"give {option} a path on this machine, such as ./path",
    )


def _whole(address: str | Path, scheme: str) -> str:
    """The address with the slashes that ``Path`` drops, and its scheme lowered."""
    slashes = ":///" if scheme in ("file", "local") else "://"
    return scheme + re.sub(r"^[^:]+:/+", slashes, str(address), count=1)


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
    """The error that says why a bundle can't be opened: its driver, the credentials or the connection."""
    if isinstance(error, FileNotFoundError) and is_page(address):
        return BundleUnreadable(f"there is no page {address}", "give that of a page that links the tables' files")
    return BundleUnreadable(*_why(address, error, "list and read it", FOLDER))


def store_unusable(address: str, error: BaseException) -> StoreUnusable:
    """The error that says why a store at a URL can't be used, as :func:`unreachable` does of a bundle."""
    scheme = scheme_of(address)
    if isinstance(error, FileNotFoundError) and scheme in BUCKETS:
        bucket = address.partition("://")[2].partition("/")[0]
        return StoreUnusable(
            f"{address} can't be used: {_first_line(error)}",
            f"check that the bucket '{bucket}' exists, at the account and the endpoint that you are signed in to",
        )
    remedy = "check the address given with --store"
    return StoreUnusable(*_why(address, error, "list, read, write and delete what is in it", remedy))


def of_a_driver(error: BaseException) -> bool:
    """Whether an error comes from a file system or its driver, and not from the code that uses it."""
    packages = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return isinstance(error, OSError | EOFError) or bool(packages & set(DRIVERS))


def _why(address: str, error: BaseException, rights: str, otherwise: str) -> tuple[str, str]:
    """What is wrong with an address, and the remedy."""
    scheme = scheme_of(address)
    if isinstance(error, ImportError):
        extra, package = EXTRAS.get(scheme), PACKAGES.get(scheme, "the fsspec driver of this kind of address")
        remedy = f"pip install 'lacuna-kb[{extra}]'" if extra else f"pip install {package}"
        return f"{address} can't be opened: the driver of {scheme}:// is not installed", remedy
    if isinstance(error, ValueError) and "not known" in str(error):
        return f"{address} can't be opened: there is no kind of address {scheme}://", otherwise
    if _refused(error):
        names = CREDENTIALS.get(EXTRAS.get(scheme, ""))
        where = f" ({names})" if names else ""
        return (
            f"{address} can't be opened: it does not let you in, or does not know you: {_first_line(error)}",
            f"check the credentials{where} and that they may {rights}",
        )
    if scheme:
        remedy = "check the address, and that this machine reaches the server; then try again"
        return f"{address} can't be opened: {_first_line(error)}", remedy
    return f"{address} can't be opened: {error}", otherwise


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
