"""What is planned: the expression of the alerts' recording rule, with the
selectors of the dashboards, which therefore work without the rules.

Its value is the time from the newest sign of a plan to the newest disruption.
A series exists only if that disruption is planned.
"""

import functools
import pathlib
import re
import sys

from . import names
from . import queries as q

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "alerts"))
import alert_rules  # noqa: E402

SELECTED = '{scope="cluster",'
BY = "cluster, object_name, reason"
# How long a disruption is shown as new.
FRESH = 1800


@functools.cache
def _rule():
    return " ".join(alert_rules.record(ROOT, alert_rules.PLANNED).split())


def like(reason):
    """The reasons that the rule treats like this one."""
    found = [names.named(*several.split("|")) for several in
             re.findall(r'reason=~"([^"]*)"', _rule())
             if reason in several.split("|")]
    return found[0]


def lead(reason, **labels):
    """The rule's expression for one reason of a disruption."""
    def one(found):
        return (f'reason="{reason}"' if reason in found[1].split("|")
                else found[0])

    expression = re.sub(r'reason=~"([^"]*)"', one, _rule())
    more = "".join(f"{each}," for each in (q.SELECT, q.matchers(**labels))
                   if each)
    return expression.replace(SELECTED, f"{{{more}{SELECTED[1:]}")


def _newest(reason, reporter="", **labels):
    if reporter:
        labels["reporting_component"] = reporter
    gauge = q.last_seen(kind=names.NODE, reason=reason, **labels)
    return f"max by ({BY}) ({gauge})"


def _planned(reason, reporter, **labels):
    """The newest disruption while the rule calls it planned. A later sign of
    another plan ends that."""
    newest = _newest(reason, **labels)
    if reporter:  # The rule compares the newest of all reporters.
        newest = (f"{_newest(reason, reporter, **labels)} == on ({BY}) "
                  f"{newest}")
    return f"({newest}) and on ({BY}) ({lead(reason, **labels)})"


def _distinct(timestamps):
    """How many disruptions of each node are within the range."""
    return (f"(changes((({timestamps}) >= $__from / 1000)"
            "[$__range:$__interval]) + 1)")


def unplanned(reason, reporter="", **labels):
    """The unplanned disruptions of each node within the range."""
    newest = _distinct(_newest(reason, reporter, **labels))
    return (f"({newest} - on ({BY}) ("
            f"{_distinct(_planned(reason, reporter, **labels))} "
            f"or on ({BY}) {newest} * 0)) > 0")


def count_unplanned(reason, reporter="", **labels):
    return f"sum({unplanned(reason, reporter, **labels)}) or vector(0)"


def new_unplanned(reason, reporter="", **labels):
    """Over time: the timestamp of each new disruption that is not planned. A
    sign may come a minute late."""
    newest = _newest(reason, reporter, **labels)
    planned = _planned(reason, reporter, **labels)
    return (f"({newest} <= time() - 60 >= time() - {FRESH}) "
            f"unless on ({BY}) "
            f"({newest} == on ({BY}) "
            f"max_over_time(({planned})[{FRESH}s:$__interval]))")


def only_planned(query, reason, **labels):
    return (f"({query}) and on (cluster, object_name) (\n"
            f"{lead(reason, **labels)}\n)")


def only_unplanned(query, reason, **labels):
    return (f"({query}) unless on (cluster, object_name) (\n"
            f"{lead(reason, **labels)}\n)")
