"""`byline-registry`: what the operator types.

Exit codes: 0 done, 1 refused, 2 usage, 3 not reachable (design section 9).
"""

from __future__ import annotations

import os

import click

from registry.cli.delivery import delivery
from registry.cli.demo import demo
from registry.cli.desk import operator, report
from registry.cli.log import recover
from registry.cli.moving import backup, move, restore
from registry.cli.operating import claim, conflicts, dataset, publisher
from registry.cli.person import person
from registry.cli.running import init, serve, worker
from registry.cli.upkeep import fsck, rebuild


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="byline-registry")
def main() -> None:
    """Run a Byline registry. Settings are BYLINE_* variables (docs/settings.md)."""
    # Tables, mails and extracts say who objected and who withheld what: none is made for other accounts' eyes.
    os.umask(0o077)


for command in (
    init,
    serve,
    worker,
    demo,
    publisher,
    claim,
    dataset,
    conflicts,
    person,
    operator,
    report,
    delivery,
    recover,
    rebuild,
    fsck,
    move,
    backup,
    restore,
):
    main.add_command(command)
