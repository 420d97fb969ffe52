# A query that finds a region with trackers goes on without its lock.
# Tests: unit/tracker_steps
/^UNINTERRUPTED int enter_anew\(/,/^}/ s/if \(query->backend->hold\) return enter_held\( query \);//
