#!/bin/sh
#
# A program that wine-run runs never writes to the prefix that others are copied from, also if that
# is named by a symbolic link.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

mkdir -p "$dir/real/drive_c/users"
echo template > "$dir/real/system.reg"
echo template > "$dir/real/drive_c/users/file"
ln -s real "$dir/link"
ln -s link "$dir/link2"
: > "$dir/program.exe"

# in the place of Wine: writes to its prefix, and says which one that was
cat > "$dir/wine" <<'END'
#!/bin/sh
echo changed > "$WINEPREFIX/system.reg"
echo changed > "$WINEPREFIX/drive_c/users/file"
echo "$WINEPREFIX" >> "$LIST"
END
printf '#!/bin/sh\n' > "$dir/wineserver"
chmod +x "$dir/wine" "$dir/wineserver"

count=0
for template in real link link2; do
    LIST=$dir/list WINE=$dir/wine WINESERVER=$dir/wineserver TMPDIR=$dir \
    WRITEWATCH_PREFIX_TEMPLATE=$dir/$template \
        "$top_srcdir/tests/wine-run" --mode stock "$dir/program.exe" || {
        echo "$template: wine-run ended with $?"; status=1; }
    count=$((count + 1))
    [ "$(wc -l < "$dir/list")" -eq $count ] || { echo "$template: nothing was run"; status=1; }
    for file in system.reg drive_c/users/file; do
        [ "$(cat "$dir/real/$file" 2>&1)" = template ] ||
            { echo "$template: $file of the template was changed"; status=1; break 2; }
    done
    [ -L "$dir/link" ] && [ -L "$dir/link2" ] || { echo "$template: a link is gone"; status=1; }
done
exit $status
