/*
 * The screen: samples come, keys come
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <curses.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "screen.h"

/* Waits for a key, so many seconds at most; below 0: for ever. Returns ERR if there is none, 'q' if
 * there will be none any more. */
static int wait_key( double seconds )
{
    struct timespec time = { seconds, (seconds - floor( seconds )) * 1e9 };
    struct pollfd input = { .fd = 0, .events = POLLIN };
    int ret = ppoll( &input, 1, seconds < 0 ? NULL : &time, NULL );

    if (ret == 1 && !(input.revents & POLLIN)) return 'q';
    return getch();   /* also when a signal came: the size of the terminal may have changed */
}

static void take_snapshot( struct screen *screen, struct snapshot *snapshot )
{
    size_t i;

    snapshot_free( &screen->old );
    screen->old = screen->new;
    screen->new = *snapshot;
    *snapshot = (struct snapshot){ 0 };
    screen->samples++;
    /* the same region, or the one in its place */
    for (i = 0; i < screen->new.count; i++)
        if (screen->new.views[i].counters.base >= screen->base) break;
    if (i == screen->new.count && i) i--;
    screen->selected = i;
    if (i >= screen->new.count || screen->new.views[i].counters.base != screen->base)
        screen->range.count = 0;
    else if (screen->range.first + screen->range.count >
             view_pages( &screen->new.views[i], &screen->source->process ))
        screen->range.count = 0;
    if (i < screen->new.count) screen->base = screen->new.views[i].counters.base;
}

static void select_region( struct screen *screen, int step )
{
    if (!screen->new.count || (step < 0 && !screen->selected) ||
        (step > 0 && screen->selected + 1 >= screen->new.count)) return;
    screen->selected += step;
    screen->base = screen->new.views[screen->selected].counters.base;
    screen->range.count = 0;
}

/* Shows so many pages around the same middle, moved by so many. */
static void show_range( struct screen *screen, uint64_t count, int64_t move )
{
    const struct region_view *view = &screen->new.views[screen->selected];
    uint64_t pages = view_pages( view, &screen->source->process ), middle;
    struct page_range *range = &screen->range;

    if (!range->count) *range = (struct page_range){ 0, pages };
    middle = range->first + range->count / 2;
    if (move < 0 && (uint64_t)-move > middle) middle = 0;
    else middle += move;
    if (count > pages) count = pages;
    if (!count) count = 1;
    range->first = middle < count / 2 ? 0 : middle - count / 2;
    if (range->first > pages - count) range->first = pages - count;
    range->count = count;
}

static void zoom( struct screen *screen, int key )
{
    const struct region_view *view;
    uint64_t count;

    if (!screen->new.count) return;
    view = &screen->new.views[screen->selected];
    count = screen->range.count ? screen->range.count
                                : view_pages( view, &screen->source->process );
    switch (key)
    {
    case '+': show_range( screen, (count + 1) / 2, 0 ); break;
    case '-': show_range( screen, count * 2, 0 ); break;
    case '0': screen->range.count = 0; break;
    case KEY_LEFT:  show_range( screen, count, -(int64_t)screen->shown ); break;
    case KEY_RIGHT: show_range( screen, count, screen->shown ); break;
    }
}

/* Returns whether the screen goes on. */
static int handle_key( struct screen *screen, int key )
{
    switch (key)
    {
    case 'q': case 'Q':
        return 0;
    case 27:   /* escape */
        if (!screen->is_help) return 0;
        screen->is_help = 0;
        break;
    case 'h': case '?': case KEY_F( 1 ):
        screen->is_help = !screen->is_help;
        break;
    case ' ': case 'p':
        screen->is_paused = !screen->is_paused;
        break;
    case KEY_UP: case 'k':
        select_region( screen, -1 );
        break;
    case KEY_DOWN: case 'j':
        select_region( screen, 1 );
        break;
    case '=':
        key = '+';
        /* fall through */
    case '+': case '-': case '0': case KEY_LEFT: case KEY_RIGHT:
        zoom( screen, key );
        break;
    }
    return 1;
}

/* Returns 0 or -1; a sentence is in the source's problem then. */
static int show( struct screen *screen )
{
    struct snapshot snapshot = { 0 };
    enum source_result result;
    double wait, paused = 0;
    int key = ERR;

    draw_screen( screen );
    while (!end_signal)
    {
        wait = -1;
        result = SOURCE_NONE;
        if (!screen->is_paused && !screen->has_ended)
            result = screen->source->work( screen->source, &snapshot, &wait );
        if (result == SOURCE_FAILED) return -1;
        if (result == SOURCE_ENDED) screen->has_ended = 1;
        if (result == SOURCE_SAMPLE) take_snapshot( screen, &snapshot );
        if (result == SOURCE_ENDED) wait = -1;
        if (result || key != ERR) draw_screen( screen );
        if (screen->is_paused && !paused) paused = clock_seconds();
        key = wait_key( wait );
        if (key != ERR && !handle_key( screen, key )) break;
        if (!screen->is_paused && paused)
        {
            if (screen->source->is_recording)
                replay_paused( screen->source, clock_seconds() - paused );
            paused = 0;
        }
    }
    return 0;
}

/* The one that the user chooses, or -1. */
static int choose( const struct candidate *candidates, unsigned int count )
{
    unsigned int selected = 0;
    int key;

    while (!end_signal)
    {
        draw_choice( candidates, count, selected );
        key = wait_key( -1 );
        if (key == 'q' || key == 27) return -1;
        if ((key == KEY_UP || key == 'k') && selected) selected--;
        if ((key == KEY_DOWN || key == 'j') && selected + 1 < count) selected++;
        if (key == '\n' || key == '\r' || key == KEY_ENTER) return selected;
    }
    return -1;
}

static int show_source( struct source *source, char *problem )
{
    struct screen screen = { .source = source };
    int ret = show( &screen );

    if (ret) memcpy( problem, source->problem, sizeof(source->problem) );
    snapshot_free( &screen.old );
    snapshot_free( &screen.new );
    source->close( source );
    return ret;
}

int run_screen( const struct options *options, const struct candidate *candidates,
                unsigned int count )
{
    char problem[256] = "";
    struct source *source = NULL;
    int chosen = 0;

    if (options->replay && !(source = replay_open( options->replay, problem )))
        complain( "%s", problem );
    else if (count == 1 && !(source = live_open( candidates[0].pid, options->interval, problem )))
        complain( "%s", problem );
    else if (!terminal_begin())
    {
        if (!source && (chosen = choose( candidates, count )) >= 0)
            source = live_open( candidates[chosen].pid, options->interval, problem );
        if (source && options->replay) replay_in_time( source );
        if (source) show_source( source, problem );
        terminal_end();
        if (*problem) complain( "%s", problem );
        /* the shell wants to know of the signal, now that the terminal is as it was */
        if (end_signal)
        {
            signal( end_signal, SIG_DFL );
            raise( end_signal );
        }
        return *problem != 0;
    }
    else if (source) source->close( source );
    return 1;
}
