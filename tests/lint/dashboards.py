#!/usr/bin/python3
"""The dashboards' JSON is generated from source/ and follows the rules.

linter_rules.py contains the 17 rules of Grafana's dashboard-linter and
dashboard_rules.py the project's own. dashboards_exclusions.yaml lists
exclusions with reasons. The schema is that of the SDK: a field that the SDK
drops when it reads and writes a dashboard is unknown to Grafana.
"""

import collections
import json
import os
import re
import subprocess
import sys

import yaml

import dashboard_rules
import linter_rules
import reasons
import tree

FOLDER = "dashboards/json"
EXCLUSIONS = "tests/lint/dashboards_exclusions.yaml"
METRICS = "exporter/METRICS.md"


def enable_packages(root):
    folder = os.path.join(root, "dashboards")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    from source import packages
    packages.enable()


def boards(root):
    """{path: the dashboard, or the error of reading it}"""
    found = {}
    for path in tree.files(root, ".json", under=(FOLDER,)):
        try:
            found[path] = json.loads(tree.read(root, path))
        except ValueError as error:
            found[path] = error
    return found


def known(root, uids):
    text = tree.read(root, METRICS)
    metrics, labels = set(), {}
    for name, kind, row in re.findall(
            r"^\| `(\w+)` \| (\w+) \| ([^|]*)\|", text, re.M):
        ends = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        metrics |= {name + end for end in ends}
        if name.startswith("kube_event_metrics_"):
            ends = {"le"} if kind == "histogram" else set()
            own = set(re.findall(r"`(\w+)`", row)) | ends
        else:
            own = set(re.findall(r"`(\w+)`", row))
        if own and "as `" not in row:
            labels.update({name + end: own for end in
                           (("_bucket", "_sum", "_count")
                            if kind == "histogram" else ("",))})
    catalogue = yaml.safe_load(tree.read(root, reasons.CATALOGUE))
    words = {reason for _, _, row in reasons.rows(catalogue)
             for reason in row["reasons"]}
    return dashboard_rules.Known(metrics, labels, words, set(uids))


def lost(there, back, path=""):
    """Paths of values in `there` that differ in `back`."""
    if isinstance(there, dict) and isinstance(back, dict):
        for key, value in there.items():
            if key not in back:
                yield f"{path}.{key}"
            else:
                yield from lost(value, back[key], f"{path}.{key}")
    elif isinstance(there, list) and isinstance(back, list):
        if len(there) != len(back):
            yield path
        for one, other in zip(there, back):
            yield from lost(one, other, f"{path}[]")
    elif there != back or isinstance(there, bool) != isinstance(back, bool):
        yield path


def round_trip(board):
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard
    register_default_plugins()
    try:
        back = json.loads(json.dumps(Dashboard.from_json(board),
                                     cls=JSONEncoder))
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        yield "dashboard", f"cannot be read: {error!r}"
        return
    for path in dict.fromkeys(lost(board, back)):
        yield path.lstrip("."), "is not a field of the schema"


def broken(board, exists):
    """(rule, where, text) of every violation in a dashboard."""
    for rule, check in linter_rules.RULES.items():
        for place, text in check(board):
            yield rule, place, text
    for rule, check in dashboard_rules.RULES.items():
        for place, text in check(board, exists):
            yield rule, place, text
    for place, text in round_trip(board):
        yield "schema", place, text


def twins(found):
    """Uids and titles that two dashboards share, and wrong file names."""
    for key in ("uid", "title"):
        counted = collections.Counter(b.get(key) for b in found.values())
        for path, board in found.items():
            if counted[board.get(key)] > 1:
                yield f"{path}: {key} {board.get(key)} is not unique"
    for path, board in found.items():
        if os.path.basename(path) != f"{board.get('uid')}.json":
            yield f"{path}: is not named after its uid {board.get('uid')}"


def generated(root):
    done = subprocess.run(
        [sys.executable, "-B", "dashboards/generate", "--check"], cwd=root,
        text=True, check=False, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    if done.returncode:
        yield f"dashboards/generate: {done.stdout.strip()[-3000:]}"


def problems(root):
    enable_packages(root)
    found = boards(root)
    for path, board in found.items():
        if isinstance(board, ValueError):
            yield f"{path}: {board}"
    found = {path: board for path, board in found.items()
             if not isinstance(board, ValueError)}
    exists = known(root, [board.get("uid") for board in found.values()])
    excluded = yaml.safe_load(tree.read(root, EXCLUSIONS)) or []
    used = set()
    for path, board in found.items():
        for rule, place, text in broken(board, exists):
            hits = {index for index, each in enumerate(excluded)
                    if each["rule"] == rule and place in each["where"]}
            used |= hits
            if not hits:
                yield f"{path}: {rule}: {place}: {text}"
    for index, each in enumerate(excluded):
        if index not in used:
            yield f"{EXCLUSIONS}: nothing needs {each['rule']} any more"
        if not each.get("because"):
            yield f"{EXCLUSIONS}: {each['rule']} is excluded without a reason"
    yield from twins(found)
    yield from generated(root)


if __name__ == "__main__":
    tree.main(problems)
