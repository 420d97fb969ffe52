/*
 * Names of programs may have any bytes: which of them are UTF-8
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TOP_UTF8_H
#define WRITEWATCH_TOP_UTF8_H

/* How many bytes the character has that begins here; 0 if none does. */
static inline unsigned int utf8_length( const char *text )
{
    const unsigned char *p = (const unsigned char *)text;
    unsigned int length, i;

    if (*p < 0x80) return 1;
    if (*p < 0xc2 || *p > 0xf4) return 0;
    length = *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
    /* longer than needed, a half of a pair, or beyond the last character */
    if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
        (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f)) return 0;
    for (i = 1; i < length; i++) if ((p[i] & 0xc0) != 0x80) return 0;
    return length;
}

#endif /* WRITEWATCH_TOP_UTF8_H */
