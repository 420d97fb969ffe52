#!/bin/sh
# The comparison of the backends: every row is there, exact where that is promised, and its race
# sees a loss where there is one.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

backends=$top_builddir/bench/backends
. "$top_srcdir/tests/tools/backends"
rows=$exact_backends

die()
{
    echo "compare: $*"
    exit 1
}

# shellcheck disable=SC2086
table=$("$backends" --csv --pages 256 --rounds 2 --race 50 $rows) || die "exit status $?: $table"
echo "$table"
missing=
for row in $rows; do
    line=$(echo "$table" | grep "^$row,") || die "no row $row"
    case $line in
    *',"not here: '*)
        # what works for other programs has to work here
        "$top_builddir/tests/unit/library" probe "$row" >/dev/null 2>&1 &&
            die "$row is not here, but the library says that it works"
        missing="$missing $row"
        continue ;;
    esac
    echo "$line" | awk -F, '
        {
            for (i = 4; i <= 9; i++) if ($i <= 0) { print "no cost in column " i; exit 1 }
            if ($10 != "0" || $11 != "0") { print $10 " pages lost, " $11 " false"; exit 1 }
            if ($1 == "mprotect" ? $12 < 200 : $12 != "0") { print $12 " mappings split"; exit 1 }
            if ($13 <= 0 || $14 <= 0) { print $13 " writes, " $14 " polls in the race"; exit 1 }
            if ($15 != "ok") { print "status " $15; exit 1 }
        }' || die "$row is not as it should be"
done

# The race has to notice a poll and reset in two steps; that is no failure of a backend. Where
# little of a processor is left it may take many tries.
try=0
while [ $try -lt 100 ]; do
    try=$((try + 1))
    line=$("$backends" --csv --pages 256 --rounds 1 --race 200 two-calls | grep '^two-calls,')
    lost=$(echo "$line" | cut -d , -f 10)
    [ "${lost:-0}" -gt 0 ] && break
done
[ "${lost:-0}" -gt 0 ] || die "two calls in place of one lost nothing: $line"
"$backends" --csv --pages 64 --rounds 1 --race 1 two-calls >/dev/null ||
    die "a row that promises nothing made it fail"

# as text: the machine, the rows and what they are
table=$("$backends" --pages 64 --rounds 1 --race 1 unwatched mprotect) ||
    die "exit status $?: $table"
for words in '^Linux ' '64 pages' '^unwatched  *[0-9]' '^mprotect  *[0-9]' '^unwatched: '; do
    echo "$table" | grep -q "$words" || die "no line like $words: $table"
done

"$backends" --rounds 1 nosuch >/dev/null 2>&1
[ $? -eq 2 ] || die "an unknown row is no mistake"
"$backends" --pages 100000000 >/dev/null 2>&1
[ $? -eq 2 ] || die "more pages than mprotect can watch are no mistake"

[ -z "$missing" ] || { echo "not here:$missing"; exit 77; }
exit 0
