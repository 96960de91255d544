"""``callboard rehearse``: the rehearsal carrier by itself, faults to practise with, and what really happened."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from app.cli import output
from app.cli.desk import Desk, command, command_group
from app.cli.output import Answer
from app.cli.stopping import until_told
from app.config import Settings
from app.domain.problem import Refused
from app.rehearsal import whereabouts
from app.rehearsal.carrier import ACCOUNT_SID, AUTH_TOKEN, PROVIDER, RATE, Carrier
from app.rehearsal.demo import PUBLIC
from app.rehearsal.mail_room import MAIL
from app.rehearsal.people import Script
from app.rehearsal.sample_crew import MAILBOX, SENDER
from app.rehearsal.whereabouts import Whereabouts

commands = command_group(
    "The rehearsal carrier by itself: serve, fault, log.", example="callboard rehearse log"
)

TOKEN_VARIABLE = "CALLBOARD_REHEARSAL_TOKEN"  # noqa: S105 - the name of a variable
ACCOUNT, MAIL_ACCOUNT = "rehearsal", "rehearsal-mail"

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|)", re.IGNORECASE)
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


@command(commands, "serve", example="callboard rehearse serve --seed 7")
def serve(
    desk: Desk,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Another seed, other people.")] = 7,
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="N", help="How long people take to act.", min=1)
    ] = 60,
    port: Annotated[
        int, typer.Option("--port", metavar="N", help="Of the provider; 0 chooses.", min=0, max=65535)
    ] = 0,
    mail_port: Annotated[
        int, typer.Option("--mail-port", metavar="N", help="Of the mail server; 0 chooses.", min=0, max=65535)
    ] = 0,
    control_port: Annotated[
        int, typer.Option("--control-port", metavar="N", help="For orders; 0 chooses.", min=0, max=65535)
    ] = 0,
    inbound: Annotated[
        str | None, typer.Option("--inbound", metavar="URL", help="Where messages from people go.")
    ] = None,
) -> Answer:
    """Run the rehearsal carrier until told to stop. Prints its addresses and a ready configuration as JSON."""
    settings = desk.settings()
    if whereabouts.running_at(settings.home):
        raise Refused(
            "A rehearsal is running here already.",
            "Use that one (callboard rehearse log), or give this one a home of its own: --home DIR.",
        )
    public = settings.public_url.rstrip("/") or PUBLIC
    carrier = Carrier(
        desk.around.clock,
        seed=seed,
        script=Script.for_seconds(seconds),
        routes={public: f"http://{settings.public_host}:{settings.public_port}"},
        inbound_url=inbound,
        port=port,
        mail_port=mail_port,
        control_port=control_port,
    )

    async def work() -> None:
        try:
            await _start(carrier, port, mail_port, control_port)
            here = Whereabouts(carrier.base_url, carrier.control_url)
            whereabouts.leave_note(settings.home, here)
            output.print_document(
                configuration(settings, public, carrier), indent=None if desk.as_json else 2
            )
            try:
                await until_told()
            finally:
                whereabouts.withdraw_note(settings.home, here)
        finally:
            await carrier.close()

    desk.around.run(work())
    return Answer(None, printed=True)


async def _start(carrier: Carrier, *ports: int) -> None:
    try:
        await carrier.start()
    except OSError as error:
        named = " or ".join(str(port) for port in ports if port)
        raise Refused(
            f"Port {named} of this computer cannot be used ({error.strerror})."
            if named
            else f"No port of this computer can be used ({error.strerror}).",
            "Choose another one: --port, --mail-port, --control-port; 0 lets the system choose.",
        ) from None


def configuration(settings: Settings, public: str, carrier: Carrier) -> dict[str, Any]:
    """What somebody needs to send through the rehearsal: addresses, the accounts, and the commands that add them."""
    add = (
        f"callboard provider add {ACCOUNT} --kind {PROVIDER} --set base_url={carrier.base_url} "
        f"--set account_sid={ACCOUNT_SID} --secret auth_token={TOKEN_VARIABLE} --sender {SENDER} --rate {RATE:.0f}"
    )
    add_mail = (
        f"callboard provider add {MAIL_ACCOUNT} --kind {MAIL} --set base_url={carrier.mail_url} "
        f"--sender {MAILBOX} --rate {RATE:.0f}"
    )
    return {
        "base_url": carrier.base_url,
        "mail_url": carrier.mail_url,
        "control_url": carrier.control_url,
        "public_url": public,
        "leads_to": carrier.routes[public],
        "home": str(settings.home),
        "provider": {
            "name": ACCOUNT,
            "kind": PROVIDER,
            "base_url": carrier.base_url,
            "settings": {"account_sid": ACCOUNT_SID},
            "secrets": {"auth_token": AUTH_TOKEN},
            "senders": [SENDER],
            "segments_per_second": round(RATE),
        },
        "environment": {
            TOKEN_VARIABLE: AUTH_TOKEN,
            "CALLBOARD_PUBLIC_URL": public,
            "CALLBOARD_PUBLIC_URL_STABLE": "true",
        },
        "commands": [add, add_mail, "callboard serve"],
    }


@command(commands, "fault", example="callboard rehearse fault twilio 503 --for 30s")
def fault(
    desk: Desk,
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help="Whose fault: twilio.")],
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="503, 429, 401, timeout_before, timeout_after …")
    ],
    lasts: Annotated[str, typer.Option("--for", metavar="T", help="How long: 30s, 2m.")] = "30s",
) -> Answer:
    """Let a provider of the running rehearsal fail for a while, to practise an outage."""
    seconds = duration_s(lasts)
    where = whereabouts.find(desk.settings().home)
    said = whereabouts.order(
        where, "POST", "/fault", {"provider": provider.lower(), "kind": kind, "seconds": seconds}
    )
    return Answer(said, [f"For {lasts}: {said['means']}"])


def duration_s(text: str) -> float:
    """Seconds of "30s", "2m", "1h" or a bare number. Raises :class:`typer.BadParameter`."""
    read = _DURATION.fullmatch(text.strip())
    if read is None:
        raise typer.BadParameter(f"“{text}” is no time. Write 30s, 2m or 1h.", param_hint="--for")
    return float(read[1]) * _UNITS[read[2].lower()]


@command(commands, "log", example="callboard rehearse log --json")
def log(desk: Desk) -> Answer:
    """What really happened to every text and e-mail of the running rehearsal, whatever Callboard believes."""
    where = whereabouts.find(desk.settings().home)
    said = whereabouts.order(where, "GET", "/log")
    if not isinstance(said, list):
        raise Refused(*whereabouts.NOBODY)
    rows = [
        (
            one["to"],
            one["id"],
            ", ".join(truth["what"] for truth in one["truth"]),
            " ".join(one["text"].split()),
        )
        for one in said
    ]
    if not rows:
        return Answer(said, ["Nothing was handed to it yet."])
    return Answer(said, output.table(("To", "Id", "What happened", "Text"), rows))
