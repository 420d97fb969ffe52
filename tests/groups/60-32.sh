# 32-bit Windows programs under the 32-bit side of Wine, and the library as a 32-bit program.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What is tested is built in the tree 32/, which has a run of its own. Its tests have the names that
# they have for 64 bits, with "32/" before them; its numbers are added here.
# WRITEWATCH_GROUPS32: the groups of that run.

. "$tests/tools/result"
tree32=$top_builddir/32

# why32: why there is nothing to test, if so
why32()
{
    if [ -z "$CC32" ] || [ -z "$MINGW32" ]; then
        echo "no compilers for 32 bits: $brings"
    elif ! "$tree32/tests/tools/fault_cost" >/dev/null 2>&1; then
        echo "this system runs no 32-bit programs: tools/install-deps --32 enables the i386" \
            "architecture"
    elif ! has_wine32; then
        echo "this Wine runs no 32-bit programs: tools/install-deps --32 brings wine32"
    fi
}

# whether Wine has a 32-bit side: Debian's has it in a package of its own
has_wine32()
{
    for unix in /usr/lib/i386-linux-gnu/wine/i386-unix /usr/lib32/wine/i386-unix \
        /usr/lib/wine/i386-unix /opt/wine-*/lib/wine/i386-unix; do
        [ ! -f "$unix/ntdll.so" ] || return 0
    done
    return 1
}

# run32 PATTERN...: those tests in the tree, their lines as they come
run32()
{
    numbers=$logs/32/numbers
    rm -f "$numbers"
    mkdir -p "$logs/32"
    env -u WRITEWATCH_TEST_GROUPS top_builddir="$tree32" CC="$CC32" MINGW="$MINGW32" WINEGCC= \
        WRITEWATCH_TEST_LOGS="$logs/32" WRITEWATCH_WORDS=32 \
        WRITEWATCH_RUNNER="$top_builddir/programs/writewatch/writewatch" \
        WRITEWATCH_REPLAY="$top_builddir/programs/replay/writewatch-replay" \
        WRITEWATCH_PREFIX_TEMPLATE="${WRITEWATCH_PREFIX_TEMPLATE:-$tree32/tests/prefix-template}" \
        sh "$tests/run-tests" --groups "$groups32" "$@" </dev/null |
    while IFS= read -r line; do
        case $line in
        'PASS '*|'FAIL '*|'SKIP '*) echo "${line%% *} 32/${line#* }" ;;
        *' passed, '*' failed, '*' skipped') echo "$line" >"$numbers" ;;
        '== '*) echo "== 32/${line#== }" ;;
        esac
    done
    add_result 32 "$numbers"
}

groups32=${WRITEWATCH_GROUPS32:-unit conformance model-wine race-wine stress replay}
patterns32=
wanted32=
for pattern in $patterns; do
    case $pattern in
    32/?*) patterns32="$patterns32 ${pattern#32/}" wanted32=yes ;;
    32|32/) wanted32=yes ;;
    esac
done
if [ -z "$patterns" ] || [ -n "$wanted32" ]; then
    reason=$(why32)
    # shellcheck disable=SC2086
    if [ -n "$reason" ]; then skip 32 "$reason"
    else run32 $patterns32
    fi
fi
