#!/bin/sh
# The header in programs of others: each standard of C and C++, beside other libraries' headers and
# a program's own names.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: headers.sh LANGUAGE NEIGHBOUR     LANGUAGE: c, c++, clang, clang++
# NEIGHBOUR: alone, names, macros, or a file of this folder without .h

: "${top_srcdir:?run by tests/run-tests}"
here=$top_srcdir/tests/headers
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-headers.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
status=0
count=0

lacks()
{
    echo "$*"
    exit 77
}

case $1 in
c) compiler=${CC:-cc} standards='c99 c11 c17' language=c ;;
c++) compiler=${CXX:-g++} standards='c++11 c++14 c++17 c++20 c++23' language=c++ ;;
clang) compiler=clang standards='c99 c11 c17' language=c ;;
clang++) compiler=clang standards='c++11 c++14 c++17 c++20 c++23' language=c++ ;;
*) echo "no language $1"; exit 1 ;;
esac
neighbour=$2
command -v "${compiler%% *}" >/dev/null || lacks "${compiler%% *} is missing: run tools/install-deps" \
    "$(case $1 in clang*) echo --developer ;; esac)"

flags=
case $neighbour in
alone|macros) ;;
*)
    # which package pkg-config has it from, and which of Debian's has it
    package=$(sed -n 's/^ \* pkg-config: *//p' "$here/$neighbour.h")
    if [ -n "$package" ]; then
        flags=$("${PKG_CONFIG:-pkg-config}" --cflags "$package" 2>/dev/null) ||
            lacks "the headers of $package are missing: run tools/install-deps"
    fi ;;
esac

# accepts STANDARD: whether the compiler knows it; older ones know the last one by its draft's name
accepts()
{
    # shellcheck disable=SC2086
    echo 'int any;' | $compiler -std=$1 -x $language -fsyntax-only - 2>/dev/null
}

# compile STANDARD FILE WHAT
compile()
{
    count=$((count + 1))
    # the neighbours' own headers are not held to this: theirs are system headers
    # shellcheck disable=SC2086
    $compiler -std=$1 -pedantic -Wall -Wextra -Werror -x $language -fsyntax-only \
        -I"$top_srcdir/include" -I"$here" $(echo " $flags" | sed 's/ -I/ -isystem /g') "$2" || {
        echo "$compiler -std=$1: $3"
        status=1
    }
}

# macros FILE: names of those that FILE leaves defined
macros()
{
    # shellcheck disable=SC2086
    $compiler -std=$standard -x $language -dM -E -I"$top_srcdir/include" "$1" |
        sed 's/^#define \([A-Za-z_0-9]*\).*/\1/' | sort -u
}

# which of the header's calls there are, for a use of each
calls=$(sed -n '/^extern/s/.*[ *]\(writewatch_[a-z_]*\)(.*/\1/p' "$top_srcdir/include/writewatch.h")
[ "$(echo "$calls" | wc -l)" -ge 15 ] || { echo "the header's calls are not seen"; exit 1; }
cat >"$work/use.h" <<END
typedef void (*any_call)( void );
extern const any_call calls[];
const any_call calls[] =
{
$(echo "$calls" | sed 's/.*/    (any_call)&,/')
};
#if WRITEWATCH_VERSION != WRITEWATCH_VERSION_MAJOR * 1000000 + WRITEWATCH_VERSION_MINOR * 1000 + \\
    WRITEWATCH_VERSION_MICRO || WRITEWATCH_VERSION < 1000
#error the version
#endif
END
# another type than the call's: compilers may warn of the cast, which is the test's own
sed -i '1i #if defined(__GNUC__) && !defined(__clang__)\n#pragma GCC diagnostic ignored "-Wcast-function-type"\n#endif' \
    "$work/use.h"

for standard in $standards; do
    if ! accepts "$standard"; then
        case $standard in
        c++23) standard=c++2b ;;
        c++20) standard=c++2a ;;
        c17) standard=c18 ;;
        esac
        accepts "$standard" || { echo "not tested: $compiler has no -std=$standard"; continue; }
    fi
    case $neighbour in
    macros)
        # what the header may bring are its own names and those of the three headers it includes
        printf '#include <stddef.h>\n#include <stdint.h>\n#include <sys/types.h>\n' >"$work/base.c"
        { cat "$work/base.c"; printf '#define WRITEWATCH_NO_WINDOWS\n#include <writewatch.h>\n'; } \
            >"$work/with.c"
        macros "$work/base.c" >"$work/before"
        macros "$work/with.c" >"$work/after"
        [ "$(wc -l <"$work/before")" -gt 100 ] || { echo "no macros seen"; exit 1; }
        grep -qx WRITEWATCH_WRITTEN "$work/after" || { echo "no macros of the header"; exit 1; }
        others=$(comm -13 "$work/before" "$work/after" | grep -v '^WRITEWATCH_')
        count=$((count + 1))
        [ -z "$others" ] || { echo "-std=$standard: the header defines" $others; status=1; } ;;
    alone)
        for no_windows in '' '#define WRITEWATCH_NO_WINDOWS'; do
            printf '%s\n#include <writewatch.h>\n#include <writewatch.h>\n#include "%s"\n' \
                "$no_windows" "$work/use.h" >"$work/alone.c"
            compile $standard "$work/alone.c" "alone${no_windows:+ without the Windows names}"
        done ;;
    *)
        # before the header and behind it; with the Windows names too, where the neighbour has none
        for define in '#define WRITEWATCH_NO_WINDOWS' ''; do
            [ -n "$define" ] || grep -q '^ \* It has no Windows names' "$here/$neighbour.h" || continue
            what="${define:+ without the Windows names}"
            printf '%s\n#include "%s.h"\n#include <writewatch.h>\n#include "%s"\n' \
                "$define" "$neighbour" "$work/use.h" >"$work/first.c"
            printf '%s\n#include <writewatch.h>\n#include "%s.h"\n#include "%s"\n' \
                "$define" "$neighbour" "$work/use.h" >"$work/last.c"
            compile $standard "$work/first.c" "behind $neighbour$what"
            compile $standard "$work/last.c" "before $neighbour$what"
        done ;;
    esac
done
[ $count -gt 0 ] || { echo "nothing was compiled"; exit 1; }
echo "$count compiled"
exit $status
