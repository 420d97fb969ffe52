/*
 * The fuzzer as a program with a random generator, natively and under Wine
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: fuzz [--seed N] [--only] [--alone] [--seconds N] [--inputs N]; until both are reached.
 * What fails prints its seed; --only runs one input, --alone no other threads.
 */

#include <stdarg.h>
#include <time.h>

#include "fuzz.h"

static uint64_t seed = 1;

/* other threads may hold what exit() waits for */
void fuzz_failed( const char *format, ... )
{
    char text[600];
    va_list args;
    int len;

    va_start( args, format );
    len = vsnprintf( text, 500, format, args );
    va_end( args );
    snprintf( text + len, sizeof(text) - len, " (--seed %u --only)\n", (unsigned int)seed );
    fputs( text, stdout );
    fflush( stdout );
    threads_exit( 1 );
}

/***********************************************************************
 *           random_input
 *
 * What a seed stands for: longer ones seldom.
 */
static size_t random_input( unsigned char *data, size_t max )
{
    uint64_t state = seed * RANDOM_SPREAD + 1;
    size_t i, size;

    for (i = 0; i < 8; i++) random_word( &state );
    size = random_word( &state ) % (random_word( &state ) % 16 ? 256 : max);
    for (i = 0; i < size; i++) data[i] = random_word( &state ) >> 32;
    return size;
}

int main( int argc, char **argv )
{
    unsigned long inputs = 0, most = 0;
    static unsigned char data[4096];
    time_t start = time( NULL );
    unsigned int seconds = 0;
    int i, only = 0, alone = 0;

    for (i = 1; i < argc; i++)
    {
        if (!strcmp( argv[i], "--only" )) only = alone = 1;
        else if (!strcmp( argv[i], "--alone" )) alone = 1;
        else if (!strcmp( argv[i], "--seed" ) && argv[i + 1]) seed = strtoul( argv[++i], NULL, 10 );
        else if (!strcmp( argv[i], "--seconds" ) && argv[i + 1]) seconds = atoi( argv[++i] );
        else if (!strcmp( argv[i], "--inputs" ) && argv[i + 1])
            most = strtoul( argv[++i], NULL, 10 );
        else
        {
            fprintf( stderr, "what is %s?\n", argv[i] );
            return 2;
        }
    }
    arena_make();
    if (!alone) threads_start( seed );
    do
    {
        fuzz_one( data, random_input( data, sizeof(data) ));
        if (!alone) threads_check();
        inputs++;
        seed++;
    } while (!only && (inputs < most || time( NULL ) < start + (time_t)seconds));

    printf( "%lu inputs, %lu calls, %lu of them successful; the last seed was %lu\n", inputs,
            fuzz_calls, fuzz_successes, (unsigned long)seed - 1 );
    if (!alone) threads_report();
    i = !only && fuzz_successes < inputs / 4;
    if (i) printf( "too few calls succeed: this tests nothing\n" );
    fflush( stdout );
    threads_exit( i );
}
