#!/bin/sh
# What is missing is named in one sentence with the command that brings it, and ends in failure.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-missing.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
unset MAKEFLAGS MFLAGS MAKELEVEL WINE WINESERVER MINGW MINGW32 OBJDUMP CC CC32
bring='run tools/install-deps'
status=0

# a PATH with everything but Wine and the compiler for Windows programs
mkdir "$work/bin" "$work/build" "$work/none"
for dir in /usr/local/bin /usr/bin /bin; do
    for file in "$dir"/*; do
        case ${file##*/} in
        *wine*|*mingw*) ;;
        *) [ -e "$work/bin/${file##*/}" ] || ln -s "$file" "$work/bin/${file##*/}" ;;
        esac
    done
done
cd "$work/build" || exit 1

# expect WHAT STATUS-IS-ZERO PATTERN COMMAND...
expect()
{
    what=$1
    zero=$2
    pattern=$3
    shift 3
    PATH=$work/bin "$@" >"$work/output" 2>&1
    got=$?
    { [ "$zero" = yes ] && [ $got -eq 0 ]; } || { [ "$zero" = no ] && [ $got -ne 0 ]; } || {
        echo "$what: exit status $got"
        status=1
    }
    if [ "$(grep -c "$pattern" "$work/output")" -ne 1 ]; then
        echo "$what: not exactly one line with '$pattern':"
        cat "$work/output"
        status=1
    fi
}

expect "configure without mingw" yes \
    "x86_64-w64-mingw32-gcc .* is missing.*$bring" "$top_srcdir/configure"
expect "configure without Wine" yes "Wine .* is missing.*$bring" "$top_srcdir/configure"
expect "the native part" yes '  LINK .* programs/writewatch/writewatch$' make native
expect "make pe without mingw" no "x86_64-w64-mingw32-gcc, is missing.*$bring" make pe
expect "make run without Wine" no "^Wine is missing: $bring" make run
expect "make check without Wine" no "^FAIL conformance: Wine is missing: $bring" \
    make check TESTS=conformance/
expect "make check without Wine sums up" no '^0 passed, [1-9][0-9]* failed, 0 skipped$' \
    make check TESTS=stress/
expect "wine-run without Wine" no "wine is missing: $bring" tests/wine-run --mode stock x.exe

# a path that make cannot work with, of the build tree and of the sources
for odd in 'a b' 'a:b' 'a$b'; do
    mkdir "$work/$odd" && cd "$work/$odd" || exit 1
    expect "configure in $odd" no "^configure: error: .*\"$(pwd)\"" "$top_srcdir/configure"
    cp -R "$top_srcdir/configure" "$top_srcdir/programs" "$work/$odd" && cd "$work/none" || exit 1
    expect "configure of $odd" no "^configure: error: .*\"$work/$odd\"" "../$odd/configure"
done

# without a C compiler
rm -f "$work/bin/gcc" "$work/bin/cc" "$work/bin/clang"
cd "$work/none" || exit 1
expect "configure without a compiler" no "C compiler .* is missing.*$bring" "$top_srcdir/configure"
exit $status
