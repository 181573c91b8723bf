#!/usr/bin/env python3
"""Writes the reference job's rules as Rhai files with cases and tables. usage: rhai_rules.py RULES.json FOLDER"""
import json
import os
import re
import sys

from reference_job import tag_key

FIELDS = {"service": "service_name", "account": "sub_account_name", "category": "charge_category", "region": "region_id"}
quoted = json.dumps


def read(dimension):
    key = tag_key(dimension)
    return f"charge.tag({quoted(key)})" if key else f"charge.{FIELDS[dimension]}"


def condition(test, table):
    value = read(test["dim"])
    if test["op"] == "eq":
        return f"{value} == {quoted(test['value'])}"
    if test["op"] == "in":
        return f"any_of({value}, {quoted(test['value'])})"
    if test["op"] == "prefix":
        return f"{value}.starts_with({quoted(test['value'])})"
    return f"lookup({quoted(table)}, {value}) != ()"


def decision(rule, table):
    target = rule["then"]
    if target["kind"] == "tag":
        return f"assign({read(target['dim'])})"
    if target["kind"] == "lookup":
        return f"assign(lookup({quoted(table)}, {read(target['dim'])}))"
    if target["kind"] == "even":
        return f"even({quoted(target['teams'])})"
    if target["kind"] == "proportional":
        return f"by_cost({quoted(target['teams'])}, #{{ when_zero: \"even\" }})"
    if rule["shared"]:
        return f"split({quoted(target['weights'])})"
    return f"assign({quoted(target['weights'][0][0])})"


def matching_value(test):
    """A value that meets the condition."""
    value = test["value"]
    if test["op"] == "eq":
        return value
    return value + "x" if test["op"] == "prefix" else next(iter(value))


def expectation(rule, values):
    target = rule["then"]
    if target["kind"] == "tag":
        return f"{{ assign = {quoted(values[target['dim']])} }}"
    if target["kind"] == "lookup":
        return f"{{ assign = {quoted(target['map'][values[target['dim']]])} }}"
    if target["kind"] == "even":
        return f"{{ even = {quoted(target['teams'])} }}"
    if target["kind"] == "proportional":
        return f"{{ by_cost = {{ teams = {quoted(target['teams'])}, when_zero = \"even\" }} }}"
    if rule["shared"]:
        return f"{{ split = {quoted([[team, str(weight)] for team, weight in target['weights']])} }}"
    return f"{{ assign = {quoted(target['weights'][0][0])} }}"


def cases(rule):
    values = {test["dim"]: matching_value(test) for test in rule["when"]}
    fields = [f"{FIELDS[dimension]} = {quoted(value)}" for dimension, value in values.items() if not tag_key(dimension)]
    tags = [f"{quoted(tag_key(dimension))} = {quoted(value)}" for dimension, value in values.items() if tag_key(dimension)]
    if tags:
        fields.append(f"tags = {{ {', '.join(tags)} }}")
    return (
        f"[[case]]\nname = {quoted(rule['name'])}\ncharge = {{ {', '.join(fields)} }}\nexpect = {expectation(rule, values)}\n\n"
        '[[case]]\nname = "a charge of something else"\ncharge = {}\nexpect = "no match"\n'
    )


def source(rule, table):
    tests = " && ".join(condition(test, table) for test in rule["when"])
    return (
        f"//! Rule {rule['id']} of the reference job: {rule['name']}.\n"
        f'rule(#{{ priority: {rule["id"]}, owner: "finops@example.com", review_by: "2099-12-31" }});\n\n'
        f"fn matches(charge) {{\n    {tests}\n}}\n\nfn allocate(charge) {{\n    {decision(rule, table)}\n}}\n"
    )


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def main():
    with open(sys.argv[1]) as file:
        rules = json.load(file)["rules"]
    folder = sys.argv[2]
    for rule in rules:
        name = f"{rule['id']:04}-{re.sub('[^a-z0-9]+', '-', rule['name'].lower()).strip('-')}"
        pack = "shared" if rule["shared"] else "direct"
        table = name
        write(f"{folder}/{pack}/{name}.rhai", source(rule, table))
        write(f"{folder}/{pack}/{name}.cases.toml", cases(rule))
        if rule["then"]["kind"] == "lookup":
            rows = "".join(f"{key},{team}\n" for key, team in rule["then"]["map"].items())
            write(f"{folder}/tables/{table}.csv", "value,team\n" + rows)


main()
