#!/usr/bin/python3
"""Documents name what exists: links and anchors, files, options, YAML keys.

exporter/CONFIGURATION.md has each option of the table and no other, and each
key of a sink. exporter/ARCHITECTURE.md names files below exporter/,
CONTRIBUTING.md from the root.
"""

import os
import re

import tree
import yaml

TOP = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
ARCHITECTURE = "exporter/ARCHITECTURE.md"
CONFIGURATION = "exporter/CONFIGURATION.md"
OPTIONS = "exporter/config/option_table.cc"
SINKS = "exporter/config/sink_entries.cc"
FOLDERS = {ARCHITECTURE: "exporter", "CONTRIBUTING.md": ""}
# The two that CLI11 adds.
BUILT_IN = {"help", "version"}


def prose(text):
    """A document without its code blocks."""
    return re.sub(r"^ {4,}.*$", "", text, flags=re.M)


def anchors(text):
    """What GitHub makes of the headings."""
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
            for title in re.findall(r"^#+ (.*)$", text, re.M)}


def link_problems(root, path):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(tree.read(root, path))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = os.path.normpath(
            os.path.join(os.path.dirname(path), name)) if name else path
        if not os.path.exists(os.path.join(root, file)):
            yield f"{path}: the link {target} leads to no file"
        elif anchor and anchor not in anchors(tree.read(root, file)):
            yield f"{path}: the link {target} leads to no heading"


def path_problems(root, path, folder):
    """Files and folders in backquotes."""
    named = re.findall(r"`([\w.-]+/[\w./-]*|[\w-]+\.(?:h|cc|txt|yaml))`",
                       tree.read(root, path))
    for name in sorted(set(named)):
        if not os.path.exists(os.path.join(root, folder, name)):
            yield f"{path}: there is no {os.path.join(folder, name)}"


def option_names(root):
    """The options of the table, with that of kConfigFileOption."""
    return set(re.findall(r'^    \{"([\w.-]+)", k', tree.read(root, OPTIONS),
                          re.M)) | {"config.file"}


def option_problems(root):
    text = tree.read(root, CONFIGURATION)
    named = set(re.findall(r"(?<![\w-])--([a-z][\w.-]*\w)", prose(text)))
    options = option_names(root)
    for name in sorted(options - named):
        yield f"{CONFIGURATION}: --{name} is not described"
    for name in sorted(named - options - BUILT_IN):
        yield f"{CONFIGURATION}: there is no option --{name}"
    keys = re.findall(r'^    \{"([\w-]+)", .*Take', tree.read(root, SINKS),
                      re.M)
    if not keys:
        yield f"{SINKS}: there is no table of keys"
    for key in keys:
        if f"`{key}`" not in text:
            yield f"{CONFIGURATION}: the key {key} of a sink is not described"


def flat(values, prefix=""):
    for key, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def yaml_problems(root):
    options = option_names(root) | {"sinks"}
    text = tree.read(root, CONFIGURATION)
    for name, body in re.findall(r"^    # (\w+\.yaml)\n((?:    .+\n)+)", text,
                                 re.M):
        try:
            values = yaml.safe_load(re.sub("^    ", "", body, flags=re.M))
        except yaml.YAMLError as error:
            yield f"{CONFIGURATION}: {name}: {error}"
            continue
        for key in flat(values) if name == "config.yaml" else ():
            if key not in options:
                yield f"{CONFIGURATION}: {name}: there is no option {key}"


def problems(root):
    for path in (*TOP, *tree.files(root, ".md")):
        yield from link_problems(root, path)
    for path, folder in FOLDERS.items():
        yield from path_problems(root, path, folder)
    yield from option_problems(root)
    yield from yaml_problems(root)


if __name__ == "__main__":
    tree.main(problems)
