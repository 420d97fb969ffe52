#!/bin/sh
# writewatch-top misses no region: 300 are listed, of 600 it says how many are not.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$(dirname "$0")/common.sh"
start_writer

# check COUNT: the regions in the table and in the maps, each with the page that was written
check()
{
    "$top" --once --interval 0.05 "$writer" >"$work/text" || die "--once failed"
    "$top" --record "$work/record" --interval 0.05 --seconds 0.2 "$writer" || die "--record failed"
    [ "$(grep -c ': a cell is 1 page' "$work/text")" -eq "$1" ] ||
        die "$(grep -c ': a cell is' "$work/text") maps, not $1"
    awk '$1 ~ /^[0-9a-f]*$/ && NF == 9 { print $1 }' "$work/text" | sort >"$work/got"
    cut -d' ' -f1 "$work/regions" | sort >"$work/want"
    [ "$(comm -12 "$work/want" "$work/got" | wc -l)" -eq "$1" ] ||
        die "the table has other regions: $(comm -3 "$work/want" "$work/got" | head)"
    awk '$1 == "sample" { count = 0 } $1 == "region" { base = $2 }
        $1 == "pages" { line[++count] = base " " $2 }
        END { for (i = 1; i <= count; i++) print line[i] }' "$work/record" | sort >"$work/got"
    sort "$work/regions" >"$work/want"
    [ "$(comm -12 "$work/want" "$work/got" | wc -l)" -eq "$1" ] ||
        die "the recording has other pages: $(comm -3 "$work/want" "$work/got" | head)"
}

# add FIRST END: regions of these numbers, in each of which one page is written
: >"$work/regions"
add()
{
    i=$1
    while [ "$i" -lt "$2" ]; do
        ask region 8
        page=$((i % 6 + 1))
        echo "$answer $page.1w$((7 - page))." >>"$work/regions"
        ask write "$i" $page 1
        i=$((i + 1))
    done
}

add 0 300
check 300
! grep -q 'not listed' "$work/text" || die "it says that some are not listed"
add 300 600
check 512
grep -qx '88 more regions, not listed' "$work/text" || die "it does not say that 88 are missing"
grep -q '^600 regions, ' "$work/text" || die "it does not say that there are 600"
"$top" --once --replay "$work/record" | grep -qx '88 more regions, not listed' ||
    die "a replay does not say that 88 are missing"

# regions that come and go while it looks
"$top" --record "$work/live" --interval 0.05 "$writer" &
watching=$!
started="$started $watching"
wait_for "$work/live" '^end$'
i=0
while [ $i -lt 600 ]; do
    ask free $i
    [ "$answer" = 0 ] || die "region $i was not freed"
    i=$((i + 1))
done
add 600 640
samples=$(grep -c '^end$' "$work/live")
while [ "$(grep -c '^end$' "$work/live")" -lt $((samples + 2)) ]; do sleep 0.05; done
kill -INT $watching
wait $watching || die "--record ended with status $?"
awk '$1 == "sample" { count = 0 } $1 == "region" { count++ } END { exit count != 40 }' "$work/live" ||
    die "the last sample has other regions than the 40 that are left"
"$top" --once --replay "$work/live" >/dev/null || die "the recording is damaged"
"$top" --svg "$work/picture.svg" --replay "$work/live" || die "no picture of many regions"
exit 0
