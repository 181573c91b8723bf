"""The collector `my-plugin`: the charges of a vendor's HTTP API.

`GET /costs?page=1&page_size=100&start=2026-03-01&end=2026-04-01` answers
`{"rows": [{"day": "2026-03-01", "service": "Mail", "amount": "12.50", "currency": "EUR", "team": "search"}], "next": 2}`.
Change `reply` in `bill.py` to what your API answers, and `ask` to what it is asked.
"""

from urllib.parse import quote

import bill
from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import collect
from wit_world.imports import http
from wit_world.imports.types import (
    Batch,
    Charge,
    Error_Auth,
    Error_Config,
    Error_RateLimited,
    Error_Unavailable,
    Kind,
    Manifest,
    PowerRequest,
    Problem,
    Rejected,
    Rows_Charges,
    Stream,
    Tag,
)

# The slot of the secret. The operator keeps its value, and the plugin never sees it.
SLOT = "token"


def config_error(message):
    return Err(Error_Config(Problem(message, None, None, None)))


class Cursor(collect.Cursor):
    def __init__(self, settings, period):
        self.settings, self.period = settings, period
        self.page = 1

    def next(self):
        if self.page is None:
            return None
        page = self.page
        try:
            rows, rejected, self.page = bill.reply(self.ask(page), page)
        except bill.Broken as error:
            raise Err(Error_Unavailable(f"page {page} of the API is not understood: {error}"))
        charges = [charge(row) for row in rows]
        return Batch(Rows_Charges(charges), [], [Rejected(*row) for row in rejected], None)

    def ask(self, page):
        base_url, page_size = self.settings
        url = f"{base_url}/costs?page={page}&page_size={page_size}"
        if self.period is not None:
            url += f"&start={quote(self.period.start)}&end={quote(self.period.end)}"
        secret = http.Secret(SLOT, http.Place_Bearer())
        # A refusal by the host is raised as an error of the contract, and passed on.
        response = http.send(http.Request(http.Method.GET, url, [], [secret], None, True))
        well(response, url.split("?")[0])
        return bytes(response.body)


def well(response, place):
    """Raises the error that a status stands for."""
    status = response.status
    if 200 <= status < 300:
        return
    if status in (401, 403, 407):
        raise Err(Error_Auth(f"{place} answered {status}"))
    if status == 429:
        waits = [header.value for header in response.headers if header.name == "retry-after"]
        raise Err(Error_RateLimited(int(waits[0]) if waits and waits[0].isdigit() else None))
    if status >= 500:
        raise Err(Error_Unavailable(f"{place} answered {status}"))
    raise config_error(f"{place} answered {status}")


def charge(row):
    tags = [Tag("team", row["team"])] if row["team"] else []
    return Charge(
        charge_period_start=f"{row['day']}T00:00:00Z",
        billed_cost=row["amount"],
        effective_cost=row["amount"],
        billing_currency=row["currency"],
        service_name=row["service"],
        charge_category="Usage",
        # What the API does not tell is None.
        billing_period_start=None,
        pricing_quantity=None,
        consumed_quantity=None,
        list_unit_price=None,
        contracted_unit_price=None,
        list_cost=None,
        contracted_cost=None,
        dimensions=[],
        tags=tags,
    )


class Collect(exports.Collect):
    def describe(self):
        return Manifest(
            "my-plugin",
            "0.1.0",
            "What the vendor charged",
            Kind.COLLECTOR,
            [PowerRequest("http", "to ask the vendor's API", False)],
            bill.CONFIG_SCHEMA,
            [Stream("charges", "one charge a row of the bill")],
            3,
        )

    def check(self, config):
        return []

    def open(self, config, period, state):
        try:
            settings = bill.settings(config)
        except bill.Broken as error:
            raise config_error(str(error))
        return Cursor(settings, period)
