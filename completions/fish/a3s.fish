# Completion of a3s for fish. Made by python -m a3s_cli.manual.
# Nothing is started for it, except to learn the names of models for the first time.

# Whether an option of a command takes a value.
function __a3s_takes_value
    switch "$argv"
        case 'a3s audit --policy' \
            'a3s audit --head' \
            'a3s audit -o' \
            'a3s audit --output' \
            'a3s config -C' \
            'a3s config --cwd' \
            'a3s config --config' \
            'a3s models --config' \
            'a3s policy test --input' \
            'a3s policy test --allow' \
            'a3s policy test --deny' \
            'a3s policy test --ask' \
            'a3s policy test --default-decision' \
            'a3s policy test --permissions' \
            'a3s policy test -C' \
            'a3s policy test --cwd' \
            'a3s policy test --config' \
            'a3s replay -o' \
            'a3s replay --output' \
            'a3s run -f' \
            'a3s run --prompt-file' \
            'a3s run -o' \
            'a3s run --output' \
            'a3s run -m' \
            'a3s run --model' \
            'a3s run --max-tokens' \
            'a3s run --temperature' \
            'a3s run --reasoning' \
            'a3s run -C' \
            'a3s run --cwd' \
            'a3s run --config' \
            'a3s run -s' \
            'a3s run --system' \
            'a3s run --append-system' \
            'a3s run --schema' \
            'a3s run --tools' \
            'a3s run --allow' \
            'a3s run --deny' \
            'a3s run --ask' \
            'a3s run --default-decision' \
            'a3s run --permissions' \
            'a3s run --on-ask' \
            'a3s run --sandbox' \
            'a3s run --network' \
            'a3s run --env' \
            'a3s run --redact-env' \
            'a3s run --max-turns' \
            'a3s run --max-tool-calls' \
            'a3s run --max-cost' \
            'a3s run --timeout' \
            'a3s run --tool-timeout' \
            'a3s run --idle-timeout' \
            'a3s run --max-retries' \
            'a3s run --max-parallel' \
            'a3s run --session' \
            'a3s run --record' \
            'a3s serve --host' \
            'a3s serve --port' \
            'a3s serve --allow-origin' \
            'a3s serve -m' \
            'a3s serve --model' \
            'a3s serve --max-tokens' \
            'a3s serve --temperature' \
            'a3s serve --reasoning' \
            'a3s serve -C' \
            'a3s serve --cwd' \
            'a3s serve --config' \
            'a3s serve -s' \
            'a3s serve --system' \
            'a3s serve --append-system' \
            'a3s serve --tools' \
            'a3s serve --allow' \
            'a3s serve --deny' \
            'a3s serve --ask' \
            'a3s serve --default-decision' \
            'a3s serve --permissions' \
            'a3s serve --on-ask' \
            'a3s serve --sandbox' \
            'a3s serve --network' \
            'a3s serve --env' \
            'a3s serve --redact-env' \
            'a3s serve --max-turns' \
            'a3s serve --max-tool-calls' \
            'a3s serve --max-cost' \
            'a3s serve --timeout' \
            'a3s serve --tool-timeout' \
            'a3s serve --idle-timeout' \
            'a3s serve --max-retries' \
            'a3s serve --max-parallel'
            return 0
    end
    return 1
end

# Find out to which command the words before the cursor lead, and to which of its arguments.
function __a3s_walk
    set -l words $argv[2..]
    set -g __a3s_path a3s
    set -g __a3s_position 0
    set -l literal no
    while set -q words[1]
        set -l word $words[1]
        set -e words[1]
        if test $literal = no -a "$word" = --
            set literal yes
        else if test $literal = no; and string match -qr '^-.' -- $word
            if __a3s_takes_value $__a3s_path $word
                set -e words[1]
            end
        else if contains -- "$__a3s_path $word" 'a3s audit' 'a3s completion' 'a3s config' 'a3s man' 'a3s models' 'a3s policy' 'a3s replay' 'a3s run' 'a3s schema' 'a3s serve' 'a3s sessions' 'a3s tools' 'a3s trust' 'a3s models pull' 'a3s policy test' 'a3s sessions export' 'a3s sessions list' 'a3s sessions prune' 'a3s sessions rm' 'a3s sessions show'
            set __a3s_path "$__a3s_path $word"
            set __a3s_position 0
        else
            set __a3s_position (math $__a3s_position + 1)
        end
    end
end

# Whether that is this command, and this argument; many ask for one line, so it is kept.
function __a3s_at -a wanted place
    set -l words (commandline -opc)
    if test "$words" != "$__a3s_words"
        set -g __a3s_words $words
        __a3s_walk $words
    end
    test "$__a3s_path" = "$wanted"; and test -z "$place" -o "$place" = "$__a3s_position"
end

# The names that the last call has kept; they are made anew in the background.
function __a3s_models
    set -l cache $HOME/.cache
    set -q XDG_CACHE_HOME; and set cache $XDG_CACHE_HOME
    if test -r $cache/a3s/model-names
        cat $cache/a3s/model-names
        command a3s completion --models >/dev/null 2>&1 </dev/null &
        disown 2>/dev/null
    else
        command a3s completion --models 2>/dev/null </dev/null
    end
end

# The newest sessions first.
function __a3s_sessions
    set -l state $HOME/.local/state
    set -q XDG_STATE_HOME; and set state $XDG_STATE_HOME
    set -l found $state/a3s/sessions/*.ndjson
    set -q found[1]; or return
    string replace -r '.*/(.*)\.ndjson$' '$1' -- $found[-1..1]
end

# A list whose items are separated by commas.
function __a3s_list
    set -l begun (string match -r '^.*,' -- (commandline -ct | string replace -r '^--[^=]*=' ''))
    printf '%s\n' "$begun"$argv
end

complete -c a3s -f
complete -c a3s -n '__a3s_at \'a3s\'' -a audit -d 'Judge recorded or running streams.'
complete -c a3s -n '__a3s_at \'a3s\'' -a completion -d 'Print the completion script of a shell.'
complete -c a3s -n '__a3s_at \'a3s\'' -a config -d 'Show the effective settings and where each came from, secrets masked.'
complete -c a3s -n '__a3s_at \'a3s\'' -a man -d 'Show a page of the manual.'
complete -c a3s -n '__a3s_at \'a3s\'' -a models -d 'List the models that are configured, and the local ones.'
complete -c a3s -n '__a3s_at \'a3s\'' -a policy -d 'Try permission rules without running anything.'
complete -c a3s -n '__a3s_at \'a3s\'' -a replay -d 'Render a recorded run again.'
complete -c a3s -n '__a3s_at \'a3s\'' -a run -d 'Run one prompt and exit.'
complete -c a3s -n '__a3s_at \'a3s\'' -a schema -d 'Print the JSON Schema of one line of the event stream.'
complete -c a3s -n '__a3s_at \'a3s\'' -a serve -d 'Serve a page to talk to the agent, and its API.'
complete -c a3s -n '__a3s_at \'a3s\'' -a sessions -d 'List, show, export and remove sessions.'
complete -c a3s -n '__a3s_at \'a3s\'' -a tools -d 'List the tools: name, description, arguments.'
complete -c a3s -n '__a3s_at \'a3s\'' -a trust -d 'Let DIR\'s .a3s/config.acl count as your own configuration does.'
complete -c a3s -n '__a3s_at \'a3s\'' -l version -d 'Show the version and exit.'
complete -c a3s -n '__a3s_at \'a3s\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s audit\'' -l policy -r -F -d 'What runs must and must not have done (TOML).'
complete -c a3s -n '__a3s_at \'a3s audit\'' -l verify -d 'Check the chain of recordings.'
complete -c a3s -n '__a3s_at \'a3s audit\'' -l head -x -d 'The recording\'s head, kept elsewhere.'
complete -c a3s -n '__a3s_at \'a3s audit\'' -s o -l output -x -a 'text json junit github' -d 'github: annotations, and the step\'s summary.'
complete -c a3s -n '__a3s_at \'a3s audit\'' -l include-content -d 'Quote commands and paths.'
complete -c a3s -n '__a3s_at \'a3s audit\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s audit\'' -F
complete -c a3s -n '__a3s_at \'a3s completion\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s completion\' 0' -a 'bash zsh fish'
complete -c a3s -n '__a3s_at \'a3s config\'' -s C -l cwd -x -a '(__fish_complete_directories)' -d 'Show what holds in DIR.'
complete -c a3s -n '__a3s_at \'a3s config\'' -l config -r -F -d 'One more configuration file.'
complete -c a3s -n '__a3s_at \'a3s config\'' -l no-project -d 'Ignore the project\'s config.'
complete -c a3s -n '__a3s_at \'a3s config\'' -l json -d 'Print one JSON object.'
complete -c a3s -n '__a3s_at \'a3s config\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s man\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s man\'' -a 'a3s audit completion config man models policy replay run schema serve sessions tools trust events'
complete -c a3s -n '__a3s_at \'a3s models\'' -a pull -d 'Fetch the weights of an embedded model.'
complete -c a3s -n '__a3s_at \'a3s models\'' -l json -d 'Print a JSON array.'
complete -c a3s -n '__a3s_at \'a3s models\'' -l config -r -F -d 'One more configuration file.'
complete -c a3s -n '__a3s_at \'a3s models\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s models pull\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s models pull\' 0' -a 'qwen2.5-coder-1.5b qwen2.5-coder-0.5b smollm2-135m'
complete -c a3s -n '__a3s_at \'a3s policy\'' -a test -d 'Say what a3s run would decide about a call of TOOL.'
complete -c a3s -n '__a3s_at \'a3s policy\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l input -x -d 'The call\'s arguments ({}).'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l allow -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Allow calls: bash(git log:*)'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l deny -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Deny calls, whatever allows them.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l ask -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Ask before calls.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l default-decision -x -a 'allow ask deny' -d 'What holds where no rule does.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l allow-all -d 'Allow all that is not denied.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l permissions -r -F -d 'Allow and ask by FILE, not by the config.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -s C -l cwd -x -a '(__fish_complete_directories)' -d 'As if started in DIR.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l config -r -F -d 'One more configuration file.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l no-project -d 'Ignore the project\'s config.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s policy test\' 0' -a 'bash read write edit grep glob ls web_fetch generate_object'
complete -c a3s -n '__a3s_at \'a3s replay\'' -s o -l output -x -a 'pretty raw json' -d 'pretty on a terminal, else json.'
complete -c a3s -n '__a3s_at \'a3s replay\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s replay\' 0' -F
complete -c a3s -n '__a3s_at \'a3s run\'' -s f -l prompt-file -r -F -d 'Read the prompt from a file.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l stdin -d 'Append stdin to the prompt.'
complete -c a3s -n '__a3s_at \'a3s run\'' -s o -l output -x -a 'pretty raw json' -d 'pretty on a terminal, else json.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l json -d 'The same as -o json.'
complete -c a3s -n '__a3s_at \'a3s run\'' -s m -l model -x -a '(__a3s_models)' -d 'The model to ask.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l max-tokens -x -d 'Tokens of one response.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l temperature -x -d 'From 0 to 2.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l reasoning -x -a 'none low medium high' -d 'How much the model may think.'
complete -c a3s -n '__a3s_at \'a3s run\'' -s C -l cwd -x -a '(__fish_complete_directories)' -d 'Work in DIR, as if started there.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l config -r -F -d 'One more configuration file.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l no-project -d 'Ignore AGENTS.md and the project\'s config.'
complete -c a3s -n '__a3s_at \'a3s run\'' -s s -l system -x -d 'Replace the system prompt.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l append-system -x -d 'Add to the system prompt.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l schema -r -F -d 'Answer with an object of this JSON Schema.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l tools -x -a '(__a3s_list bash read write edit grep glob ls web_fetch generate_object)' -d 'Offer only these tools.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l tool-input -d 'Stream the arguments of calls as well.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l allow -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Allow calls: bash(git log:*)'
complete -c a3s -n '__a3s_at \'a3s run\'' -l deny -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Deny calls, whatever allows them.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l ask -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Ask before calls.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l default-decision -x -a 'allow ask deny' -d 'What holds where no rule does.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l allow-all -d 'Allow all that is not denied.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l permissions -r -F -d 'Allow and ask by FILE, not by the config.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l on-ask -x -a 'prompt deny fail' -d 'prompt on a terminal, else deny; fail ends the run.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l read-only -d 'Change no file of the workspace.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l sandbox -x -a 'auto require off' -d 'Confine bash: where possible, or not run.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l network -x -a 'on off' -d 'off needs the sandbox.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l env -x -a '(set -nx)' -d 'Let commands see this variable.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l redact-env -x -a '(set -nx)' -d 'Hide its value in all output.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l max-turns -x -d 'Model responses (50).'
complete -c a3s -n '__a3s_at \'a3s run\'' -l max-tool-calls -x -d 'Executed calls.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l max-cost -x -d 'Needs the model\'s cost in the config.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l timeout -x -d 'The whole run: 90s, 5m.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l tool-timeout -x -d 'One call (120s).'
complete -c a3s -n '__a3s_at \'a3s run\'' -l idle-timeout -x -d 'A silent answer (60s).'
complete -c a3s -n '__a3s_at \'a3s run\'' -l max-retries -x -d 'Per request (4).'
complete -c a3s -n '__a3s_at \'a3s run\'' -l max-parallel -x -d 'Calls at a time (8).'
complete -c a3s -n '__a3s_at \'a3s run\'' -l session -x -k -a '(__a3s_sessions)' -d 'Go on with a session.'
complete -c a3s -n '__a3s_at \'a3s run\'' -s c -l continue -d 'With the newest one here.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l no-session -d 'Keep no session of this run.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l record -r -F -d 'Keep the stream in a new file as well, chained.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l pull -d 'Fetch the local model\'s weights if need be.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l offline -d 'Never fetch weights.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l debug -d 'Log on stderr.'
complete -c a3s -n '__a3s_at \'a3s run\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s schema\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l host -x -d 'Listen elsewhere than on loopback.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l port -x -d '8321; 0 is a free one.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l allow-origin -x -d 'Let pages of ORIGIN ask, if they send the token.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l open -d 'Open the page in a browser.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -s m -l model -x -a '(__a3s_models)' -d 'The model to ask.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l max-tokens -x -d 'Tokens of one response.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l temperature -x -d 'From 0 to 2.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l reasoning -x -a 'none low medium high' -d 'How much the model may think.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -s C -l cwd -x -a '(__fish_complete_directories)' -d 'Work in DIR, as if started there.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l config -r -F -d 'One more configuration file.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l no-project -d 'Ignore AGENTS.md and the project\'s config.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -s s -l system -x -d 'Replace the system prompt.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l append-system -x -d 'Add to the system prompt.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l tools -x -a '(__a3s_list bash read write edit grep glob ls web_fetch generate_object)' -d 'Offer only these tools.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l tool-input -d 'Stream the arguments of calls as well.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l allow -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Allow calls: bash(git log:*)'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l deny -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Deny calls, whatever allows them.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l ask -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Ask before calls.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l default-decision -x -a 'allow ask deny' -d 'What holds where no rule does.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l allow-all -d 'Allow all that is not denied.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l permissions -r -F -d 'Allow and ask by FILE, not by the config.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l on-ask -x -a 'prompt deny fail' -d 'prompt asks in the page; fail ends the run.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l read-only -d 'Change no file of the workspace.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l sandbox -x -a 'auto require off' -d 'Confine bash: where possible, or not run.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l network -x -a 'on off' -d 'off needs the sandbox.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l env -x -a '(set -nx)' -d 'Let commands see this variable.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l redact-env -x -a '(set -nx)' -d 'Hide its value in all output.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l max-turns -x -d 'Model responses (50).'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l max-tool-calls -x -d 'Executed calls.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l max-cost -x -d 'Needs the model\'s cost in the config.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l timeout -x -d 'The whole run: 90s, 5m.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l tool-timeout -x -d 'One call (120s).'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l idle-timeout -x -d 'A silent answer (60s).'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l max-retries -x -d 'Per request (4).'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l max-parallel -x -d 'Calls at a time (8).'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l pull -d 'Fetch the local model\'s weights if need be.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l offline -d 'Never fetch weights.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l debug -d 'Log on stderr.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s sessions\'' -a export -d 'Print a session as it is kept: NDJSON.'
complete -c a3s -n '__a3s_at \'a3s sessions\'' -a list -d 'List the sessions, the last used first.'
complete -c a3s -n '__a3s_at \'a3s sessions\'' -a prune -d 'Remove sessions that nobody has used for 30 days.'
complete -c a3s -n '__a3s_at \'a3s sessions\'' -a rm -d 'Remove sessions, with all that was kept beside them.'
complete -c a3s -n '__a3s_at \'a3s sessions\'' -a show -d 'Show what was said and done in a session.'
complete -c a3s -n '__a3s_at \'a3s sessions\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s sessions export\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s sessions export\' 0' -k -a '(__a3s_sessions)'
complete -c a3s -n '__a3s_at \'a3s sessions list\'' -l all -d 'Not only the last 50.'
complete -c a3s -n '__a3s_at \'a3s sessions list\'' -l json -d 'Print a JSON array.'
complete -c a3s -n '__a3s_at \'a3s sessions list\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s sessions prune\'' -l json -d 'Print a JSON object.'
complete -c a3s -n '__a3s_at \'a3s sessions prune\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s sessions rm\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s sessions rm\'' -k -a '(__a3s_sessions)'
complete -c a3s -n '__a3s_at \'a3s sessions show\'' -l json -d 'Print the conversation as JSON.'
complete -c a3s -n '__a3s_at \'a3s sessions show\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s sessions show\' 0' -k -a '(__a3s_sessions)'
complete -c a3s -n '__a3s_at \'a3s tools\'' -l json -d 'Print a JSON array, with the schemas.'
complete -c a3s -n '__a3s_at \'a3s tools\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s trust\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s trust\' 0' -a '(__fish_complete_directories)'
