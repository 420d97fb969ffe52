#!/bin/sh
# Programs that watch memory run under valgrind with the flag that the manual names: the library
# chooses mprotect there, reports what was written and nothing else, and valgrind finds no error.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

: "${top_srcdir:?run by tests/run-tests}" "${top_builddir:?}"
CC=${CC:-cc}
command -v valgrind >/dev/null || {
    echo "valgrind is missing: run tools/install-deps --developer"
    exit 77
}
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-valgrind.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
unset LD_PRELOAD WRITEWATCH_BACKEND VALGRIND_OPTS
export LD_LIBRARY_PATH="$top_builddir"
status=0

# valgrind runs programs of the word sizes that it was made for
printf 'int main( void ) { return 0; }\n' >none.c
$CC -o none none.c || exit 1
valgrind -q ./none >log 2>&1 || { echo "valgrind runs no program here: $(tail -n 1 log)"; exit 77; }

# the flag is the one in the documents
flag=--vex-iropt-register-updates=allregs-at-mem-access
grep -qF -e "$flag" "$top_srcdir/docs/native.md" || { echo "native.md does not name $flag"; status=1; }
sed 's/\\-/-/g' "$top_srcdir/man/writewatch.3" | grep -qF -e "$flag" ||
    { echo "writewatch(3) does not name $flag"; status=1; }

cat >threads.c <<'END'
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <writewatch.h>

static char *memory;
static size_t page;

static void *write_pages( void *arg )
{
    size_t i;

    for (i = 0; i < 64; i++) memory[(i * 4 + (size_t)arg) * page] = 1;
    return NULL;
}

int main( void )
{
    struct writewatch_filter filter;
    struct writewatch_range range;
    const void *next;
    pthread_t threads[3];
    size_t i, size;

    page = sysconf( _SC_PAGESIZE );
    size = 256 * page;
    memory = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    if (memory == MAP_FAILED || writewatch_watch( memory, size ))
    {
        printf( "%s\n", writewatch_reason() );
        return 1;
    }
    if (strcmp( writewatch_backend(), "mprotect" ))
    {
        printf( "the backend is %s\n", writewatch_backend() );
        return 2;
    }
    for (i = 0; i < 3; i++)
        if (pthread_create( &threads[i], NULL, write_pages, (void *)i )) return 3;
    for (i = 0; i < 3; i++) pthread_join( threads[i], NULL );
    memset( &filter, 0, sizeof(filter) );
    filter.required = WRITEWATCH_WRITTEN;
    filter.reset = 1;
    next = memory;
    for (i = 0; next < (void *)(memory + size); i++)
    {
        ssize_t count = writewatch_list( next, memory + size - (char *)next, &filter, &range, 1,
                                         &next );

        if (count < 0) return 4;
        if (!count) break;
        if (range.start != (uintptr_t)memory + i * 4 * page || range.end - range.start != 3 * page)
            return 5;
    }
    return i != 64 ? 6 : writewatch_unwatch( memory, size ) ? 7 : 0;
}
END
cp "$top_srcdir"/examples/poll.c "$top_srcdir"/examples/list_pages.c \
    "$top_srcdir"/examples/watch_mapping.c . || exit 1
for name in threads poll list_pages watch_mapping; do
    $CC -g -O1 -Wall -Wextra -Werror -I"$top_srcdir/include" -o $name $name.c -L"$top_builddir" \
        -lwritewatch -pthread || exit 1
    ./$name >expected 2>&1 || [ $name = threads ] || { echo "$name fails without valgrind"; exit 1; }
    for tool in memcheck none; do
        valgrind --tool=$tool -q $flag $([ $tool = memcheck ] && echo --error-exitcode=99) ./$name \
            >log 2>&1 || { echo "$name under $tool ended with $?: $(cat log)"; status=1; }
    done
done
exit $status
