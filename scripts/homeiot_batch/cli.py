"""The command line: `homeiot COMMAND`, which is `python -m homeiot_batch COMMAND`.

What does the work is imported only when it is called.
"""

from pathlib import Path
from typing import Annotated

import typer

from homeiot_batch import __version__

Config = Annotated[
    list[str] | None,
    typer.Option(
        "--config",
        metavar="KEY=VALUE",
        help="A setting for this call, like tz=Europe/Berlin. It may be repeated.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs: JSON instead of text.")]
First = Annotated[
    str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First local day of a range.")
]
Last = Annotated[
    str | None,
    typer.Option("--to", metavar="YYYY-MM-DD", help="Last local day of the range, included."),
]
Mqtt = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Publish readings to this broker as time passes, instead of writing a file.",
    ),
]

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Settings come from config.yaml and the environment. docs/reference/settings.md lists "
    "them.",
)


def _examples(*lines: str) -> str:
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


@app.callback(invoke_without_command=True)
def homeiot(
    version: Annotated[bool, typer.Option("--version", help="Show the version and end.")] = False,
) -> None:
    """A house's power readings, kept for ever.

    InfluxDB or an export -> Parquet -> DuckDB -> daily energy.
    """
    if version:
        typer.echo(f"homeiot {__version__}")
        raise typer.Exit


@app.command(
    name="init",
    epilog=_examples("homeiot init --print", "homeiot init", "homeiot init --force"),
)
def init(
    only_print: Annotated[
        bool, typer.Option("--print", help="Show what would be written, and write nothing.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace a config.yaml that is there. A copy of it is kept."),
    ] = False,
    shows_all: Annotated[
        bool, typer.Option("--all", help="List all that is not recognised, however much it is.")
    ] = False,
    config: Config = None,
) -> None:
    """Write config.yaml from what the source holds.

    It looks at the server or the export, recognises what programs write, and declares datasets and
    meters in HOUSE_DIR. What was guessed, and all else, is in comments.
    """
    from homeiot_batch.setup_house.command import set_up_house

    set_up_house(only_print=only_print, force=force, shows_all=shows_all, config=config or [])


@app.command(
    epilog=_examples(
        "homeiot run",
        "homeiot run --date 2026-11-20 --force",
        "homeiot run --reconcile --from 2026-11-01 --to 2026-11-20",
    )
)
def run(
    day: Annotated[
        str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="One local day.")
    ] = None,
    first: First = None,
    last: Last = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Read days again that are archived. Without dates, only yesterday."
        ),
    ] = False,
    reconcile: Annotated[
        bool,
        typer.Option(
            "--reconcile",
            help="In the range, read only days that are missing or of which the source has more.",
        ),
    ] = False,
    config: Config = None,
) -> None:
    """Archive yesterday and what was missed, or given days.

    Each day is read, kept as Parquet and loaded into DuckDB. Then the tables are built. The exit
    codes are in the README. If it is not 0, the last lines say which day failed and why.
    """
    from homeiot_batch.workflow.early_start import EarlyWorkflow

    with EarlyWorkflow() as workflow:
        from homeiot_batch.commands.run import run_archive

        run_archive(
            workflow, day, first, last, force=force, reconcile=reconcile, config=config or []
        )


@app.command(
    name="every-night",
    epilog=_examples("homeiot every-night", "SCHEDULE=01:30 homeiot every-night"),
)
def every_night(config: Config = None) -> None:
    """Run the nightly command every day at SCHEDULE.

    For a container, or a machine without cron. It waits until it is ended. At the start, and after
    a sleep of the machine, a night that was missed runs at once.
    """
    from homeiot_batch.commands.every_night import run_every_night

    run_every_night(config or [])


@app.command(epilog=_examples("homeiot health"))
def health(config: Config = None) -> None:
    """Show whether the nights of `every-night` are good.

    For the healthcheck of a container. Exit code 1 if the last good night ended more than 36 hours
    ago.
    """
    from homeiot_batch.commands.health import show_health

    show_health(config or [])


@app.command(epilog=_examples("homeiot status", "homeiot status --json"))
def status(as_json: AsJson = False, config: Config = None) -> None:
    """Show what is archived and loaded, day by day.

    From each dataset's first day to yesterday, runs of equal days as one line. Exit code 1 if a day
    is missing.
    """
    from homeiot_batch.commands.status import show_status

    show_status(as_json=as_json, config=config or [])


@app.command(
    epilog=_examples(
        "homeiot verify",
        "homeiot verify --from 2026-11-01 --to 2026-11-20 --json",
        "homeiot verify --copy",
    )
)
def verify(
    first: First = None,
    last: Last = None,
    as_json: AsJson = False,
    copy: Annotated[
        bool, typer.Option("--copy", help="Prove the second copy at MIRROR_URL instead, whole.")
    ] = False,
    fast: Annotated[
        bool, typer.Option("--fast", help="With --copy: compare names and sizes, and read no day.")
    ] = False,
    config: Config = None,
) -> None:
    """Prove that server, Parquet files and DuckDB agree.

    Day by day, the server only where it still has the readings. If no dates are given, the days
    from the archive's first one to yesterday. Exit code 0 only if all agree. With --copy each file
    of the second copy is read and compared with its checksum.
    """
    if copy:
        _refuse("--copy", **{"--from": first, "--to": last})
        from homeiot_batch.commands.verify_copy import show_copy

        show_copy(reads_all=not fast, as_json=as_json, config=config or [])
        return
    if fast:
        raise typer.BadParameter("--fast goes with --copy")
    from homeiot_batch.commands.verify import show_verdicts

    show_verdicts(first, last, as_json=as_json, config=config or [])


@app.command(epilog=_examples("homeiot mirror", "MIRROR_URL=/mnt/nas/homeiot homeiot mirror"))
def mirror(
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Read the whole copy first, and copy again what is damaged or missing there.",
        ),
    ] = False,
    config: Config = None,
) -> None:
    """Copy what is new to a second place, and prove it there.

    The place is MIRROR_URL. Nothing is deleted or overwritten there. A day whose file is not the
    one that was loaded is not copied, and the exit code is 1.
    """
    from homeiot_batch.commands.mirror import mirror_house

    mirror_house(reads_all=repair, config=config or [])


@app.command(epilog=_examples("homeiot restore --from s3://house-copy/home"))
def restore(
    place: Annotated[
        str,
        typer.Option(
            "--from", metavar="PLACE", help="The second copy, a folder or s3://BUCKET/PREFIX."
        ),
    ],
    older: Annotated[
        bool,
        typer.Option(
            "--older",
            help="Take an older version where the newest is damaged, and do without what is lost.",
        ),
    ] = False,
    config: Config = None,
) -> None:
    """Restore a house from its second copy, on an empty machine.

    Each file is compared with its checksum before it is put in place. Then `homeiot run` builds all
    else. Started again, it goes on where it was.
    """
    from homeiot_batch.commands.restore import restore_house

    restore_house(place, takes_older=older, config=config or [])


@app.command(
    epilog=_examples(
        "homeiot doctor", "homeiot doctor --config influx_url=http://192.168.1.10:8086"
    )
)
def doctor(as_json: AsJson = False, config: Config = None) -> None:
    """Check the set-up, with a fix for each problem.

    The source and what it holds, the archive, the disk and the database. Exit code 1 if there is a
    problem.
    """
    from homeiot_batch.doctor.command import show_findings

    show_findings(as_json=as_json, config=config or [])


@app.command(epilog=_examples("homeiot notify --test"))
def notify(
    test: Annotated[
        bool, typer.Option("--test", help="Send a test message to each address of NOTIFY_URL.")
    ] = False,
    config: Config = None,
) -> None:
    """Send a test message, as the nightly command sends its own.

    Exit code 1 if an address did not take it.
    """
    if not test:
        raise typer.BadParameter("give --test, which sends a test message")

    from homeiot_batch.commands.notify import send_test

    send_test(config or [])


@app.command(epilog=_examples("homeiot report", "homeiot report --output energy.html"))
def report(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", metavar="FILE", help="File to write, instead of index.html in REPORT_DIR."
        ),
    ] = None,
    config: Config = None,
) -> None:
    """Write the page for people, from the tables as published.

    Every run that builds the tables does so by itself. By hand it holds no run up.
    """
    from homeiot_batch.commands.report import write_page

    write_page(output, config or [])


@app.command(
    epilog=_examples(
        "homeiot export --what days --from 2026-11-01 --to 2026-11-22 --output days.xlsx",
        "homeiot export --what readings --from 2026-11-22 --to 2026-11-22 > readings.csv",
    )
)
def export(
    what: Annotated[
        str,
        typer.Option(
            "--what",
            metavar="WHAT",
            help="readings, quarters (of an hour), hours, days, months or balance.",
        ),
    ],
    first: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="First local day.")],
    last: Annotated[
        str, typer.Option("--to", metavar="YYYY-MM-DD", help="Last local day, included.")
    ],
    sources: Annotated[
        list[str] | None,
        typer.Option("--source", metavar="METER", help="Only this meter. It may be repeated."),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="csv, xlsx, parquet or json. If not given, what the file's name ends in, or csv.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="File to write, not standard output."),
    ] = None,
    config: Config = None,
) -> None:
    """Write readings or tables as CSV, sheet, Parquet or JSON.

    Readings come from the archive, all else from the tables. What the export lacks is said on
    standard error. A file is replaced only by a whole export.
    """
    from homeiot_batch.commands.export import write_export

    write_export(what, first, last, sources or [], form, output, config or [])


@app.command(epilog=_examples("homeiot demo", "homeiot demo --house home_assistant"))
def demo(
    house: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A house of examples: home_assistant, evcc, dsmr or telegraf. In data/demo-NAME.",
        ),
    ] = None,
) -> None:
    """Show the main job on a simulated house, in data/demo."""
    if house is None:
        from homeiot_batch.commands.demo import show_demo

        show_demo()
    else:
        from homeiot_batch.commands.demo_house import show_house

        show_house(house)


@app.command(
    epilog=_examples(
        "homeiot simulate house.lp.gz --from 2026-11-09 --to 2026-11-22 --step 60",
        "homeiot simulate --mqtt localhost:1883 --step 10",
    )
)
def simulate(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="File to write, with gzip if its name ends in .gz."),
    ] = None,
    first: First = None,
    last: Last = None,
    mqtt: Mqtt = None,
    seconds: Annotated[
        int | None,
        typer.Option(min=1, metavar="SECONDS", help="With --mqtt: end after so many seconds."),
    ] = None,
    tz: Annotated[
        str, typer.Option(metavar="ZONE", help="The house's time zone, an IANA name.")
    ] = "Asia/Tokyo",
    step: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="Seconds from reading to reading.")
    ] = 60,
    seed: Annotated[
        int, typer.Option(metavar="NUMBER", help="The same seed makes the same house.")
    ] = 1,
) -> None:
    """Write or publish a simulated house's readings.

    Two meters, one with solar panels. The export is line protocol as influx_inspect writes it. With
    --mqtt, the meters publish to home/power/NAME until Ctrl-C. MQTT_USERNAME and MQTT_PASSWORD (or
    MQTT_PASSWORD_FILE) are the login.
    """
    if mqtt is not None:
        _refuse("--mqtt", **{"FILE": file, "--from": first, "--to": last})
        from homeiot_batch.commands.simulate_mqtt import publish_house

        publish_house(mqtt, tz, step, seed, seconds)
        return
    _refuse("FILE", **{"--seconds": seconds})
    if file is None:
        raise typer.BadParameter("give a FILE, or a broker with --mqtt")
    if first is None or last is None:
        raise typer.BadParameter("a FILE needs --from and --to")
    from homeiot_batch.commands.simulate import simulate_house

    simulate_house(file, first, last, tz, step, seed)


def _refuse(beside: str, **given: object) -> None:
    for name, value in given.items():
        if value is not None:
            raise typer.BadParameter(f"{name} does not go with {beside}")
