#!/usr/bin/python3
"""Dependencies point one way, and third-party headers stay in their sources.

exporter/<layer> includes its own headers and those of the layers below it. The
exporter's headers include no third-party header, so that the cost and the
macros of a library stay in the sources that use it.
"""

import os
import re

import tree

# From the bottom up; files beside the folders may use all of them.
LAYERS = ("base", "net", "apiserver", "reflector", "events", "occurrences",
          "series", "state", "history", "sinks", "replicas", "pipeline",
          "config", "web", "metrics", "page", "endpoints", "offline")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)
GENERATED = ("version.h",)
# Headers may include the standard library, whose names have neither dot nor
# slash, and these.
SYSTEM = re.compile(r"(sys|netinet|arpa|net|linux)/|(unistd|signal|fcntl)\.h$")
CONFINED = [
    (re.compile(r"httplib\.h$"),
     re.compile(r"(?!)")),  # only tests use it
    (re.compile(r"(spdlog|fmt)/"), re.compile(r"exporter/base/log\.cc$")),
    (re.compile(r"prometheus/"), re.compile(r"exporter/metrics/(open|own)_metrics\.cc$")),
    (re.compile(r"CLI/"), re.compile(r"exporter/config/flags\.cc$")),
    (re.compile(r"protozero/"), re.compile(r"exporter/sinks/otlp_protobuf\.cc$")),
    (re.compile(r"re2/"), re.compile(r"exporter/events/event_filter\.cc$")),
    (re.compile(r"yaml-cpp/"), re.compile(
        r"exporter/(apiserver/\w+|config/(config_file|strict_yaml)"
        r"|events/make_reason_catalogue|web/web_config)"
        r"\.cc$")),
]


def rank(path):
    """The position of a layer; files in no layer are above all."""
    folder = path.split("/")[0] if "/" in path else ""
    return LAYERS.index(folder) if folder in LAYERS else len(LAYERS)


def own_include(root, path, included):
    if included in GENERATED:
        return
    if not os.path.exists(os.path.join(root, "exporter", included)):
        yield f'{path}: "{included}" is not a path below exporter/'
    elif rank(included) > rank(path[len("exporter/"):]):
        yield f'{path}: must not include "{included}", a higher layer'


def foreign_include(path, included):
    foreign = "." in included or "/" in included
    if path.endswith(".h") and foreign and not SYSTEM.match(included):
        yield f"{path}: a header must not include <{included}>"
    for header, place in CONFINED:
        if header.match(included) and not place.match(path):
            yield f"{path}: <{included}> belongs elsewhere"


def problems(root):
    for path in tree.files(root, ".h", ".cc", under=("exporter",)):
        for quote, included in INCLUDE.findall(tree.read(root, path)):
            if quote == '"':
                yield from own_include(root, path, included)
            else:
                yield from foreign_include(path, included)
    for i, layer in enumerate(LAYERS):
        path = f"exporter/{layer}/CMakeLists.txt"
        text = re.sub(r"#[^\n]*", "", tree.read(root, path))
        for linked in re.findall(r"\bkem_(\w+)", text):
            if linked in LAYERS[i + 1:]:
                yield f"{path}: must not link kem_{linked}, a higher layer"


if __name__ == "__main__":
    tree.main(problems)
