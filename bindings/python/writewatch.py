"""Find out which pages of memory were written.

Copyright 2026 the writewatch authors
SPDX-License-Identifier: LGPL-2.1-or-later

    import mmap, writewatch

    memory = mmap.mmap(-1, 1 << 20)
    with writewatch.watch(memory) as watched:
        memory[5000] = 1
        for start, end in watched.poll():
            print("written:", start, end)

Offsets and sizes are in bytes from the beginning of the buffer. A call of the library that fails
raises OSError with the library's own text. See writewatch(3).
"""

import collections
import ctypes
import os

__all__ = ["Range", "Restore", "Watch", "backend", "library", "mechanism", "reason", "version",
           "watch"]

# begin of what the header declares
VERSION_MAJOR = 0
VERSION_MINOR = 1
VERSION_MICRO = 0
WRITTEN = 0x0002
FILE = 0x0004
PRESENT = 0x0008
SWAPPED = 0x0010
ZERO = 0x0020
HUGE = 0x0040
RESET = 0x1
ACROSS = 0x2
TRACK_DROPS = 0x1
ASYNC = 0x0001
CAN_SYSCALLS = 0x01
CAN_BLOCK_SIGNALS = 0x02
CAN_DROP = 0x04
CAN_FILL = 0x08
CAN_LIST_ZERO = 0x10
CAN_LIST_SWAPPED = 0x20
CAN_BE_EXACT = 0x40
CAN_SEE_REPLACED = 0x80


class writewatch_restore(ctypes.Structure):
    pass


class writewatch_range(ctypes.Structure):
    _fields_ = [
        ("start", ctypes.c_uint64),
        ("end", ctypes.c_uint64),
        ("categories", ctypes.c_uint64),
    ]


class writewatch_filter(ctypes.Structure):
    _fields_ = [
        ("required", ctypes.c_uint64),
        ("any", ctypes.c_uint64),
        ("excluded", ctypes.c_uint64),
        ("returned", ctypes.c_uint64),
        ("max_pages", ctypes.c_size_t),
        ("reset", ctypes.c_int),
        ("flags", ctypes.c_uint),
        ("reserved", ctypes.c_uint64 * 4),
    ]


class writewatch_tracker(ctypes.Structure):
    pass


class writewatch_process(ctypes.Structure):
    pass


class writewatch_capabilities(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("unused", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("granularity", ctypes.c_uint64),
        ("backend", ctypes.c_char_p),
        ("form", ctypes.c_char_p),
        ("reserved", ctypes.c_uint64 * 4),
    ]


# name, result, arguments
_CALLS = [
    ("writewatch_version", ctypes.c_uint, []),
    ("writewatch_open", ctypes.c_int, [ctypes.c_char_p]),
    ("writewatch_backend", ctypes.c_char_p, []),
    ("writewatch_backend_of", ctypes.c_char_p, [ctypes.c_void_p]),
    ("writewatch_mechanism", ctypes.c_char_p, []),
    ("writewatch_reason", ctypes.c_char_p, []),
    ("writewatch_watch", ctypes.c_int, [ctypes.c_void_p, ctypes.c_size_t]),
    ("writewatch_unwatch", ctypes.c_int, [ctypes.c_void_p, ctypes.c_size_t]),
    ("writewatch_granularity", ctypes.c_size_t, [ctypes.c_void_p]),
    ("writewatch_check", ctypes.c_int, [ctypes.c_void_p, ctypes.c_size_t]),
    ("writewatch_fill", ctypes.c_int, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]),
    ("writewatch_prepare", ctypes.c_int, [ctypes.c_void_p, ctypes.c_size_t]),
    ("writewatch_drop", ctypes.c_int, [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]),
    ("writewatch_restore_start", ctypes.c_int, [
        ctypes.POINTER(ctypes.POINTER(writewatch_restore)), ctypes.c_void_p, ctypes.c_size_t,
        ctypes.c_int, ctypes.c_int64]),
    ("writewatch_restore_stop", None, [ctypes.POINTER(writewatch_restore)]),
    ("writewatch_list", ctypes.c_ssize_t, [ctypes.c_void_p, ctypes.c_size_t,
        ctypes.POINTER(writewatch_filter), ctypes.POINTER(writewatch_range), ctypes.c_size_t,
        ctypes.POINTER(ctypes.c_void_p)]),
    ("writewatch_tracker_open", ctypes.c_int, [
        ctypes.POINTER(ctypes.POINTER(writewatch_tracker)), ctypes.c_void_p, ctypes.c_size_t,
        ctypes.c_uint]),
    ("writewatch_tracker_close", None, [ctypes.POINTER(writewatch_tracker)]),
    ("writewatch_tracker_list", ctypes.c_ssize_t, [ctypes.POINTER(writewatch_tracker),
        ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p, ctypes.POINTER(writewatch_filter),
        ctypes.POINTER(writewatch_range), ctypes.c_size_t]),
    ("writewatch_tracker_save", ctypes.c_ssize_t, [ctypes.POINTER(writewatch_tracker),
        ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]),
    ("writewatch_tracker_save_to", ctypes.c_ssize_t, [ctypes.POINTER(writewatch_tracker),
        ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int64]),
    ("writewatch_tracker_restore", ctypes.c_ssize_t, [ctypes.POINTER(writewatch_tracker),
        ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]),
    ("writewatch_poll", ctypes.c_ssize_t, [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint,
        ctypes.POINTER(writewatch_range), ctypes.c_size_t, ctypes.POINTER(ctypes.c_void_p)]),
    ("writewatch_process_open", ctypes.c_int, [
        ctypes.POINTER(ctypes.POINTER(writewatch_process)), ctypes.c_int]),
    ("writewatch_process_close", None, [ctypes.POINTER(writewatch_process)]),
    ("writewatch_process_reason", ctypes.c_char_p, []),
    ("writewatch_process_regions", ctypes.c_ssize_t, [ctypes.POINTER(writewatch_process),
        ctypes.POINTER(writewatch_range), ctypes.c_size_t, ctypes.POINTER(ctypes.c_uint64)]),
    ("writewatch_process_list", ctypes.c_ssize_t, [ctypes.POINTER(writewatch_process),
        ctypes.c_uint64, ctypes.c_uint64, ctypes.POINTER(writewatch_filter),
        ctypes.POINTER(writewatch_range), ctypes.c_size_t, ctypes.POINTER(ctypes.c_uint64)]),
    ("writewatch_capabilities", ctypes.c_int, [ctypes.c_void_p,
        ctypes.POINTER(writewatch_capabilities)]),
]
# end of what the header declares

__all__ += [name for name in list(globals()) if name.isupper() and not name.startswith("_")]


def _load():
    loaded = ctypes.CDLL(os.environ.get("WRITEWATCH_LIBRARY") or "libwritewatch.so.0")
    for name, result, arguments in _CALLS:
        call = getattr(loaded, name, None)
        if call is None:
            continue   # the library is older: only who calls it need know
        call.restype = result
        call.argtypes = arguments
    return loaded


library = _load()

Range = collections.namedtuple("Range", "start end categories")
Range.__doc__ = "Pages with the same categories, from start up to end"


def _checked(result):
    """the result of a call; a negative one is an error"""
    if result < 0:
        raise OSError(-result, reason())
    return result


def _text(value):
    return None if value is None else value.decode("utf-8", "replace")


def version():
    """The version of the library, as (major, minor, micro)"""
    number = library.writewatch_version()
    return number // 1000000, number // 1000 % 1000, number % 1000


def reason():
    """Why this thread's last call failed, or why a better backend is not used"""
    return _text(library.writewatch_reason())


def open(backend=None):
    """Selects the backend: scan, sigbus, mprotect, thread, softdirty, or the best one"""
    _checked(library.writewatch_open(None if backend is None else os.fsencode(backend)))


def backend():
    """The name of the active backend, or None"""
    return _text(library.writewatch_backend())


def mechanism():
    """What the active backend works by, or None"""
    return _text(library.writewatch_mechanism())


def watch(buffer):
    """Watches a writable buffer of whole pages, such as mmap.mmap(-1, size)"""
    return Watch(buffer)


class Restore:
    """Missing pages are read from a file on first touch, until stop() or the end of a with"""

    def __init__(self, pointer):
        self._pointer = pointer

    def stop(self):
        pointer, self._pointer = self._pointer, None
        if pointer is not None:
            library.writewatch_restore_stop(pointer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    __del__ = stop


class Watch:
    """A watched buffer, until close() or the end of a with"""

    _room = 256   # ranges that are asked for at once

    def __init__(self, buffer):
        self._memory = None
        view = memoryview(buffer)
        if view.readonly or not view.contiguous:
            raise ValueError("a writable and contiguous buffer is needed")
        # keeps the buffer from being closed or resized
        memory = (ctypes.c_char * view.nbytes).from_buffer(view.cast("B"))
        self.address = ctypes.addressof(memory)
        self.size = view.nbytes
        _checked(library.writewatch_watch(self.address, self.size))
        self._memory = memory

    def close(self):
        """Ends the watch"""
        if self._memory is None:
            return
        self._memory = None
        _checked(library.writewatch_unwatch(self.address, self.size))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if getattr(self, "_memory", None) is not None:
            self._memory = None
            library.writewatch_unwatch(self.address, self.size)

    def _part(self, offset, size):
        """the address and the size of a part"""
        if self._memory is None:
            raise ValueError("the watch has ended")
        if size is None:
            size = self.size - offset
        if offset < 0 or size < 0 or offset + size > self.size:
            raise ValueError("beyond the buffer")
        return self.address + offset, size

    @property
    def granularity(self):
        """How many bytes are reported as one"""
        address, _ = self._part(0, 1)
        return library.writewatch_granularity(address)

    @property
    def backend(self):
        """What watches this buffer"""
        address, _ = self._part(0, 1)
        return _text(library.writewatch_backend_of(address))

    def list(self, offset=0, size=None, *, required=0, any=0, excluded=0, returned=0, max_pages=0,
             reset=False):
        """The ranges of pages that have the categories: WRITTEN, PRESENT, ..."""
        start, size = self._part(offset, size)
        if not size:
            return []
        end = start + size
        ranges = (writewatch_range * self._room)()
        following = ctypes.c_void_p(start)
        found = []
        left = max_pages
        granularity = self.granularity
        while (following.value or 0) < end:
            position = following.value
            asked = writewatch_filter(required=required, any=any, excluded=excluded,
                                      returned=returned, max_pages=left, reset=reset)
            count = _checked(library.writewatch_list(position, end - position, ctypes.byref(asked),
                                                     ranges, self._room, ctypes.byref(following)))
            for entry in ranges[:count]:
                found.append(Range(entry.start - self.address, entry.end - self.address,
                                   entry.categories))
                left -= (entry.end - entry.start) // granularity
            if max_pages and left <= 0 or following.value == position:
                break
        return found

    def poll(self, offset=0, size=None, *, reset=True):
        """The ranges that were written since they were last reset, as pairs of offsets"""
        pairs = []
        for start, end, _ in self.list(offset, size, required=WRITTEN, reset=reset):
            if pairs and pairs[-1][1] == start:
                pairs[-1] = (pairs[-1][0], end)
            else:
                pairs.append((start, end))
        return pairs

    def reset(self, offset=0, size=None):
        """No page counts as written"""
        self.poll(offset, size)

    def check(self):
        """Raises OSError if the memory has been replaced since it was watched"""
        address, size = self._part(0, None)
        _checked(library.writewatch_check(address, size))

    def fill(self, offset, data):
        """Places data into pages that were never touched; they do not count as written"""
        data = bytes(data)
        address, size = self._part(offset, len(data))
        _checked(library.writewatch_fill(address, data, size))

    def prepare(self, offset=0, size=None):
        """Lets a system call write to these pages, such as file.readinto(); they count as written"""
        address, size = self._part(offset, size)
        _checked(library.writewatch_prepare(address, size))

    def restore(self, file, file_offset=0, offset=0, size=None):
        """Serves missing pages from a file or a descriptor; returns a Restore"""
        address, size = self._part(offset, size)
        descriptor = file if isinstance(file, int) else file.fileno()
        pointer = ctypes.POINTER(writewatch_restore)()
        _checked(library.writewatch_restore_start(ctypes.byref(pointer), address, size, descriptor,
                                                  file_offset))
        return Restore(pointer)
