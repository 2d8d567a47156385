"""Runs the code blocks of a document in order, and collects results that differ from the document."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import jwt
from django.core.management import CommandParser, get_commands, load_command_class

from tests.docs.blocks import Command
from tests.docs.output_matching import agrees

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.docs.blocks import Block
    from tests.docs.shell import Done, Shell

#: The error output of a failed command, such as a ``CommandError``.
_ERROR: Final = re.compile(r"^(CommandError|usage): ", re.MULTILINE)


@dataclass
class Run:
    """One document's run."""

    shell: Shell
    problems: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    executed: int = 0  #: Blocks that were run, or compared with a command's output.

    def document(self, blocks: Iterable[Block]) -> None:
        """Run all blocks and collect their problems; a problem does not stop the run."""
        before: tuple[Block, Done] | None = None
        for block in blocks:
            if "skip" in block.markers:
                self.skipped.append(f"{block.place}: {block.markers['skip']}")
                before = None
                continue
            self.executed += 1
            if setup := block.markers.get("setup"):
                for line in setup.splitlines():
                    self._check_code(block, line, self._run(Command(line)), is_last=True)
            if name := block.markers.get("file"):
                (self.shell.folder / name).write_text(block.text + "\n", encoding="utf-8")
            elif "token" in block.markers:
                self._check_claims(block)
            elif block.language == "console":
                before = block, self._console(block)
                continue
            elif _synopsis(block):
                self._check_synopsis(block)
            elif before is not None and before[0].section == block.section and not before[0].commands()[-1].output:
                self._compare(block.place, before[0].commands()[-1].text, block.text, before[1].output)
            else:
                self.executed -= 1
                self.problems.append(f"{block.place}: neither run nor marked; see tests/docs/blocks.py for the markers")
            before = None

    def _console(self, block: Block) -> Done:
        """Run the commands of a console block, and return the result of the last one."""
        commands = block.commands()
        for position, command in enumerate(commands):
            done = self._run(command)
            if command.output:
                self._compare(block.place, command.text, command.output, done.output)
            is_last = position == len(commands) - 1 or not commands[position + 1].text.startswith("echo $?")
            self._check_code(block, command.text, done, is_last=is_last)
        return done

    def _run(self, command: Command) -> Done:
        if command.text == "make run":
            return self.shell.start_site()
        if command.text.startswith("python manage.py run_sandbox "):
            return self.shell.start_sandbox(command.text)
        return self.shell.run(command.text)

    def _check_code(self, block: Block, command: str, done: Done, *, is_last: bool) -> None:
        """Record a problem if a command fails without showing an error and without ``echo $?`` after it."""
        if done.code and is_last and not _ERROR.search(done.output):
            self.problems.append(f"{block.place}: exit code {done.code}\n$ {command}\n{done.output}")

    def _compare(self, place: str, command: str, shown: str, real: str) -> None:
        if not agrees(shown, real):
            self.problems.append(f"{place}: other output than shown\n$ {command}\n--- shown\n{shown}\n--- real\n{real}")

    def _check_synopsis(self, block: Block) -> None:
        name, shown = block.text.split()[0], set(re.findall(r"--[a-z-]+", block.text))
        real = _options(name)
        if shown != real:
            difference = f"shown but not there: {sorted(shown - real)}; there but not shown: {sorted(real - shown)}"
            self.problems.append(f"{block.place}: {name}: {difference}")

    def _check_claims(self, block: Block) -> None:
        """Sign the claims with the site's key, issued now, and use the token."""
        claims: dict[str, Any] = json.loads(block.text)
        now = int(time.time())
        key = json.loads((self.shell.site.folder / "signing-key.json").read_text())["private"]
        signing_key = jwt.PyJWK(key if isinstance(key, dict) else json.loads(key))
        token = jwt.encode(
            claims | {name: now + 3600 * (name == "exp") for name in ("exp", "iat") if name in claims},
            signing_key.key,
            algorithm="RS512",
            headers={"kid": signing_key.key_id} if signing_key.key_id else None,
        )
        url = "http://127.0.0.1:8000/api/v1/enterprise-catalogs/"
        done = self.shell.run(f'curl -s -o /dev/null -w "%{{http_code}}" {url} -H "Authorization: JWT {token}"')
        if done.output.strip() != "200":
            self.problems.append(f"{block.place}: a token with these claims gets {done.output}")


def _synopsis(block: Block) -> bool:
    return block.language == "text" and block.text.split()[0] in get_commands()


def _options(name: str) -> set[str]:
    """Return a command's own options, without the options that all commands have."""
    parser = CommandParser(add_help=False)
    load_command_class(get_commands()[name], name).add_arguments(parser)
    return {option for action in parser._actions for option in action.option_strings}
