# A dispatcher of which only a part is there is taken for a known one.
# Tests: unit/x86_64/inspect
s/if \(patterns\[i\]\.form == found->form && !counts\[i\]\) clear = 0;/;/
