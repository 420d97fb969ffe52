#!/bin/sh
# Each deliberate mistake still fits the sources, and names tests that exist; check-mutations itself
# takes hours.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

: "${top_srcdir:?run by tests/run-tests}" "${top_builddir:?}"
exec sh "$top_srcdir/tests/check-mutations" --fit
