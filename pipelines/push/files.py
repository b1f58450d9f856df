"""Files as targets: a folder, and a repository on GitHub, where a draft is a file on a branch of its own."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field

from lacuna.pipelines.drafts.names import slug
from lacuna.pipelines.io.store import write_bytes
from lacuna.pipelines.push.target import Draft, Remote, Target, TargetSettings
from lacuna.pipelines.sources.api import Api, HeaderAuth, Refusal
from lacuna.pipelines.sources.secrets import read_secret
from lacuna.pipelines.sources.source import Address

__all__ = ["FolderTarget", "GithubTarget"]

_HEAD = re.compile(r"\A---\n(.*?\n)---\n\n?", re.DOTALL)


def as_file(draft: Draft) -> str:
    """A draft as a page with front matter, marked as a draft."""
    head = {"title": draft.title, "draft": True, "gap_id": draft.gap_id}
    if draft.article_id:
        head["changes_article"] = draft.article_id
    dumped = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=4096)
    return f"---\n{dumped}---\n\n{draft.text.strip()}\n"


def says_draft(text: str) -> bool:
    """Whether a page's front matter still says that it is a draft."""
    head = _HEAD.match(text)
    try:
        values = yaml.safe_load(head[1]) if head else None
    except yaml.YAMLError:
        return True
    return not isinstance(values, dict) or values.get("draft") is not False


class FolderSettings(TargetSettings):
    """A folder of this machine."""

    path: Annotated[str, Field(min_length=1)]


class FolderTarget(Target):
    """A folder of pages: a file a gap. Who sets ``draft: false`` in one has published it."""

    Settings = FolderSettings

    def __init__(self, name: str, settings: FolderSettings) -> None:
        super().__init__(name, settings)
        self._folder = Path(settings.path).expanduser()

    def read(self, remote_id: str) -> Remote | None:
        """The file."""
        path = self._folder / remote_id
        if not path.is_file():
            return None
        text = path.read_text(encoding="utf-8")
        return Remote(remote_id, path.absolute().as_uri(), text, not says_draft(text))

    def existing(self, draft: Draft) -> Remote | None:
        """The file of the gap, whatever its title was."""
        files = sorted(self._folder.glob(f"{draft.gap_id}-*.md"))
        return self.read(files[0].name) if files else None

    def create(self, draft: Draft) -> str:
        """Write the file."""
        remote_id = f"{draft.gap_id}-{slug(draft.title)}.md"
        self.update(remote_id, draft)
        return remote_id

    def update(self, remote_id: str, draft: Draft) -> None:
        """Write the file again."""
        write_bytes(self._folder / remote_id, as_file(draft).encode())


class GithubSettings(TargetSettings):
    """A repository on GitHub."""

    address: Address
    token_env: str
    repository: Annotated[str, Field(pattern=r"^[^/\s]+/[^/\s]+$")]
    base: Annotated[str, Field(min_length=1)]
    folder: str


class GithubTarget(Target):
    """A repository: a gap is a branch ``lacuna/<gap_id>`` with one file and a draft pull request; merged, it is out."""

    Settings = GithubSettings

    def __init__(self, name: str, settings: GithubSettings) -> None:
        super().__init__(name, settings)
        self._settings = settings
        token = read_secret(name, "token_env", settings.token_env)
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        auth = HeaderAuth({"Authorization": f"Bearer {token}"})
        self._api = Api(name, f"{settings.address.rstrip('/')}/repos/{settings.repository}", auth, [token], headers)

    def read(self, remote_id: str) -> Remote | None:
        """The file on the gap's branch, or on the base branch once that was merged."""
        pull = self._pull(remote_id)
        merged = bool(pull and pull.get("merged_at"))
        file = self._file(remote_id, self._settings.base if merged else _branch(remote_id))
        if file is None:
            return None
        return Remote(remote_id, pull["html_url"] if pull else "", file["text"], merged)

    def existing(self, draft: Draft) -> Remote | None:
        """The file on the gap's branch."""
        return self.read(f"{draft.gap_id}-{slug(draft.title)}.md")

    def create(self, draft: Draft) -> str:
        """Make the branch, the file and the pull request; what an earlier try made already is used."""
        remote_id = f"{draft.gap_id}-{slug(draft.title)}.md"
        base = self._api.get(f"git/ref/heads/{self._settings.base}")["object"]["sha"]
        try:
            self._api.post("git/refs", {"ref": f"refs/heads/{_branch(remote_id)}", "sha": base})
        except Refusal as refusal:
            if refusal.status != 422:  # it is there already
                raise
        self.update(remote_id, draft)
        if self._pull(remote_id) is None:
            body = f"A draft of Lacuna for the gap {draft.gap_id}."
            body += f" It changes the article {draft.article_id}." if draft.article_id else ""
            head = {"title": draft.title, "head": _branch(remote_id), "base": self._settings.base}
            self._api.make("pulls", {**head, "body": body, "draft": True})
        return remote_id

    def update(self, remote_id: str, draft: Draft) -> None:
        """Commit the file to the gap's branch, never to another."""
        branch, file = _branch(remote_id), self._file(remote_id, _branch(remote_id))
        content = base64.b64encode(as_file(draft).encode()).decode()
        body = {"message": f"Draft: {draft.title}", "content": content, "branch": branch}
        self._api.put(f"contents/{self._path(remote_id)}", body | ({"sha": file["sha"]} if file else {}))

    def _path(self, remote_id: str) -> str:
        return f"{self._settings.folder.strip('/')}/{remote_id}".lstrip("/")

    def _file(self, remote_id: str, branch: str) -> dict[str, Any] | None:
        try:
            file = self._api.get(f"contents/{self._path(remote_id)}", {"ref": branch})
        except Refusal as refusal:
            if refusal.status == 404:
                return None
            raise
        return {"sha": file["sha"], "text": base64.b64decode(file["content"]).decode()}

    def _pull(self, remote_id: str) -> dict[str, Any] | None:
        owner = self._settings.repository.split("/")[0]
        pulls = self._api.get("pulls", {"head": f"{owner}:{_branch(remote_id)}", "state": "all"})
        return pulls[0] if pulls else None


def _branch(remote_id: str) -> str:
    """The branch of a file: a gap's id has one hyphen."""
    return f"lacuna/{'-'.join(remote_id.split('-')[:2])}"
