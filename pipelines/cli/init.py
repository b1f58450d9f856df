"""`lacuna init`: a settings file for a source, asked for on a terminal or given by options."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.prompt import Confirm, Prompt

from lacuna.data_contracts.errors import LacunaError, SettingsInvalid
from lacuna.pipelines.cli.options import out

__all__ = ["init"]

# Of the keys that every kind has; they keep their defaults unless --set changes them.
_NOT_ASKED = ("redact", "id_prefix", "type")


def init(
    kind: Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Kind of source; asked for.")] = None,
    path: Annotated[
        str | None,
        typer.Option(
            "--path", metavar="PATH", help="Of files: a file, a pattern or an address. Of articles: the folder."
        ),
    ] = None,
    articles: Annotated[
        str | None, typer.Option("--articles", metavar="DIR", help="Besides, the folder with the help center's pages.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="What the source is called here.")] = None,
    chosen: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting of the source; may be repeated.")
    ] = None,
    target: Annotated[Path, typer.Option("--out", metavar="FILE", help="The settings file.")] = Path("lacuna.toml"),
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite the settings file where it has the source.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Look at a sample of the source at once, as `lacuna sources check` does.")
    ] = False,
) -> None:
    """Write the settings of a source: of a help desk, of files in any layout, of a help center's pages.

    On a terminal it asks for what the options leave open. Of a file it proposes by names and values which column is
    which, and shows it to be changed. A settings file that is there is added to, and never overwritten unasked.

    For example:

    `lacuna init --type files --path export.csv --out lacuna.toml`
    """
    from lacuna.pipelines.sources.registry import KINDS, NAME, default_lines, need_extra

    need_extra()
    asks = sys.stdin.isatty() and sys.stdout.isatty()
    if kind is None:
        if not asks:
            raise SettingsInvalid(
                "--type is not given, and there is no terminal to ask on", f"one of: {', '.join(KINDS)}"
            )
        out.print("Where are the conversations? [bold]files[/] is an export of any kind (CSV, Excel, JSON, Parquet).")
        kind = Prompt.ask("Kind of source", choices=list(KINDS), default="files", console=out)
    if kind not in KINDS:
        raise SettingsInvalid(f"there is no kind of source '{kind}'", f"one of: {', '.join(KINDS)}")
    if path is None and kind in ("files", "articles"):
        path = _required("--path", "Path of the file" if kind == "files" else "Folder with the pages", asks)
    name = name or (_name_of(path) if kind == "files" and path else kind)
    if not NAME.fullmatch(name):
        raise SettingsInvalid(f"'{name}' can't be a source's name", "use a-z, 0-9 and single _, such as help_desk")
    sections = {name: ""}
    if kind == "files":
        from lacuna.pipelines.cli.init_files import files_section

        sections[name] = files_section(name, str(path), asks)
    else:
        lines = default_lines(kind)
        lines = _set(lines, "path", _absolute(path)) if path else lines
        sections[name] = f"[sources.{name}]\n{_asked(lines) if asks and not path else lines}"
    for key, value in (pair.partition("=")[::2] for pair in chosen or ()):
        sections[name] = _set(sections[name], key.strip(), value.strip())
    if kind == "files" and articles is None and asks and "columns.articles]" not in sections[name]:
        out.print("\nArticles show what the help center answers already; without them every gap counts as missing.")
        articles = Prompt.ask(
            "Folder with its pages, Markdown or HTML (Enter: none yet)", default="", show_default=False, console=out
        )
    if articles:
        lines = _set(default_lines("articles"), "path", _absolute(articles))
        sections["articles"] = f"[sources.articles]\n{lines}"
    _write(target, sections, asks, force)
    _look(target, list(sections), check, asks)
    has_articles = kind not in ("files", "sql") or bool(articles)
    _next_steps(target, list(sections), has_articles or "columns.articles]" in sections[name])


def _required(option: str, question: str, asks: bool) -> str:
    if not asks:
        raise SettingsInvalid(f"{option} is not given, and there is no terminal to ask on", f"give {option}")
    while not (answer := Prompt.ask(question, console=out).strip()):
        pass
    return answer


def _name_of(path: str) -> str:
    stem = path.replace("\\", "/").rsplit("/", 1)[-1].split(".")[0].lower()
    plain = re.sub(r"[^a-z0-9]+", "_", stem).strip("_")
    return plain if re.match(r"[a-z]", plain) else "files"


def _absolute(path: str) -> str:
    return path if "://" in path else str(Path(path).expanduser().absolute())


def _set(text: str, key: str, value: str) -> str:
    """The settings with another value of a key, its comment kept."""
    from lacuna.pipelines.sources.files_entries import toml_value

    pattern = re.compile(
        rf"^{re.escape(key)} = (?P<old>\"[^\"]*\"|'[^']*'|\[[^\]]*\]|[^#\n]*?)(?P<rest>[ \t]*(?:#.*)?)$", re.M
    )
    found = pattern.search(text)
    if not found:
        there = ", ".join(dict.fromkeys(re.findall(r"^([\w.]+) = ", text, re.MULTILINE)))
        raise SettingsInvalid(f"--set {key}: the source has no such setting", f"there are: {there}")
    is_text = found["old"].startswith(('"', "'"))
    written = toml_value(value) if is_text else value
    return text[: found.start()] + f"{key} = {written}{found['rest']}" + text[found.end() :]


def _asked(lines: str) -> str:
    """The settings with what a person says of each key that has no default, and of each variable with a credential."""
    for found in list(re.finditer(r'^(?P<key>\w+) = "(?P<value>[^"]*)"[ \t]*(?:#[ \t]*(?P<says>.*))?$', lines, re.M)):
        key, value = found["key"], found["value"]
        if key in _NOT_ASKED or (value and not key.endswith("_env")):
            continue
        if found["says"]:
            out.print(f"[dim]{escape(found['says'])}[/]")
        lines = _set(lines, key, Prompt.ask(key, default=value, console=out))
    return lines


def _write(target: Path, sections: dict[str, str], asks: bool, force: bool) -> None:
    from lacuna.pipelines.io.store import write_bytes

    try:
        before = target.read_text(encoding="utf-8")
    except FileNotFoundError:
        before = ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{target} can't be read: {error}", "give --out another file") from None
    if before:
        try:
            there = tomllib.loads(before).get("sources", {})
        except tomllib.TOMLDecodeError as error:
            raise SettingsInvalid(f"{target} is there and is no TOML: {error}", "give --out another file") from None
        twice = [name for name in sections if name in there]
        if twice:
            question = f"{target} has \\[sources.{twice[0]}] already. Overwrite the whole file?"
            if not force and not (asks and Confirm.ask(question, default=False, console=out)):
                raise SettingsInvalid(
                    f"{target} has [sources.{twice[0]}] already; nothing was written",
                    "give --name another name, --out another file, or --force to overwrite the file",
                )
            before = ""
    text = "\n".join(([before] if before else []) + list(sections.values()))
    tomllib.loads(text)
    write_bytes(target, text.encode())
    out.print(f"\n[bold]{escape(str(target))}[/] is written; every setting in it has a comment.", highlight=False)


def _look(target: Path, names: list[str], is_asked_for: bool, asks: bool) -> None:
    """Look at a sample of each source, where that is wanted; what is wrong with one is said and ends nothing."""
    if not is_asked_for and not (asks and Confirm.ask("Look at a sample of it now?", default=True, console=out)):
        return
    from lacuna.pipelines.cli.pull import check as check_source

    for name in names:
        out.print(f"\n[bold]{escape(name)}[/]")
        try:
            check_source(name, config=str(target))
        except LacunaError as error:
            out.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        except typer.Exit:
            pass  # the sample has faults, which are listed


def _next_steps(target: Path, names: list[str], has_articles: bool) -> None:
    config = f" --config {target}"
    variables = [
        value
        for name in names
        for key, value in tomllib.loads(target.read_text(encoding="utf-8"))["sources"][name].items()
        if key.endswith("_env") and value
    ]
    lines = [f"export {variable}=…" for variable in dict.fromkeys(variables)]
    lines += [f"lacuna sources check {name}{config}" for name in names]
    lines += [f"lacuna pull {name} --into bundle{config}" for name in names]
    if not has_articles:
        lines.append("mkdir -p bundle/articles && echo article_id,title,body > bundle/articles/none.csv")
    lines += [f"lacuna check bundle{config}", f"lacuna run bundle --store store{config}"]
    out.print("\nNext:")
    for line in lines:
        out.print(f"  {escape(line)}", highlight=False, soft_wrap=True)
    if not has_articles:
        out.print(
            "The line with none.csv stands for articles that there are none of yet: a run needs the table.",
            highlight=False,
        )
