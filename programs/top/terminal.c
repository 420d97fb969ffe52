/*
 * Takes the terminal, and gives it back whatever happens
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <curses.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "screen.h"

static SCREEN *terminal;
static struct termios modes;
static char restore[128];   /* what puts the terminal back, for a handler of signals */

static void keep( const char *name )
{
    const char *text = tigetstr( name );

    if (text && text != (char *)-1 && strlen( restore ) + strlen( text ) < sizeof(restore))
        strcat( restore, text );
}

/* A fault of our own: curses may be in the middle of anything. */
static void give_back( int sig )
{
    if (write( 1, restore, strlen( restore ) ) < 0) { /* there is nothing else to do */ }
    tcsetattr( 0, TCSANOW, &modes );
    raise( sig );   /* SA_RESETHAND: it ends the program */
}

static void catch_faults(void)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
    struct sigaction action = { .sa_handler = give_back, .sa_flags = SA_RESETHAND | SA_NODEFER };
    unsigned int i;

    for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction( signals[i], &action, NULL );
}

int terminal_begin(void)
{
    struct sigaction actions[2];

    if (!isatty( 0 ) || !isatty( 1 ))
    {
        complain( "no terminal: --once prints one sample as text" );
        return -1;
    }
    tcgetattr( 0, &modes );
    /* curses has handlers of its own for these, which exit */
    sigaction( SIGINT, NULL, &actions[0] );
    sigaction( SIGTERM, NULL, &actions[1] );
    if (!(terminal = newterm( NULL, stdout, stdin )))
    {
        complain( "the terminal \"%s\" is not known", getenv( "TERM" ) ? getenv( "TERM" ) : "" );
        return -1;
    }
    sigaction( SIGINT, &actions[0], NULL );
    sigaction( SIGTERM, &actions[1], NULL );
    keep( "sgr0" );
    keep( "rmkx" );
    keep( "cnorm" );
    keep( "rmcup" );
    catch_faults();
    cbreak();
    noecho();
    nodelay( stdscr, TRUE );
    keypad( stdscr, TRUE );
    set_escdelay( 50 );
    curs_set( 0 );
    if (has_colors() && !getenv( "NO_COLOR" ))
    {
        start_color();
        use_default_colors();
    }
    return 0;
}

void terminal_end(void)
{
    if (!terminal) return;
    /* where there is no other screen to go back to, the shell goes on in the last line */
    move( LINES - 1, 0 );
    clrtoeol();
    refresh();
    endwin();
    delscreen( terminal );
    terminal = NULL;
}
