"""What decides: usage becomes weights. It knows nothing of the contract, so plain Python tests it."""

import json
import pathlib
import re

# This is read while the component is made. Afterwards it has no files.
CONFIG_SCHEMA = pathlib.Path(__file__).with_name("config-schema.json").read_text()


class Broken(Exception):
    """An error for input that is not understood."""


def weights(config, teams, used):
    """One weight for each team; `used` lists metric, team and quantity."""
    try:
        metric = json.loads(config).get("metric")
    except (ValueError, AttributeError) as error:
        raise Broken(f"the settings are not a JSON object: {error}")
    if not isinstance(metric, str) or not metric:
        raise Broken("`metric` is missing")
    of_metric = [(team, thousandths(value)) for named, team, value in used if named == metric]
    return [sum(value for owner, value in of_metric if owner == team) for team in teams]


def thousandths(value):
    """A quantity as a whole number, so that no float decides who pays."""
    found = re.fullmatch(r"([0-9]+)(?:\.([0-9]*))?", value)
    if found is None:
        raise Broken(f"the quantity '{value}' is not understood")
    return int(found[1]) * 1000 + int(((found[2] or "") + "000")[:3])
