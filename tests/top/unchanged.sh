#!/bin/sh
# A program whose memory writewatch-top looks at gets the same answers: no page is lost, none is
# reported falsely, while three of them look as often as they can.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$(dirname "$0")/common.sh"
start_writer
ask region 4096
for i in 1 2 3; do
    "$top" --record "$work/record$i" --interval 0.05 "$writer" &
    started="$started $!"
    wait_for "$work/record$i" '^end$'
done
ask churn 10
echo "$answer"
case $answer in
*" missed=0 false=0") ;;
*) die "pages were lost or reported falsely" ;;
esac
for i in 1 2 3; do
    # it did look meanwhile, and saw pages that were written
    "$top" --once --replay "$work/record$i" >"$work/text" || die "recording $i is damaged"
    grep -q '^pages .*[0-9]W' "$work/record$i" || die "it saw no page that was written"
done
exit 0
