#!/bin/sh
# The version is that of configure.ac wherever it must be written down once more.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

cd "$top_srcdir" || exit 1
version=$(sed -n 's/^AC_INIT(\[writewatch\], \[\(.*\)\])$/\1/p' configure.ac)
[ -n "$version" ] || { echo "configure.ac has no version"; exit 1; }
status=0

# same FILE VERSION
same()
{
    [ "$2" = "$version" ] || { echo "$1 has the version '$2', configure.ac $version"; status=1; }
}

same configure "$(sed -n "s/^PACKAGE_VERSION='\(.*\)'\$/\1/p" configure)"
same CHANGELOG.md "$(sed -n 's/^## \([^ ]*\).*/\1/p' CHANGELOG.md | head -n 1)"
same debian/changelog "$(sed -n '1s/^writewatch (\(.*\)) .*/\1/p' debian/changelog)"
same packaging/writewatch.spec "$(sed -n 's/^Version: *//p' packaging/writewatch.spec)"
same include/writewatch.h "$(sed -n 's/^#define WRITEWATCH_VERSION_M[A-Z]* \([0-9]*\)$/\1/p' \
    include/writewatch.h | paste -sd.)"
same bindings/python/pyproject.toml \
    "$(sed -n 's/^version = "\(.*\)"$/\1/p' bindings/python/pyproject.toml)"
for file in Cargo.toml Cargo.lock; do
    same $file "$(sed -n '/^name = "writewatch-sys"/{n;s/^version = "\(.*\)"$/\1/p}' \
        bindings/rust/writewatch-sys/$file)"
done
same packaging/arch/PKGBUILD "$(sed -n 's/^pkgver=//p' packaging/arch/PKGBUILD)"
# a build tree that was configured before the version changed tests another one
same "$top_builddir/Makefile" "$(sed -n 's/^VERSION = //p' "$top_builddir/Makefile")"
# what the library says, shared and static, is what was configured
major=${version%%.*} rest=${version#*.}
number=$((major * 1000000 + ${rest%%.*} * 1000 + ${rest#*.}))
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-version.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cat >"$work/version.c" <<END
#include <stdio.h>
#include <writewatch.h>

#if WRITEWATCH_VERSION != $number
#error the number of the header
#endif

int main( void )
{
    printf( "%u\n", writewatch_version() );
    return 0;
}
END
for library in libwritewatch.so libwritewatch.a; do
    ${CC:-cc} -Wall -Wextra -Werror -Iinclude -o "$work/version" "$work/version.c" \
        "$top_builddir/$library" -pthread || { echo "it does not compile"; exit 1; }
    got=$(LD_LIBRARY_PATH=$top_builddir "$work/version")
    [ "$got" = $number ] || { echo "$library says $got, not $number"; status=1; }
done
exit $status
