#!/bin/sh
# Each public name has a manual page, which declares it as the header does; the pages are well
# formed; and the programs in them compile and run.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

map=$top_srcdir/dlls/writewatch/libwritewatch.map
man=$top_srcdir/man
CC=${CC:-cc}
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-manpages.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
status=0
unset LD_PRELOAD WRITEWATCH_BACKEND

bad()
{
    echo "$*"
    status=1
}

# squeezed FILE: its text on one line, without the marks of roff, with single spaces
squeezed()
{
    sed 's/^\.B "\(.*\)"$/\1/; s,/\*.*\*/,,' "$1" | tr '\n' ' ' | tr -s ' '
}

# a page, by itself or by a link to another one, for each name
names=$(sed 's,/\*.*\*/,,; s/local:.*//' "$map" | sed -n 's/^ *\([A-Za-z_0-9]*\);$/\1/p')
[ -n "$names" ] || bad "no name seen in $map"
headers=$(for header in "$top_srcdir"/include/writewatch*.h; do squeezed "$header"; done)
for name in $names; do
    page=$man/$name.3
    [ -f "$page" ] || { bad "$name has no page"; continue; }
    link=$(sed -n '1s,^\.so man3/,,p' "$page")
    if [ -n "$link" ]; then page=$man/$link; fi
    [ -f "$page" ] || { bad "$name.3 is a link to nothing"; continue; }
    sed -n '/^\.SH NAME/,/^\.SH SYNOPSIS/p' "$page" | grep -q "\\<$name\\>" ||
        bad "$(basename "$page") does not name $name"
    shown=$(squeezed "$page" | grep -o "extern [^;]*[ *]$name( [^;]*;" | sed 's/.*extern/extern/')
    [ -n "$shown" ] || { bad "$(basename "$page") does not declare $name"; continue; }
    case $headers in
    *"$shown"*) ;;
    *) bad "$(basename "$page") declares $name otherwise than the header: $shown" ;;
    esac
done

# the programs in them, against the library of the build tree
for page in "$man"/*.3; do
    name=$(basename "$page" .3)
    [ -z "$(sed -n '/^\.so /p' "$page")" ] || continue
    for part in NAME SYNOPSIS DESCRIPTION EXAMPLES 'SEE ALSO'; do
        grep -q "^\\.SH $part\$" "$page" || bad "$name.3 has no $part"
    done
    sed -n '/^\.SH EXAMPLES/,/^\.SH SEE/p' "$page" | sed -n '/^\.EX/,/^\.EE/p' |
        sed '/^\.E[XE]/d; s/\\&//g; s/\\-/-/g; s/\\e/\\/g' >"$work/$name.c"
    $CC -std=gnu11 -O2 -Wall -Wextra -Werror -I"$top_srcdir/include" -o "$work/program" \
        "$work/$name.c" -L"$top_builddir" -lwritewatch || { bad "$name.3: no program"; continue; }
    LD_LIBRARY_PATH=$top_builddir "$work/program" >"$work/out" 2>&1 ||
        bad "the program of $name.3 ended with $?: $(tail -n 1 "$work/out")"
done

# the pages as man sees them; links lead to man3
if ! command -v man >/dev/null || ! command -v groff >/dev/null; then
    [ $status -eq 0 ] || exit 1
    echo "all else passed, but man or groff is missing: run tools/install-deps"
    exit 77
fi
ln -s "$man" "$work/man1" && ln -s "$man" "$work/man3" && cd "$work" || exit 1
for page in man1/*.1 man3/*.3; do
    warnings=$(LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 "$page" 2>&1 >text)
    [ -z "$warnings" ] || bad "$page: $warnings"
    [ -s text ] || bad "$page: man shows nothing"
done
# what is no printable sign is no text, whatever language
LC_ALL=C grep -n '[^ -~	]' man1/*.1 man3/*.3 && bad "signs that are not plain text"
if command -v mandoc >/dev/null; then
    for page in man1/*.1 man3/*.3; do
        case $(head -n 1 "$page") in .so\ *) continue ;; esac
        mandoc -T lint -W warning "$page" || bad "$page: mandoc complains"
    done
fi
exit $status
