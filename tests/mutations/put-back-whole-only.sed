# Pages are put back only if the region is still the one that it was.
# Tests: unit/put_back
/^UNINTERRUPTED void put_back/,/^}/ s/for \(; start < end; start/for (; 0; start/
