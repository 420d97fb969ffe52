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
import mmap
import os

__all__ = ["Range", "Restore", "Tracker", "Watch", "backend", "library", "mechanism", "poll",
           "reason", "version", "watch"]

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
    ("writewatch_remap", ctypes.c_int, [ctypes.POINTER(ctypes.c_void_p), ctypes.c_size_t,
        ctypes.c_size_t, ctypes.c_int]),
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
    ("writewatch_tracker_add_view", ctypes.c_int, [ctypes.POINTER(writewatch_tracker),
        ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]),
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
        if call is not None:   # else the library is older, and the call fails if it is made
            call.restype, call.argtypes = result, arguments
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


def _hold(buffer):
    """what keeps a buffer from being closed or resized, and has its address and size"""
    if isinstance(buffer, Watch):
        buffer._part(0, None)
        return buffer._memory
    view = memoryview(buffer)
    if view.readonly or not view.contiguous:
        raise ValueError("a writable and contiguous buffer is needed")
    return (ctypes.c_char * view.nbytes).from_buffer(view.cast("B"))


def _list_step(asked):
    """a call of _list_all() for what queries know of the pages"""
    def step(position, end, ranges, room):
        following = ctypes.c_void_p(position)
        count = _checked(library.writewatch_list(position, end - position, ctypes.byref(asked),
                                                 ranges, room, ctypes.byref(following)))
        return count, following.value
    return step


def _list_all(step, owner, start, size, asked, granularity):
    """calls step until all of a range is listed, or as many pages as are asked for"""
    ranges = (writewatch_range * owner._room)()
    position, end = start, start + size
    limited = asked.max_pages > 0
    found = []
    while position < end:
        count, following = step(position, end, ranges, owner._room)
        pages = 0
        for entry in ranges[:count]:
            found.append(Range(entry.start - owner.address, entry.end - owner.address,
                               entry.categories))
            pages += (entry.end - entry.start) // granularity
        if limited and pages >= asked.max_pages or following == position:
            break
        if limited:
            asked.max_pages -= pages
        position = following
    return found


def _pairs(ranges):
    """pairs of offsets; one for ranges that adjoin"""
    pairs = []
    for start, end, _ in ranges:
        if pairs and pairs[-1][1] == start:
            pairs[-1] = (pairs[-1][0], end)
        else:
            pairs.append((start, end))
    return pairs


def poll(buffer, *, reset=True, across=True):
    """The ranges of a buffer that were written since they were last reset, as pairs of offsets

    The buffer may have any number of watches; with across, what is not watched is passed over.
    """
    memory = _hold(buffer)
    address, position = ctypes.addressof(memory), ctypes.addressof(memory)
    end = address + ctypes.sizeof(memory)
    flags = (RESET if reset else 0) | (ACROSS if across else 0)
    ranges = (writewatch_range * Watch._room)()
    following = ctypes.c_void_p(position)
    found = []
    while position < end:
        count = _checked(library.writewatch_poll(position, end - position, flags, ranges, len(ranges),
                                                 ctypes.byref(following)))
        found += [Range(entry.start - address, entry.end - address, entry.categories)
                  for entry in ranges[:count]]
        position = following.value
    return _pairs(found)


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
        memory = _hold(buffer)
        self.address = ctypes.addressof(memory)
        self.size = ctypes.sizeof(memory)
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
        asked = writewatch_filter(required=required, any=any, excluded=excluded, returned=returned,
                                  max_pages=max_pages, reset=reset)
        return _list_all(_list_step(asked), self, start, size, asked, self.granularity)

    def poll(self, offset=0, size=None, *, reset=True):
        """The ranges that were written since they were last reset, as pairs of offsets"""
        return _pairs(self.list(offset, size, required=WRITTEN, reset=reset))

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


class Tracker:
    """What was written in a buffer since the tracker itself has reset it, until close() or the end of
    a with

    The buffer is a writable one of whole pages, or a Watch. What is watched of it is followed, now or
    later. With drops, pages whose contents are dropped count as written.
    """

    _room = 256   # ranges that are asked for at once

    def __init__(self, buffer, *, drops=False):
        self._memory = None
        memory = _hold(buffer)
        self.address = ctypes.addressof(memory)
        self.size = ctypes.sizeof(memory)
        self._pointer = ctypes.POINTER(writewatch_tracker)()
        _checked(library.writewatch_tracker_open(ctypes.byref(self._pointer), self.address, self.size,
                                                 TRACK_DROPS if drops else 0))
        self._memory = memory
        self._views = []

    def close(self):
        """Ends it; no other thread may be using it"""
        if self._memory is None:
            return
        library.writewatch_tracker_close(self._pointer)
        self._memory = None
        self._views = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()

    def _part(self, offset, size):
        """the address and the size of a part"""
        if self._memory is None:
            raise ValueError("the tracker is closed")
        if size is None:
            size = self.size - offset
        if offset < 0 or size < 0 or offset + size > self.size:
            raise ValueError("beyond the buffer")
        return self.address + offset, size

    def add_view(self, other, offset=0):
        """Another mapping of the memory at an offset: what is written through it counts there"""
        memory = _hold(other)
        address, size = self._part(offset, ctypes.sizeof(memory))
        _checked(library.writewatch_tracker_add_view(self._pointer, address, size,
                                                     ctypes.addressof(memory)))
        self._views.append(memory)

    def list(self, offset=0, size=None, *, required=0, any=0, excluded=0, returned=0, max_pages=0,
             reset=False, across=True):
        """The ranges of pages that have the categories, with WRITTEN as the tracker knows it"""
        start, size = self._part(offset, size)
        asked = writewatch_filter(required=required, any=any, excluded=excluded, returned=returned,
                                  max_pages=max_pages, reset=reset, flags=ACROSS if across else 0)

        def step(position, end, ranges, room):
            following = ctypes.c_void_p(position)
            count = _checked(library.writewatch_tracker_list(
                self._pointer, ctypes.byref(following), end, ctypes.byref(asked), ranges, room))
            return count, following.value
        return _list_all(step, self, start, size, asked, mmap.PAGESIZE)

    def poll(self, offset=0, size=None, *, reset=True):
        """The ranges that were written since the tracker reset them, as pairs of offsets"""
        return _pairs(self.list(offset, size, required=WRITTEN, reset=reset))

    def save(self, copy, offset=0, size=None, *, file_offset=0):
        """Brings a copy of a part up to date, and resets what has changed; returns the bytes copied

        The copy is a writable buffer of the part's size, or a file or descriptor, where it begins at
        file_offset.
        """
        start, size = self._part(offset, size)
        if isinstance(copy, int) or hasattr(copy, "fileno"):
            descriptor = copy if isinstance(copy, int) else copy.fileno()
            return _checked(library.writewatch_tracker_save_to(self._pointer, start, size, descriptor,
                                                               file_offset))
        memory = _hold(copy)
        if ctypes.sizeof(memory) != size:
            raise ValueError("the copy has another size")
        return _checked(library.writewatch_tracker_save(self._pointer, start, size,
                                                        ctypes.addressof(memory)))

    def restore(self, copy, offset=0, size=None):
        """Puts back what has changed since a copy of the part was made; returns the bytes copied

        No other thread may write to the part meanwhile.
        """
        start, size = self._part(offset, size)
        view = memoryview(copy)
        if view.nbytes != size:
            raise ValueError("the copy has another size")
        memory = view.tobytes() if view.readonly else _hold(copy)
        address = memory if view.readonly else ctypes.addressof(memory)
        return _checked(library.writewatch_tracker_restore(self._pointer, start, size, address))
