#!/bin/sh
# What test runs leave for docs/compatibility.md, and the script that puts it there.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

: "${top_srcdir:?run by tests/run-tests}"
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-compatibility.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
status=0

# same WHAT GOT EXPECTED
same()
{
    [ "$2" != "$3" ] || return 0
    printf '%s\ngot:\n%s\nexpected:\n%s\n' "$1" "$2" "$3"
    status=1
}

. "$top_srcdir/tests/tools/record"
while IFS='|' read -r release name; do
    same "kernel $release" "$(kernel_name "$release")" "$name"
done <<'END'
6.18.44-fc-v782|6.18
6.18.0|6.18
7.1|7.1
7.1-rc3|7.1
6.1.0-37-amd64|6.1.0-37 Debian
6.1.0-37-cloud-arm64|6.1.0-37 Debian
6.12.41+deb13-amd64|6.12.41 Debian
6.12.41+deb13+1-cloud-amd64|6.12.41 Debian
6.8.0-45-generic|6.8
6.6.87.2-microsoft-standard-WSL2|6.6
END
same "Debian's Wine" "$(wine_name "wine-10.0 (Debian 10.0~repack-6)")" "10.0 Debian"
same "another Wine" "$(wine_name wine-10.7)" 10.7

# a record as run-tests writes it: as many columns as the table has
both_forms() { return 1; }
probe() { [ "$1" = scan:marked ]; }
passed=3 failed=1 skipped=2 wine_ran='' VERSION=0.1.0 CC=gcc WRITEWATCH_COMMIT=abc
unset WRITEWATCH_CHECK WRITEWATCH_WORDS
write_record "$work/record"
same "lines of a record" "$(grep -c . "$work/record")" 1
same "columns" "$(tr -cd '|' <"$work/record")" \
    "$(sed -n '/^| ---/p' "$top_srcdir/docs/compatibility.md" | tr -cd '|')"
same "a record" "$(cut -d '|' -f 2-4,6,9-11,13 "$work/record")" \
    " check | none | 64 | marked | 3 | 1 | 2 | 0.1.0 abc "

update="$top_srcdir/tests/tools/update-table"
cat >"$work/head" <<'END'
# Text

with | a line.

| Check | Wine | Bits | Kernel | Scan | Processor | C library | P | F | S | Date | Version |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
END
a='| check | 8.0 Debian | 64 | 6.18 | unmarked, marked | x86_64 | glibc 2.36 | 9 | 0 | 1 | 2026-01-02 | 0.1 |'
b='| check-kernels | none | 64 | 6.12.41 Debian | marked | x86_64 | glibc 2.36 | 5 | 0 | 0 | 2026-01-02 | 0.1 |'
c='| check-wow64 | 10.0 Debian | 32 (new WoW64) | 6.18 | unmarked | x86_64 | glibc 2.41 | 7 | 2 | 0 | 2026-01-03 | 0.1 |'
d='| check-wow64 | 8.0 Debian | 32 (new WoW64) | 6.18 | unmarked | x86_64 | glibc 2.36 | 7 | 0 | 0 | 2026-01-03 | 0.1 |'
later_b='| check-kernels | none | 64 | 6.12.50 Debian | marked | x86_64 | glibc 2.36 | 6 | 1 | 0 | 2026-01-04 | 0.2 |'
earlier_a='| check | 8.0 Debian | 64 | 6.18 | unmarked, marked | x86_64 | glibc 2.36 | 1 | 1 | 1 | 2025-12-31 | 0.0 |'
same_day_a='| check | 8.0 Debian | 64 | 6.18 | unmarked, marked | x86_64 | glibc 2.36 | 8 | 2 | 1 | 2026-01-02 | 0.1 |'
marked_a='| check | 8.0 Debian | 64 | 6.18 | marked | x86_64 | glibc 2.36 | 9 | 0 | 1 | 2026-01-02 | 0.1 |'

# table WHAT ROW...: the table must be the head and these rows
table()
{
    what=$1
    shift
    same "$what" "$(cat "$work/table")" "$(cat "$work/head"; printf '%s\n' "$@")"
}

# update RECORD...
update()
{
    printf '%s\n' "$@" >"$work/records"
    sh "$update" "$work/table" "$work/records" || status=1
}

cp "$work/head" "$work/table"
update "$b" "$d" "$a" "$c"
table "rows are sorted" "$a" "$b" "$d" "$c"
update "$b" "$d" "$a" "$c"
table "the same records once more" "$a" "$b" "$d" "$c"
sh "$update" "$work/table" || status=1
table "no records" "$a" "$b" "$d" "$c"
update "$later_b"
table "a later record, with a newer kernel of the same series" "$a" "$later_b" "$d" "$c"
update "$earlier_a"
table "an earlier record" "$a" "$later_b" "$d" "$c"
update "$same_day_a"
table "another record of the same day" "$same_day_a" "$later_b" "$d" "$c"
update "$marked_a"
table "another form of scan" "$marked_a" "$same_day_a" "$later_b" "$d" "$c"
update "| not | a row |" "text" ""
table "lines that are no records" "$marked_a" "$same_day_a" "$later_b" "$d" "$c"

# the document itself is such a table
cp "$top_srcdir/docs/compatibility.md" "$work/document"
sh "$update" "$work/document" || status=1
same "the document without new records" "$(cat "$work/document")" \
    "$(cat "$top_srcdir/docs/compatibility.md")"
exit $status
