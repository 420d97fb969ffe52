# fish completion for writewatch(1)
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

# Behind the options is a command, with a completion of its own.
complete -c writewatch -x -a '(__fish_complete_subcommand -- -l --log --record)'
complete -c writewatch -s l -l log -r -F -d 'Log to a file whether it is active'
complete -c writewatch -s s -l stats -d 'Also log counts when a process exits'
complete -c writewatch -l log-all -d 'Log all Wine processes'
complete -c writewatch -l record -r -F -d 'Record what programs ask of write watches'
complete -c writewatch -l off -d 'Run the command without the library'
complete -c writewatch -l check -d 'Say whether it works here and with which Wines'
complete -c writewatch -l json -d 'With --check: say so as JSON'
complete -c writewatch -l explain -r -F -d 'Say which settings apply to a program'
complete -c writewatch -l status -d 'Say what running programs watch'
complete -c writewatch -s h -l help -d 'Show a summary'
complete -c writewatch -s V -l version -d 'Show the version'
complete -c writewatch -n '__fish_contains_opt check' -a '(__fish_complete_directories)'
