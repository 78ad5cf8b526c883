"""The root command: names and one line each; the code behind a name is loaded when it is used."""

from __future__ import annotations

import importlib

import click

_COMMANDS = {
    "keygen": ("keygen", "Make a signing key."),
    "publisher": ("publisher", "Register as a publisher, or look at one."),
    "manifest": ("manifest", "Describe a dataset, check it, sign it."),
    "publish": ("publish", "Send a signed manifest and its extract."),
    "retract": ("retract", "Withdraw a published version at once."),
    "search": ("find", "Find a maker by name or handle."),
    "lookup": ("find", "Ask where a photo or a maker stands."),
    "claim": ("claim", "Say: this identity is me."),
    "opt-out": ("optout", "Opt out, see what became of it, take it back."),
    "watch": ("watch", "Be told when a new dataset names you, or when somebody answers."),
    "mine": ("mine", "All that stands under your mail address: see, keep, hide, take back."),
    "notices": ("notices", "Read what people ask of your datasets; take or refuse what is asserted."),
    "outcome": ("notices", "Say what you did about it."),
    "sync": ("sync", "Fetch the feed of opt-outs and believe only what is proved."),
    "filter": ("filter", "Take opted-out rows out of files."),
    "report": ("report", "Check what somebody else's filter says of itself."),
    "check": ("check", "Ask the feed about a few pictures, without telling which."),
    "receipt": ("receipt", "Keep and check a proof that something stands in the log."),
    "mirror": ("mirror", "Copy what a registry publishes, checked, for any static server."),
    "audit": ("audit", "Check what a registry publishes, for anyone and for yourself."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports them one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All names, in the order of a journey."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import one command."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"byline.cli.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The list in `--help`, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(package_name="byline")
def byline() -> None:
    """Publish dataset manifests, find yourself in datasets, opt out once, and filter what is downstream.

    Every command takes --registry URL (or BYLINE_REGISTRY) and --json. Exit codes: 0 done, 1 the check
    failed or
    the registry refused, 2 wrong usage, 3 the registry did not answer.
    """
