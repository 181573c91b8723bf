#!/usr/bin/env python3
"""Writes the rules with more that never match, tried before the tag of the team. usage: make_rules.py COUNT OUT.json"""
import json
import sys

import reference_job


def main():
    count, out = int(sys.argv[1]), sys.argv[2]
    job = reference_job.load()
    teams = [team["team"] for team in job["teams"] if team["team"] != reference_job.UNALLOCATED]
    legacy = [
        {
            "name": f"legacy {number}",
            "when": [
                {"dim": "tag:application", "op": "eq", "value": f"legacy-app-{number}"},
                {"dim": "account", "op": "prefix", "value": "acct-"},
            ],
            "then": {"kind": "fixed", "weights": [[teams[number % len(teams)], 1000]]},
            "shared": False,
        }
        for number in range(count)
    ]
    first_direct = next(at for at, rule in enumerate(job["rules"]) if not rule["shared"])
    job["rules"][first_direct:first_direct] = legacy
    for number, rule in enumerate(job["rules"], 1):
        rule["id"] = number
    with open(out, "w") as file:
        json.dump(job, file, indent=1)


main()
