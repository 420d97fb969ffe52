#!/bin/sh
# Each error that the manual page of a call of the library has a text in errors.c, and the other way
# round; each call that can fail has one.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

: "${top_srcdir:?run by tests/run-tests}"
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-errors.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$top_srcdir" || exit 1
status=0

# CALL ERROR, of the table
sed -n 's/^    { "\(writewatch_[a-z_]*\)", \(E[A-Z]*\),.*/\1 \2/p' dlls/writewatch/errors.c |
    sort >"$work/texts"
[ "$(wc -l <"$work/texts")" -ge 30 ] || { echo "the table of texts is not seen"; exit 1; }
[ -z "$(uniq -d "$work/texts")" ] || { echo "twice:" "$(uniq -d "$work/texts")"; status=1; }

calls=$(sed 's,/\*.*\*/,,; s/local:.*//' dlls/writewatch/libwritewatch.map |
    sed -n 's/^ *\(writewatch_[a-z_]*\);$/\1/p')
[ -n "$calls" ] || { echo "no call seen in the map"; exit 1; }
for call in $calls; do
    page=man/$call.3
    link=$(sed -n '1s,^\.so man3/,man/,p' "$page")
    page=${link:-$page}
    # what answers with nothing or with the version cannot fail
    case $(sed -n "s/^extern \(.*[ *]\)$call(.*/\1/p" include/writewatch.h) in
    'void '|'unsigned int ') continue ;;
    esac
    # of a page for several calls: what comes before the first heading is of all of them
    errors=$(sed -n '/^\.SH ERRORS/,/^\.SH [^E]/p' "$page" | awk -v call="$call" '
        /^\.SS / { others = index( $0, call "()" ) == 0 }
        /^\.B / && !others' | grep -o '\\-E[A-Z]*' | sed 's/^\\-//' | sort -u)
    if [ -n "$errors" ]; then
        printf '%s\n' "$errors" | sed "s/^/$call /"
    else
        # what answers NULL or 0 has one text
        [ $call = writewatch_reason ] || echo "$call ENOENT"
    fi
done | sort >"$work/pages"
[ "$(wc -l <"$work/pages")" -ge 30 ] || { echo "no errors seen in the pages"; exit 1; }
diff "$work/pages" "$work/texts" >"$work/diff" || {
    echo "in a manual page (<) or in errors.c (>) alone:"
    grep '^[<>]' "$work/diff"
    status=1
}

# each of these calls says that it has failed: it ends in returned() or failed()
for call in $(cut -d' ' -f1 "$work/texts" | sort -u); do
    awk -v call="$call(" '
        index( $0, call ) && /^[a-z]/ && !/;$/ { inside = 1 }
        inside && /(returned|failed)\( __func__/ { found = 1 }
        /^}/ { inside = 0 }
        END { exit !found }' dlls/writewatch/*.c || { echo "$call notes no failure"; status=1; }
done
exit $status
