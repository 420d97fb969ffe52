/*
 * A file of changed pages, for checkpoint.c
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef EXAMPLES_CHANGES_LOG_H
#define EXAMPLES_CHANGES_LOG_H

#include "measure.h"

#include <sys/uio.h>

#define LOG_RANGES 128   /* that log_append() takes in one call */

/* The file begins with this; records follow: first the base, which is all of the memory and has the
 * number 0, then those of the increments. Numbers are in the machine's byte order. */
struct log_header
{
    char     magic[8];
    uint64_t page_bytes, pages;
};

/* before the contents of count pages */
struct record
{
    uint64_t increment, first, count;
};

struct log
{
    int         fd;
    const char *memory;
    size_t      page_bytes, pages;
    off_t       loaded;          /* up to where log_load() has come; 0: nothing */
    size_t      last_increment;  /* of what it has loaded */
};

/* a file without a name, in TMPDIR */
static inline int make_file(void)
{
    const char *dir = getenv( "TMPDIR" );
    char name[4096];
    int fd;

    snprintf( name, sizeof(name), "%s/checkpoint-XXXXXX", dir ? dir : "/tmp" );
    if ((fd = mkstemp( name )) == -1) fail( name, errno );
    unlink( name );
    return fd;
}

static inline void write_all( int fd, const void *data, size_t len, off_t pos )
{
    ssize_t ret;

    for (; len; data = (const char *)data + ret, len -= ret, pos += ret)
        if ((ret = pwrite( fd, data, len, pos )) <= 0) fail( "write", ret ? errno : ENOSPC );
}

static inline void read_all( int fd, void *data, size_t len, off_t pos )
{
    ssize_t ret;

    for (; len; data = (char *)data + ret, len -= ret, pos += ret)
        if ((ret = pread( fd, data, len, pos )) <= 0) fail( "read", ret ? errno : ENODATA );
}

/* Writes the header and the base. */
static inline void log_begin( struct log *log, int fd, const char *memory, size_t size )
{
    size_t page_bytes = sysconf( _SC_PAGESIZE );
    struct log_header header = { "changes", page_bytes, size / page_bytes };
    struct record base = { 0, 0, size / page_bytes };

    *log = (struct log){ fd, memory, page_bytes, size / page_bytes, 0, 0 };
    write_all( fd, &header, sizeof(header), 0 );
    write_all( fd, &base, sizeof(base), sizeof(header) );
    write_all( fd, memory, size, sizeof(header) + sizeof(base) );
    if (lseek( fd, 0, SEEK_END ) == -1) fail( "lseek", errno );
}

/* Adds pages, in one call of the kernel. Returns how many. */
static inline size_t log_append( struct log *log, size_t increment,
                                 const struct writewatch_range *ranges, size_t count )
{
    struct record records[LOG_RANGES];
    struct iovec parts[2 * LOG_RANGES];
    size_t i, len, bytes = 0, pages = 0;
    ssize_t ret;

    for (i = 0; i < count; i++)
    {
        len = ranges[i].end - ranges[i].start;
        records[i].increment = increment;
        records[i].first     = (ranges[i].start - (uintptr_t)log->memory) / log->page_bytes;
        records[i].count     = len / log->page_bytes;
        parts[2 * i]     = (struct iovec){ &records[i], sizeof(records[i]) };
        parts[2 * i + 1] = (struct iovec){ (void *)(uintptr_t)ranges[i].start, len };
        bytes += sizeof(records[i]) + len;
        pages += records[i].count;
    }
    ret = count ? writev( log->fd, parts, 2 * count ) : 0;
    if (ret < 0 || (size_t)ret != bytes) fail( "writev", ret < 0 ? errno : ENOSPC );
    return pages;
}

/* Brings memory up to date with the file: reads on where the last call ended. */
static inline void log_load( struct log *log, char *memory )
{
    off_t end = lseek( log->fd, 0, SEEK_END );
    struct log_header header;
    struct record record;

    if (!log->loaded)
    {
        read_all( log->fd, &header, sizeof(header), 0 );
        if (memcmp( header.magic, "changes", 8 ) || header.page_bytes != log->page_bytes ||
            header.pages != log->pages) fail( "the header of the log", EINVAL );
        log->loaded = sizeof(header);
        log->last_increment = 0;
    }
    for (; log->loaded < end; log->loaded += record.count * log->page_bytes)
    {
        read_all( log->fd, &record, sizeof(record), log->loaded );
        log->loaded += sizeof(record);
        if (record.increment < log->last_increment || record.first > log->pages ||
            record.count > log->pages - record.first) fail( "a record of the log", EINVAL );
        read_all( log->fd, memory + record.first * log->page_bytes,
                  record.count * log->page_bytes, log->loaded );
        log->last_increment = record.increment;
    }
}

#endif /* EXAMPLES_CHANGES_LOG_H */
