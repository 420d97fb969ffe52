/*
 * Reads a record of write watches
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

#define FORMAT 1

/* A file may be damaged in any way: each line is checked before anything of it is used. */

struct reader
{
    struct record       *record;
    struct record_error *error;
    const char          *p;       /* in the line */
    const char          *end;     /* its newline */
    unsigned int         line;
};

static int wrong( struct reader *reader, const char *format, ... )
    __attribute__((format( printf, 2, 3 )));

static int wrong( struct reader *reader, const char *format, ... )
{
    va_list args;

    reader->error->line = reader->line;
    va_start( args, format );
    vsnprintf( reader->error->text, sizeof(reader->error->text), format, args );
    va_end( args );
    return -1;
}

void *grow( void *array, size_t count, size_t size )
{
    size_t room;

    if (count & (count - 1)) return array;   /* there is room up to the next power of two */
    room = count ? 2 * count : 1;
    if (room < count || room > SIZE_MAX / size) return NULL;
    return realloc( array, room * size );
}

uint64_t count_pages( uint64_t base, uint64_t size, uint64_t page_size )
{
    return (base + size - 1) / page_size - base / page_size + 1;
}

static int skip_sign( struct reader *reader, char sign )
{
    if (reader->p == reader->end || *reader->p != sign) return 0;
    reader->p++;
    return 1;
}

static int get_number( struct reader *reader, uint64_t *value )
{
    const char *start = reader->p;

    for (*value = 0; reader->p < reader->end && *reader->p >= '0' && *reader->p <= '9'; reader->p++)
    {
        unsigned int digit = *reader->p - '0';

        if (*value > (UINT64_MAX - digit) / 10) return 0;
        *value = *value * 10 + digit;
    }
    return reader->p > start;
}

static int get_hex( struct reader *reader, uint64_t *value )
{
    static const char digits[] = "0123456789abcdef";
    const char *start, *digit;

    if (!skip_sign( reader, '0' ) || !skip_sign( reader, 'x' )) return 0;
    start = reader->p;
    for (*value = 0; reader->p < reader->end && *reader->p; reader->p++)
    {
        if (!(digit = strchr( digits, *reader->p ))) break;
        if (*value >> 60) return 0;
        *value = *value << 4 | (digit - digits);
    }
    return reader->p > start;
}

/* copies a word, or with rest all that is left of the line */
static int get_word( struct reader *reader, char *word, size_t room, int rest )
{
    size_t len = 0;

    while (reader->p < reader->end && (rest || *reader->p != ' '))
    {
        if ((unsigned char)*reader->p < ' ' || len == room - 1) return 0;
        word[len++] = *reader->p++;
    }
    word[len] = 0;
    return len > 0;
}

static struct process *find_process( struct reader *reader, uint64_t pid )
{
    size_t i;

    /* a number may be used again: the last one with it is meant */
    for (i = reader->record->count; i--;)
        if (reader->record->processes[i].pid == pid) return &reader->record->processes[i];
    return NULL;
}

/* the rest of: PID TIME writewatch FORMAT BITS PAGE_SIZE VERSION NAME */
static int read_beginning( struct reader *reader, unsigned int pid )
{
    struct record *record = reader->record;
    struct process *process;
    uint64_t format, bits;
    void *new;

    if (!skip_sign( reader, ' ' ) || !get_number( reader, &format ))
        return wrong( reader, "it does not say which format the record has" );
    if (format != FORMAT)
        return wrong( reader, "the record has format %llu, this program reads format %u",
                      (unsigned long long)format, FORMAT );
    if (!(new = grow( record->processes, record->count, sizeof(*record->processes) )))
        return wrong( reader, "out of memory" );
    record->processes = new;
    process = &record->processes[record->count];
    memset( process, 0, sizeof(*process) );
    process->pid = pid;
    if (!skip_sign( reader, ' ' ) || !get_number( reader, &bits ) || (bits != 32 && bits != 64))
        return wrong( reader, "a process has 32 or 64 bits" );
    process->bits = bits;
    if (!skip_sign( reader, ' ' ) || !get_number( reader, &process->page_size ) ||
        process->page_size < 4096 || process->page_size > 65536 ||
        process->page_size & (process->page_size - 1))
        return wrong( reader, "it has no size of pages" );
    if (!skip_sign( reader, ' ' ) ||
        !get_word( reader, process->version, sizeof(process->version), 0 ) ||
        !skip_sign( reader, ' ' ) || !get_word( reader, process->name, sizeof(process->name), 1 ))
        return wrong( reader, "it has no version or no name of a program" );
    record->count++;
    return 0;
}

static int add_span( struct process *process, uint32_t first, uint32_t last )
{
    void *new = grow( process->spans, process->span_count, sizeof(*process->spans) );

    if (!new) return -1;
    process->spans = new;
    process->spans[process->span_count++] = (struct page_span){ first, last };
    return 0;
}

/* the pages of a poll: " 3-5 9" */
static int read_spans( struct reader *reader, struct process *process, struct event *event )
{
    uint64_t pages = count_pages( event->base, event->size, process->page_size );
    uint64_t first, last, next = 0, sum = 0;

    event->span = process->span_count;
    while (reader->p < reader->end)
    {
        if (!skip_sign( reader, ' ' ) || !get_number( reader, &first ))
            return wrong( reader, "what should be the number of a page is none" );
        last = first;
        if (skip_sign( reader, '-' ) && !get_number( reader, &last ))
            return wrong( reader, "a run of pages has no end" );
        if (first < next || last < first)
            return wrong( reader, "page %llu is out of order", (unsigned long long)first );
        if (last >= pages)
            return wrong( reader, "page %llu lies outside of the range",
                          (unsigned long long)last );
        if (add_span( process, first, last )) return wrong( reader, "out of memory" );
        next = last + 1;
        sum += last - first + 1;
    }
    event->spans = process->span_count - event->span;
    if (sum != event->count)
        return wrong( reader, "it says %llu pages and lists %llu",
                      (unsigned long long)event->count, (unsigned long long)sum );
    return 0;
}

/* the rest of: PID TIME poll BASE SIZE FLAGS MAX COUNT: PAGES */
static int read_poll( struct reader *reader, struct process *process, struct event *event )
{
    if (!skip_sign( reader, ' ' ) || !get_hex( reader, &event->flags ) || event->flags > 1)
        return wrong( reader, "the flags of a poll are 0x0 or 0x1" );
    if (!skip_sign( reader, ' ' ) || !get_number( reader, &event->max ) ||
        !skip_sign( reader, ' ' ) || !get_number( reader, &event->count ) ||
        !skip_sign( reader, ':' ))
        return wrong( reader, "a poll has two counts" );
    if (event->count > event->max) return wrong( reader, "more pages than there was room for" );
    if (reader->end - reader->p == 2 && reader->p[0] == ' ' && reader->p[1] == '?')
    {
        event->unknown = 1;
        reader->p = reader->end;
    }
    else if (read_spans( reader, process, event )) return -1;
    process->polls++;
    process->pages += event->count;
    return 0;
}

static int find_kind( const char *word )
{
    static const char * const words[EVENT_KINDS] =
    {
        [EVENT_ALLOC] = "alloc", [EVENT_COMMIT] = "commit", [EVENT_DISCARD] = "discard",
        [EVENT_DECOMMIT] = "decommit", [EVENT_FREE] = "free", [EVENT_RESET] = "reset",
        [EVENT_POLL] = "poll",
    };
    int kind;

    for (kind = 0; kind < EVENT_KINDS; kind++) if (!strcmp( word, words[kind] )) break;
    return kind;
}

/* whether the event is at addresses that the process can have, and of a size that can be counted */
static int check_range( struct reader *reader, const struct process *process,
                        const struct event *event )
{
    uint64_t last = event->base + event->size - 1;

    /* the size 0 stands for all of a region */
    if (!event->size && (event->kind == EVENT_DECOMMIT || event->kind == EVENT_FREE))
        last = event->base;
    else if (!event->size) return wrong( reader, "a range is empty" );
    if (last < event->base || last >> (process->bits == 32 ? 32 : 57))
        return wrong( reader, "there can be no such range of addresses" );
    if (event->size && count_pages( event->base, event->size, process->page_size ) > UINT32_MAX)
        return wrong( reader, "the range is larger than can be replayed" );
    if (event->kind == EVENT_ALLOC && (event->base | event->size) & (process->page_size - 1))
        return wrong( reader, "an allocation has whole pages" );
    return 0;
}

static int read_event( struct reader *reader, struct process *process, const char *word,
                       uint64_t time )
{
    struct event *event;
    void *new;
    int kind = find_kind( word );

    if (kind == EVENT_KINDS) return wrong( reader, "there is no event \"%s\"", word );
    if (!(new = grow( process->events, process->count, sizeof(*process->events) )))
        return wrong( reader, "out of memory" );
    process->events = new;
    event = &process->events[process->count];
    memset( event, 0, sizeof(*event) );
    event->kind = kind;
    event->line = reader->line;
    event->time = time;
    if (!skip_sign( reader, ' ' ) || !get_hex( reader, &event->base ) ||
        !skip_sign( reader, ' ' ) || !get_hex( reader, &event->size ))
        return wrong( reader, "it has no range of addresses" );
    if (check_range( reader, process, event )) return -1;
    if (kind == EVENT_ALLOC && (!skip_sign( reader, ' ' ) || !get_hex( reader, &event->flags )))
        return wrong( reader, "an allocation has a type" );
    if (kind == EVENT_POLL && read_poll( reader, process, event )) return -1;
    if (reader->p != reader->end) return wrong( reader, "the line goes on where it should end" );
    process->count++;
    return 0;
}

static int read_line( struct reader *reader )
{
    uint64_t pid, seconds, micros;
    struct process *process;
    const char *start;
    char word[16];

    if (!get_number( reader, &pid ) || !pid || pid > INT32_MAX || !skip_sign( reader, ' ' ))
        return wrong( reader, "it does not begin with the number of a process" );
    if (!get_number( reader, &seconds ) || seconds > UINT32_MAX || !skip_sign( reader, '.' ))
        return wrong( reader, "it has no time" );
    start = reader->p;
    if (!get_number( reader, &micros ) || reader->p - start != 6 || !skip_sign( reader, ' ' ) ||
        !get_word( reader, word, sizeof(word), 0 ))
        return wrong( reader, "it has no time, or no event" );
    if (!strcmp( word, "writewatch" )) return read_beginning( reader, pid );
    if (!(process = find_process( reader, pid )))
        return wrong( reader, "process %u has an event, but no beginning", (unsigned int)pid );
    return read_event( reader, process, word, seconds * 1000000 + micros );
}

int read_record( struct record *record, const char *text, size_t len, struct record_error *error )
{
    struct reader reader = { .record = record, .error = error, .p = text };
    const char *end = text + len;

    memset( record, 0, sizeof(*record) );
    while (reader.p < end)
    {
        reader.line++;
        if (!(reader.end = memchr( reader.p, '\n', end - reader.p )))
        {
            wrong( &reader, "the line is cut off" );
            break;
        }
        if (read_line( &reader )) break;
        reader.p = reader.end + 1;
    }
    if (reader.p == end && len) return 0;
    if (!len) wrong( &reader, "nothing was recorded: no process has watched memory" );
    free_record( record );
    return -1;
}

void free_record( struct record *record )
{
    size_t i;

    for (i = 0; i < record->count; i++)
    {
        free( record->processes[i].events );
        free( record->processes[i].spans );
    }
    free( record->processes );
    memset( record, 0, sizeof(*record) );
}
