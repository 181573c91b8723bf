"""What decides: settings and replies become rows. It knows nothing of the contract, so plain Python tests it."""

import json
import pathlib

PAGE_SIZE = 100

# This is read while the component is made. Afterwards it has no files.
CONFIG_SCHEMA = pathlib.Path(__file__).with_name("config-schema.json").read_text()


class Broken(Exception):
    """An error for input that is not understood."""


def settings(config):
    """The base URL and the page size."""
    try:
        config = json.loads(config)
    except ValueError as error:
        raise Broken(f"the settings are not JSON: {error}")
    base_url, page_size = config.get("base_url"), config.get("page_size", PAGE_SIZE)
    if not isinstance(base_url, str) or not base_url:
        raise Broken("`base_url` is missing")
    if not isinstance(page_size, int) or page_size < 1:
        raise Broken("`page_size` is no number from 1 on")
    return base_url.rstrip("/"), page_size


def reply(body, page):
    """The rows of one page, its rejected rows, and the number of the next page."""
    try:
        # Numbers stay text: an amount never becomes a float.
        value = json.loads(body, parse_float=str, parse_int=str)
    except ValueError as error:
        raise Broken(str(error))
    if not isinstance(value, dict) or not isinstance(value.get("rows"), list):
        raise Broken("it has no list `rows`")
    rows, rejected = [], []
    for number, row in enumerate(value["rows"], 1):
        missing = missing_of(row)
        if missing is None:
            team = row.get("team")
            rows.append({name: row[name] for name in NEEDED} | {"team": team if isinstance(team, str) else None})
        else:
            rejected.append((f"page {page}, row {number}", missing, json.dumps(row)[:200]))
    return rows, rejected, next_page(value.get("next"), page)


NEEDED = ("amount", "day", "currency", "service")


def missing_of(row):
    """Why a row cannot be a charge: never dropped, never guessed."""
    if not isinstance(row, dict):
        return "it is not an object"
    for name in NEEDED:
        if not isinstance(row.get(name), str) or not row[name]:
            return f"`{name}` is missing"
    return None


def next_page(value, page):
    if value is None:
        return None
    # Pages are numbered. A next page that is not a later one would never end.
    if not isinstance(value, str) or not value.isdigit() or int(value) <= page:
        raise Broken("`next` is not a later page")
    return int(value)
