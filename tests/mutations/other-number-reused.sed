# A process is opened that has the number of one that has ended.
# Tests: unit/process_ends
/^int writewatch_process_open\(/,/^}/ s/ \|\| has_ended\( pidfd \)//
