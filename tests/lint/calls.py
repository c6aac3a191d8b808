#!/usr/bin/python3
"""Calls that are allowed in one place only, or nowhere."""

import re

import tree

BANNED = [
    (r"getenv|secure_getenv", r"exporter/base/environment\.cc$",
     "the environment is read in base/environment.cc and passed in"),
    (r"setenv|putenv|unsetenv", r"$^", "the environment must not change"),
    (r"strerror|localtime|gmtime|asctime|ctime|strtok|rand|srand", r"$^",
     "not thread-safe"),
    (r"strtod|atof|stod|stof|setlocale", r"tests/",
     "depends on the locale or sets it"),
    (r"sleep_for|sleep_until|usleep|nanosleep", r"(?!tests/unit/)",
     "unit tests move a FakeClock"),
    (r"system|popen", r"$^", "nothing here runs a shell"),
]
RULES = [(re.compile(r"(?<![\w.>:])(?:std::|::|std::this_thread::)?"
                     rf"(?:{names})\s*\("), re.compile(place), why)
         for names, place, why in BANNED]


def problems(root):
    for path in tree.files(root, ".h", ".cc"):
        for number, line in enumerate(
                tree.code(tree.read(root, path)).splitlines(), 1):
            for call, place, why in RULES:
                if call.search(line) and not place.match(path):
                    yield f"{path}:{number}: {line.strip()}: {why}"


if __name__ == "__main__":
    tree.main(problems)
