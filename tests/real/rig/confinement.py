"""Runs a systemd unit's command as systemd would, without systemd.

It applies the environment, user, system calls and MemoryDenyWriteExecute of the
unit, and not its mounts. Needs libseccomp, which systemd uses too.
"""

import ctypes
import mmap
import os
import shlex
import subprocess

_ALLOW, _REFUSE = 0x7fff0000, 0x00050001  # the latter with EPERM
_MASKED_EQUAL = 7
_USER = 61234  # in the range of DynamicUser


class _Compare(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operator", ctypes.c_int),
                ("mask", ctypes.c_uint64), ("value", ctypes.c_uint64)]


def _members(name):
    """The system calls of a set like @system-service."""
    listed = subprocess.run(["systemd-analyze", "syscall-filter", name],
                          capture_output=True, text=True, check=True).stdout
    for word in listed.split("\n")[1:]:
        word = word.strip()
        if word.startswith("@"):
            yield from _members(word)
        elif word and not word.startswith("#"):
            yield word


class Unit:
    """A unit file's [Service], run with `folder`/... in place of paths."""

    def __init__(self, text, replace):
        self._lines = [line.partition("=")[::2] for line in text.splitlines()
                       if "=" in line and not line.startswith("#")]
        self._replace = replace

    def all(self, name):
        return [value for key, value in self._lines if key == name]

    def _words(self, text, variables):
        for old, new in self._replace.items():
            text = text.replace(old, new)
        for word in shlex.split(text):
            # A variable that is a whole argument is split into words.
            if word.startswith("$"):
                yield from shlex.split(variables[word[1:]])
            else:
                yield word

    def environment(self):
        """Variables of Environment=, then of EnvironmentFile=."""
        pairs = [word for line in self.all("Environment")
                 for word in self._words(line, {})]
        for path in self.all("EnvironmentFile"):
            (path,) = self._words(path.removeprefix("-"), {})
            with open(path, encoding="utf-8") as file:
                pairs += shlex.split(file.read(), comments=True)
        return dict(pair.split("=", 1) for pair in pairs)

    def command(self, name, **variables):
        (line,) = self.all(name)
        return list(self._words(line, {**self.environment(), **variables}))

    def system_calls(self):
        """The system calls that SystemCallFilter= allows."""
        calls = set(_members("@default"))
        for line in self.all("SystemCallFilter"):
            listed = {call for name in line.removeprefix("~").split()
                      for call in _members(name)}
            calls = calls - listed if line.startswith("~") else calls | listed
        return calls

    def confine(self):
        """Confines a child process before it executes the command."""
        assert self.all("MemoryDenyWriteExecute") == ["yes"]
        library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        library.seccomp_init.restype = ctypes.c_void_p
        allowed = ctypes.c_void_p(library.seccomp_init(_REFUSE))
        for name in self.system_calls():
            number = library.seccomp_syscall_resolve_name(name.encode())
            if number >= 0:
                library.seccomp_rule_add(allowed, _ALLOW, number, 0)
        memory = ctypes.c_void_p(library.seccomp_init(_ALLOW))
        both = mmap.PROT_WRITE | mmap.PROT_EXEC
        for name, bits in ((b"mmap", both), (b"mprotect", mmap.PROT_EXEC),
                           (b"pkey_mprotect", mmap.PROT_EXEC)):
            rule = _Compare(2, _MASKED_EQUAL, bits, bits)
            library.seccomp_rule_add_array(
                memory, _REFUSE, library.seccomp_syscall_resolve_name(name), 1,
                ctypes.byref(rule))

        def apply():
            os.umask(int(self.all("UMask")[0], 8))
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(_USER)
                os.setuid(_USER)
            for each in (memory, allowed):
                if library.seccomp_load(each):
                    os._exit(99)
        return apply


def give(path):
    """Gives the path to the unit's user."""
    if os.geteuid() == 0:
        os.chown(path, _USER, _USER)
