#!/bin/sh
# Each reason for which the library is not active, and what else it logs, is in the README and in
# the manual.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

: "${top_srcdir:?run by tests/run-tests}"
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-reasons.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$top_srcdir" || exit 1
status=0

# The words of the sources: what goes to reason or refusal->reason, what log_line() and
# leave_to_wine() say, and what the steps of the self-test return. Strings that stand side by side
# are one.
unix=dlls/ntdll/unix
for file in preload/*.[ch] preload/arch/*/*.c $unix/engine/*.c $unix/scan/*.c; do
    tr '\n' ' ' <"$file" | sed 's/" *"//g' | grep -o \
        -e 'snprintf( \(reason\|refusal->reason\|notice\), [^"]*"[^"]*"' \
        -e '\(log_line\|leave_to_wine\|refuse_memory\)( "[^"]*"' \
        -e 'return "self-test: [^"]*"' \
        -e 'return "\(reading\|no Wine process\) [^"]*"' \
        -e 'is_for_this_program( SETTING_OFF ) ? "[^"]*" : *"[^"]*"' |
        grep -o '"[^"]*"' | tr -d '"' | sed "s,^,$(basename "$file"): ,"
done >"$work/found"
# not what only hands on other words, nor counts
grep -v -e '^[^:]*: \(%s\)*$' -e ': exit: ' "$work/found" >"$work/reasons"
# all but the self-test's are told apart
[ "$(wc -l <"$work/reasons")" -ge 25 ] || {
    echo "only $(wc -l <"$work/reasons") reasons were found:"
    cat "$work/reasons"
    exit 1
}
for known in 'inspect.c: this Wine is not recognised: ntdll.so has no %s' 'preload.c: WRITEWATCH=off' \
    'descriptors.c: userfaultfd refused: %s%s' 'patch.c: no executable memory near ntdll.so' \
    'backend.c: no backend is named %s; known backends:' 'preload.c: switched off for this program' \
    'run_page.h: no Wine process was started'; do
    grep -q -x -F -- "$known" "$work/reasons" || { echo "not found: $known"; status=1; }
done

# the documents as plain words on one line
sed 's/^ *[-*] *//; s/`//g' README.md | tr '\n' ' ' | tr -s ' ' >"$work/README.md"
sed 's/^\.[A-Z]* *//; s/\\f[A-Z]//g; s/\\-/-/g; s/\\(aq/'"'"'/g; s/\\&//g; s/"//g' \
    man/writewatch.1 | tr '\n' ' ' | tr -s ' ' >"$work/writewatch.1"

# in_document WORDS FILE: whether the words are there; %s and its like stand for a word or more
in_document()
{
    pattern=$(printf '%s\n' "$1" | sed 's/[].*^$[]/\\&/g; s/\(%s\)\1*/%s/g; s/%[a-z]/.\\{1,40\\}/g')
    grep -q -- "$pattern" "$2"
}
while IFS= read -r reason; do
    words=${reason#*: }
    case $words in
    # which step it was is for those who read the sources
    'self-test: '*) words='self-test: ' ;;
    esac
    # of a Wine that is not recognised the manual has what differs
    case $words in
    'this Wine is not recognised: '*) words=${words#*: } ;;
    esac
    # what is added in parentheses explains itself
    words=$(printf '%s\n' "$words" | sed 's/%s%s$/%s/; s/: %s$/:/')
    for document in README.md writewatch.1; do
        in_document "$words" "$work/$document" && continue
        echo "$document does not have: $words (${reason%%: *})"
        status=1
    done
done <"$work/reasons"

for document in README.md writewatch.1; do
    in_document 'this Wine is not recognised: ' "$work/$document" ||
        { echo "$document does not have: this Wine is not recognised:"; status=1; }
done

# a control: what no source says is found in neither
for document in README.md writewatch.1; do
    in_document 'no reason is %s like this' "$work/$document" && {
        echo "$document has a reason that there is not"
        status=1
    }
done
[ $status -ne 0 ] || echo "$(wc -l <"$work/reasons") reasons"
exit $status
