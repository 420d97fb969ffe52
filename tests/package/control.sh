#!/bin/sh
# What fails with stock Wine, the control, is a failure, but todo where Wine has kernel watches.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The Wine is a program that loads an ntdll.so and fails.

set -eu
dir=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-control.XXXXXX")
trap 'rm -rf "$dir"' EXIT
status=0

mkdir "$dir/groups" "$dir/template"
: >"$dir/template/system.reg"
: >"$dir/program.exe"
cat >"$dir/wine.c" <<'END'
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main( int argc, char **argv )
{
    const char *how = getenv( "FAKE_WINE" );

    if (!dlopen( getenv( "FAKE_NTDLL" ), RTLD_NOW )) return 2;
    if (!strcmp( argv[argc - 1], "--list" ) || !strcmp( argv[argc - 1], "--version" )) return 0;
    if (!strcmp( how, "hang" )) sleep( 1000 );
    printf( "0024:results: 10 tests executed (0 marked as todo, %d failures), 0 skipped.\n",
            strcmp( how, "pass" ) ? 3 : 0 );
    return strcmp( how, "pass" ) ? 3 : 0;
}
END
$CC -o "$dir/wine" "$dir/wine.c" -ldl
printf '#!/bin/sh\nexit 0\n' >"$dir/wineserver"
chmod +x "$dir/wineserver"
for kind in plain own; do
    mkdir "$dir/$kind"
    own=
    [ $kind = plain ] || own=-DKERNEL_WATCHES
    # shellcheck disable=SC2086
    $CC -w -O1 -shared -fPIC -Wl,-Bsymbolic -DABI= -DDISPATCHER=2 $own -o "$dir/$kind/ntdll.so" \
        "$top_srcdir/tests/package/inspect/ntdll.c"
done
cat >"$dir/groups/10-control.sh" <<'END'
run_winetest control/checks stock 2 "$control_program" results
run_wine control/status stock 2 "$control_program"
mode=native
run control/native 5 false
END

# run_tests KIND HOW: the verdicts with such a Wine
run_tests()
{
    env FAKE_NTDLL="$dir/$1/ntdll.so" FAKE_WINE="$2" control_program="$dir/program.exe" \
        WINE="$dir/wine" WINESERVER="$dir/wineserver" TMPDIR="$dir" \
        WRITEWATCH_PREFIX_TEMPLATE="$dir/template" WRITEWATCH_TEST_GROUPS="$dir/groups" \
        WRITEWATCH_TEST_LOGS="$dir/logs" WRITEWATCH_TEST_FACTOR=1 \
        "$top_srcdir/tests/run-tests" >"$dir/output" 2>&1 || :
}

# expect PATTERN...: a line for each
expect()
{
    for pattern in "$@"; do
        grep -q "^$pattern" "$dir/output" && continue
        echo "no line $pattern in:"
        cat "$dir/output"
        status=1
    done
}

run_tests plain pass
expect 'PASS control/checks (10 checks' 'PASS control/status$' 'FAIL control/native'
run_tests plain fail
expect 'FAIL control/checks: 3 of 10 checks failed' 'FAIL control/status: exit status 3' \
    'FAIL control/native' '0 passed, 3 failed'
run_tests own pass
expect 'PASS control/checks (10 checks' 'PASS control/status$' 'FAIL control/native'
run_tests own fail
todo="(todo, by Wine's own kernel watches: "
expect "PASS control/checks ${todo}3 of 10 checks failed" "PASS control/status ${todo}exit status 3" \
    'FAIL control/native' '2 passed, 1 failed'
run_tests own hang
expect "PASS control/checks ${todo}not done after 2 seconds" 'FAIL control/native'
run_tests plain hang
expect 'FAIL control/checks: not done after 2 seconds' 'FAIL control/native'
exit $status
