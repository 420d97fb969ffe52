#!/bin/sh
# make install and make uninstall: what is put where, that it works there, and that nothing stays.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-install.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# the directories that were made are noted in the build tree: keep the user's note
noted=$top_builddir/installed-dirs
[ ! -f "$noted" ] || { echo "this build tree is installed: make uninstall first"; exit 77; }

die()
{
    echo "$*"
    rm -f "$noted"
    exit 1
}

# the options of the make that runs the tests are its own
unset MAKEFLAGS MFLAGS MAKELEVEL LD_PRELOAD

# staged, with folders that all follow from the prefix
local='prefix=/usr/local exec_prefix=/usr/local bindir=/usr/local/bin libdir=/usr/local/lib
    includedir=/usr/local/include datarootdir=/usr/local/share mandir=/usr/local/share/man
    docdir=/usr/local/share/doc/writewatch'
mkdir "$work/stage"
(umask 077; make -C "$top_builddir" install DESTDIR="$work/stage" $local) >"$work/log" 2>&1 ||
    die "$(cat "$work/log")"
version=$(sed -n 's/^VERSION = //p' "$top_builddir/Makefile")
files="bin/writewatch bin/writewatch-replay lib/libwritewatch.so.$version lib/libwritewatch.so.0
    lib/libwritewatch.so lib/libwritewatch.a lib/pkgconfig/writewatch.pc
    lib/cmake/writewatch/writewatchConfig.cmake
    lib/cmake/writewatch/writewatchConfigVersion.cmake include/writewatch.h
    include/writewatch_windows.h share/man/man1/writewatch.1
    share/man/man1/writewatch-replay.1 share/man/man3/writewatch.3
    share/man/man5/writewatch.conf.5 share/bash-completion/completions/writewatch
    share/zsh/site-functions/_writewatch share/fish/vendor_completions.d/writewatch.fish"
cd "$top_srcdir" || die "$top_srcdir cannot be entered"
lib64=$(sed -n 's/^LOADER_LIB = //p' "$top_builddir/Makefile")
lib32=$(sed -n 's/^BUILD_LIB32 = //p' "$top_builddir/Makefile")
for dir in $lib64 $lib32; do
    files="$files lib/writewatch/$dir/libwritewatch-preload.so"
done
# where ncurses is missing
if grep -q '^TOP = yes' "$top_builddir/Makefile"; then
    files="$files bin/writewatch-top share/man/man1/writewatch-top.1"
fi
# what --check runs: a probe for each word size and programs for Windows, where they can be built
config=$(sed -n 's/^\(CC32\|MINGW\|MINGW32\) = *//p' "$top_builddir/Makefile" | wc -l)
[ "$config" -eq 3 ] || die "the Makefile does not say which compilers there are"
has()
{
    [ -n "$(sed -n "s/^$1 = *//p" "$top_builddir/Makefile")" ]
}
files="$files lib/writewatch/$lib64/writewatch-probe"
if has CC32; then files="$files lib/writewatch/${lib32%% *}/writewatch-probe"; fi
if has MINGW; then files="$files lib/writewatch/writewatch-trial64.exe"; fi
if has MINGW32; then files="$files lib/writewatch/writewatch-trial32.exe"; fi
# the Windows programs of writewatch-replay, for the word sizes that there is a compiler for
for dir in "${MINGW:+$lib64}" "${MINGW32:+${lib32%% *}}"; do
    [ -z "$dir" ] || files="$files lib/writewatch/$dir/writewatch-replay.exe"
done
for page in "$top_srcdir"/man/*.3; do
    page=share/man/man3/$(basename "$page")
    case " $files" in
    *" $page"*) ;;
    *) files="$files $page" ;;
    esac
done
for document in README.md CHANGELOG.md docs/*.md docs/plots/*.svg; do
    files="$files share/doc/writewatch/$document"
done
for file in $files; do
    [ -f "$work/stage/usr/local/$file" ] || die "$file was not installed"
done
[ "$(find "$work/stage" ! -type d | wc -l)" -eq "$(echo $files | wc -w)" ] ||
    die "installed: $(find "$work/stage" ! -type d)"
installed=$work/stage/usr/local
# the link that programs are linked by leads to the name that they then look for, wherever that is
[ "$(readlink "$installed/lib/libwritewatch.so")" = libwritewatch.so.0 ] ||
    die "libwritewatch.so is a link to $(readlink "$installed/lib/libwritewatch.so")"
[ "$(readlink "$installed/lib/libwritewatch.so.0")" = "libwritewatch.so.$version" ] ||
    die "libwritewatch.so.0 is a link to $(readlink "$installed/lib/libwritewatch.so.0")"
[ ! -h "$installed/lib/libwritewatch.so.$version" ] || die "libwritewatch.so.$version is a link"
[ -x "$installed/bin/writewatch" ] || die "the runner cannot be run"
[ -x "$installed/bin/writewatch-replay" ] || die "writewatch-replay cannot be run"
# each line says what went where; commands are for V=1
grep -v '^  [A-Z]* *[^ ]' "$work/log" | grep -v '^make' && die "more was printed than was done"
grep -q '^  INSTALL .*/share/man/man3: ' "$work/log" || die "it does not say where the pages went"
# others may read all of it
find "$work/stage" ! -type l ! -perm -444 | grep . && die "these cannot be read by everyone"
make -C "$top_builddir" uninstall DESTDIR="$work/stage" $local >"$work/log" 2>&1 ||
    die "$(cat "$work/log")"
[ -z "$(find "$work/stage" -mindepth 1)" ] || die "left: $(find "$work/stage" -mindepth 1)"

# to a prefix, part of which is there already and part of which belongs to others
mkdir -p "$work/prefix/lib" "$work/there"
: >"$work/there/file"
for round in 1 2; do
    make -C "$top_builddir" install DESTDIR= prefix="$work/prefix" exec_prefix="$work/prefix" \
        bindir="$work/there/a/b" libdir="$work/prefix/lib" mandir="$work/there/man" \
        docdir="$work/prefix/doc" >"$work/log" 2>&1 || die "$(cat "$work/log")"
done
[ -f "$work/there/man/man3/writewatch.3" ] || die "mandir was not heeded"
[ -x "$work/there/a/b/writewatch" ] || die "the runner was not installed"
# the runner knows the place it was compiled for; this one is another, so there is no library
make -C "$top_builddir" uninstall DESTDIR= prefix="$work/prefix" exec_prefix="$work/prefix" \
    bindir="$work/there/a/b" libdir="$work/prefix/lib" mandir="$work/there/man" \
    docdir="$work/prefix/doc" >"$work/log" 2>&1 || die "$(cat "$work/log")"
[ -f "$work/there/file" ] || die "a file of another owner was removed"
[ -d "$work/prefix/lib" ] || die "a directory was removed that the install did not make"
left=$(cd "$work" && find there prefix -mindepth 1 | sort | tr '\n' ' ')
[ "$left" = "prefix/lib there/file " ] || die "left: $left"
[ ! -f "$noted" ] || die "the note of directories was left"

# an installed runner finds its library, also when the whole tree was moved
make -C "$top_builddir" install DESTDIR="$work/stage" >"$work/log" 2>&1 || die "$(cat "$work/log")"
runner=$(find "$work/stage" -path "*/bin/writewatch" -type f)
top=$(find "$work/stage" -name writewatch-top -type f)
[ -z "$top" ] || "$top" --version | grep -qx 'writewatch-top [0-9.]*' ||
    die "the installed writewatch-top does not run"
library=$(find "$work/stage" -path "*/$lib64/libwritewatch-preload.so")
got=$("$runner" sh -c 'echo "$LD_PRELOAD"') || die "the installed runner failed"
[ "$(echo "$got" | sed "s,[$]LIB,$lib64,")" = "$(realpath "$library")" ] ||
    die "the installed runner preloads $got, not $library"
# and what --check needs
"$runner" --check --json /nowhere >"$work/json"
grep -q '"library": "/' "$work/json" || die "the installed runner has no library: $(cat "$work/json")"
# and stands the tests that are for what was installed
make -C "$top_builddir" installcheck DESTDIR="$work/stage" >"$work/log" 2>&1 ||
    die "$(cat "$work/log")"
grep -q '^[1-9][0-9]* passed, 0 failed, 0 skipped$' "$work/log" || die "$(tail -n 3 "$work/log")"
# which see what is wrong: a library of another version, a page and a document that are missing
library=$(find "$work/stage" -name "libwritewatch.so.$version")
mv "$library" "${library%/*}/libwritewatch.so.9" || die "there is no libwritewatch.so.$version"
find "$work/stage" \( -name GetWriteWatch.3 -o -name native.md \) -exec rm {} +
! make -C "$top_builddir" installcheck DESTDIR="$work/stage" >"$work/log" 2>&1 ||
    die "installcheck passes whatever is missing"
for test in library/links program/library manual/pages documents; do
    grep -q "^FAIL installed/$test" "$work/log" || die "installcheck did not see it: $test"
done
rm "${library%/*}/libwritewatch.so.9"
make -C "$top_builddir" uninstall DESTDIR="$work/stage" >"$work/log" 2>&1 ||
    die "$(cat "$work/log")"
[ -z "$(find "$work/stage" -mindepth 1)" ] || die "left: $(find "$work/stage" -mindepth 1)"

# stripped: the same files, without what is for programs that debug
make -C "$top_builddir" install-strip DESTDIR="$work/stage" $local >"$work/log" 2>&1 ||
    die "$(cat "$work/log")"
[ "$(find "$work/stage" ! -type d | wc -l)" -eq "$(echo $files | wc -w)" ] ||
    die "installed and stripped: $(find "$work/stage" ! -type d)"
for file in $(find "$work/stage" -type f \( -name '*.so*' -o -name '*.a' -o -perm -100 \)); do
    ! "${OBJDUMP:-objdump}" -h "$file" 2>/dev/null | grep -q '\.debug_info' ||
        die "$file has debugging information"
done
make -C "$top_builddir" uninstall DESTDIR="$work/stage" $local >"$work/log" 2>&1 ||
    die "$(cat "$work/log")"
[ -z "$(find "$work/stage" -mindepth 1)" ] || die "left: $(find "$work/stage" -mindepth 1)"
exit 0
