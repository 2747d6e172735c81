"""Runs a command for which the kernel refuses file locks, as some file systems do.

python -m tests.without_locks flock|fcntl ERRNO COMMAND [ARGUMENT...]
"""

import ctypes
import errno
import os
import platform
import struct
import sys

# numbers of the kernel's calls: flock, fcntl
CALLS = {"x86_64": (73, 72), "aarch64": (32, 25)}
SETTING = (6, 7, 37, 38)  # F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, MODE_FILTER = 22, 38, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
CALL, COMMAND = 0, 24  # offsets in what the filter sees: the call, its second argument


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def refuse_locks(call: str, error: int) -> None:
    """Let the calls fail with `error` from now on, in this process and in all that it starts."""
    flock, fcntl = CALLS[platform.machine()]
    if call == "flock":
        steps = [(LOAD, 0, 0, CALL), (EQUAL, 0, 1, flock), (RETURN, 0, 0, REFUSE | error)]
    else:
        steps = [(LOAD, 0, 0, CALL), (EQUAL, 0, len(SETTING) + 2, fcntl), (LOAD, 0, 0, COMMAND)]
        last = len(SETTING) - 1
        steps += [(EQUAL, last - n, int(n == last), kind) for n, kind in enumerate(SETTING)]
        steps += [(RETURN, 0, 0, REFUSE | error)]
    steps.append((RETURN, 0, 0, ALLOW))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = _Program(len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(program), 0, 0),
    ):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    call, name, *command = sys.argv[1:]
    refuse_locks(call, getattr(errno, name))
    os.execvp(command[0], command)
