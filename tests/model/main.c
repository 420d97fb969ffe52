/*
 * The engine against a model of the rules of Windows, by random sequences of operations
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: model [--seed N] [--steps N] [--length N] [--no-shrink]
 *        model --replay FILE | --print FILE    the sequence of a file
 * Seed N makes a sequence of --length steps, N + 1 the next one, until all --steps are made. One
 * that fails is made again in a process of its own, shortened, and printed as a program. Exit
 * status: 0 no difference, 1 one, 2 wrong use, 77 nothing can be tested here. The native program is
 * given a backend by WRITEWATCH_BACKEND. --wrong-rule makes the model wrong: array, decommit,
 * protect or reset must be found out.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"
#include "print.h"
#include "shrink.h"
#include "step.h"

static uint64_t seed = 1, steps = 20000, length = 2000;
static const char *replay, *record;
static int no_shrink, one_seed, print;

/***********************************************************************
 *           check_after
 *
 * A region after each step, all of them now and then; also what the memory holds.
 */
static int check_after( size_t step )
{
    struct space *space;
    struct view *view;

    if (step % 500 == 499) return check_all( 1 );
    if (step % 64 == 63) return check_all( 0 );
    return !(view = random_region( &space )) || check_region( space, view );
}

/***********************************************************************
 *           run_seed
 *
 * Returns how many steps were made, and 0 for a difference in *good.
 */
static uint64_t run_seed( uint64_t number, uint64_t max, FILE *file, int *good )
{
    struct op op;
    uint64_t step;

    random_seed( number );
    for (step = 0; step < max; step++)
    {
        generate( &op, number * 4096 + step + 1 );
        if (file)
        {
            op_write( file, &op );
            fflush( file );
        }
        if (!(*good = make_step( &op ) && check_after( step ))) break;
    }
    if (*good) *good = check_all( 1 );
    if (!*good)
    {
        printf( "seed %llu, step %llu: %s\n", (unsigned long long)number, (unsigned long long)step,
                difference );
        fflush( stdout );
    }
    clear_spaces();
    return step;
}

/***********************************************************************
 *           run_replay
 *
 * Everything is compared after each step. With print the sequence comes out as a program.
 */
static int run_replay(void)
{
    struct ops ops = { NULL, 0, 0 };
    size_t i;

    if (!ops_load( &ops, replay ))
    {
        fprintf( stderr, "%s cannot be read\n", replay );
        return 2;
    }
    if (print) print_head();
    for (i = 0; i < ops.count; i++)
    {
        int made, good;

        expected = 0;
        if (print) print_before( &ops.list[i] );
        made = good = make_step( &ops.list[i] );
        if (print) print_after( expected );
        if (made && (good = check_all( 1 ))) continue;
        if (made && print) print_state();
        printf( "%sstep %u of %u: %s%s\n", print ? "    /* " : "", (unsigned int)i + 1,
                (unsigned int)ops.count, difference, print ? " */" : "" );
        break;
    }
    if (print) print_tail();
    return i < ops.count;
}

/***********************************************************************
 *           explain
 *
 * Shortens the sequence of a seed and prints it.
 */
static void explain( uint64_t number )
{
    struct ops ops = { NULL, 0, 0 };
    const char *file = scratch_file( "record" );
    char arguments[600];
    unsigned int runs;

    snprintf( arguments, sizeof(arguments), "--one-seed %llu --steps %llu --record %s%s%s",
              (unsigned long long)number, (unsigned long long)length, file,
              *wrong_rule ? " --wrong-rule " : "", wrong_rule );
    if (!run_self( arguments, 1 ) || !ops_load( &ops, file ))
    {
        printf( "seed %llu alone does not fail: run with --seed %llu and the same length\n",
                (unsigned long long)number, (unsigned long long)seed );
        return;
    }
    remove( file );
    if (!sequence_fails( &ops, 0 ))
    {
        printf( "its %u operations do not fail when they are repeated\n", (unsigned int)ops.count );
        return;
    }
    runs = shrink( &ops );
    printf( "shortened to %u operations, in %u runs:\n", (unsigned int)ops.count, runs );
    sequence_fails( &ops, 1 );
}

/***********************************************************************
 *           run_seeds
 */
static int run_seeds(void)
{
    uint64_t done = 0, number = seed;
    FILE *file = NULL;
    int good = 1;

    if (record && !(file = fopen( record, "w" ))) return 2;
    if (!one_seed)
        printf( "%s: seeds from %llu on, %llu steps%s%s\n", platform.name,
                (unsigned long long)seed, (unsigned long long)steps,
                platform.has_placeholders ? "" : ", no placeholders",
                platform.releases_parts ? "" : ", parts cannot be released" );
    while (done < steps && good)
    {
        uint64_t max = steps - done < length || one_seed ? steps - done : length;

        done += run_seed( number++, max, file, &good );
    }
    if (file) fclose( file );
    if (one_seed) return !good;
    if (good)
    {
        printf( "%s: %llu steps, 0 differences\n", platform.name, (unsigned long long)done );
        return 0;
    }
    if (!no_shrink) explain( number - 1 );
    printf( "%s: differs at seed %llu\n", platform.name, (unsigned long long)number - 1 );
    return 1;
}

int main( int argc, char *argv[] )
{
    const char *reason;
    int i;

    for (i = 1; i < argc; i++)
    {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (!strcmp( argv[i], "--no-shrink" )) no_shrink = 1;
        else if (!*value) break;
        else if (!strcmp( argv[i], "--seed" )) seed = strtoull( value, NULL, 0 );
        else if (!strcmp( argv[i], "--one-seed" ))
        {
            seed = strtoull( value, NULL, 0 );
            one_seed = 1;
        }
        else if (!strcmp( argv[i], "--steps" )) steps = strtoull( value, NULL, 0 );
        else if (!strcmp( argv[i], "--length" )) length = strtoull( value, NULL, 0 );
        else if (!strcmp( argv[i], "--replay" )) replay = value;
        else if (!strcmp( argv[i], "--print" ))
        {
            replay = value;
            print = 1;
        }
        else if (!strcmp( argv[i], "--record" )) record = value;
        else if (!strcmp( argv[i], "--wrong-rule" )) wrong_rule = value;
        else break;
        if (strcmp( argv[i], "--no-shrink" )) i++;
    }
    if (i < argc || !length)
    {
        fprintf( stderr, "usage: model [--seed N] [--steps N] [--length N] [--no-shrink]\n" );
        return 2;
    }
    model_init();
    if ((reason = platform_open()) || !get_open())
    {
        printf( "%s\n", reason ? reason : "no memory" );
        return 77;
    }
    return replay ? run_replay() : run_seeds();
}
