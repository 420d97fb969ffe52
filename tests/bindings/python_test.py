"""What the module for Python does, with the backend that is named

Copyright 2026 the writewatch authors
SPDX-License-Identifier: LGPL-2.1-or-later
"""

import ctypes
import errno
import mmap
import os
import sys
import tempfile
import threading

import writewatch

PAGE = mmap.PAGESIZE
SIZE = 16 * PAGE
backend = sys.argv[1]


def raises(number, words, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except OSError as error:
        assert error.errno == number, error
        assert words in error.strerror, error
    else:
        raise AssertionError("no error %d from %s" % (number, call))


def refuses(kind, call, *arguments):
    try:
        call(*arguments)
    except kind:
        return
    raise AssertionError("no %s from %s" % (kind, call))


def layout():
    """the structures and constants are those that a C compiler saw"""
    with open(os.environ["WRITEWATCH_LAYOUT"]) as file:
        lines = [line.split() for line in file]
    compared = 0   # the first line of a structure is its size, another one a field of that name
    for line in lines:
        if line[0].startswith("WRITEWATCH_"):
            got = getattr(writewatch, line[0][len("WRITEWATCH_"):])
        elif line[0] == "struct" and line[1].startswith("writewatch_"):
            kind = getattr(writewatch, line[1])
            got = ctypes.sizeof(kind) if line[2] == "sizeof" else getattr(kind, line[2]).offset
        else:
            continue
        assert got == int(line[-1]), (line, got)
        compared += 1
    assert compared > 15, compared


def ranges():
    memory = mmap.mmap(-1, SIZE)
    watched = writewatch.watch(memory)
    assert (watched.size, watched.granularity, watched.backend) == (SIZE, PAGE, backend)
    assert watched.poll() == []
    memory[3 * PAGE + 5] = memory[4 * PAGE] = memory[9 * PAGE] = 1
    written = [(3 * PAGE, 5 * PAGE), (9 * PAGE, 10 * PAGE)]
    assert watched.poll(reset=False) == written
    assert watched.poll(4 * PAGE, 2 * PAGE) == [(4 * PAGE, 5 * PAGE)]
    both = writewatch.WRITTEN | writewatch.PRESENT
    assert watched.list(required=writewatch.WRITTEN, returned=both) == [
        (3 * PAGE, 4 * PAGE, both), (9 * PAGE, 10 * PAGE, both)]
    assert watched.list(required=writewatch.WRITTEN, max_pages=1)[0].end == 4 * PAGE
    assert len(watched.list(required=writewatch.WRITTEN, max_pages=1)) == 1
    watched.reset()
    assert watched.poll() == []
    # more ranges than one call has room for
    watched._room = 2
    for page in range(0, 16, 2):
        memory[page * PAGE] = 2
    assert watched.poll() == [(page * PAGE, (page + 1) * PAGE) for page in range(0, 16, 2)]
    # a system call that writes
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(b"x" * PAGE)
        file.seek(0)
        watched.prepare(5 * PAGE, PAGE)
        assert file.readinto(memoryview(memory)[5 * PAGE:6 * PAGE]) == PAGE
    assert watched.poll() == [(5 * PAGE, 6 * PAGE)] and memory[5 * PAGE] == ord("x")
    watched.check()

    # the buffer cannot go away below the watch
    refuses(BufferError, memory.close)
    watched.close()
    watched.close()
    refuses(ValueError, watched.poll)
    memory.close()


def forgotten():
    """a watch that is dropped ends"""
    memory = mmap.mmap(-1, SIZE)
    address = writewatch.watch(memory).address
    assert not writewatch.library.writewatch_granularity(address)
    with writewatch.watch(memory) as watched:
        assert writewatch.library.writewatch_granularity(watched.address) == PAGE
    memory.close()


def errors():
    memory = mmap.mmap(-1, SIZE)
    raises(errno.EINVAL, "whole pages", writewatch.watch, memoryview(memory)[1:])
    refuses(ValueError, writewatch.watch, bytes(PAGE))
    refuses(ValueError, writewatch.watch, memoryview(memory)[::2])
    raises(errno.EBUSY, "watched already", writewatch.open, "scan")
    with writewatch.watch(memory) as watched:
        raises(errno.EINVAL, "category", watched.list, required=1 << 40)
        refuses(ValueError, watched.poll, 0, SIZE + 1)
        refuses(ValueError, watched.poll, -1, 1)
        if backend != "scan":
            raises(errno.EOPNOTSUPP, "only scan", watched.fill, 0, bytes(PAGE))
        # another thread's failure is its own
        raises(errno.EINVAL, "category", watched.list, required=1 << 40)
        said = []
        thread = threading.Thread(target=lambda: said.append(writewatch.reason()))
        thread.start()
        thread.join()
        assert "category" not in said[0] and "category" in writewatch.reason()


def fills():
    memory = mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with tempfile.TemporaryFile() as file, writewatch.watch(memory) as watched:
        watched.fill(2 * PAGE, b"f" * PAGE)
        assert memory[2 * PAGE] == ord("f") and watched.poll() == []
        raises(errno.EEXIST, "exists", watched.fill, 2 * PAGE, bytes(PAGE))
        file.write(b"r" * SIZE)
        file.flush()
        with watched.restore(file):
            assert memory[7 * PAGE] == ord("r") and memory[2 * PAGE] == ord("f")
        assert watched.poll() == []


def trackers():
    memory = mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    view = memoryview(memory)
    with writewatch.watch(view[:8 * PAGE]) as low, writewatch.watch(view[10 * PAGE:]) as high, \
         writewatch.Tracker(memory) as first, writewatch.Tracker(memory, drops=True) as second:
        # any range: two regions, and pages between them that are not watched
        for page in (3, 7, 9, 10, 12):
            memory[page * PAGE] = 1
        written = [(3 * PAGE, 4 * PAGE), (7 * PAGE, 8 * PAGE), (10 * PAGE, 11 * PAGE),
                   (12 * PAGE, 13 * PAGE)]
        assert writewatch.poll(memory, reset=False) == written
        raises(errno.ENOENT, "not watched", writewatch.poll, memory, across=False)
        assert writewatch.poll(view[12 * PAGE:], across=False) == [(0, PAGE)]
        assert writewatch.poll(memory) == written[:-1]
        assert writewatch.poll(memory) == low.poll() == high.poll() == []

        # each has its own state
        assert first.poll(reset=False) == first.poll() == written and first.poll() == []
        first._room = second._room = 1
        assert second.poll(5 * PAGE) == written[1:]
        assert len(second.list(required=writewatch.WRITTEN, max_pages=1)) == 1
        raises(errno.ENOENT, "not watched", second.list, required=writewatch.WRITTEN, across=False)
        assert second.poll() == written[:1] and second.poll() == []
        refuses(ValueError, first.poll, 0, SIZE + 1)

        # a copy, in memory and in a file, and back
        copy = bytearray(memory)
        memory[2 * PAGE] = 5
        assert first.save(copy) == PAGE and first.save(copy) == 0 and copy == memory[:]
        with tempfile.TemporaryFile() as file:
            file.write(b"x" * PAGE + memory[:2 * PAGE] + bytes(SIZE - 2 * PAGE))
            file.flush()
            assert second.save(file, 0, 4 * PAGE, file_offset=PAGE) == PAGE
            assert second.save(file.fileno()) == 0
            file.seek(3 * PAGE)
            assert file.read(1) == b"\5"
        memory[2 * PAGE] = memory[11 * PAGE] = 6
        assert first.restore(copy) == 2 * PAGE and copy == memory[:]
        memory[12 * PAGE] = 7
        assert first.restore(bytes(copy)) == PAGE and memory[12 * PAGE] == 1
        refuses(ValueError, first.save, bytearray(PAGE))
        refuses(ValueError, first.restore, bytes(PAGE))
        raises(errno.EINVAL, "whole pages", first.save, bytearray(1), 1, 1)
        assert second.poll() == [(2 * PAGE, 3 * PAGE), (11 * PAGE, 13 * PAGE)]

        # contents that are gone
        first.poll()
        memory.madvise(mmap.MADV_DONTNEED, 12 * PAGE, PAGE)
        assert second.poll() == [(12 * PAGE, 13 * PAGE)] and memory[12 * PAGE] == 0
    refuses(ValueError, first.poll)
    first.close()
    refuses(ValueError, writewatch.Tracker, bytes(PAGE))
    view.release()
    memory.close()

    # two mappings of one file
    with os.fdopen(os.memfd_create("tracked"), "w+b") as file:
        file.truncate(SIZE)
        memory, other = mmap.mmap(file.fileno(), SIZE), mmap.mmap(file.fileno(), SIZE)
        with writewatch.watch(memory) as low, writewatch.watch(other) as high, \
             writewatch.Tracker(low) as tracker:
            tracker.add_view(memoryview(other)[4 * PAGE:], 4 * PAGE)
            other[5 * PAGE] = memory[6 * PAGE] = other[2 * PAGE] = 1
            assert tracker.poll() == [(5 * PAGE, 7 * PAGE)] and tracker.poll() == []
        memory.close()
        other.close()


def main():
    assert writewatch.version() == (writewatch.VERSION_MAJOR, writewatch.VERSION_MINOR,
                                    writewatch.VERSION_MICRO)
    assert writewatch.backend() is None
    raises(errno.EINVAL, "magic", writewatch.open, "magic")
    try:
        writewatch.open(backend)
    except OSError as error:
        print("%s: %s" % (backend, error.strerror))
        sys.exit(77)
    assert writewatch.backend() == backend and writewatch.mechanism()
    layout()
    ranges()
    forgotten()
    errors()
    trackers()
    if backend == "scan":
        fills()


main()
