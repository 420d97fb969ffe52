# A function whose address is in two places is believed to have its slot in one of them.
# Tests: unit/x86_64/inspect
s/(if \(\(count = find_slot\( .* \)\)) == 1\)/\1 >= 1)/
