# Completion of a3s for fish. Made by python -m a3s_cli.manual.
# Nothing is started for it, except to learn the names of models for the first time.

# Whether an option of a command takes a value.
function __a3s_takes_value
    switch "$argv"
        case 'a3s acp -m' \
            'a3s acp --model' \
            'a3s acp --fallback-model' \
            'a3s acp --max-tokens' \
            'a3s acp --temperature' \
            'a3s acp --reasoning' \
            'a3s acp -C' \
            'a3s acp --cwd' \
            'a3s acp --config' \
            'a3s acp -s' \
            'a3s acp --system' \
            'a3s acp --append-system' \
            'a3s acp --tools' \
            'a3s acp --plugin' \
            'a3s acp --mcp' \
            'a3s acp --mcp-config' \
            'a3s acp --allow' \
            'a3s acp --deny' \
            'a3s acp --ask' \
            'a3s acp --default-decision' \
            'a3s acp --permissions' \
            'a3s acp --on-ask' \
            'a3s acp --approver-timeout' \
            'a3s acp --sandbox' \
            'a3s acp --protect' \
            'a3s acp --network' \
            'a3s acp --env' \
            'a3s acp --redact-env' \
            'a3s acp --max-turns' \
            'a3s acp --max-tool-calls' \
            'a3s acp --max-attachment-bytes' \
            'a3s acp --max-cost' \
            'a3s acp --timeout' \
            'a3s acp --tool-timeout' \
            'a3s acp --idle-timeout' \
            'a3s acp --first-byte-timeout' \
            'a3s acp --max-retries' \
            'a3s acp --max-parallel' \
            'a3s acp --keep-alive' \
            'a3s audit --policy' \
            'a3s audit --head' \
            'a3s audit -o' \
            'a3s audit --output' \
            'a3s batch -d' \
            'a3s batch --directory' \
            'a3s batch --prompt' \
            'a3s batch --item-models' \
            'a3s batch --shard' \
            'a3s batch --ship' \
            'a3s batch --jobs' \
            'a3s batch --rpm' \
            'a3s batch --tpm' \
            'a3s batch --attempts' \
            'a3s batch --on' \
            'a3s batch --ray-address' \
            'a3s batch --max-failures' \
            'a3s batch --events' \
            'a3s batch --order' \
            'a3s batch --schema' \
            'a3s batch -m' \
            'a3s batch --model' \
            'a3s batch --fallback-model' \
            'a3s batch --max-tokens' \
            'a3s batch --temperature' \
            'a3s batch --reasoning' \
            'a3s batch -C' \
            'a3s batch --cwd' \
            'a3s batch --config' \
            'a3s batch -s' \
            'a3s batch --system' \
            'a3s batch --append-system' \
            'a3s batch --tools' \
            'a3s batch --plugin' \
            'a3s batch --mcp' \
            'a3s batch --mcp-config' \
            'a3s batch --allow' \
            'a3s batch --deny' \
            'a3s batch --ask' \
            'a3s batch --default-decision' \
            'a3s batch --permissions' \
            'a3s batch --on-ask' \
            'a3s batch --approver-timeout' \
            'a3s batch --sandbox' \
            'a3s batch --protect' \
            'a3s batch --network' \
            'a3s batch --env' \
            'a3s batch --redact-env' \
            'a3s batch --max-turns' \
            'a3s batch --max-tool-calls' \
            'a3s batch --max-attachment-bytes' \
            'a3s batch --max-cost' \
            'a3s batch --timeout' \
            'a3s batch --tool-timeout' \
            'a3s batch --idle-timeout' \
            'a3s batch --first-byte-timeout' \
            'a3s batch --max-retries' \
            'a3s batch --max-parallel' \
            'a3s batch --keep-alive' \
            'a3s batch results --order' \
            'a3s chat -m' \
            'a3s chat --model' \
            'a3s chat --fallback-model' \
            'a3s chat --max-tokens' \
            'a3s chat --temperature' \
            'a3s chat --reasoning' \
            'a3s chat -C' \
            'a3s chat --cwd' \
            'a3s chat --config' \
            'a3s chat -s' \
            'a3s chat --system' \
            'a3s chat --append-system' \
            'a3s chat --tools' \
            'a3s chat --plugin' \
            'a3s chat --mcp' \
            'a3s chat --mcp-config' \
            'a3s chat --allow' \
            'a3s chat --deny' \
            'a3s chat --ask' \
            'a3s chat --default-decision' \
            'a3s chat --permissions' \
            'a3s chat --on-ask' \
            'a3s chat --approver-timeout' \
            'a3s chat --sandbox' \
            'a3s chat --protect' \
            'a3s chat --network' \
            'a3s chat --env' \
            'a3s chat --redact-env' \
            'a3s chat --max-turns' \
            'a3s chat --max-tool-calls' \
            'a3s chat --max-attachment-bytes' \
            'a3s chat --max-cost' \
            'a3s chat --timeout' \
            'a3s chat --tool-timeout' \
            'a3s chat --idle-timeout' \
            'a3s chat --first-byte-timeout' \
            'a3s chat --max-retries' \
            'a3s chat --max-parallel' \
            'a3s chat --keep-alive' \
            'a3s chat --session' \
            'a3s config -C' \
            'a3s config --cwd' \
            'a3s config --config' \
            'a3s mcp list -C' \
            'a3s mcp list --cwd' \
            'a3s mcp list --config' \
            'a3s mcp list --mcp-config' \
            'a3s mcp test -C' \
            'a3s mcp test --cwd' \
            'a3s mcp test --config' \
            'a3s mcp test --mcp-config' \
            'a3s mcp tools -C' \
            'a3s mcp tools --cwd' \
            'a3s mcp tools --config' \
            'a3s mcp tools --mcp-config' \
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
            'a3s run -a' \
            'a3s run --attach' \
            'a3s run -o' \
            'a3s run --output' \
            'a3s run --input' \
            'a3s run --schema' \
            'a3s run -m' \
            'a3s run --model' \
            'a3s run --fallback-model' \
            'a3s run --max-tokens' \
            'a3s run --temperature' \
            'a3s run --reasoning' \
            'a3s run -C' \
            'a3s run --cwd' \
            'a3s run --config' \
            'a3s run -s' \
            'a3s run --system' \
            'a3s run --append-system' \
            'a3s run --tools' \
            'a3s run --plugin' \
            'a3s run --mcp' \
            'a3s run --mcp-config' \
            'a3s run --allow' \
            'a3s run --deny' \
            'a3s run --ask' \
            'a3s run --default-decision' \
            'a3s run --permissions' \
            'a3s run --on-ask' \
            'a3s run --approver-timeout' \
            'a3s run --sandbox' \
            'a3s run --protect' \
            'a3s run --network' \
            'a3s run --env' \
            'a3s run --redact-env' \
            'a3s run --max-turns' \
            'a3s run --max-tool-calls' \
            'a3s run --max-attachment-bytes' \
            'a3s run --max-cost' \
            'a3s run --timeout' \
            'a3s run --tool-timeout' \
            'a3s run --idle-timeout' \
            'a3s run --first-byte-timeout' \
            'a3s run --max-retries' \
            'a3s run --max-parallel' \
            'a3s run --keep-alive' \
            'a3s run --session' \
            'a3s run --record' \
            'a3s serve --host' \
            'a3s serve --port' \
            'a3s serve --allow-origin' \
            'a3s serve --allow-host' \
            'a3s serve -m' \
            'a3s serve --model' \
            'a3s serve --fallback-model' \
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
            'a3s serve --plugin' \
            'a3s serve --mcp' \
            'a3s serve --mcp-config' \
            'a3s serve --allow' \
            'a3s serve --deny' \
            'a3s serve --ask' \
            'a3s serve --default-decision' \
            'a3s serve --permissions' \
            'a3s serve --on-ask' \
            'a3s serve --approver-timeout' \
            'a3s serve --sandbox' \
            'a3s serve --protect' \
            'a3s serve --network' \
            'a3s serve --env' \
            'a3s serve --redact-env' \
            'a3s serve --max-turns' \
            'a3s serve --max-tool-calls' \
            'a3s serve --max-attachment-bytes' \
            'a3s serve --max-cost' \
            'a3s serve --timeout' \
            'a3s serve --tool-timeout' \
            'a3s serve --idle-timeout' \
            'a3s serve --first-byte-timeout' \
            'a3s serve --max-retries' \
            'a3s serve --max-parallel' \
            'a3s serve --keep-alive' \
            'a3s tools --plugin'
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
        else if contains -- "$__a3s_path $word" 'a3s acp' 'a3s audit' 'a3s batch' 'a3s chat' 'a3s completion' 'a3s config' 'a3s doctor' 'a3s help' 'a3s man' 'a3s mcp' 'a3s models' 'a3s policy' 'a3s replay' 'a3s run' 'a3s schema' 'a3s serve' 'a3s sessions' 'a3s tools' 'a3s trace' 'a3s trust' 'a3s batch results' 'a3s batch status' 'a3s config edit' 'a3s config path' 'a3s config set' 'a3s mcp list' 'a3s mcp test' 'a3s mcp tools' 'a3s models pull' 'a3s policy test' 'a3s sessions export' 'a3s sessions list' 'a3s sessions prune' 'a3s sessions rename' 'a3s sessions rm' 'a3s sessions show'
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
complete -c a3s -n '__a3s_at \'a3s\'' -a acp -d 'Serve as the agent in an editor (ACP).'
complete -c a3s -n '__a3s_at \'a3s\'' -a audit -d 'Check recorded or live event streams against a policy.'
complete -c a3s -n '__a3s_at \'a3s\'' -a batch -d 'Run many prompts and stream all of their events.'
complete -c a3s -n '__a3s_at \'a3s\'' -a chat -d 'Talk to the agent in one session.'
complete -c a3s -n '__a3s_at \'a3s\'' -a completion -d 'Print the completion script for a shell, or install it for you.'
complete -c a3s -n '__a3s_at \'a3s\'' -a config -d 'Show the effective settings and their origins, with secrets masked.'
complete -c a3s -n '__a3s_at \'a3s\'' -a doctor -d 'Check the installation and report what is missing.'
complete -c a3s -n '__a3s_at \'a3s\'' -a help -d 'Show the help of a3s or of a command.'
complete -c a3s -n '__a3s_at \'a3s\'' -a man -d 'Show a manual page.'
complete -c a3s -n '__a3s_at \'a3s\'' -a mcp -d 'Show and test MCP servers.'
complete -c a3s -n '__a3s_at \'a3s\'' -a models -d 'List the configured and embedded models, with what is known about them.'
complete -c a3s -n '__a3s_at \'a3s\'' -a policy -d 'Test permission rules without running anything.'
complete -c a3s -n '__a3s_at \'a3s\'' -a replay -d 'Render a recorded run or a session, with all output.'
complete -c a3s -n '__a3s_at \'a3s\'' -a run -d 'Run one prompt and exit.'
complete -c a3s -n '__a3s_at \'a3s\'' -a schema -d 'Print the JSON Schema of one line of the event stream.'
complete -c a3s -n '__a3s_at \'a3s\'' -a serve -d 'Serve a web page for talking to the agent, and its HTTP API.'
complete -c a3s -n '__a3s_at \'a3s\'' -a sessions -d 'List, show, rename, export and remove sessions.'
complete -c a3s -n '__a3s_at \'a3s\'' -a tools -d 'List the tools and skills that a run offers the model.'
complete -c a3s -n '__a3s_at \'a3s\'' -a trace -d 'Print a recorded run or a session as OpenTelemetry spans.'
complete -c a3s -n '__a3s_at \'a3s\'' -a trust -d 'Trust a project\'s configuration, MCP servers and skills.'
complete -c a3s -n '__a3s_at \'a3s\'' -s V -l version -d 'Show the version and exit.'
complete -c a3s -n '__a3s_at \'a3s\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l allow-full -d 'Offer a mode that asks for no approval.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -s m -l model -x -a '(__a3s_models)' -d 'Use this model.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l fallback-model -x -a '(__a3s_models)' -d 'Ask this model if the one before is unavailable.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l max-tokens -x -d 'Limit each response to N tokens.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l temperature -x -d 'Set the temperature (0 to 2).'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l reasoning -x -a 'none low medium high' -d 'Set how much the model may reason.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -s C -l cwd -x -a '(__fish_complete_directories)' -d 'Run as if started in DIR.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l config -r -F -d 'Also read this configuration.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l no-project -d 'Ignore AGENTS.md and project settings.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l no-skills -d 'Offer the model no skills.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -s s -l system -x -d 'Replace the system prompt.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l append-system -x -d 'Append to the system prompt.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l tools -x -a '(__a3s_list bash read write edit grep glob ls web_fetch generate_object)' -d 'Offer only these tools.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l plugin -x -a '(set -nx)' -d 'Offer the tools of this installed plug-in.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l mcp -x -a '(set -nx)' -d 'Use only this MCP server.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l no-mcp -d 'Use no MCP server.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l mcp-config -r -F -d 'Add the MCP servers of a JSON file.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l allow -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Allow calls, as in bash(git log:*).'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l deny -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Deny calls, even if allowed elsewhere.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l ask -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Require approval for calls.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l default-decision -x -a 'allow ask deny' -d 'Decide calls that no rule covers.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l allow-all -d 'Allow every call that is not denied.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l permissions -r -F -d 'Replace the configured allow and ask rules.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l no-reading -d 'Require a rule even for commands that only read.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l on-ask -x -a 'prompt deny fail exec:' -d 'When a call needs approval, ask in the editor, deny, end the run or ask a program.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l approver-timeout -x -d 'Limit the wait for the program of exec: (60s).'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l read-only -d 'Forbid changes to the workspace.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l sandbox -x -a 'auto require off' -d 'Confine bash if possible, always or never.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l protect -x -a 'all tracked' -d 'Revert all changes to protected files, or those that differ from HEAD.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l network -x -a 'on off' -d 'Allow or block network access; off needs a sandbox.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l env -x -a '(set -nx)' -d 'Pass this variable to commands.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l redact-env -x -a '(set -nx)' -d 'Hide this variable\'s value in output.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l max-turns -x -d 'Stop after N responses (50).'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l max-tool-calls -x -d 'Stop after N calls.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l max-attachment-bytes -x -d 'Refuse larger attachments (20 MB).'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l max-cost -x -d 'Stop when the cost reaches USD.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l timeout -x -d 'Limit the whole run, as in 90s or 5m.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l tool-timeout -x -d 'Limit each tool call (120s).'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l idle-timeout -x -d 'Limit pauses within a response (60s).'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l first-byte-timeout -x -d 'Limit the wait for a response to begin (300s).'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l max-retries -x -d 'Limit retries (4).'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l max-parallel -x -d 'Run up to N calls at once (8).'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l pull -d 'Download the embedded model if it is missing.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l offline -d 'Never download a model.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l keep-alive -x -d 'Keep the embedded model loaded this long after a run.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -l debug -d 'Log to stderr.'
complete -c a3s -n '__a3s_at \'a3s acp\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s audit\'' -l policy -r -F -d 'Check the runs against this policy (TOML).'
complete -c a3s -n '__a3s_at \'a3s audit\'' -l verify -l no-verify -d 'Require a hash chain, or skip checking it; by default it is checked where there is one.'
complete -c a3s -n '__a3s_at \'a3s audit\'' -l head -x -d 'Require that the recording ends with this hash.'
complete -c a3s -n '__a3s_at \'a3s audit\'' -s o -l output -x -a 'text json junit github' -d 'Set the report format; github also writes the step summary.'
complete -c a3s -n '__a3s_at \'a3s audit\'' -l include-content -d 'Quote commands and paths in the report.'
complete -c a3s -n '__a3s_at \'a3s audit\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s audit\'' -F
complete -c a3s -n '__a3s_at \'a3s batch\'' -a results -d 'Print the results as NDJSON: one line for each item, with its whole text.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -a status -d 'Show the progress of a batch.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -s d -l directory -x -a '(__fish_complete_directories)' -d 'Keep the batch in DIR (FILE.batch).'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l prompt -x -d 'Fill in {columns} of a CSV file.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l item-models -x -d 'Let items choose one of these models.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l shard -x -d 'Run only this part of the items, counted from 1.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l ship -x -a '(__fish_complete_directories)' -d 'Run each item in a copy of DIR; keep a patch.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l jobs -x -d 'Run N items at once (8).'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l rpm -x -d 'Send at most N requests a minute.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l tpm -x -d 'Use at most N tokens a minute.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l attempts -x -d 'Try an item up to N times (3).'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l retry-failed -d 'Run failed items again.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l on -x -a '(set -nx)' -d 'Run the items here or on ray (here).'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l ray-address -x -d 'Use this Ray cluster (the variable RAY_ADDRESS).'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l max-failures -x -d 'Stop after more than N (or P%) failures.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l events -x -a 'all terminal' -d 'Show the events of runs, or results only.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l order -x -a 'done input' -d 'Show results as they come, or in the order of the items.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l progress -d 'Report on stderr every 30 s.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l schema -r -F -d 'Answer with JSON that matches this schema.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l tool-input -d 'Also stream the arguments of tool calls.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -s m -l model -x -a '(__a3s_models)' -d 'Use this model.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l fallback-model -x -a '(__a3s_models)' -d 'Ask this model if the one before is unavailable.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l max-tokens -x -d 'Limit each response to N tokens.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l temperature -x -d 'Set the temperature (0 to 2).'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l reasoning -x -a 'none low medium high' -d 'Set how much the model may reason.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -s C -l cwd -x -a '(__fish_complete_directories)' -d 'Run as if started in DIR.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l config -r -F -d 'Also read this configuration.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l no-project -d 'Ignore AGENTS.md and project settings.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l no-skills -d 'Offer the model no skills.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -s s -l system -x -d 'Replace the system prompt.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l append-system -x -d 'Append to the system prompt.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l tools -x -a '(__a3s_list bash read write edit grep glob ls web_fetch generate_object)' -d 'Offer only these tools.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l plugin -x -a '(set -nx)' -d 'Offer the tools of this installed plug-in.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l mcp -x -a '(set -nx)' -d 'Use only this MCP server.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l no-mcp -d 'Use no MCP server.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l mcp-config -r -F -d 'Add the MCP servers of a JSON file.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l allow -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Allow calls, as in bash(git log:*).'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l deny -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Deny calls, even if allowed elsewhere.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l ask -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Require approval for calls.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l default-decision -x -a 'allow ask deny' -d 'Decide calls that no rule covers.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l allow-all -d 'Allow every call that is not denied.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l permissions -r -F -d 'Replace the configured allow and ask rules.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l no-reading -d 'Require a rule even for commands that only read.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l on-ask -x -a 'deny fail exec:' -d 'When a call needs approval, deny, end the run or ask a program.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l approver-timeout -x -d 'Limit the wait for the program of exec: (60s).'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l read-only -d 'Forbid changes to the workspace.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l sandbox -x -a 'auto require off' -d 'Confine bash if possible, always or never.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l protect -x -a 'all tracked' -d 'Revert all changes to protected files, or those that differ from HEAD.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l network -x -a 'on off' -d 'Allow or block network access; off needs a sandbox.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l env -x -a '(set -nx)' -d 'Pass this variable to commands.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l redact-env -x -a '(set -nx)' -d 'Hide this variable\'s value in output.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l max-turns -x -d 'Stop after N responses (50).'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l max-tool-calls -x -d 'Stop after N calls.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l max-attachment-bytes -x -d 'Refuse larger attachments (20 MB).'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l max-cost -x -d 'Stop when the cost reaches USD.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l timeout -x -d 'Limit the whole run, as in 90s or 5m.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l tool-timeout -x -d 'Limit each tool call (120s).'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l idle-timeout -x -d 'Limit pauses within a response (60s).'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l first-byte-timeout -x -d 'Limit the wait for a response to begin (300s).'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l max-retries -x -d 'Limit retries (4).'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l max-parallel -x -d 'Run up to N calls at once (8).'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l pull -d 'Download the embedded model if it is missing.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l offline -d 'Never download a model.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l keep-alive -x -d 'Keep the embedded model loaded this long after a run.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l debug -d 'Log to stderr.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l no-session -d 'Do not keep the items\' conversations.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -l record -d 'Record each run, for a3s audit DIR.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -s q -l quiet -d 'Write only usage errors to stderr.'
complete -c a3s -n '__a3s_at \'a3s batch\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s batch\' 0' -F
complete -c a3s -n '__a3s_at \'a3s batch results\'' -l order -x -a 'done input' -d 'Print results as they came, or in the order of the items.'
complete -c a3s -n '__a3s_at \'a3s batch results\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s batch results\'' -a '(__fish_complete_directories)'
complete -c a3s -n '__a3s_at \'a3s batch status\'' -l json -d 'Print a JSON object.'
complete -c a3s -n '__a3s_at \'a3s batch status\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s batch status\' 0' -a '(__fish_complete_directories)'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l plain -d 'Use no colour, Markdown or live line on a terminal.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -s m -l model -x -a '(__a3s_models)' -d 'Use this model.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l fallback-model -x -a '(__a3s_models)' -d 'Ask this model if the one before is unavailable.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l max-tokens -x -d 'Limit each response to N tokens.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l temperature -x -d 'Set the temperature (0 to 2).'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l reasoning -x -a 'none low medium high' -d 'Set how much the model may reason.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -s C -l cwd -x -a '(__fish_complete_directories)' -d 'Run as if started in DIR.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l config -r -F -d 'Also read this configuration.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l no-project -d 'Ignore AGENTS.md and project settings.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l no-skills -d 'Offer the model no skills.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -s s -l system -x -d 'Replace the system prompt.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l append-system -x -d 'Append to the system prompt.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l tools -x -a '(__a3s_list bash read write edit grep glob ls web_fetch generate_object)' -d 'Offer only these tools.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l plugin -x -a '(set -nx)' -d 'Offer the tools of this installed plug-in.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l mcp -x -a '(set -nx)' -d 'Use only this MCP server.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l no-mcp -d 'Use no MCP server.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l mcp-config -r -F -d 'Add the MCP servers of a JSON file.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l allow -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Allow calls, as in bash(git log:*).'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l deny -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Deny calls, even if allowed elsewhere.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l ask -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Require approval for calls.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l default-decision -x -a 'allow ask deny' -d 'Decide calls that no rule covers.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l allow-all -d 'Allow every call that is not denied.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l permissions -r -F -d 'Replace the configured allow and ask rules.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l no-reading -d 'Require a rule even for commands that only read.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l on-ask -x -a 'prompt deny fail exec:' -d 'When a call needs approval, ask, deny, end the run or ask a program.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l approver-timeout -x -d 'Limit the wait for the program of exec: (60s).'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l read-only -d 'Forbid changes to the workspace.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l sandbox -x -a 'auto require off' -d 'Confine bash if possible, always or never.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l protect -x -a 'all tracked' -d 'Revert all changes to protected files, or those that differ from HEAD.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l network -x -a 'on off' -d 'Allow or block network access; off needs a sandbox.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l env -x -a '(set -nx)' -d 'Pass this variable to commands.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l redact-env -x -a '(set -nx)' -d 'Hide this variable\'s value in output.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l max-turns -x -d 'Stop after N responses (50).'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l max-tool-calls -x -d 'Stop after N calls.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l max-attachment-bytes -x -d 'Refuse larger attachments (20 MB).'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l max-cost -x -d 'Stop when the cost reaches USD.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l timeout -x -d 'Limit the whole run, as in 90s or 5m.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l tool-timeout -x -d 'Limit each tool call (120s).'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l idle-timeout -x -d 'Limit pauses within a response (60s).'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l first-byte-timeout -x -d 'Limit the wait for a response to begin (300s).'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l max-retries -x -d 'Limit retries (4).'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l max-parallel -x -d 'Run up to N calls at once (8).'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l pull -d 'Download the embedded model if it is missing.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l offline -d 'Never download a model.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l keep-alive -x -d 'Keep the embedded model loaded this long after a run.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l debug -d 'Log to stderr.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l session -x -k -a '(__a3s_sessions)' -d 'Continue a session.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -s c -l continue -d 'Continue the newest session here.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l fork -d 'Continue in a copy and leave the session as it is.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -l no-session -d 'Save neither the session nor the lines typed.'
complete -c a3s -n '__a3s_at \'a3s chat\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s completion\'' -l install -d 'Write the script where the shell looks for it.'
complete -c a3s -n '__a3s_at \'a3s completion\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s completion\' 0' -a 'bash zsh fish'
complete -c a3s -n '__a3s_at \'a3s config\'' -a edit -d 'Open your configuration file in $EDITOR, and check it.'
complete -c a3s -n '__a3s_at \'a3s config\'' -a path -d 'Print the path of your configuration file.'
complete -c a3s -n '__a3s_at \'a3s config\'' -a set -d 'Set a key of your configuration file.'
complete -c a3s -n '__a3s_at \'a3s config\'' -s C -l cwd -x -a '(__fish_complete_directories)' -d 'Show the settings that apply in DIR.'
complete -c a3s -n '__a3s_at \'a3s config\'' -l config -r -F -d 'Also read this configuration.'
complete -c a3s -n '__a3s_at \'a3s config\'' -l no-project -d 'Ignore the project\'s configuration.'
complete -c a3s -n '__a3s_at \'a3s config\'' -l json -d 'Print one JSON object.'
complete -c a3s -n '__a3s_at \'a3s config\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s config edit\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s config path\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s config set\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s doctor\'' -l json -d 'Print a JSON array.'
complete -c a3s -n '__a3s_at \'a3s doctor\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s help\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s man\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s man\'' -a 'a3s acp audit batch chat completion config doctor help man mcp models policy replay run schema serve sessions tools trace trust events'
complete -c a3s -n '__a3s_at \'a3s mcp\'' -a list -d 'Start every server and show what each offers, or what is wrong.'
complete -c a3s -n '__a3s_at \'a3s mcp\'' -a test -d 'Start the server NAME and show how long it takes, or what is wrong.'
complete -c a3s -n '__a3s_at \'a3s mcp\'' -a tools -d 'Show the tools of the server NAME, under the names that rules use.'
complete -c a3s -n '__a3s_at \'a3s mcp\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s mcp list\'' -s C -l cwd -x -a '(__fish_complete_directories)' -d 'Run as if started in DIR.'
complete -c a3s -n '__a3s_at \'a3s mcp list\'' -l config -r -F -d 'Also read this configuration.'
complete -c a3s -n '__a3s_at \'a3s mcp list\'' -l no-project -d 'Ignore the project\'s servers.'
complete -c a3s -n '__a3s_at \'a3s mcp list\'' -l mcp-config -r -F -d 'Add the MCP servers of a JSON file.'
complete -c a3s -n '__a3s_at \'a3s mcp list\'' -l debug -d 'Log what the servers print on stderr.'
complete -c a3s -n '__a3s_at \'a3s mcp list\'' -l json -d 'Print JSON.'
complete -c a3s -n '__a3s_at \'a3s mcp list\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s mcp test\'' -s C -l cwd -x -a '(__fish_complete_directories)' -d 'Run as if started in DIR.'
complete -c a3s -n '__a3s_at \'a3s mcp test\'' -l config -r -F -d 'Also read this configuration.'
complete -c a3s -n '__a3s_at \'a3s mcp test\'' -l no-project -d 'Ignore the project\'s servers.'
complete -c a3s -n '__a3s_at \'a3s mcp test\'' -l mcp-config -r -F -d 'Add the MCP servers of a JSON file.'
complete -c a3s -n '__a3s_at \'a3s mcp test\'' -l debug -d 'Log what the servers print on stderr.'
complete -c a3s -n '__a3s_at \'a3s mcp test\'' -l json -d 'Print JSON.'
complete -c a3s -n '__a3s_at \'a3s mcp test\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s mcp test\' 0' -a '(set -nx)'
complete -c a3s -n '__a3s_at \'a3s mcp tools\'' -s C -l cwd -x -a '(__fish_complete_directories)' -d 'Run as if started in DIR.'
complete -c a3s -n '__a3s_at \'a3s mcp tools\'' -l config -r -F -d 'Also read this configuration.'
complete -c a3s -n '__a3s_at \'a3s mcp tools\'' -l no-project -d 'Ignore the project\'s servers.'
complete -c a3s -n '__a3s_at \'a3s mcp tools\'' -l mcp-config -r -F -d 'Add the MCP servers of a JSON file.'
complete -c a3s -n '__a3s_at \'a3s mcp tools\'' -l debug -d 'Log what the servers print on stderr.'
complete -c a3s -n '__a3s_at \'a3s mcp tools\'' -l json -d 'Print JSON.'
complete -c a3s -n '__a3s_at \'a3s mcp tools\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s mcp tools\' 0' -a '(set -nx)'
complete -c a3s -n '__a3s_at \'a3s models\'' -a pull -d 'Download the weights of an embedded model.'
complete -c a3s -n '__a3s_at \'a3s models\'' -l json -d 'Print a JSON array.'
complete -c a3s -n '__a3s_at \'a3s models\'' -l config -r -F -d 'Also read this configuration.'
complete -c a3s -n '__a3s_at \'a3s models\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s models pull\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s models pull\' 0' -a 'qwen2.5-coder-1.5b qwen2.5-coder-0.5b smollm2-135m'
complete -c a3s -n '__a3s_at \'a3s policy\'' -a test -d 'Show how a3s run would decide a call of TOOL on ARG.'
complete -c a3s -n '__a3s_at \'a3s policy\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l input -x -d 'Set all of the call\'s arguments.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l allow -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Allow calls, as in bash(git log:*).'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l deny -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Deny calls, even if allowed elsewhere.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l ask -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Require approval for calls.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l default-decision -x -a 'allow ask deny' -d 'Decide calls that no rule covers.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l allow-all -d 'Allow every call that is not denied.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l permissions -r -F -d 'Replace the configured allow and ask rules.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l no-reading -d 'Require a rule even for commands that only read.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -s C -l cwd -x -a '(__fish_complete_directories)' -d 'Run as if started in DIR.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l config -r -F -d 'Also read this configuration.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -l no-project -d 'Ignore the project\'s configuration.'
complete -c a3s -n '__a3s_at \'a3s policy test\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s policy test\' 0' -a 'bash read write edit grep glob ls web_fetch generate_object'
complete -c a3s -n '__a3s_at \'a3s replay\'' -s o -l output -x -a 'pretty raw json' -d 'Set the output format (pretty on a terminal, else json).'
complete -c a3s -n '__a3s_at \'a3s replay\'' -l plain -d 'Use no colour, Markdown or live line on a terminal.'
complete -c a3s -n '__a3s_at \'a3s replay\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s replay\' 0' -F
complete -c a3s -n '__a3s_at \'a3s run\'' -s f -l prompt-file -r -F -d 'Read the prompt from a file.'
complete -c a3s -n '__a3s_at \'a3s run\'' -s e -l editor -d 'Write the prompt in $EDITOR.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l stdin -d 'Append stdin to the prompt.'
complete -c a3s -n '__a3s_at \'a3s run\'' -s a -l attach -r -F -d 'Attach an image, a PDF or text (- is stdin).'
complete -c a3s -n '__a3s_at \'a3s run\'' -s o -l output -x -a 'pretty raw json' -d 'Set the output format (pretty on a terminal, else json).'
complete -c a3s -n '__a3s_at \'a3s run\'' -l input -x -a 'json' -d 'Read prompts, answers and cancellations from stdin.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l json -d 'Short for -o json.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l plain -d 'Use no colour, Markdown or live line on a terminal.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l schema -r -F -d 'Answer with JSON that matches this schema.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l tool-input -d 'Also stream the arguments of tool calls.'
complete -c a3s -n '__a3s_at \'a3s run\'' -s m -l model -x -a '(__a3s_models)' -d 'Use this model.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l fallback-model -x -a '(__a3s_models)' -d 'Ask this model if the one before is unavailable.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l max-tokens -x -d 'Limit each response to N tokens.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l temperature -x -d 'Set the temperature (0 to 2).'
complete -c a3s -n '__a3s_at \'a3s run\'' -l reasoning -x -a 'none low medium high' -d 'Set how much the model may reason.'
complete -c a3s -n '__a3s_at \'a3s run\'' -s C -l cwd -x -a '(__fish_complete_directories)' -d 'Run as if started in DIR.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l config -r -F -d 'Also read this configuration.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l no-project -d 'Ignore AGENTS.md and project settings.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l no-skills -d 'Offer the model no skills.'
complete -c a3s -n '__a3s_at \'a3s run\'' -s s -l system -x -d 'Replace the system prompt.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l append-system -x -d 'Append to the system prompt.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l tools -x -a '(__a3s_list bash read write edit grep glob ls web_fetch generate_object)' -d 'Offer only these tools.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l plugin -x -a '(set -nx)' -d 'Offer the tools of this installed plug-in.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l mcp -x -a '(set -nx)' -d 'Use only this MCP server.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l no-mcp -d 'Use no MCP server.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l mcp-config -r -F -d 'Add the MCP servers of a JSON file.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l allow -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Allow calls, as in bash(git log:*).'
complete -c a3s -n '__a3s_at \'a3s run\'' -l deny -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Deny calls, even if allowed elsewhere.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l ask -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Require approval for calls.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l default-decision -x -a 'allow ask deny' -d 'Decide calls that no rule covers.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l allow-all -d 'Allow every call that is not denied.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l permissions -r -F -d 'Replace the configured allow and ask rules.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l no-reading -d 'Require a rule even for commands that only read.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l on-ask -x -a 'prompt deny fail exec:' -d 'When a call needs approval, ask, deny, end the run or ask a program.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l approver-timeout -x -d 'Limit the wait for the program of exec: (60s).'
complete -c a3s -n '__a3s_at \'a3s run\'' -l read-only -d 'Forbid changes to the workspace.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l sandbox -x -a 'auto require off' -d 'Confine bash if possible, always or never.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l protect -x -a 'all tracked' -d 'Revert all changes to protected files, or those that differ from HEAD.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l network -x -a 'on off' -d 'Allow or block network access; off needs a sandbox.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l env -x -a '(set -nx)' -d 'Pass this variable to commands.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l redact-env -x -a '(set -nx)' -d 'Hide this variable\'s value in output.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l max-turns -x -d 'Stop after N responses (50).'
complete -c a3s -n '__a3s_at \'a3s run\'' -l max-tool-calls -x -d 'Stop after N calls.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l max-attachment-bytes -x -d 'Refuse larger attachments (20 MB).'
complete -c a3s -n '__a3s_at \'a3s run\'' -l max-cost -x -d 'Stop when the cost reaches USD.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l timeout -x -d 'Limit the whole run, as in 90s or 5m.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l tool-timeout -x -d 'Limit each tool call (120s).'
complete -c a3s -n '__a3s_at \'a3s run\'' -l idle-timeout -x -d 'Limit pauses within a response (60s).'
complete -c a3s -n '__a3s_at \'a3s run\'' -l first-byte-timeout -x -d 'Limit the wait for a response to begin (300s).'
complete -c a3s -n '__a3s_at \'a3s run\'' -l max-retries -x -d 'Limit retries (4).'
complete -c a3s -n '__a3s_at \'a3s run\'' -l max-parallel -x -d 'Run up to N calls at once (8).'
complete -c a3s -n '__a3s_at \'a3s run\'' -l pull -d 'Download the embedded model if it is missing.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l offline -d 'Never download a model.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l keep-alive -x -d 'Keep the embedded model loaded this long after a run.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l debug -d 'Log to stderr.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l session -x -k -a '(__a3s_sessions)' -d 'Continue a session.'
complete -c a3s -n '__a3s_at \'a3s run\'' -s c -l continue -d 'Continue the newest session here.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l fork -d 'Continue in a copy and leave the session as it is.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l no-session -d 'Do not save a session.'
complete -c a3s -n '__a3s_at \'a3s run\'' -l record -r -F -d 'Also record the stream in a new file.'
complete -c a3s -n '__a3s_at \'a3s run\'' -s q -l quiet -d 'Write only usage errors to stderr.'
complete -c a3s -n '__a3s_at \'a3s run\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s schema\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l host -x -d 'Listen on HOST (127.0.0.1).'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l port -x -d 'Listen on port N (8321); 0 picks a free one.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l allow-origin -x -d 'Accept requests with the token from pages of ORIGIN.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l allow-host -x -a '(set -nx)' -d 'Accept requests to this name, such as a proxy\'s.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l open -d 'Open the page in a browser.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l tool-input -d 'Also stream the arguments of tool calls.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -s m -l model -x -a '(__a3s_models)' -d 'Use this model.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l fallback-model -x -a '(__a3s_models)' -d 'Ask this model if the one before is unavailable.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l max-tokens -x -d 'Limit each response to N tokens.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l temperature -x -d 'Set the temperature (0 to 2).'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l reasoning -x -a 'none low medium high' -d 'Set how much the model may reason.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -s C -l cwd -x -a '(__fish_complete_directories)' -d 'Run as if started in DIR.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l config -r -F -d 'Also read this configuration.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l no-project -d 'Ignore AGENTS.md and project settings.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l no-skills -d 'Offer the model no skills.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -s s -l system -x -d 'Replace the system prompt.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l append-system -x -d 'Append to the system prompt.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l tools -x -a '(__a3s_list bash read write edit grep glob ls web_fetch generate_object)' -d 'Offer only these tools.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l plugin -x -a '(set -nx)' -d 'Offer the tools of this installed plug-in.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l mcp -x -a '(set -nx)' -d 'Use only this MCP server.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l no-mcp -d 'Use no MCP server.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l mcp-config -r -F -d 'Add the MCP servers of a JSON file.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l allow -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Allow calls, as in bash(git log:*).'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l deny -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Deny calls, even if allowed elsewhere.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l ask -x -a 'bash read write edit grep glob ls web_fetch generate_object' -d 'Require approval for calls.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l default-decision -x -a 'allow ask deny' -d 'Decide calls that no rule covers.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l allow-all -d 'Allow every call that is not denied.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l permissions -r -F -d 'Replace the configured allow and ask rules.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l no-reading -d 'Require a rule even for commands that only read.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l on-ask -x -a 'prompt deny fail exec:' -d 'When a call needs approval, ask on the page, deny, end the run or ask a program.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l approver-timeout -x -d 'Limit the wait for the program of exec: (60s).'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l read-only -d 'Forbid changes to the workspace.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l sandbox -x -a 'auto require off' -d 'Confine bash if possible, always or never.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l protect -x -a 'all tracked' -d 'Revert all changes to protected files, or those that differ from HEAD.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l network -x -a 'on off' -d 'Allow or block network access; off needs a sandbox.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l env -x -a '(set -nx)' -d 'Pass this variable to commands.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l redact-env -x -a '(set -nx)' -d 'Hide this variable\'s value in output.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l max-turns -x -d 'Stop after N responses (50).'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l max-tool-calls -x -d 'Stop after N calls.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l max-attachment-bytes -x -d 'Refuse larger attachments (20 MB).'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l max-cost -x -d 'Stop when the cost reaches USD.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l timeout -x -d 'Limit the whole run, as in 90s or 5m.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l tool-timeout -x -d 'Limit each tool call (120s).'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l idle-timeout -x -d 'Limit pauses within a response (60s).'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l first-byte-timeout -x -d 'Limit the wait for a response to begin (300s).'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l max-retries -x -d 'Limit retries (4).'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l max-parallel -x -d 'Run up to N calls at once (8).'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l pull -d 'Download the embedded model if it is missing.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l offline -d 'Never download a model.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l keep-alive -x -d 'Keep the embedded model loaded this long after a run.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -l debug -d 'Log to stderr.'
complete -c a3s -n '__a3s_at \'a3s serve\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s sessions\'' -a export -d 'Print the file of a session: NDJSON.'
complete -c a3s -n '__a3s_at \'a3s sessions\'' -a list -d 'List the newest 50 sessions of this directory, the last used first.'
complete -c a3s -n '__a3s_at \'a3s sessions\'' -a prune -d 'Remove sessions that have not been used for 30 days.'
complete -c a3s -n '__a3s_at \'a3s sessions\'' -a rename -d 'Set the title of a session; an empty one removes it.'
complete -c a3s -n '__a3s_at \'a3s sessions\'' -a rm -d 'Remove sessions and all their files.'
complete -c a3s -n '__a3s_at \'a3s sessions\'' -a show -d 'Show the transcript of a session.'
complete -c a3s -n '__a3s_at \'a3s sessions\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s sessions export\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s sessions export\' 0' -k -a '(__a3s_sessions)'
complete -c a3s -n '__a3s_at \'a3s sessions list\'' -l all -d 'List all, with their directories.'
complete -c a3s -n '__a3s_at \'a3s sessions list\'' -l json -d 'Print a JSON array.'
complete -c a3s -n '__a3s_at \'a3s sessions list\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s sessions prune\'' -l json -d 'Print a JSON object.'
complete -c a3s -n '__a3s_at \'a3s sessions prune\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s sessions rename\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s sessions rename\' 0' -k -a '(__a3s_sessions)'
complete -c a3s -n '__a3s_at \'a3s sessions rm\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s sessions rm\'' -k -a '(__a3s_sessions)'
complete -c a3s -n '__a3s_at \'a3s sessions show\'' -l json -d 'Print the conversation as JSON.'
complete -c a3s -n '__a3s_at \'a3s sessions show\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s sessions show\' 0' -k -a '(__a3s_sessions)'
complete -c a3s -n '__a3s_at \'a3s tools\'' -l json -d 'Print a JSON array, with the schemas.'
complete -c a3s -n '__a3s_at \'a3s tools\'' -l plugin -x -a '(set -nx)' -d 'Offer the tools of this installed plug-in.'
complete -c a3s -n '__a3s_at \'a3s tools\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s trace\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s trace\' 0' -F
complete -c a3s -n '__a3s_at \'a3s trust\'' -s h -l help -d 'Show this message and exit.'
complete -c a3s -n '__a3s_at \'a3s trust\' 0' -a '(__fish_complete_directories)'
