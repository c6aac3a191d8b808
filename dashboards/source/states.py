"""The states of objects over time, for state timelines.

Each function returns PromQL for one lane per object. A state is a number; of
several at one time, the first of the list is shown.
"""

from . import look, messages, names, planned
from . import queries as q

BY = "cluster, object_name"
LEGEND = "{{object_name}}{{of_cluster}}{{mark}}"
MOST = 20  # lanes that fit into a panel
AT_ONCE = 300  # seconds that something without duration is shown
PULSE = 900

NODE_STATES = {
    "0": ("no problem", look.GOOD), "1": ("cordoned or draining", look.NEUTRAL),
    "2": ("under pressure", look.UNUSUAL), "3": ("rebooted", "purple"),
    "4": ("not ready, planned", "super-light-blue"),
    "5": ("not ready", look.BAD)}
LIVES = {
    "0": ("in use", look.GOOD), "1": ("joining", look.NEUTRAL),
    "2": ("draining", "purple"), "3": ("interrupted", look.UNUSUAL)}
PULSES = {"1": ("Normal", look.NEUTRAL), "2": ("Warning", look.UNUSUAL), "3": ("critical", look.BAD)}
PHASES = {"10": ("Bound", look.GOOD), "11": ("Available", "light-blue"),
          "12": ("Pending", "yellow"), "13": ("Released", "purple"),
          "14": ("Failed", "dark-red")}


def _named(query):
    return messages.marked(q.named(query))


def _is(query, state):
    return f"({query}) * 0 + {state}"


def _seen(chosen, reasons):
    return q.last_seen(**chosen, reason=reasons)


def _during(chosen, began, ended):
    """1 from `began` until `ended`."""
    since = q.since(_seen(chosen, began), _seen(chosen, ended))
    return f"({since}) == 1"


def _just(chosen, reasons, seconds=AT_ONCE, by=BY):
    return (f"max by ({by}) ({_seen(chosen, reasons)}) "
            f">= time() - {seconds}")


def _newest_lanes(query, gauge, by=BY, most=MOST):
    """Only the objects whose `gauge` is newest at the end of the range."""
    return (f"({query}) and on ({by}) "
            f"topk({most}, max by ({by}) ({gauge} @ end()))")


def _not_ready(chosen):
    return _during(chosen, names.NOT_READY, names.READY_AGAIN)


def _chosen_names(chosen):
    return {name: value for name, value in chosen.items() if name != "kind"}


def _pressure(chosen):
    return " or ".join(
        f"({_during(chosen, began, (over, names.LEFT))})" for began, over in
        zip(names.PRESSURE, names.PRESSURE_OVER))


def _leaving(chosen):
    return _during(chosen, planned.like("NodeNotSchedulable"),
                   (*planned.like("NodeSchedulable"), names.LEFT,
                    names.JOINED))


def _while_there(query, chosen):
    return (f"({query}) unless on ({BY}) "
            f"({_during(chosen, names.LEFT, names.JOINED)})")


def nodes(chosen):
    """The nodes with the newest problems, one lane each."""
    lost, of_node = _not_ready(chosen), _chosen_names(chosen)
    state = " or ".join((
        _is(planned.only_unplanned(lost, "NodeNotReady", **of_node), 5),
        _is(lost, 4),
        _is(_just(chosen, names.REBOOTED), 3),
        _is(_pressure(chosen), 2),
        _is(_leaving(chosen), 1),
        _is(f"max by ({BY}) ({q.last_seen(**chosen)})", 0)))
    return _named(_newest_lanes(_while_there(state, chosen), _seen(
        chosen, (*names.NOT_READY, *names.REBOOTED, *names.SUFFERING))))


def node_lanes(chosen):
    """{legend: PromQL}: the worst state of the selected nodes in each lane."""
    lost, of_node = _not_ready(chosen), _chosen_names(chosen)
    unplanned = planned.only_unplanned(lost, "NodeNotReady", **of_node)
    lanes = {"Readiness": ((unplanned, 5), (lost, 4)),
             "Pressure": ((_pressure(chosen), 2),),
             "Cordon or drain": ((_leaving(chosen), 1),),
             "Reboot": ((_just(chosen, names.REBOOTED), 3),)}
    return {lane: " or ".join([*(f"max({_is(*each)})" for each in states),
                               "vector(0)"])
            for lane, states in lanes.items()}


def lives(chosen):
    """The nodes that joined or left last, one lane each."""
    state = " or ".join((
        _is(_during(chosen, names.INTERRUPTION,
                    ("NodeReady", names.LEFT, names.JOINED)), 3),
        _is(_leaving(chosen), 2),
        _is(_during(chosen, names.JOINED, ("NodeReady", names.LEFT)), 1),
        _is(f"max by ({BY}) ({q.last_seen(**chosen)})", 0)))
    return _named(_newest_lanes(
        _while_there(state, chosen),
        _seen(chosen, (names.JOINED, names.LEFT))))


def pulses(chosen, most=MOST):
    """The objects with the newest Warnings: 15 minutes for each Event."""
    by = "cluster, kind, object_name"

    def just(**labels):
        return (f"max by ({by}) ({q.last_seen(**{**chosen, **labels})}) "
                f">= time() - {PULSE}")

    state = " or ".join((
        _is(just(reason=names.CRITICAL), 3), _is(just(type="Warning"), 2),
        _is(just(), 1)))
    return _named(_newest_lanes(
        state, q.last_seen(**{**chosen, "type": "Warning"}), by, most))


def phases(volume, most):
    """The phases of PersistentVolumes with Warnings (kube-state-metrics)."""
    found = " or ".join(
        f'max by (cluster, persistentvolume) ('
        f'kube_persistentvolume_status_phase{{cluster=~"$cluster",'
        f'persistentvolume=~"{volume}",phase="{phase}"}} == 1) * 0 + {state}'
        for state, (phase, _) in PHASES.items())
    warned = q.last_seen(kind=names.VOLUME, object_name=volume, type="Warning")
    lanes = f'label_join({found}, "object_name", "", "persistentvolume")'
    lanes = f'label_replace({lanes}, "kind", "{names.VOLUME}", "", "")'
    return _named(_newest_lanes(lanes, warned, most=most))
