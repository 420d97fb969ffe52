#!/bin/sh
# What writewatch-top cannot show it says in one sentence, with exit status 1.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$(dirname "$0")/common.sh"
start_writer
ask region 64
folder=/dev/shm/writewatch-$(id -u)
[ -f "$folder/$writer" ] || folder=/tmp/writewatch-$(id -u)
page=$folder/$writer

# processes
refused "there is no process 999999999" "$top" --once 999999999
refused "is called no-such-program" "$top" --once no-such-program.exe
refused "is called" "$top" --once ""
refused "process $$ watches no memory" "$top" --once $$
refused "no terminal" "$top" "$writer"
if [ "$(id -u)" -ne 0 ]; then
    refused "process 1 is of another user" "$top" --once 1
elif command -v setpriv >/dev/null; then
    chmod 755 "$work"
    cp "$top" "$work/top"
    cp "$top_builddir/tests/top/writer" "$work/writer"
    as_user="setpriv --reuid 65534 --regid 65534 --clear-groups"
    refused "process $writer is of another user" $as_user "$work/top" --once "$writer"
    refused "no process of yours" $as_user "$work/top" --once
    refused "is called writer.exe" $as_user "$work/top" --once writer.exe
    # one that the kernel protects, for a user who may not look at everything
    mkfifo "$work/user.in" "$work/user.out"
    $as_user "$work/writer" <"$work/user.in" >"$work/user.out" 2>"$work/user.errors" &
    started="$started $!"
    exec 5>"$work/user.in" 6<"$work/user.out"
    if read -r other <&6; then
        echo "region 4" >&5 && read -r answer <&6
        $as_user "$work/top" --once --interval 0.1 "$other" >"$work/text" ||
            die "an ordinary user cannot look at an own process"
        grep -q 'a cell is 1 page' "$work/text" || die "no map: $(cat "$work/text")"
        echo hide >&5 && read -r answer <&6
        refused "does not let it be looked at" $as_user "$work/top" --once "$other"
        rm -f "/dev/shm/writewatch-65534/$other" "/tmp/writewatch-65534/$other"
        rmdir /dev/shm/writewatch-65534 /tmp/writewatch-65534 2>/dev/null
    else
        echo "not tested as an ordinary user: $(cat "$work/user.errors")"
    fi
fi

# a kernel without PAGEMAP_SCAN
cat >"$work/old.c" <<'END'
#include <errno.h>

int ioctl( int fd, unsigned long request, ... )
{
    (void)fd;
    (void)request;
    errno = ENOTTY;
    return -1;
}
END
$CC -shared -fPIC -o "$work/old.so" "$work/old.c" || die "cannot build an old kernel"
LD_PRELOAD=$work/old.so refused "this kernel has no PAGEMAP_SCAN" "$top" --once "$writer"

# options
refused "--interval needs" "$top" --once --interval 0 "$writer"
refused "--interval needs" "$top" --once --interval 1x "$writer"
refused "one process at a time" "$top" --once "$writer" "$writer"
refused "--json needs --once" "$top" --json "$writer"
refused "cannot write $work/none/record" "$top" --record "$work/none/record" "$writer"
refused "cannot write $work/none/picture" "$top" --svg "$work/none/picture" --seconds 0.1 "$writer"
refused "needs the program rsvg-convert" env PATH="$work" "$top" --png "$work/picture.png" "$writer"
if [ -c /dev/full ]; then
    "$top" --once "$writer" >/dev/full 2>"$work/errors" && die "a full disk is not noticed"
    refused "cannot write /dev/full" "$top" --record /dev/full --seconds 0.1 "$writer"
fi

# damaged pages: kept aside and put back, as a file in its place
mv "$page" "$work/page"
damaged()
{
    chmod 600 "$page"
    refused "process $writer: its status page is $1" "$top" --once "$writer"
    rm -f "$page"
}
: >"$page"; damaged damaged
head -c 4096 "$work/page" >"$page"; damaged damaged
{ cat "$work/page"; echo; } >"$page"; damaged damaged
# change OFFSET BYTES: a copy of the page with these bytes, in octal
change()
{
    cp "$work/page" "$page"
    printf "$2" | dd of="$page" bs=1 seek="$1" conv=notrunc 2>/dev/null
}
change 0 X; damaged damaged                 # its magic
change 8 '\377'; damaged "of another version"   # its format
change 12 '\005'; damaged damaged           # its word size
change 16 '\377\377'; damaged damaged       # its process id
{ head -c 704 "$work/page"; tail -c +705 "$work/page" | tr '\000' '\377'; } >"$page"
damaged damaged
ln -s "$work/page" "$page"
refused "process $writer: its status page is damaged" "$top" --once "$writer"
rm -f "$page"
mkfifo "$page"; damaged damaged
refused "process $writer watches no memory" "$top" --once "$writer"
mv "$work/page" "$page"

# recordings
"$top" --record "$work/record" --interval 0.1 --seconds 0.3 "$writer" || die "--record failed"
"$top" --replay "$work/record" --once >/dev/null || die "--replay failed"
refused "cannot read $work/none" "$top" --replay "$work/none" --once
refused "is not a recording" "$top" --replay "$0" --once
refused "is not a recording" "$top" --replay /dev/null --once
refused "a recording is of a process" "$top" --replay "$work/record" --once "$writer"
refused "the recording has no sample" sh -c 'sed "/^sample/,\$d" "$1" >"$2" && exec "$3" --replay "$2" --once' \
    - "$work/record" "$work/bad" "$top"
# edit SENTENCE SED-COMMAND: what is said of a recording that was changed so
edit()
{
    sed "$2" "$work/record" >"$work/bad"
    ! cmp -s "$work/record" "$work/bad" || die "sed $2 changes nothing"
    refused "$1" "$top" --replay "$work/bad" --once
    refused "$1" "$top" --replay "$work/bad" --svg "$work/bad.svg"
}
edit "is not a recording" '1s/1$/2/'
edit "is not a recording" 's/^page-size .*/page-size 4095/'
edit "is not a recording" 's/^interval .*/interval nan/'
edit "fewer pages than the region has" '0,/^pages /s/^pages .*/pages 63./'
edit "more pages than the region has" '0,/^pages /s/^pages .*/pages 65./'
edit "more pages than the region has" '0,/^pages /s/^pages .*/pages 99999999999999999999999./'
edit "pages of an unknown kind" '0,/^pages /s/^pages .*/pages 64x/'
edit "a number of pages is missing" '0,/^pages /s/^pages .*/pages 0.64./'
edit "the pages of a region are missing" '/^pages /d'
edit "a region has other numbers" 's/^\(region [^ ]* [^ ]*\) .*/\1/'
edit "a region that cannot be" 's/^\(region [^ ]*\) [0-9]*/\1 0/'
edit "a region that cannot be" 's/^region [^ ]* [0-9]*/region fffffffffffff000 8192/'
edit "a sample has other numbers" 's/^sample [^ ]*/sample never/'
edit "a sample has other numbers" 's/^sample [^ ]* [^ ]*/sample 1e999 1/'
edit "more regions than there were" 's/^\(sample [^ ]*\) 1/\1 0/'
edit "regions overlap or are not in order" '/^sample/s,^\(sample [^ ]*\) 1,\1 2,; /^region/{h;N;p;}'
edit "no region begins here" 's/^end$/End/'
edit "no sample begins here" 's/^sample/Sample/'
edit "a sample is cut off" '$d'
size=$(wc -c <"$work/record")
for cut in 1 2 5 9 40 $((size / 2)) $((size - 20)); do
    head -c $((size - cut)) "$work/record" >"$work/bad"
    refused "writewatch-top: " "$top" --replay "$work/bad" --once
done

# the process ends: said, with status 1 where it was to be shown, 0 where it was recorded until then
rm -f "$work/record"
"$top" --record "$work/record" --interval 0.1 "$writer" 2>"$work/errors" &
watching=$!
started="$started $watching"
wait_for "$work/record" '^end$'
"$top" --once --interval 100 "$writer" >"$work/text" 2>"$work/once.errors" &
once=$!
started="$started $once"
kill -KILL "$writer"
wait $watching || die "--record of a process that ended: status $?"
grep -q "process $writer (writer.exe) has ended" "$work/errors" || die "says: $(cat "$work/errors")"
[ "$(tail -n 1 "$work/record")" = ended ] || die "the recording does not say that it ended"
wait $once && die "--once of a process that ended: status 0"
grep -q "process $writer" "$work/once.errors" || die "says: $(cat "$work/once.errors")"
[ ! -s "$work/text" ] || die "--once prints a process that has ended"
refused "process $writer (writer.exe) has ended" "$top" --once "$writer"
"$top" --once --replay "$work/record" >/dev/null || die "the recording is damaged"
exit 0
