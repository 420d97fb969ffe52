/*
 * The part of Wine's test environment that runs tests: for one file that defines STANDALONE
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef __WINE_WINE_TEST_STANDALONE_H
#define __WINE_WINE_TEST_STANDALONE_H

#include "wine/test.h"

struct test
{
    const char *name;
    void (*func)(void);
};

extern const struct test winetest_testlist[];  /* ends with a NULL name */

/* state of one thread */
struct winetest_state
{
    const char  *file;             /* location of the current check */
    int          line;
    unsigned int todo_levels;      /* a bit for every todo block that we are in,
    the innermost lowest */
    int          todo_loop;
    unsigned int context_count;
    char         contexts[8][128];
    unsigned int string_pos;
    char         strings[2048];    /* results of the wine_dbgstr functions, reused in turn */
};

const char *winetest_platform = "windows";
int winetest_debug = 1;
int winetest_report_success = 0;

static int winetest_argc;
static char **winetest_argv;
static const struct test *winetest_current;
static DWORD winetest_tls = TLS_OUT_OF_INDEXES;

static LONG winetest_successes, winetest_failures, winetest_todo_successes, winetest_todo_failures;
static LONG winetest_skipped;


/***********************************************************************
 *           winetest_get_state
 *
 * Return the state of the calling thread, allocated at its first use and never freed.
 */
static struct winetest_state *winetest_get_state(void)
{
    DWORD error = GetLastError();  /* which TlsGetValue clears */
    struct winetest_state *state = TlsGetValue( winetest_tls );

    if (!state)
    {
        state = HeapAlloc( GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*state) );
        if (!state) abort();
        TlsSetValue( winetest_tls, state );
    }
    SetLastError( error );
    return state;
}


/***********************************************************************
 *           winetest_print
 *
 * Print one message at the current location, in one write, so that threads and child processes do
 * not mix their lines. Preserve the last error: the test may be about to check it.
 */
static void winetest_print( const char *kind, const char *msg, va_list args )
{
    DWORD error = GetLastError();
    struct winetest_state *state = winetest_get_state();
    char buffer[4096];
    unsigned int i;
    size_t pos;

    snprintf( buffer, sizeof(buffer), "%s:%d: %s", state->file ? state->file : "?", state->line,
              kind );
    for (i = 0; i < state->context_count && i < ARRAY_SIZE( state->contexts ); i++)
    {
        pos = strlen( buffer );
        snprintf( buffer + pos, sizeof(buffer) - pos, "%s: ", state->contexts[i] );
    }
    pos = strlen( buffer );
    vsnprintf( buffer + pos, sizeof(buffer) - pos, msg, args );
    buffer[sizeof(buffer) - 1] = 0;
    fputs( buffer, stdout );
    fflush( stdout );
    SetLastError( error );
}


int winetest_platform_is_wine(void)
{
    return !strcmp( winetest_platform, "wine" );
}


/***********************************************************************
 *           broken
 *
 * Return TRUE for a condition that is wrong but true on some version of Windows.
 */
int broken( int condition )
{
    return !winetest_platform_is_wine() && condition;
}


void winetest_set_location( const char *file, int line )
{
    struct winetest_state *state = winetest_get_state();
    const char *p;

    for (p = file; *p; p++) if (*p == '/' || *p == '\\') file = p + 1;
    state->file = file;
    state->line = line;
}


/***********************************************************************
 *           winetest_vok
 *
 * Count a check. Returns whether it had the expected result.
 */
int winetest_vok( int condition, const char *msg, va_list args )
{
    struct winetest_state *state = winetest_get_state();

    if (state->todo_levels)
    {
        if (condition)
        {
            winetest_print( "Test succeeded inside todo block: ", msg, args );
            InterlockedIncrement( &winetest_todo_failures );
            return 0;
        }
        if (winetest_debug > 0) winetest_print( "Test marked todo: ", msg, args );
        InterlockedIncrement( &winetest_todo_successes );
        return 1;
    }
    if (!condition)
    {
        winetest_print( "Test failed: ", msg, args );
        InterlockedIncrement( &winetest_failures );
        return 0;
    }
    if (winetest_report_success) winetest_print( "Test succeeded\n", "", args );
    InterlockedIncrement( &winetest_successes );
    return 1;
}


void winetest_ok( int condition, const char *msg, ... )
{
    va_list args;

    va_start( args, msg );
    winetest_vok( condition, msg, args );
    va_end( args );
}


void winetest_vskip( const char *msg, va_list args )
{
    winetest_print( "Tests skipped: ", msg, args );
    InterlockedIncrement( &winetest_skipped );
}


void winetest_skip( const char *msg, ... )
{
    va_list args;

    va_start( args, msg );
    winetest_vskip( msg, args );
    va_end( args );
}


/***********************************************************************
 *           winetest_win_skip
 *
 * Skip something that only some Windows versions lack; Wine is expected to have it.
 */
void winetest_win_skip( const char *msg, ... )
{
    va_list args;

    va_start( args, msg );
    if (winetest_platform_is_wine()) winetest_vok( 0, msg, args );
    else winetest_vskip( msg, args );
    va_end( args );
}


void winetest_trace( const char *msg, ... )
{
    va_list args;

    if (winetest_debug <= 0) return;
    va_start( args, msg );
    winetest_print( "", msg, args );
    va_end( args );
}


/***********************************************************************
 *           winetest_push_context
 *
 * Put a prefix before all messages of this thread until winetest_pop_context.
 */
void winetest_push_context( const char *fmt, ... )
{
    struct winetest_state *state = winetest_get_state();
    unsigned int index = state->context_count++;
    va_list args;

    if (index >= ARRAY_SIZE( state->contexts )) return;
    va_start( args, fmt );
    vsnprintf( state->contexts[index], sizeof(state->contexts[index]), fmt, args );
    va_end( args );
    state->contexts[index][sizeof(state->contexts[index]) - 1] = 0;
}


void winetest_pop_context(void)
{
    struct winetest_state *state = winetest_get_state();

    if (state->context_count) state->context_count--;
}


void winetest_start_todo( int is_todo )
{
    struct winetest_state *state = winetest_get_state();

    state->todo_levels = (state->todo_levels << 1) | !!is_todo;
    state->todo_loop = 1;
}


/***********************************************************************
 *           winetest_loop_todo
 *
 * Make the body of a todo block run exactly once.
 */
int winetest_loop_todo(void)
{
    struct winetest_state *state = winetest_get_state();
    int loop = state->todo_loop;

    state->todo_loop = 0;
    return loop;
}


void winetest_end_todo(void)
{
    winetest_get_state()->todo_levels >>= 1;
}


int winetest_get_mainargs( char ***argv )
{
    *argv = winetest_argv;
    return winetest_argc;
}


LONG winetest_get_failures(void)
{
    return winetest_failures;
}


void winetest_add_failures( LONG count )
{
    InterlockedExchangeAdd( &winetest_failures, count );
}


/***********************************************************************
 *           winetest_wait_child_process
 *
 * Wait for a child that is a run of this program, and count its failures as ours.
 */
void winetest_wait_child_process( HANDLE process )
{
    DWORD code = 0;

    if (WaitForSingleObject( process, 30000 ) != WAIT_OBJECT_0)
        winetest_ok( 0, "the child process did not end\n" );
    else if (!GetExitCodeProcess( process, &code ))
        winetest_ok( 0, "cannot read the exit code of the child process, error %u\n",
                     (int)GetLastError() );
    else if (code > 255)
        winetest_ok( 0, "the child process ended with exception %08x\n", (int)code );
    else if (code)
    {
        winetest_trace( "%u failures in the child process\n", (int)code );
        winetest_add_failures( code );
    }
}


/***********************************************************************
 *           winetest_string
 *
 * Keep a formatted string until this thread has stored about 2000 more characters.
 */
static const char *winetest_string( const char *str )
{
    struct winetest_state *state = winetest_get_state();
    unsigned int len = strlen( str ) + 1;
    char *ret;

    if (state->string_pos + len > sizeof(state->strings)) state->string_pos = 0;
    ret = memcpy( state->strings + state->string_pos, str, len );
    state->string_pos += len;
    return ret;
}


/***********************************************************************
 *           winetest_quote
 *
 * Append one character to a quoted string, as it is written in C source.
 */
static unsigned int winetest_quote( char *dst, unsigned int ch )
{
    if (ch == '\n') return sprintf( dst, "\\n" );
    if (ch == '"' || ch == '\\') return sprintf( dst, "\\%c", ch );
    if (ch < 32 || ch > 126) return sprintf( dst, "\\x%x", ch );
    return sprintf( dst, "%c", ch );
}


const char *wine_dbgstr_an( const char *str, intptr_t n )
{
    char buffer[400];
    unsigned int pos = 0;

    if (!str) return "(null)";
    if (n < 0) n = strlen( str );
    buffer[pos++] = '"';
    while (n && pos < sizeof(buffer) - 16)
    {
        pos += winetest_quote( buffer + pos, (unsigned char)*str++ );
        n--;
    }
    strcpy( buffer + pos, n ? "\"..." : "\"" );
    return winetest_string( buffer );
}


const char *wine_dbgstr_wn( const WCHAR *str, intptr_t n )
{
    char buffer[400];
    unsigned int pos = 0;

    if (!str) return "(null)";
    if (n < 0) for (n = 0; str[n]; n++) ;
    buffer[pos++] = 'L';
    buffer[pos++] = '"';
    while (n && pos < sizeof(buffer) - 16)
    {
        pos += winetest_quote( buffer + pos, *str++ );
        n--;
    }
    strcpy( buffer + pos, n ? "\"..." : "\"" );
    return winetest_string( buffer );
}


/***********************************************************************
 *           winetest_exception_filter
 *
 * End the test program with a failure after a crash. Use TerminateProcess, as the crashed thread
 * may hold locks that an orderly exit would wait for.
 */
static LONG CALLBACK winetest_exception_filter( EXCEPTION_POINTERS *ptrs )
{
    struct winetest_state *state = winetest_get_state();

    if (state->file)
        printf( "%s:%d: this is the last test seen before the exception\n", state->file,
                state->line );
    printf( "%04x:%s: unhandled exception %08x at %p\n", (int)GetCurrentProcessId(),
            winetest_current ? winetest_current->name : "?",
            (int)ptrs->ExceptionRecord->ExceptionCode, ptrs->ExceptionRecord->ExceptionAddress );
    fflush( stdout );
    TerminateProcess( GetCurrentProcess(), 255 );
    return EXCEPTION_EXECUTE_HANDLER;
}


/***********************************************************************
 *           winetest_run
 *
 * Run one test. Return the exit status: the number of its failures, at most 255.
 */
static int winetest_run( const struct test *test )
{
    LONG failures;

    winetest_current = test;
    test->func();
    failures = winetest_failures + winetest_todo_failures;
    if (winetest_debug)
    {
        printf( "%04x:%s: %d tests executed (%d marked as todo, %d failures), %d skipped.\n",
                (int)GetCurrentProcessId(), test->name,
                (int)(winetest_successes + winetest_todo_successes + failures),
                (int)winetest_todo_successes, (int)failures, (int)winetest_skipped );
        fflush( stdout );
    }
    return failures < 255 ? failures : 255;
}


/***********************************************************************
 *           winetest_init
 *
 * Read the environment. The variables have the same names and meanings as in Wine's tests.
 */
static void winetest_init(void)
{
    HMODULE ntdll = GetModuleHandleA( "ntdll.dll" );
    const char *str;

    winetest_tls = TlsAlloc();
    if ((str = getenv( "WINETEST_PLATFORM" )) && *str) winetest_platform = strdup( str );
    else if (ntdll && GetProcAddress( ntdll, "wine_get_version" )) winetest_platform = "wine";
    if ((str = getenv( "WINETEST_DEBUG" ))) winetest_debug = atoi( str );
    if ((str = getenv( "WINETEST_REPORT_SUCCESS" ))) winetest_report_success = atoi( str );
    setvbuf( stdout, NULL, _IONBF, 0 );
    SetErrorMode( SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX );
    SetUnhandledExceptionFilter( winetest_exception_filter );
}


int main( int argc, char **argv )
{
    const struct test *test;

    winetest_argc = argc;
    winetest_argv = argv;
    winetest_init();

    if (argc < 2 || !strcmp( argv[1], "--list" ))
    {
        for (test = winetest_testlist; test->name; test++) printf( "%s\n", test->name );
        return 0;
    }
    for (test = winetest_testlist; test->name; test++)
        if (!strcmp( test->name, argv[1] )) return winetest_run( test );

    printf( "There is no test '%s'. --list shows the names.\n", argv[1] );
    return 1;
}

#endif /* __WINE_WINE_TEST_STANDALONE_H */
