"""Tables that the panels must show, and what the catalogue says of reasons."""

import re

import yaml

from rig import day

# Besides what node-problem-detector finds.
SUFFERING = ("NodeHasDiskPressure", "NodeHasInsufficientMemory",
             "NodeHasInsufficientPID", "EvictionThresholdMet", "SystemOOM",
             "FreeDiskSpaceFailed", "ImageGCFailed", "ContainerGCFailed")


def _catalogue():
    """The rows of the catalogue, with their source."""
    return [{**group, **row, "source": source["source"]} for source in
            yaml.safe_load(day.CATALOGUE.read_text(encoding="utf-8"))
            for group in source["groups"] for row in group["rows"]]


def _severities():
    """{(reason, type): 1 critical, 2 warning or 3 info}"""
    found = {}
    for row in _catalogue():
        number = ("", "critical", "warning", "info").index(row["severity"])
        for reason in row["reasons"]:
            for event_type in row["types"]:
                key = reason, event_type
                found[key] = min(number, found.get(key, number))
    return found


SEVERITIES = _severities()
CRITICAL = {reason for (reason, _), number in SEVERITIES.items()
            if number == 1}
SUFFERED = {*SUFFERING, *(
    reason for row in _catalogue() for reason in row["reasons"]
    if row["source"] == "node-problem-detector"
    and row["severity"] != "info")} - {"OOMKilling"}


def driver(component):
    """The component without the Pod name that a CSI provisioner appends."""
    return re.sub(r"^([a-z0-9-]+([.][a-z0-9-]+)+)_.+", r"\1", component)


class Rows:
    """A table: {values of `labels`: number}, the largest `limit` of them; with
    `each`, of each value of that label."""

    def __init__(self, labels, numbers, limit, each=None):
        self.labels = labels
        self.numbers = numbers
        self.limit = limit
        self.each = each

    def match(self, shown):
        """(shown, wanted) numbers of the shown rows."""
        found = {tuple(dict(pairs).get(name, "") for name in self.labels):
                 value for pairs, value in shown.items()}
        if len(found) != len(shown):
            raise AssertionError("Several rows have the same labels")
        if not self.each:
            return self._match(found)
        at = self.labels.index(self.each)
        pairs = [Rows(self.labels, {
            row: number for row, number in self.numbers.items()
            if row[at] == group}, self.limit)._match({
                row: value for row, value in found.items() if row[at] == group})
            for group in {row[at] for row in (*found, *self.numbers)}]
        return tuple(sum(lists, []) for lists in zip(*pairs))

    def _match(self, found):
        count = min(self.limit, len(self.numbers))
        if len(found) != count:
            raise AssertionError(f"{len(found)} rows, not {count}: "
                                 f"{set(self.numbers) - set(found)}")
        unknown = set(found) - set(self.numbers)
        if unknown:
            raise AssertionError(f"Rows that never happened: {unknown}")
        # The largest rows are shown; ties are shown in any order.
        wanted = sorted(self.numbers.values(), reverse=True)[:count]
        return (sorted(found.values(), reverse=True) + list(found.values()),
                wanted + [self.numbers[row] for row in found])
