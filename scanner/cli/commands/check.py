"""``mailsunset check``: is the way out to Exchange Online free, and what does it offer there?"""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from typing import TYPE_CHECKING

import click

from scanner.cli import options
from scanner.cli.commands.scan import as_name
from scanner.cli.progress import asking
from scanner.cli.settings import InputError, Settings, catalogue_of, now
from scanner.report.escape import visible
from scanner.report.formats import Format, write
from scanner.report.way_out import WAY_OUT, endpoint_record, published_record

if TYPE_CHECKING:
    from scanner.catalogue.exchange import Catalogue
    from scanner.conversation import Endpoint as Place
    from scanner.probe.outbound import Wanted
    from scanner.way_out import Endpoint, Published


def as_endpoints(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> list[tuple[str, int | None]]:
    """Read names and addresses, with or without a port."""
    from scanner.net import canonical
    from scanner.probe.names import split_port
    from scanner.wire.client_hello import indicated

    found: list[tuple[str, int | None]] = []
    for one in value:
        try:
            name, port = split_port(one)
            name = indicated(name) or canonical(name)
        except ValueError:
            raise click.BadParameter(f"{one!r} is not like mail.example.com:587 or 192.0.2.1") from None
        found.append((name.lower(), port))
    return found


def as_domain(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Read a domain."""
    from scanner.wire.client_hello import indicated

    if value is None:
        return None
    name = indicated(value)
    if name is None or "." not in name:
        raise click.BadParameter(f"{value!r} is not a domain like example.com")
    return name.lower()


def as_resolver(ctx: click.Context, param: click.Parameter, value: str | None) -> Place | None:
    """Read the address of a DNS server."""
    from scanner.probe.names import as_server

    try:
        return as_server(value) if value is not None else None
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is not an address like 192.0.2.53 or [2001:db8::53]:53"
        ) from None


@click.command("check")
@click.option("--tenant", metavar="DOMAIN", callback=as_domain, help="Also where this domain's mail goes.")
@click.option("--endpoint", "named", multiple=True, metavar="NAME|ADDRESS[:PORT]", callback=as_endpoints,
              help="Ask these, instead of the catalogue's.")  # fmt: skip
@click.option("--resolver", metavar="ADDRESS[:PORT]", callback=as_resolver,
              help="Ask this DNS server.  [default: this machine's]")  # fmt: skip
@click.option("--name", metavar="NAME", callback=as_name, help="Say in EHLO that we are mailsunset.NAME.")
@options.catalogue
@options.table
@click.pass_obj
def command(
    settings: Settings,
    tenant: str | None,
    named: list[tuple[str, int | None]],
    resolver: Place | None,
    name: str,
    form: str,
) -> None:
    """Ask Exchange Online from here: can it be reached, who answers, and are passwords still offered?

    Nobody is logged in and no mail is sent. Nothing is written to the inventory. Exit status 1 where an
    endpoint cannot be reached, or somebody on the way answers in its place.
    """
    from scanner.probe.outbound import wanted
    from scanner.way_out import Published, seen_as

    catalogue = catalogue_of(settings)
    places = wanted(catalogue, named)
    if not places:
        raise InputError("the catalogue has nothing to be asked; see --endpoint")
    found = asyncio.run(_check(catalogue, places, tenant, resolver, name))
    here = seen_as(found)
    records = [
        published_record(one, catalogue.role, here) if isinstance(one, Published) else endpoint_record(one)
        for one in found
    ]
    write(records, Format(form), WAY_OUT, "The way out", sys.stdout)
    if here:
        click.echo(f"this site is seen as {', '.join(here)}", err=True)
    if troubled := [f"{one.place} ({one.trouble})" for one in found if one.trouble]:
        click.echo(visible(f"not free: {', '.join(troubled)}"), err=True)
        raise click.exceptions.Exit(1)


async def _check(
    catalogue: Catalogue, places: tuple[Wanted, ...], tenant: str | None, resolver: Place | None, name: str
) -> list[Endpoint | Published]:
    from scanner.probe.names import NameFault, Names
    from scanner.probe.outbound import Outbound
    from scanner.session import Asker

    try:
        names = Names(resolver)
    except NameFault as fault:
        raise click.ClickException(f"{fault}; see --resolver") from None
    done = count(1)
    with asking(len(places)) as shown:
        outbound = Outbound(catalogue, names, Asker(name), now)
        return await outbound.check(places, tenant, lambda: shown(next(done), "endpoints"))
