# Accessible memory is discarded in pieces that may be whole blocks.
# Tests: unit-marked/discard
s/\(uintptr_t\)1 << \(block_shift\(\) - 1\)/(uintptr_t)1 << (block_shift() + 1)/
