/*
 * Text of a record, written in uninterrupted code
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_RECORD_TEXT_H
#define WRITEWATCH_RECORD_TEXT_H

#include "sys/uninterrupted.h"

/* Each function returns where the next one goes on. The compiler must not see a loop of memcpy() or
 * strlen() here: it would call them. */
#define NO_LIBRARY_CALL() __asm__ __volatile__( "" ::: "memory" )

#define MAX_DIGITS 20

static UNINTERRUPTED_PART inline char *put_text( char *p, const char *text )
{
    while (*text)
    {
        *p++ = *text++;
        NO_LIBRARY_CALL();
    }
    return p;
}

static UNINTERRUPTED_PART inline unsigned int count_digits( unsigned long value )
{
    unsigned int digits = 1;

    while (value >= 10)
    {
        value /= 10;
        digits++;
    }
    return digits;
}

/* with zeros before it, if it has fewer digits */
static UNINTERRUPTED_PART inline char *put_digits( char *p, unsigned long value,
                                                   unsigned int digits )
{
    char *end = p + digits;

    for (p = end; digits--; value /= 10)
    {
        *--p = '0' + value % 10;
        NO_LIBRARY_CALL();
    }
    return end;
}

static UNINTERRUPTED_PART inline char *put_number( char *p, unsigned long value )
{
    return put_digits( p, value, count_digits( value ));
}

static UNINTERRUPTED_PART inline char *put_hex( char *p, unsigned long value )
{
    int shift = sizeof(value) * 8 - 4;

    *p++ = '0';
    *p++ = 'x';
    while (shift && !(value >> shift)) shift -= 4;
    for (; shift >= 0; shift -= 4)
    {
        unsigned int digit = (value >> shift) & 15;

        *p++ = digit < 10 ? '0' + digit : 'a' + digit - 10;
    }
    return p;
}

#endif /* WRITEWATCH_RECORD_TEXT_H */
