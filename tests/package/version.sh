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
same packaging/arch/PKGBUILD "$(sed -n 's/^pkgver=//p' packaging/arch/PKGBUILD)"
# a build tree that was configured before the version changed tests another one
same "$top_builddir/Makefile" "$(sed -n 's/^VERSION = //p' "$top_builddir/Makefile")"
exit $status
