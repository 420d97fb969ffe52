#!/bin/sh
# writewatch --check: which Wines it finds and what it says of each, of settings, and as JSON.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The Wines are invented ones: a library with what is looked at in ntdll.so, and the file with the
# numbers of its system calls. Sandboxes and the trial under a real Wine are in tests/sandbox.

run=$top_builddir/programs/writewatch/writewatch
[ -x "$run" ] || { echo "the runner is not built"; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-check-test.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
unset LD_PRELOAD WRITEWATCH WRITEWATCH_LOG WRITEWATCH_STATS WRITEWATCH_BACKEND WINELOADER
unset WINE_DISABLE_KERNEL_WRITEWATCH XDG_CONFIG_HOME
export HOME="$work/home"
mkdir "$HOME" && cd "$work" || exit 1
failures=0
# where the kernel does not serve, nothing is served, and all else is as elsewhere
if "$top_builddir/tests/unit/library" probe scan >/dev/null 2>&1; then
    serves=0 served=served yes=true
else
    serves=1 served=kernel-refused yes=false
fi

bad()
{
    echo "$*"
    failures=$((failures + 1))
}

# wine DIR FORM [OPTION...]: a Wine with the command DIR/bin/wine
wine()
{
    unix=$1/lib/wine/x86_64-unix
    abi=
    [ "$2" -ne 1 ] || abi='__attribute__((ms_abi))'
    mkdir -p "$unix" "$1/lib/wine/x86_64-windows" "$1/bin"
    printf '#!/bin/sh\necho "$@"\n' >"$1/bin/wine"
    chmod +x "$1/bin/wine"
    cp "$work/ntdll.dll" "$1/lib/wine/x86_64-windows/"
    to=$unix/ntdll.so
    form=$2
    shift 2
    ${CC:-cc} -w -O1 -shared -fPIC -Wl,-Bsymbolic -DABI="$abi" -DDISPATCHER="$form" "$@" -o "$to" \
        "$work/ntdll.c" || exit 1
}

# check STATUS WHAT PATTERN [ARGUMENT...]: the status and the lines of the JSON, which is valid
check()
{
    status=$1
    what=$2
    pattern=$3
    shift 3
    "$run" --check --json "$@" >"$work/json" 2>"$work/noise"
    got=$?
    [ $got -eq "$status" ] || bad "$what: exit status $got instead of $status"
    [ ! -s "$work/noise" ] || bad "$what: $(cat "$work/noise")"
    valid "$what"
    grep -q -- "$pattern" "$work/json" || bad "$what: no line with $pattern in: $(cat "$work/json")"
}

# the JSON is such by the tools that are there
valid()
{
    if command -v python3 >/dev/null; then
        python3 -m json.tool "$work/json" >/dev/null 2>"$work/noise" || bad "$1: $(cat "$work/noise")"
    fi
    if command -v jq >/dev/null; then
        jq -e .version "$work/json" >/dev/null 2>"$work/noise" || bad "$1: $(cat "$work/noise")"
    fi
}
command -v python3 >/dev/null || command -v jq >/dev/null || {
    echo "neither python3 nor jq is here to read JSON: run tools/install-deps"
    exit 77
}

{
    cat "$top_srcdir/tests/package/inspect/ntdll.c"
    echo '#ifndef VERSION'
    echo '#define VERSION "wine-9.17 (invented)"'
    echo '#endif'
    echo 'EXPORT const char version[] = "-\0" VERSION;'
} >"$work/ntdll.c"
"$top_builddir/tests/unit/x86_64/inspect" "$work/ntdll.dll" || exit 1

# each form of the dispatcher, by the directory, by the command, and by the file
for form in 1 2 3; do
    wine "$work/wine$form" $form
    check $serves "form $form" "\"verdict\": \"$served\", \"served\": $yes" "$work/wine$form"
    grep -q '"version": "9.17 (invented)"' "$work/json" || bad "no version: $(cat "$work/json")"
    grep -q '"bits": 64' "$work/json" || bad "no word size: $(cat "$work/json")"
    grep -q '"own_kernel_watches": false' "$work/json" || bad "own watches: $(cat "$work/json")"
done
check $serves "the file" "\"verdict\": \"$served\"" "$work/wine1/lib/wine/x86_64-unix/ntdll.so"
check $serves "two" "wine2/lib/wine.*\"verdict\": \"$served\"" "$work/wine1" "$work/wine2"
grep -q 'wine1/lib' "$work/json" || bad "the first of two is missing: $(cat "$work/json")"
check $serves "in the current directory" "\"verdict\": \"$served\"" wine1

wine "$work/own" 3 -DKERNEL_WATCHES
check $serves "kernel watches of its own" '"own_kernel_watches": true' "$work/own"

# what cannot be served
wine "$work/unknown" 0
check 1 "not recognised" '"verdict": "not-recognised", "served": false' "$work/unknown"
grep -q '"id": "wine-not-recognised", "severity": "problem"' "$work/json" || bad "no finding"
check 1 "one of two" '"verdict": "not-recognised"' "$work/wine1" "$work/unknown"
wine "$work/no-dll" 1
rm "$work/no-dll/lib/wine/x86_64-windows/ntdll.dll"
check 1 "no ntdll.dll" 'no ntdll.dll beside ntdll.so' "$work/no-dll"
wine "$work/needs" 1
echo 'int needed;' | ${CC:-cc} -x c -shared -fPIC -o "$work/libneeded.so" -
wine "$work/needs" 1 -Wl,--no-as-needed "$work/libneeded.so"
rm "$work/libneeded.so"
check 1 "a library is missing" '"verdict": "not-loaded".*libneeded.so: cannot open' "$work/needs"
# but not if this Wine has it itself
mkdir -p "$work/has/lib"
cp -r "$work/wine1/lib" "$work/has/"
echo 'int needed;' | ${CC:-cc} -x c -shared -fPIC -Wl,-soname,libneeded.so \
    -o "$work/has/lib/libneeded.so" -
${CC:-cc} -w -O1 -shared -fPIC -Wl,-Bsymbolic -DABI='__attribute__((ms_abi))' -DDISPATCHER=1 \
    -o "$work/has/lib/wine/x86_64-unix/ntdll.so" "$work/ntdll.c" -Wl,--no-as-needed \
    -L"$work/has/lib" -lneeded || exit 1
check $serves "a library of its own" "\"verdict\": \"$served\"" "$work/has"
mkdir -p "$work/text/lib/wine/x86_64-unix" && echo text >"$work/text/lib/wine/x86_64-unix/ntdll.so"
check 1 "no library" '"verdict": "not-probed"' "$work/text"
mkdir -p "$work/old/lib/wine" && : >"$work/old/lib/wine/ntdll.dll.so"
check 1 "Wine 5.0" '"id": "wine-old"' "$work/old"
check 1 "nothing there" '"id": "wine-not-found"' "$work/nowhere"
check 1 "no Wine in it" '"id": "wine-not-found"' "$HOME"

# names that JSON cannot hold as they are
odd=$work/$(printf 'a"b\\c\td\377e\303\251')
wine "$odd" 2
check $serves "an odd name" 'a\\"b\\\\c\\u0009d\\ufffde' "$odd"
check $serves "an odd name, of which one is Lutris'" '"verdict"' "$odd" "$work/wine1"

# where users have Wines
found()
{
    mkdir -p "$HOME/$1"
    rm -rf "${HOME:?}/$1" && cp -r "$work/wine1" "$HOME/$1"
    PATH=/usr/bin:/bin "$run" --check --json >"$work/json" 2>"$work/noise"
    valid "$1"
    # one that is no command, beside it, changes nothing but the lines
    grep -q "home/$1/.*\"verdict\": \"$served\"" "$work/json" ||
        bad "not found: $1: $(cat "$work/json" "$work/noise")"
    rm -rf "${HOME:?}/$1"
}
found .local/share/lutris/runners/wine/lutris-7.2
found .local/share/bottles/runners/soda-9
found .config/heroic/tools/wine/Wine-GE
found ".var/app/com.usebottles.bottles/data/bottles/runners/x y"
found .steam/root/compatibilitytools.d/GE-Proton9
found ".steam/steam/steamapps/common/Proton 9.0"
mkdir -p "$HOME/.steam/root/steamapps/common/Proton 8.0"
cp -r "$work/wine3" "$HOME/.steam/root/steamapps/common/Proton 8.0/files"
"$run" --check --json >"$work/json"
grep -q 'Proton 8.0/files/lib/wine' "$work/json" || bad "files of Proton: $(cat "$work/json")"
rm -rf "$HOME/.steam"

# the command in PATH is the one that counts, and WINELOADER before it
PATH=$work/unknown/bin:$PATH check 1 "in PATH" '"found_by": "wine in PATH".*"not-recognised"'
PATH=$work/wine1/bin:$PATH check $serves "in PATH" "\"$served\".*\"chosen\": true"
WINELOADER=$work/wine1/bin/wine PATH=$work/unknown/bin:$PATH \
    check $serves "WINELOADER" '"found_by": "WINELOADER"'
grep -q '"id": "wine-not-recognised", "severity": "warning"' "$work/json" || bad "WINELOADER: no warning"

# a command is also tried; this one does not run Windows programs
check 1 "a trial that fails" '"id": "trial-failed"' "$work/wine1/bin/wine"
grep -q '"command": ".*wine1/bin/wine", "bits": 64, "active": false, "exact": false' \
    "$work/json" || grep -q '"id": "trial-missing"' "$work/json" || bad "trial: $(cat "$work/json")"

# settings
WRITEWATCH=off check 1 "WRITEWATCH=off" '"id": "switched-off"' "$work/wine1"
grep -q '"switched_off": true' "$work/json" || bad "WRITEWATCH=off: not switched off"
grep -q "\"verdict\": \"$served\"" "$work/json" || bad "WRITEWATCH=off: the Wine is not examined"
WINE_DISABLE_KERNEL_WRITEWATCH=1 check 1 "Wine's switch" '"id": "switched-off-wine"' "$work/wine1"
WINE_DISABLE_KERNEL_WRITEWATCH=0 check $serves "Wine's switch, 0" '"switched_off": false' \
    "$work/wine1"
WRITEWATCH_BACKEND=mprotect check 1 "backend" '"id": "backend-unknown"' "$work/wine1"
WRITEWATCH_LOG=/proc/none check $serves "log" '"id": "log-unusable"' "$work/wine1"
LD_PRELOAD=$top_builddir/preload/libwritewatch-preload.so \
    check $serves "preloaded already" '"id": "preloaded-already"' "$work/wine1"

# for people: the same answer, and what to do
"$run" --check "$work/unknown" >"$work/text.out" && bad "for people: status 0"
grep -q '^  This Wine works as it does without writewatch' "$work/text.out" || bad "no remedy"
grep -q '^Windows programs would not be served here.$' "$work/text.out" || bad "no answer"
"$run" --check "$work/wine1" >"$work/text.out"
[ $? -eq $serves ] || bad "for people: another status than $serves"
[ $serves -ne 0 ] || grep -q '^Windows programs would be served here.$' "$work/text.out" ||
    bad "no answer: $(cat "$work/text.out")"
[ "$(wc -l <"$work/text.out")" -le 24 ] || bad "more than a screen: $(cat "$work/text.out")"
if [ -w /dev/full ]; then
    "$run" --check "$work/wine1" >/dev/full 2>"$work/noise"
    [ $? -eq 125 ] || bad "a full device is no error"
    grep -q '^writewatch: cannot write to standard output: ' "$work/noise" || bad "no word of it"
fi
"$run" --json 2>/dev/null; [ $? -eq 125 ] || bad "--json alone is no error"
"$run" --check --no-such 2>/dev/null; [ $? -eq 125 ] || bad "an unknown option is no error"
"$run" --check "$work/wine1" --json | grep -q '"version"' || bad "--json behind the Wine"

# of 32 bits, where such programs can be made and run
cc32=${CC32:-}
if [ -n "$cc32" ]; then
    mkdir -p "$work/wine32/lib/wine/i386-unix" "$work/wine32/lib/wine/i386-windows"
    echo 'int main( void ) { return 5; }' >"$work/small.c"
    $cc32 -o "$work/small" "$work/small.c" && "$work/small"
    runs=$?
    $cc32 -w -O1 -shared -fPIC -o "$work/wine32/lib/wine/i386-unix/ntdll.so" -DABI= \
        -DDISPATCHER=0 "$work/ntdll.c" || exit 1
    check 1 "32 bits" '"bits": 32' "$work/wine32"
    if [ $runs -eq 5 ]; then
        grep -q '"verdict": "not-recognised"' "$work/json" || bad "32 bits: $(cat "$work/json")"
    else
        grep -q '"verdict": "not-probed".*32-bit programs cannot be run here' "$work/json" ||
            bad "32 bits: $(cat "$work/json")"
    fi
    # beside one of 64 bits that is served it is a warning
    cp -r "$work/wine32/lib/wine/i386-unix" "$work/wine1/lib/wine/"
    check $serves "both word sizes" '"bits": 32' "$work/wine1"
    grep -q '"bits": 64' "$work/json" || bad "both word sizes: one is missing"
else
    echo "not tested with 32 bits: there is no compiler for them"
fi

[ $failures -eq 0 ] || { echo "$failures failures"; exit 1; }
exit 0
