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

# the runner's pages: each option, key and variable that there is, and no other
page=$man/writewatch.1
for part in NAME SYNOPSIS DESCRIPTION OPTIONS ENVIRONMENT FILES 'EXIT STATUS' DIAGNOSTICS BUGS \
    EXAMPLES 'SEE ALSO'; do
    grep -q "^\\.SH $part\$" "$page" || bad "writewatch.1 has no $part"
done
runner=$top_srcdir/programs/writewatch
options=$(sed -n 's/^    { "\([a-z-]*\)", .*/\1/p' "$runner/options.c")
[ "$(printf '%s\n' "$options" | wc -l)" -ge 7 ] || bad "no options seen in options.c"
sed -n '/^\.SH OPTIONS/,/^\.SH ENVIRONMENT/p' "$page" | sed 's/\\-/-/g' |
    sed -n '/^\.TP/{n;s/.*--\([a-z-]*\).*/\1/p}' >"$work/in-page"
for option in $options; do
    grep -q -x -e "$option" "$work/in-page" || bad "writewatch.1 does not have --$option"
    grep -q -e "--$option\>" "$top_srcdir/README.md" || bad "README.md does not have --$option"
done
for option in $(cat "$work/in-page"); do
    printf '%s\n' "$options" | grep -q -x -e "$option" || bad "writewatch.1 has --$option, which is none"
done
keys=$(sed -n 's/^    \[KEY_.*= { "\([a-z-]*\)", *"\([A-Z_]*\)".*/\1 \2/p' "$runner/keys.c")
[ "$(printf '%s\n' "$keys" | wc -l)" -ge 6 ] || bad "no keys seen in keys.c"
printf '%s\n' "$keys" >"$work/keys"
while read -r key variable; do
    sed 's/\\-/-/g' "$man/writewatch.conf.5" | grep -q "^\.BR $key \" = " ||
        bad "writewatch.conf.5 does not have $key"
    grep -q "$variable\>" "$page" || bad "writewatch.1 does not have $variable"
done <"$work/keys"

# the pages as man sees them; links lead to man3
if ! command -v man >/dev/null || ! command -v groff >/dev/null; then
    [ $status -eq 0 ] || exit 1
    echo "all else passed, but man or groff is missing: run tools/install-deps"
    exit 77
fi
for section in 1 3 5; do ln -s "$man" "$work/man$section"; done
cd "$work" || exit 1
for page in man1/*.1 man3/*.3 man5/*.5; do
    warnings=$(LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 "$page" 2>&1 >text)
    [ -z "$warnings" ] || bad "$page: $warnings"
    [ -s text ] || bad "$page: man shows nothing"
done
# what is no printable sign is no text, whatever language
LC_ALL=C grep -n '[^ -~	]' man1/*.1 man3/*.3 man5/*.5 && bad "signs that are not plain text"
if command -v mandoc >/dev/null; then
    for page in man1/*.1 man3/*.3 man5/*.5; do
        case $(head -n 1 "$page") in .so\ *) continue ;; esac
        mandoc -T lint -W warning "$page" || bad "$page: mandoc complains"
    done
fi
exit $status
