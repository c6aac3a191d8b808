#!/usr/bin/python3
"""Counts the tests of one run of ctest: reports.py JUNIT.xml REPORTS

Prints "passed failed skipped". An entry of ctest that runs many tests in one
process writes REPORTS/<entry>.xml, and its tests are counted from there; any
other entry counts as one test. An entry that fails although its report has no
failure, as after a crash, counts as one failure more, and so does a report
without a test.
"""

import os
import sys
import xml.etree.ElementTree


def number(element, *names):
    return sum(int(element.get(name, 0)) for name in names)


def cases_of(report):
    """(passed, failed, skipped) of a report, or None where it is missing."""
    try:
        root = xml.etree.ElementTree.parse(report).getroot()
    except (OSError, xml.etree.ElementTree.ParseError):
        return None
    total = number(root, "tests")
    if total == 0:
        return 0, 1, 0
    failed = number(root, "failures", "errors")
    skipped = number(root, "skipped", "disabled") or \
        len(root.findall(".//skipped"))
    return total - failed - skipped, failed, skipped


def count(junit, reports):
    passed = failed = skipped = 0
    for entry in xml.etree.ElementTree.parse(junit).getroot().iter("testcase"):
        bad = entry.find("failure") is not None or entry.get("status") == "fail"
        cases = cases_of(os.path.join(reports, entry.get("name") + ".xml"))
        if cases:
            passed += cases[0]
            failed += max(cases[1], int(bad))
            skipped += cases[2]
        elif bad:
            failed += 1
        elif entry.get("status") == "run":
            passed += 1
        else:
            skipped += 1
    return passed, failed, skipped


if __name__ == "__main__":
    print(*count(*sys.argv[1:]))
