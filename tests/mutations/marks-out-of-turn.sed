# Marks are handed over before pages in front of them have been looked at.
# Tests: unit/marked
/^UNINTERRUPTED int collect_marked\(/,/^}/ s/if \(\(scan.next - found.base\) >> shift & 63\)/if (0)/
