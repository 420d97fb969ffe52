/*
 * Write watch tests: a process that writes to itself by the calls for other processes
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "watch.h"

#define RESET WRITE_WATCH_FLAG_RESET
#define REGION_PAGES 16
#define REGION_SIZE (REGION_PAGES * PAGE)


/***********************************************************************
 *           test_own_process
 *
 * Row 29 for a process that writes to itself.
 */
static void test_own_process(void)
{
    char *region = alloc_watched( REGION_SIZE );
    HANDLE process;
    NTSTATUS status;
    SIZE_T size;
    BOOL ret;

    touch( region, "0-3" );
    reset( region, REGION_SIZE );
    ret = WriteProcessMemory( GetCurrentProcess(), region + 3 * PAGE - 1, "ab", 2, &size );
    ok( ret && size == 2, "WriteProcessMemory failed, error %u\n", (int)GetLastError() );
    ok( region[3 * PAGE - 1] == 'a' && region[3 * PAGE] == 'b', "wrong data\n" );
    todo_wine check_written( RESET, region, REGION_SIZE, "2-3" );
    status = pNtWriteVirtualMemory( GetCurrentProcess(), region + 8 * PAGE, "never touched", 13,
                                    &size );
    ok( !status && size == 13, "NtWriteVirtualMemory returned %08x\n", (int)status );
    todo_wine check_written( RESET, region, REGION_SIZE, "8" );
    process = OpenProcess( PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId() );
    ok( process != NULL, "OpenProcess failed, error %u\n", (int)GetLastError() );
    ret = WriteProcessMemory( process, region + PAGE, region, 2 * PAGE, &size );
    ok( ret && size == 2 * PAGE, "WriteProcessMemory failed, error %u\n", (int)GetLastError() );
    todo_wine check_written( RESET, region, REGION_SIZE, "1-2" );
    check_written( RESET, region, REGION_SIZE, "" );
    CloseHandle( process );

    /* the number of bytes written is stored by the call too */
    touch( region, "5" );
    reset( region, REGION_SIZE );
    ret = WriteProcessMemory( GetCurrentProcess(), region + 5 * PAGE, "a", 1,
                              (SIZE_T *)(region + 6 * PAGE) );
    ok( ret && *(SIZE_T *)(region + 6 * PAGE) == 1, "WriteProcessMemory failed\n" );
    todo_wine check_written( RESET, region, REGION_SIZE, "5-6" );
    free_watched( region );
}


START_TEST(own_process)
{
    init_watch();
    test_own_process();
}
