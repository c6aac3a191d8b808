"""The bill of materials of the image, SPDX 2.3 as JSON."""

import hashlib
import json
import os
import re

SOURCE = "https://github.com/kube-event-metrics/kube-event-metrics"
_GCC = "GPL-3.0-or-later WITH GCC-exception-3.1"
_LINUX = "GPL-2.0-only WITH Linux-syscall-note"
# By source package of Debian. An unknown one fails the build: read its
# copyright file and add it here.
LICENSES = {
    "abseil": "Apache-2.0",
    "ca-certificates": "MPL-2.0 AND GPL-2.0-or-later",
    "cli11": "BSD-3-Clause",
    "cross-toolchain-base": f"LGPL-2.1-or-later AND {_LINUX}",
    "fmtlib": "MIT",
    "gcc-14": _GCC,
    "gcc-14-cross": _GCC,
    "glibc": "LGPL-2.1-or-later",
    "libxcrypt": "LGPL-2.1-or-later",
    "libzstd": "BSD-3-Clause OR GPL-2.0-only",
    "linux": _LINUX,
    "nlohmann-json3": "MIT",
    "openssl": "Apache-2.0",
    "prometheus-cpp": "MIT",
    "protozero": "BSD-2-Clause AND Apache-2.0",
    "re2": "BSD-3-Clause",
    "simdjson": "Apache-2.0",
    "spdlog": "MIT",
    "sqlite3": "blessing",
    "xxhash": "BSD-2-Clause",
    "yaml-cpp": "MIT",
    "zlib": "Zlib",
}


def _identifier(kind, text):
    return f"SPDXRef-{kind}-" + re.sub(r"[^A-Za-z0-9.-]", "-", text)


def _digest(folder, path, algorithm):
    with open(os.path.join(folder, path), "rb") as file:
        return hashlib.new(algorithm, file.read()).hexdigest()


def _files(folder):
    """The SPDX entries of all regular files in the image, in order."""
    found = []
    for top, _, names in os.walk(folder):
        for name in names:
            if os.path.islink(os.path.join(top, name)):
                continue
            path = os.path.relpath(os.path.join(top, name), folder)
            found.append({
                "SPDXID": _identifier("File", path),
                "fileName": f"./{path}",
                "checksums": [{"algorithm": algorithm.upper(),
                               "checksumValue": _digest(folder, path,
                                                        algorithm)}
                              for algorithm in ("sha1", "sha256")],
                "licenseConcluded": "NOASSERTION",
                "copyrightText": "NOASSERTION",
            })
    return sorted(found, key=lambda one: one["fileName"])


def _package(identifier, name, version, license_id, **more):
    return {"SPDXID": identifier, "name": name, "versionInfo": version,
            "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "licenseConcluded": "NOASSERTION", "licenseDeclared": license_id,
            "copyrightText": "NOASSERTION", **more}


def _debian(package):
    purl = (f"pkg:deb/debian/{package.name.replace('+', '%2B')}@"
            f"{package.version.replace('+', '%2B').replace(':', '%3A')}"
            f"?arch={package.architecture}&distro=debian-13")
    return _package(
        _identifier("Package", f"{package.name}-{package.architecture}"),
        package.name, package.version, LICENSES[package.source],
        supplier="Organization: Debian",
        sourceInfo=f"built from Debian's source package {package.source} "
                   f"{package.source_version}",
        externalRefs=[{"referenceCategory": "PACKAGE-MANAGER",
                       "referenceType": "purl", "referenceLocator": purl}])


def _analyze(package, files):
    """Records which files of the image belong to the package."""
    sums = sorted(one["checksums"][0]["checksumValue"] for one in files)
    package["filesAnalyzed"] = True
    package["licenseInfoFromFiles"] = ["NOASSERTION"]
    package["packageVerificationCode"] = {"packageVerificationCodeValue":
        hashlib.sha1("".join(sums).encode()).hexdigest()}


def document(options, folder, owners, compiled):
    """The text of the document.

    `owners` maps a path in the image to its Debian package. `compiled` are the
    packages of headers and static libraries in the program.
    """
    files = _files(folder)
    program = _package("SPDXRef-Package-kube-event-metrics",
                       "kube-event-metrics", options.version, "Apache-2.0",
                       primaryPackagePurpose="APPLICATION")
    program["downloadLocation"] = f"git+{SOURCE}@v{options.version}"
    program["supplier"] = "Organization: kube-event-metrics"
    held = {program["SPDXID"]: []}
    packages = {program["SPDXID"]: program}
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", program["SPDXID"])]
    for package in sorted(set(owners.values()) | compiled):
        entry = _debian(package)
        packages[entry["SPDXID"]] = entry
        held[entry["SPDXID"]] = []
        if package in owners.values():
            link = ("DEPENDS_ON" if package.architecture == "all"
                    else "DYNAMIC_LINK")
            relations.append((program["SPDXID"], link, entry["SPDXID"]))
        if package in compiled:
            relations.append((program["SPDXID"], "STATIC_LINK",
                              entry["SPDXID"]))
    for file in files:
        owner = owners.get(file["fileName"][1:])
        owner = _debian(owner)["SPDXID"] if owner else program["SPDXID"]
        held[owner].append(file)
        relations.append((owner, "CONTAINS", file["SPDXID"]))
    for identifier, contained in held.items():
        if contained:
            _analyze(packages[identifier], contained)
    whole = hashlib.sha256(json.dumps(files).encode()).hexdigest()
    return json.dumps({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"kube-event-metrics-{options.version}-linux-{options.arch}",
        "documentNamespace": f"{SOURCE}/sbom/{options.version}/"
                             f"{options.arch}/{whole}",
        "creationInfo": {
            "created": options.created,
            "creators": ["Organization: kube-event-metrics",
                         f"Tool: sbom.py-{options.version}"]},
        "documentDescribes": [program["SPDXID"]],
        "packages": list(packages.values()),
        "files": files,
        "relationships": [{"spdxElementId": one, "relationshipType": kind,
                           "relatedSpdxElement": other}
                          for one, kind, other in relations],
    }, indent=1) + "\n"
