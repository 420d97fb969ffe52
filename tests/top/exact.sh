#!/bin/sh
# writewatch-top shows exactly the pages that were written, as text, as JSON, in recordings and in
# pictures; and what it asks the kernel can change nothing.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$(dirname "$0")/common.sh"
start_writer

ask region 256; base=$answer
ask region 2000; large=$answer
ask poll 0; ask poll 1

# written before it looks, read only, and never touched
ask write 0 3 2
ask write 0 64 1
ask write 0 255 1
ask read 0 100 10
ask write 1 511 2
ask write 1 1999 1
"$top" --once --interval 0.1 "$writer" >"$work/text" || die "--once failed"
"$top" --record "$work/record" --interval 0.1 --seconds 0.3 "$writer" || die "--record failed"

want=3.2w59.1w190.1w
got=$(pages_of "$base" "$work/record")
[ "$got" = "$want" ] || die "recorded pages $got, not $want"
want=511.2w1486.1w
got=$(pages_of "$large" "$work/record")
[ "$got" = "$want" ] || die "recorded pages $got, not $want"

# the map of a small region has a cell a page, in rows of 64
map()
{
    awk -v heading="$1:" '$1 == heading { mine = 1; next } !NF { mine = 0 } mine { print $2 }' "$2"
}
dots=................................................................
cat >"$work/want" <<END
...ww$(echo $dots | cut -c 1-59)
w$(echo $dots | cut -c 1-63)
$dots
$(echo $dots | cut -c 1-63)w
END
map "$base" "$work/text" >"$work/got"
cmp -s "$work/want" "$work/got" || die "the map differs:
$(diff "$work/want" "$work/got")"
# 2000 pages in rows of 64 cells of 4 pages: pages 511 and 512 are in cells 127 and 128
map "$large" "$work/text" >"$work/got"
want="2 64 w 3 1 w 8 52 w"
got=$(awk '{ for (i = 1; i <= length($1); i++) if (substr( $1, i, 1 ) != ".")
    printf "%s%d %d %s", n++ ? " " : "", NR, i, substr( $1, i, 1 ) }' "$work/got")
[ "$got" = "$want" ] || die "the map of the large region has $got, not $want"

# the sums, and the text of a replay
row=$(awk -v base="$base" '$1 == base && NF == 9 { print $6, $7, $8, $9 }' "$work/text")
[ "$row" = "4 0 4 0" ] || die "the table has $row, not 4 written, 0 recent, 4 touched, 0 swapped"
"$top" --replay "$work/record" --once >"$work/replayed" || die "--replay --once failed"
grep -v 'regions, ' "$work/text" | grep -v '<' >"$work/text.rest"
grep -v 'regions, ' "$work/replayed" | grep -v '<' >"$work/replayed.rest"
cmp "$work/text.rest" "$work/replayed.rest" || die "a replay shows something else:
$(diff "$work/text.rest" "$work/replayed.rest")"
"$top" --once --json --interval 0.1 "$writer" >"$work/json" || die "--json failed"
grep -qF '"map": "3.2w59.1w190.1w"' "$work/json" || die "not in the JSON: $(cat "$work/json")"
if command -v python3 >/dev/null; then
    python3 -m json.tool <"$work/json" >/dev/null || die "this is no JSON: $(cat "$work/json")"
fi

# what is written while it looks is new, what is reset then was seen
rm -f "$work/record"
"$top" --record "$work/record" --interval 30 "$writer" &
watching=$!
started="$started $watching"
wait_for "$work/record" '^end$'
ask write 0 10 1
ask poll 1
[ "$answer" = 3 ] || die "a poll beside it reports $answer pages, not 3"
ask look 0
[ "$answer" = 5 ] || die "a look beside it reports $answer pages, not 5"
# a sample at once, not after the interval: the record of another that began before the write
"$top" --record "$work/second" --interval 0.2 "$writer" &
second=$!
started="$started $second"
wait_for "$work/second" '^end$'
ask write 0 20 3
samples=$(grep -c '^end$' "$work/second")
while [ "$(grep -c '^end$' "$work/second")" -lt $((samples + 2)) ]; do sleep 0.05; done
ask poll 0
[ "$answer" = 8 ] || die "a poll beside it reports $answer pages, not 8"
samples=$(grep -c '^end$' "$work/second")
while [ "$(grep -c '^end$' "$work/second")" -lt $((samples + 3)) ]; do sleep 0.05; done
kill -INT $second
wait $second || die "a signal ends --record with status $?"
kill -TERM $watching
wait $watching || die "a signal ends --record with status $?"
grep "^pages " "$work/second" | grep -q '^pages 3\.2w5\.1w9\.3W41\.1w190\.1w$' ||
    die "no sample has the pages that were just written: $(grep -c '^pages ' "$work/second")"
grep "^pages " "$work/second" | grep -q '^pages 3\.2[*+-]5\.1[*+-]9\.3[*+-]41\.1[*+-]190\.1[*+-]$' ||
    die "no sample has them as written and reset: $(pages_of "$base" "$work/second")"

# what is decommitted is as if it was never touched
ask discard 1 0 2000
"$top" --record "$work/record" --interval 0.1 --seconds 0.3 "$writer" || die "--record failed"
case $(pages_of "$large" "$work/record") in
2000.) ;;
*) die "after a decommit: $(pages_of "$large" "$work/record")" ;;
esac

# pictures, of a process and of a recording, and what they say
"$top" --svg "$work/live.svg" --interval 0.1 --seconds 0.5 "$writer" || die "--svg failed"
"$top" --replay "$work/second" --svg "$work/replay.svg" || die "--replay --svg failed"
for svg in live replay; do
    grep -q "writer.exe (process $writer, 64 bits), no Wine &lt;test &amp; \"more\">, Linux $(uname -r)" \
        "$work/$svg.svg" || die "the picture does not say what it is of"
    for text in "just written" "swapped" "untouched" "time in seconds, since 2" "address" \
        "$base (1.0 MiB)"; do
        grep -q "$text" "$work/$svg.svg" || die "\"$text\" is not in the picture"
    done
    if command -v python3 >/dev/null; then
        python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse( sys.argv[1] )' \
            "$work/$svg.svg" || die "the picture is no XML"
    fi
done
# the colours of pages that were just written, of those not reset, and of those that were
for colour in b2182b 8e5ea2 '\(ee6a24\|fbb040\|fde5a6\)'; do
    grep -q "fill=\"#$colour\" shape-rendering=\"crispEdges\" d=\"M" "$work/replay.svg" ||
        die "nothing is painted with #$colour"
done
if command -v rsvg-convert >/dev/null; then
    "$top" --replay "$work/second" --png "$work/picture.png" || die "--png failed"
    [ "$(head -c 4 "$work/picture.png" | tail -c 3)" = PNG ] || die "this is no PNG"
fi

# no flag that protects, ever: what the library sends to the kernel is looked at
cat >"$work/spy.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

int ioctl( int fd, unsigned long request, ... )
{
    int (*real)( int, unsigned long, ... ) = dlsym( RTLD_NEXT, "ioctl" );
    va_list args;
    uint64_t *arg;

    va_start( args, request );
    arg = va_arg( args, uint64_t * );
    va_end( args );
    if ((request & 0xffff) == 0x6610)   /* PAGEMAP_SCAN; its flags are the second word */
        if (write( 9, arg[1] ? "F" : ".", 1 ) != 1) abort();
    return real( fd, request, arg );
}
END
$CC -shared -fPIC -o "$work/spy.so" "$work/spy.c" -ldl || die "cannot build the spy"
LD_PRELOAD=$work/spy.so "$top" --once --interval 0.3 "$writer" >"$work/text" 9>"$work/flags" ||
    die "--once failed"
[ "$(tr -dc . <"$work/flags" | wc -c)" -gt 3 ] || die "the spy saw nothing"
! grep -q F "$work/flags" || die "it scans with flags"
exit 0
