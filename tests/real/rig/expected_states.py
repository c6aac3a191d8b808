"""The lanes that the state timelines must show for the last six hours.

{(uid, title, refId): {object: [(state, minutes)]}}; None: to the edge of the
range. The minutes follow from rig/day.py and rig/day_drains.py.
"""

from rig import day, day_drains
from rig.expected import LIFECYCLE, NODES, PLATFORM, STORAGE

OK, CORDONED, PRESSURE, REBOOTED, PLANNED, NOT_READY = range(6)
IN_USE, DRAINING, INTERRUPTED = 0, 2, 3
NORMAL, WARNING = 1, 2
BOUND, RELEASED, FAILED = 10, 13, 14

LANES = {
    (NODES, "State by node", "A"): {
        day.SILENT[0]: [(OK, None), (NOT_READY, 26)],
        day.FULL: [(OK, None), (PRESSURE, 35), (OK, None)],
        day.NO_MEMORY: [(OK, None), (PRESSURE, 10), (OK, None)],
        day.CRASHED: [(OK, None), (REBOOTED, 5), (OK, None)],
        day_drains.KARPENTER: [(CORDONED, 43), (PLANNED, 1)],
        day_drains.SCALED: [(CORDONED, 6), (PLANNED, 1)],
        day_drains.UNDONE: [(CORDONED, 3), (OK, 9), (NOT_READY, 3),
                            (REBOOTED, 5), (OK, None)],
        day_drains.FORGOTTEN: [(CORDONED, 50), (NOT_READY, 4), (REBOOTED, 5),
                               (OK, None)],
        day_drains.TWICE: [(CORDONED, 5), (PLANNED, 3), (REBOOTED, 5),
                           (OK, None), (NOT_READY, 2), (REBOOTED, 5),
                           (OK, None)],
        day_drains.NOW: [(CORDONED, 8), (PLANNED, 16)]},
    (LIFECYCLE, "Life of each node", "A"): {
        day_drains.KARPENTER: [(DRAINING, 44)],
        day_drains.HANDLER: [(DRAINING, 5)],
        day.SPOT[0]: [(INTERRUPTED, 2)],
        day.FRESH[0]: [(IN_USE, None)]},
    (STORAGE, "Events and phases by object", "A"): {
        day.VOLUMES[0]: [(WARNING, None)],
        "snapcontent-4e1b7a36": [(WARNING, None)]},
    (STORAGE, "Events and phases by object", "B"): {
        day.VOLUMES[0]: [(BOUND, None), (RELEASED, 40), (FAILED, None)]},
    (PLATFORM, "Events by object", "A"): {
        "10.96.14.7": [(WARNING, 15)],
        day.ISSUER: [(WARNING, None), (NORMAL, None)]}}

# The lanes of one selected node.
SELECTED = day_drains.KURED
OF_SELECTED = {
    "Readiness": [(OK, None), (PLANNED, 3), (OK, None)],
    "Pressure": [(OK, None)],
    "Cordon or drain": [(OK, None), (CORDONED, 9), (OK, None)],
    "Reboot": [(OK, None), (REBOOTED, 5), (OK, None)]}
