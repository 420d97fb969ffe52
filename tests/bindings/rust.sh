#!/bin/sh
# The declarations for Rust, shared and static, by cargo without a network and by rustc alone.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

: "${top_srcdir:?run by tests/run-tests}" "${top_builddir:?}"
command -v rustc >/dev/null || { echo "rustc is missing: run tools/install-deps --developer"; exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-rust.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
unset LD_PRELOAD WRITEWATCH_BACKEND RUSTFLAGS MAKEFLAGS MFLAGS MAKELEVEL
cp -R "$top_srcdir/bindings/rust/writewatch-sys" "$work/crate" && chmod -R u+w "$work/crate" || exit 1
cd "$work/crate" || exit 1
case $(rustc -vV | sed -n 's/^host: //p') in
x86_64-*|aarch64-*) bits=64 ;;
i?86-*) bits=32 ;;
*) echo "rustc makes programs for another processor"; exit 77 ;;
esac
[ $bits = "$(getconf LONG_BIT)" ] || { echo "rustc has $bits bits and the library has not"; exit 77; }
WRITEWATCH_LAYOUT=$top_srcdir/tests/abi/layout-$bits
WRITEWATCH_LIB_DIR=$top_builddir
export WRITEWATCH_LAYOUT WRITEWATCH_LIB_DIR

# ran FILE NUMBER: whether so many tests passed, and none was left out
ran()
{
    grep -q "^test result: ok\. $2 passed; 0 failed; 0 ignored" "$1" || { cat "$1"; exit 1; }
}

# rustc alone
mkdir "$work/plain"
tests=$(grep -c '^#\[test\]' tests/watch.rs)
rustc --edition 2018 -D warnings --crate-type rlib --crate-name writewatch_sys \
    -o "$work/plain/libwritewatch_sys.rlib" src/lib.rs || exit 1
for kind in dylib static; do
    rustc --edition 2018 -D warnings --test --extern writewatch_sys="$work/plain/libwritewatch_sys.rlib" \
        -L native="$top_builddir" -l $kind=writewatch -o "$work/plain/$kind" tests/watch.rs || exit 1
    LD_LIBRARY_PATH=$top_builddir "$work/plain/$kind" >"$work/log" 2>&1
    ran "$work/log" "$tests"
done
readelf -d "$work/plain/static" | grep -q libwritewatch && { echo "the static one is shared"; exit 1; }
readelf -d "$work/plain/dylib" | grep -q 'libwritewatch\.so\.0' || { echo "it is not shared"; exit 1; }

command -v cargo >/dev/null || {
    echo "all else passed, but cargo is missing: run tools/install-deps --developer"
    exit 77
}
# nothing that is kept at home, and no network
CARGO_HOME=$work/home CARGO_NET_OFFLINE=true
export CARGO_HOME CARGO_NET_OFFLINE
for features in '' static; do
    LD_LIBRARY_PATH=$top_builddir CARGO_TARGET_DIR=$work/target cargo test --offline --locked \
        ${features:+--features $features} >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    grep -q '^warning' "$work/log" && { cat "$work/log"; exit 1; }
    ran "$work/log" "$tests"
done
exit 0
