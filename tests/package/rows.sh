#!/bin/sh
# Each rule of Windows that a source, test, manual page or document cites by its row is in
# docs/windows-rules.md, and each test that is named there exists.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

: "${top_srcdir:?run by tests/run-tests}"
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-rows.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
status=0

# rows RULES: the rows, one a line; complains about what is no proper row
rows()
{
    awk -F ' *[|] *' '
        function bad( text ) { print FILENAME ":" FNR ": " text | "cat >&2" }
        /^[|] *[0-9]/ {
            row = $2
            number = row + 0
            if (NF != 7 || row !~ /^[0-9]+[a-z]?$/) bad( "no proper row: " $2 )
            else if (row in seen) bad( "row " row " for the second time" )
            else if (number != last + (row == number "")) bad( "row " row " follows row " last )
            if ($3 == "" || $4 == "") bad( "row " row " says nothing" )
            if ($5 !~ /documentation|public tests|Wine|none/) bad( "row " row " has no evidence" )
            if ($6 !~ /`[a-z_]+\/[^`]*`/) bad( "row " row " has no test" )
            seen[row] = 1
            last = number
            print row
        }' "$1"
}

# named_tests RULES: "FILE FUNCTION" or "FILE -" for each test in RULES
named_tests()
{
    grep -o '`[a-z_]*/[^`]*`' "$1" | tr -d '`' | awk '
        {
            count = split( $0, word, /[:,] */ )
            if (count == 1) print word[1], "-"
            for (i = 2; i <= count; i++) print word[1], word[i]
        }'
}

# Prints "FILE ROW" for each row that is cited; of a range the first and the last one. Marks of
# comments are left out and lines joined, as a citation may go on in the next line.
cat >"$work/citations.awk" <<'END_OF_AWK'
function flush(    rest, list, item )
{
    rest = tolower( text )
    while (match( rest, /(^|[^a-z0-9_])rows?[ ~]+[0-9]/ ))
    {
        rest = substr( rest, RSTART + RLENGTH - 1 )
        for (;;)
        {
            match( rest, /^[0-9]+[a-z]?/ )
            item = substr( rest, 1, RLENGTH )
            rest = substr( rest, RLENGTH + 1 )
            if (rest ~ /^([.][0-9]|[a-z0-9_%])/) break   # a figure, not a row
            print file, item
            if (!match( rest, /^(, *(and |or )?| +(to|and|or) +|\\?-|–)[0-9]/ )) break
            rest = substr( rest, RLENGTH )
        }
    }
    text = ""
}
FNR == 1 { flush(); file = FILENAME }
{
    line = $0
    gsub( /\*\//, " ", line )
    sub( /^[ \t]*(\/\*+|\*+|\/\/+|#+|;+|\.\\")?[ \t]*/, "", line )
    # only what may belong to a citation is kept, as most files have none
    if (tolower( line ) !~ /(^|[^a-z0-9_])rows?([^a-z_]|$)/ && text == "") next
    text = text " " line
    if (tolower( line ) !~ /(rows?|[0-9][a-z]?,?|to|and|or)[ \t]*$/) flush()
}
END { flush() }
END_OF_AWK

# check_tree TREE: complaints about the tree; silence if all is well
check_tree()
{
    rules=$1/docs/windows-rules.md
    [ -f "$rules" ] || { echo "$rules is missing"; return; }
    rows "$rules" >"$work/rows" 2>&1
    grep -v '^[0-9a-z]*$' "$work/rows"

    named_tests "$rules" | sort -u | while read -r file function; do
        case $file in
        tests/*) path=$1/$file ;;
        *) path=$1/tests/$file ;;
        esac
        if [ ! -e "$path" ]; then
            echo "docs/windows-rules.md names $file, which does not exist"
        elif [ "$function" != - ] && ! grep -qE "^[a-zA-Z].*[ *]$function\\(" "$path"; then
            echo "docs/windows-rules.md names $function, which is not in $file"
        fi
    done

    # of what a build in the tree leaves there nothing is looked at
    (
        cd "$1" || exit 1
        find . \( -name .git -o -name 'logs*' -o -name 'prefix-template*' -o -name corpus -o \
            -path ./tests/clients/dotnet/package -o -name download -o -name 'build*' -o \
            -path ./hygiene -o -path ./musl -o -path ./mutations -o -path ./kernels -o \
            -path ./glibc -o -path './glibc-root*' -o -path './wine10-root*' -o \
            -path ./wow64 -o -path ./wow64-root \) -prune -o -type f \
            \( -name '*.[chS1-9]' -o -name '*.sh' -o -name '*.sed' -o -name '*.md' -o \
            -name '*.mk' -o -name '*.in' -o -name '*.cs' -o -name '*.map' -o ! -name '*.*' \) \
            ! -path ./tests/package/rows.sh -print0 |
            xargs -0 grep -ZlIiw 'rows\{0,1\}' >"$work/files"
        [ -s "$work/files" ] || { echo "no file cites a row"; exit 1; }
        xargs -0 awk -f "$work/citations.awk" <"$work/files"
    ) >"$work/cited"
    [ -s "$work/cited" ] || echo "no citation seen"
    sort -u "$work/cited" | awk -v rows="$work/rows" '
        BEGIN { while ((getline row <rows) > 0) known[row] = 1 }
        !($2 in known) { print $1 " cites row " $2 ", which docs/windows-rules.md does not have" }'
}

# expect COMPLAINT: what is to be said of the tree $work/tree, nothing at all if it is empty
expect()
{
    said=$(check_tree "$work/tree")
    case $said in
    "${1:-"$said"}"*) [ -n "$1" ] || [ -z "$said" ] || status=1 ;;
    *) status=1 ;;
    esac
    [ $status -eq 0 ] || { echo "expected \"$1\", got \"$said\""; exit 1; }
}

# a made-up tree without a fault, and with one fault after the other
mkdir -p "$work/tree/docs" "$work/tree/tests/unit"
rules=$work/tree/docs/windows-rules.md
printf '| %s |\n' 'row | case | answer | evidence | tests' \
    '1 | a | b | Wine | `unit/a.c: test_a, test_b`' '2 | a | b | none | `unit/`' \
    '2b | a | b | documentation | `unit/a.c`' '3 | a | b | public tests | `unit/a.c`' >"$rules"
cp "$rules" "$work/good"
printf '%s\n' '/* Rows 1 to 2b, and 3; the row 0.60 of row' ' * 3 */' 'static int test_a(void)' \
    'void *test_b( int a )' >"$work/tree/tests/unit/a.c"
expect ''
while IFS='@' read -r fault complaint; do
    sed "$fault" "$work/good" >"$rules"
    expect "$complaint"
done <<END
s/^| 2b/| 2c/@./tests/unit/a.c cites row 2b, which
/^| 2 /d@$rules:3: row 2b follows row 1
s/^| 3 /| 2 /@$rules:5: row 2 for the second time
s/| documentation//@$rules:4: no proper row: 2b
s/documentation/hearsay/@$rules:4: row 2b has no evidence
s,\`unit/\`,none,@$rules:3: row 2 has no test
s/test_b/test_c/@docs/windows-rules.md names test_c, which is not in unit/a.c
s,\`unit/a.c\`,\`unit/b.c\`,@docs/windows-rules.md names unit/b.c, which does not exist
END
cp "$work/good" "$rules"
while IFS='|' read -r text row; do
    printf '%b\n' "$text" >"$work/tree/docs/text.md"
    expect "./docs/text.md cites row $row, which"
done <<'END'
as row 4 says|4
rows 3 to 5 say|5
Rows 1, 2 and 7|7
rows 1, 2, 2b or 3c|3c
rows 1-9|9
(rows 1\\-9)|9
/* of row\n * 17, which|17
# of rows 1 to\n# 17.|17
rows 1, 2,\nand 17|17
a row 0.60 and row 6.|6
END
rm "$work/tree/docs/text.md"

check_tree "$top_srcdir" >"$work/complaints"
[ ! -s "$work/complaints" ] || { cat "$work/complaints"; exit 1; }
echo "$(sort -u "$work/cited" | wc -l) citations of $(wc -l <"$work/rows") rows"
