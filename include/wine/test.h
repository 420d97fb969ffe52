/*
 * Test macros with the names that Wine's own tests use
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The conformance tests include this file as "wine/test.h". Inside a Wine tree they include Wine's
 * own header of that name instead, so a test may only use what Wine's header provides too.
 *
 * Only testlist.c defines STANDALONE, which adds the implementation and main().
 *
 * WINETEST_PLATFORM selects the platform that the program assumes, "wine" or "windows". On "wine" a
 * check inside todo_wine is expected to fail, and win_skip is a failure; on "windows" todo_wine
 * does nothing and broken() accepts what some Windows version gets wrong.
 */

#ifndef __WINE_WINE_TEST_H
#define __WINE_WINE_TEST_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windef.h>
#include <winbase.h>

#if defined(__MINGW_PRINTF_FORMAT) && !defined(__clang__)
# define WINETEST_PRINTF_ATTR(fmt,args) __attribute__((format(ms_printf,fmt,args)))
#else
# define WINETEST_PRINTF_ATTR(fmt,args) __attribute__((format(printf,fmt,args)))
#endif

extern const char *winetest_platform;
extern int winetest_debug;           /* 0 prints failures only, 1 also todo, traces, the summary */
extern int winetest_report_success;  /* print successful checks too */

extern int winetest_platform_is_wine(void);
extern void winetest_set_location( const char *file, int line );
extern void winetest_start_todo( int is_todo );
extern int winetest_loop_todo(void);
extern void winetest_end_todo(void);
extern int winetest_get_mainargs( char ***argv );
extern LONG winetest_get_failures(void);
extern void winetest_add_failures( LONG count );
extern void winetest_wait_child_process( HANDLE process );

extern const char *wine_dbgstr_an( const char *str, intptr_t n );
extern const char *wine_dbgstr_wn( const WCHAR *str, intptr_t n );
static inline const char *wine_dbgstr_a( const char *str ) { return wine_dbgstr_an( str, -1 ); }
static inline const char *wine_dbgstr_w( const WCHAR *str ) { return wine_dbgstr_wn( str, -1 ); }

extern int broken( int condition );
extern int winetest_vok( int condition, const char *msg, va_list args );
extern void winetest_vskip( const char *msg, va_list args );
extern void winetest_ok( int condition, const char *msg, ... ) WINETEST_PRINTF_ATTR(2,3);
extern void winetest_skip( const char *msg, ... ) WINETEST_PRINTF_ATTR(1,2);
extern void winetest_win_skip( const char *msg, ... ) WINETEST_PRINTF_ATTR(1,2);
extern void winetest_trace( const char *msg, ... ) WINETEST_PRINTF_ATTR(1,2);
extern void winetest_push_context( const char *fmt, ... ) WINETEST_PRINTF_ATTR(1,2);
extern void winetest_pop_context(void);

#define START_TEST(name) void func_##name(void); void func_##name(void)

/* The location is recorded before the arguments of the check are evaluated, so that a crash in one
 * of them is reported at this line. */
#define WINETEST_AT(file,line,call) (winetest_set_location( file, line ), 0) ? (void)0 : call

#define ok_(file,line)                 WINETEST_AT( file, line, winetest_ok )
#define skip_(file,line)               WINETEST_AT( file, line, winetest_skip )
#define win_skip_(file,line)           WINETEST_AT( file, line, winetest_win_skip )
#define trace_(file,line)              WINETEST_AT( file, line, winetest_trace )
#define wait_child_process_(file,line) WINETEST_AT( file, line, winetest_wait_child_process )

#define ok                 ok_( __FILE__, __LINE__ )
#define skip               skip_( __FILE__, __LINE__ )
#define win_skip           win_skip_( __FILE__, __LINE__ )
#define trace              trace_( __FILE__, __LINE__ )
#define wait_child_process wait_child_process_( __FILE__, __LINE__ )

#define todo_if(is_todo) \
    for (winetest_start_todo( is_todo ); winetest_loop_todo(); winetest_end_todo())
#define todo_wine              todo_if( winetest_platform_is_wine() )
#define todo_wine_if(is_todo)  todo_if( (is_todo) && winetest_platform_is_wine() )

#ifndef ARRAY_SIZE
# define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif


#ifdef STANDALONE
#include "wine/test_standalone.h"
#endif  /* STANDALONE */

#endif  /* __WINE_WINE_TEST_H */
