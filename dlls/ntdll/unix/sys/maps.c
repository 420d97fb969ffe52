/*
 * The mappings of a process, as /proc/PID/maps lists them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/maps.h"
#include "sys/proc_files.h"

/* returns the next character without taking it, or -1 at the end and on errors */
static int peek_char( struct maps_reader *reader )
{
    ssize_t ret;

    if (reader->pos == reader->len)
    {
        do ret = read( reader->fd, reader->buffer, sizeof(reader->buffer) );
        while (ret == -1 && errno == EINTR);
        if (ret <= 0)
        {
            if (ret) reader->error = -errno;
            return -1;
        }
        reader->pos = 0;
        reader->len = ret;
    }
    return (unsigned char)reader->buffer[reader->pos];
}

static int next_char( struct maps_reader *reader )
{
    int ch = peek_char( reader );

    if (ch != -1) reader->pos++;
    return ch;
}

/* reads a number and returns the character after it, or -1 if there is no number */
static int next_number( struct maps_reader *reader, unsigned int base, uint64_t *value )
{
    unsigned int digit, count;
    int ch;

    *value = 0;
    for (count = 0;; count++)
    {
        ch = next_char( reader );
        if (ch >= '0' && ch <= '9') digit = ch - '0';
        else if (base == 16 && ch >= 'a' && ch <= 'f') digit = ch - 'a' + 10;
        else return count ? ch : -1;
        if (*value > (UINT64_MAX - digit) / base) return -1;
        *value = *value * base + digit;
    }
}

/* reads one letter of the permissions; returns 0 if it is neither */
static int next_permission( struct maps_reader *reader, char set, char clear, int *value )
{
    int ch = next_char( reader );

    *value = ch == set;
    return ch == set || ch == clear;
}

/* returns 0 if the line has no end */
static int skip_line( struct maps_reader *reader )
{
    int ch;

    do ch = next_char( reader );
    while (ch != '\n' && ch != -1);
    return ch == '\n';
}

/***********************************************************************
 *           read_head
 *
 * "start-end rwxp offset major:minor inode     name". Returns 0 if the line is not like that.
 */
static int read_head( struct maps_reader *reader, struct mapping *mapping )
{
    int ch, readable, writable, executable, private;
    uint64_t number;
    unsigned int i;

    if (next_number( reader, 16, &number ) != '-') return 0;
    mapping->start = number;
    if (next_number( reader, 16, &number ) != ' ') return 0;
    mapping->end = number;
    if (mapping->start >= mapping->end) return 0;

    if (!next_permission( reader, 'r', '-', &readable )) return 0;
    if (!next_permission( reader, 'w', '-', &writable )) return 0;
    if (!next_permission( reader, 'x', '-', &executable )) return 0;
    if (!next_permission( reader, 'p', 's', &private )) return 0;
    if (next_char( reader ) != ' ') return 0;
    mapping->prot = (readable ? PROT_READ : 0) | (writable ? PROT_WRITE : 0) |
                    (executable ? PROT_EXEC : 0);
    mapping->shared = !private;

    if (next_number( reader, 16, &number ) != ' ') return 0;
    if (next_number( reader, 16, &number ) != ':') return 0;
    if (next_number( reader, 16, &number ) != ' ') return 0;
    ch = next_number( reader, 10, &number );
    if (ch != ' ' && ch != '\n') return 0;
    mapping->file = number != 0;

    while (ch == ' ') ch = next_char( reader );
    for (i = 0; ch != '\n' && ch != -1; ch = next_char( reader ))
        if (i < sizeof(mapping->name) - 1) mapping->name[i++] = ch;
    mapping->name[i] = 0;
    return ch == '\n';
}

/* reads the words behind "VmFlags:", of two letters each */
static int read_flags( struct maps_reader *reader, struct mapping *mapping )
{
    int ch, first = ' ', second = ' ';

    while ((ch = next_char( reader )) != '\n')
    {
        if (ch == -1) return 0;
        if (first == ' ' && ((second == 'p' && ch == 'f') || (second == 'i' && ch == 'o')))
            mapping->device = 1;
        if (first == ' ' && second == 'u' && ch == 'w') mapping->registered = 1;
        first = second;
        second = ch;
    }
    return 1;
}

/***********************************************************************
 *           read_details
 *
 * The lines "Keyword:  value" that smaps has behind the head of a mapping. Returns 0 if one is not
 * like that, or if the size of pages is missing.
 */
static int read_details( struct maps_reader *reader, struct mapping *mapping )
{
    char key[16];
    uint64_t number;
    unsigned int i;
    int ch;

    mapping->page_size = 0;
    mapping->device = mapping->registered = 0;
    while ((ch = peek_char( reader )) >= 'A' && ch <= 'Z')
    {
        for (i = 0; (ch = next_char( reader )) != ':'; )
        {
            if (ch == '\n' || ch == -1) return 0;
            if (i < sizeof(key) - 1) key[i++] = ch;
        }
        key[i] = 0;

        if (!strcmp( key, "VmFlags" ))
        {
            if (!read_flags( reader, mapping )) return 0;
            continue;
        }
        if (!strcmp( key, "KernelPageSize" ))
        {
            while (peek_char( reader ) == ' ') next_char( reader );
            if (next_number( reader, 10, &number ) != ' ') return 0;
            mapping->page_size = number * 1024;
        }
        if (!skip_line( reader )) return 0;
    }
    return mapping->page_size != 0;
}

void maps_open_fd( struct maps_reader *reader, int fd, int details )
{
    reader->fd      = fd;
    reader->kept    = 0;
    reader->details = details;
    reader->error   = 0;
    reader->pos     = 0;
    reader->len     = 0;
}

int maps_open( struct maps_reader *reader, int details )
{
    int kept, fd = proc_open( details ? PROC_SMAPS : PROC_MAPS, &kept );

    if (fd < 0) return fd;
    maps_open_fd( reader, fd, details );
    reader->kept = kept;
    return 0;
}

int maps_next( struct maps_reader *reader, struct mapping *mapping )
{
    int understood;

    if (peek_char( reader ) == -1) return reader->error;
    understood = read_head( reader, mapping );
    if (understood && reader->details) understood = read_details( reader, mapping );
    if (reader->error) return reader->error;
    return understood ? 1 : -EPROTO;
}

void maps_close( struct maps_reader *reader )
{
    proc_close( reader->fd, reader->kept );
}

/***********************************************************************
 *           for_each
 *
 * Calls back for what is mapped of a range. The reader is not on the stack: a child of fork() gets
 * here from a signal handler.
 */
static int for_each( uintptr_t pos, uintptr_t end, int gaps,
                     int (*callback)( uintptr_t start, uintptr_t end, int prot ) )
{
    static struct maps_reader reader;
    struct mapping mapping = { 0 };
    int ret;

    if ((ret = maps_open( &reader, 0 ))) return ret;
    while (!ret && pos < end)
    {
        if ((ret = maps_next( &reader, &mapping )) <= 0)
        {
            if (!ret && !gaps) ret = -ENOMEM;
            break;
        }
        ret = 0;
        if (mapping.end <= pos) continue;
        if (mapping.start > pos)
        {
            if (!gaps) ret = -ENOMEM;
            pos = mapping.start;
            if (ret || pos >= end) break;
        }
        if (mapping.end > end) mapping.end = end;
        ret = callback( pos, mapping.end, mapping.prot );
        pos = mapping.end;
    }
    maps_close( &reader );
    return ret;
}

int maps_for_each( uintptr_t start, uintptr_t end,
                   int (*callback)( uintptr_t start, uintptr_t end, int prot ) )
{
    return for_each( start, end, 0, callback );
}

int maps_for_all( int (*callback)( uintptr_t start, uintptr_t end, int prot ) )
{
    return for_each( 0, ~(uintptr_t)0, 1, callback );
}
