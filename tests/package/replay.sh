#!/bin/sh
# writewatch-replay: its options, what it says of records that are wrong or differ, and its page,
# which a browser draws if Debian's chromium is installed.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

replay=$top_builddir/programs/replay/writewatch-replay
[ -x "$replay" ] || { echo "writewatch-replay is not built"; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-replay.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
unset WRITEWATCH_BACKEND WRITEWATCH_RECORD LD_PRELOAD
failures=0
backend=

bad()
{
    echo "$*"
    failures=$((failures + 1))
}

# expect STATUS TEXT OPTION...: runs it; the output must have the text
expect()
{
    wanted=$1
    text=$2
    shift 2
    "$replay" "$@" >out 2>&1
    status=$?
    [ $status -eq "$wanted" ] || bad "$*: exit status $status, not $wanted: $(cat out)"
    grep -qF -- "$text" out || bad "$*: no '$text' in: $(cat out)"
}

# a program with two regions and the polls of two threads, one that polls less, and an answer that
# was taken away
cat >record <<'END1'
7 1.000000 writewatch 1 64 4096 0.1.0 a <b> game.exe
7 1.000100 alloc 0x7f0000000000 0x100000 0x203000
7 1.000200 alloc 0x7f0000400000 0x1000000 0x202000
7 1.000300 commit 0x7f0000400000 0x20000
8 1.000400 writewatch 1 32 4096 0.1.0 small.exe
8 1.000500 alloc 0x10000 0x10000 0x203000
7 1.100000 poll 0x7f0000000000 0x100000 0x1 256 20: 0 2-9 100-109 255
8 1.150000 poll 0x10000 0x10000 0x1 16 1: 3
7 1.200000 poll 0x7f0000000000 0x100000 0x0 8 8: 0-7
7 1.300000 decommit 0x7f0000400000 0x10000
7 1.300100 poll 0x7f0000400000 0x1000000 0x1 4096 3: 0 3 31
7 1.400000 reset 0x7f0000000000 0x100000
7 1.500000 poll 0x7f0000000000 0x100000 0x1 256 2: ?
7 1.600000 poll 0x7f0000000000 0x100000 0x1 256 2: 5-6
7 1.700000 free 0x7f0000000000 0x100000
7 1.800000 poll 0x7f0000000000 0x100000 0x1 256 0:
END1

expect 0 'Usage: writewatch-replay' --help
expect 0 'writewatch-replay ' --version
expect 2 'which record?'
expect 2 'which record?' record record
expect 2 'unrecognized option' --nonsense record
expect 2 'goes with --wine' --writewatch record
expect 2 '--bits needs 32 or 64' --bits 16 record
expect 2 'cannot read none' none
expect 2 'is not a file' .
expect 2 'has no process 9' --process 9 record
expect 0 ' 8   32 ' --list record
expect 0 'a <b> game.exe' --list record

# one backend that works here: the library's choice
if "$replay" record >out 2>&1; then backend=yes
elif grep -q '^native *skipped: ' out; then echo "no backend works here: $(tail -n 1 out)"
else bad "the record is not replayed: $(cat out)"
fi
if [ -n "$backend" ]; then
    expect 0 'process 7, 64 bits: 12 events' record
    expect 0 '1 polls are left out: of no memory' record
    expect 0 '1 polls are left out: another thread' record
    [ "$(awk '$1 == "native" { print $2, $3, $4, $5 }' out)" = "10 4 33 0" ] ||
        bad "not 4 polls and 33 pages in 10 events: $(cat out)"
    expect 0 'small.exe, process 8' --process small.exe record
    expect 0 'small.exe, process 8' -p 8 record
    expect 1 'nonsense' --backend nonsense record
    # a record that cannot be: without a reset, what was reported stays so
    sed 's/ 0x0 8 8: 0-7$/ 0x0 300 8: 0-7/; /reset/d' record >other
    expect 0 '6 pages are reset that a poll' other
    # replays differ where pages have another size
    { echo '7 1.000000 writewatch 1 64 8192 0.1.0 large.exe'
      echo '7 1.000000 alloc 0x10000 0x10000 0x203000'
      echo '7 1.000000 poll 0x10000 0x10000 0x1 8 1: 7'; } >other
    expect 1 'pages have 4096 bytes here' other
    [ "$("$replay" --backend all record 2>&1 | grep -c '^native, ')" = 5 ] ||
        bad "not all backends are said"
fi

# every way to cut the record: an error with the number of the line, or a record that ends earlier
size=$(wc -c <record)
cut=0
while [ $cut -lt "$size" ]; do
    head -c $cut record >part
    lines=$(wc -l <part)
    "$replay" --list part >out 2>&1
    status=$?
    if [ $cut -eq 0 ]; then
        { [ $status -eq 2 ] && grep -q 'nothing was recorded' out; } || bad "empty: $(cat out)"
    elif [ -z "$(tail -c 1 part | tr -d '\n')" ]; then
        [ $status -eq 0 ] || bad "$lines lines: exit status $status: $(cat out)"
    else
        { [ $status -eq 2 ] && grep -q "line $((lines + 1)): the line is cut off" out; } ||
            bad "cut at $cut: exit status $status: $(cat out)"
    fi
    cut=$((cut + 7))
done

# the page: nothing of others in it, and no larger for a longer record
expect 0 '' --process 7 --html page.html record
grep -q 'https\?://\|src=\|<link' page.html && bad "the page refers to something outside"
grep -q 'a <b> game' page.html && bad "the program's name is not quoted in the page"
awk 'BEGIN { print "7 1.000000 writewatch 1 64 4096 0.1.0 long.exe"
    print "7 1.000000 alloc 0x7f0000000000 0x10000000 0x203000"
    for (i = 0; i < 20000; i++)
        printf "7 %d.%06d poll 0x7f0000000000 0x10000000 0x1 65536 2: %d %d\n", i / 1000, i % 1000,
            i * 7 % 65000, i * 7 % 65000 + 3 }' >long
expect 0 'long.exe' --html long.html long
[ "$(wc -c <long.html)" -lt 1000000 ] || bad "the page has $(wc -c <long.html) bytes"
expect 2 'cannot write' --html /nonexistent/page.html record

[ $failures -eq 0 ] || exit 1
browser=$(command -v chromium || command -v chromium-browser) || {
    echo "all else passed, but chromium is missing: run tools/install-deps --developer"
    exit 77
}

# draw PAGE: has the browser draw it; what it made of it goes to dom
draw()
{
    mkdir -p browser
    HOME=$work/browser timeout -k 5 100 "$browser" --headless --no-sandbox --disable-gpu \
        --user-data-dir="$work/browser/data" --no-first-run --virtual-time-budget=10000 \
        --screenshot="$work/$1.png" --dump-dom "file://$work/$1" >dom 2>browser/log ||
        bad "chromium failed: $(tail -n 3 browser/log)"
    grep -q '<body data-state="drawn">' dom || bad "$1 was not drawn: $(grep '<body\|problem' dom)"
}

# number ID: what stands there in the page
number()
{
    sed -n "s/.*id=\"$1\">\([^<]*\)<.*/\1/p" dom | head -n 1
}

# same WHAT ID WANTED
same()
{
    [ "$(number "$2")" = "$3" ] || bad "$1: the page says '$(number "$2")', the record $3"
}

# counts RECORD: polls and pages of process 7, by other means
counts()
{
    awk '$1 == 7 && $3 == "poll" { polls++; pages += $8 } END { print polls, pages }' "$1"
}

for file in record long; do
    page=page.html
    [ $file = record ] || page=long.html
    draw $page
    # shellcheck disable=SC2046
    set -- $(counts $file)
    same "$file" polls "$1"
    same "$file" pages "$2"
    if [ $file = record ]; then
        same "$file, drawn" mapped 33
        same "$file" title 'a &lt;b&gt; game.exe, process 7, 64 bits'
        same "$file" seconds 0.800
        grep -q '<td>0x7f0000000000</td><td>0x7f0000000000</td>' dom && bad "a page has one byte"
        grep -q '<td>0x7f0000005000</td><td>0x7f0000006fff</td><td>2</td><td>3</td>' dom ||
            bad "the hottest range is not there: $(grep -o '<tr><td>.*' dom)"
    else
        same "$file, drawn" mapped "$2"
    fi
    # a picture, and not of one colour alone
    [ "$(head -c 8 $page.png | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ] ||
        bad "no picture of $page"
    [ "$(wc -c <$page.png)" -gt 5000 ] || bad "nothing to be seen in the picture of $page"
done

# what is wrong in the page's data is seen
sed 's/"pages":\[/"pages":[null.x,/' page.html >wrong.html
draw_state=$(HOME=$work/browser timeout -k 5 100 "$browser" --headless --no-sandbox --disable-gpu \
    --user-data-dir="$work/browser/data" --dump-dom "file://$work/wrong.html" 2>/dev/null |
    sed -n 's/.*<body data-state="\([a-z]*\)".*/\1/p')
[ "$draw_state" = failed ] || bad "a page with wrong data is '$draw_state'"
[ $failures -eq 0 ]
