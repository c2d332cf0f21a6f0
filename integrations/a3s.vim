" a3s in Vim (8.2 or later) and Neovim (0.6 or later).
"
"   :A3s PROMPT      run a prompt; the answer and the calls stream into a buffer.
"                    With a range, as in :'<,'>A3s, these lines are sent along.
"                    During a run, PROMPT is a message for its next turn.
"   :A3sAnswer once  answer a permission request: once, always, or no and why
"   :A3sCancel       cancel the run; the conversation goes on with the next prompt
"
" One job does all runs, and speaks JSON over pipes in both directions. When a tool has written a file that is
" loaded here, its buffer is reloaded, unless it has unsaved changes.
"
" Source this file, or copy it to your plugins. Set options with
"   let g:a3s_command = ['a3s', 'run', '--allow', 'edit', '--allow', 'write']

if exists('g:loaded_a3s')
  finish
endif
let g:loaded_a3s = 1

let s:job = v:null
" Whether a run goes on, and the call that it asks about.
let s:running = 0
let s:asked = ''
let s:buffer = -1
" An incomplete line (Neovim passes on whatever it has read).
let s:rest = ''

command! -nargs=+ -range A3s call A3s(<q-args>, <range> ? [<line1>, <line2>] : [])
command! -nargs=+ A3sAnswer call A3sAnswer(<f-args>)
command! -bar A3sCancel call A3sCancel()

" Run a prompt, or say something to the run that goes on.
function! A3s(prompt, ...) abort
  let text = a:prompt . s:context(a:0 ? a:1 : [])
  if !s:start()
    return
  endif
  call s:open()
  call s:say('> ' . a:prompt . "\n")
  call s:send({'type': s:running ? 'steer' : 'prompt', 'text': text})
  let s:running = 1
endfunction

" Answer what the run asks: once, always, or no; further words tell it what to do instead.
function! A3sAnswer(answer, ...) abort
  if s:asked ==# ''
    return s:complain('a3s asks nothing')
  endif
  let answer = {'type': 'answer', 'toolId': s:asked, 'answer': a:answer, 'text': join(a:000)}
  let s:asked = ''
  call s:send(answer)
endfunction

" Cancel the run: it ends its tools and reports it in the buffer.
function! A3sCancel() abort
  if A3sRunning()
    call s:send({'type': 'cancel'})
  endif
endfunction

" Tell whether a run is active, for a status line.
function! A3sRunning() abort
  return s:running
endfunction

" The lines of a range, as the prompt tells of them.
function! s:context(range) abort
  if empty(a:range)
    return ''
  endif
  let [first, last] = a:range
  let head = '<file path="' . expand('%:p') . '" lines="' . first . '-' . last . '">'
  return "\n\n" . join([head] + getline(first, last) + ['</file>'], "\n")
endfunction

" Start the job, unless it is there; with another command, another one.
function! s:start() abort
  let command = get(g:, 'a3s_command', ['a3s', 'run']) + ['--input', 'json']
  if s:job isnot v:null && (command == s:command || s:running)
    return 1
  elseif !executable(command[0])
    call s:complain(command[0] . ' is not on your path')
    return 0
  endif
  if s:job isnot v:null
    " With its input closed it ends by itself.
    call call(has('nvim') ? 'chanclose' : 'ch_close_in', has('nvim') ? [s:job, 'stdin'] : [s:job])
  endif
  let s:command = command
  let s:rest = ''
  let s:serial = get(s:, 'serial', 0) + 1
  let serial = s:serial
  if has('nvim')
    let s:job = jobstart(command, {
          \ 'on_stdout': {_, pieces, __ -> s:read(pieces)},
          \ 'on_stderr': {_, pieces, __ -> s:add(join(pieces, "\n"))},
          \ 'on_exit': {-> s:ended(serial)},
          \ })
  else
    let s:job = job_start(command, {
          \ 'out_cb': {_, line -> s:show(line)},
          \ 'err_cb': {_, line -> s:say(line)},
          \ 'close_cb': {-> s:ended(serial)},
          \ })
  endif
  return 1
endfunction

function! s:send(message) abort
  let line = json_encode(a:message) . "\n"
  try
    call call(has('nvim') ? 'chansend' : 'ch_sendraw', [s:job, line])
  catch
    " It has just ended, and says why.
  endtry
endfunction

function! s:ended(serial) abort
  if a:serial != s:serial
    return
  endif
  let s:job = v:null
  call s:over()
endfunction

function! s:over() abort
  let [s:running, s:asked] = [0, '']
  call s:fresh()
  call s:add("\n")
endfunction

function! s:read(pieces) abort
  let lines = [s:rest . a:pieces[0]] + a:pieces[1:]
  let s:rest = remove(lines, -1)
  for line in lines
    call s:show(line)
  endfor
endfunction

" Show one event.
function! s:show(line) abort
  let event = json_decode(a:line)
  if event.type ==# 'text_delta' || event.type ==# 'tool_output_delta'
    call s:add(event.text)
  elseif event.type ==# 'tool_start'
    call s:say('[' . event.toolName . '] ' . s:input(event.toolInput))
  elseif event.type ==# 'tool_end'
    call s:fresh()
    if has_key(event, 'path')
      call s:reload(event.path)
    endif
  elseif event.type ==# 'permission_denied'
    call s:say('[' . event.toolName . '] denied: ' . event.reason)
    if event.hint !=# ''
      call s:say(event.hint)
    endif
  elseif event.type ==# 'permission_request'
    let s:asked = event.toolId
    call s:say('[' . event.toolName . '] may it run? ' . s:input(event.toolInput))
    call s:say(':A3sAnswer once, always or no')
  elseif event.type ==# 'notice'
    call s:say(event.text)
  elseif event.type ==# 'control_rejected'
    call s:say(event.error)
  elseif event.type ==# 'error'
    call s:say('error: ' . event.error)
    call s:over()
  elseif event.type ==# 'start'
    let s:running = 1
  elseif event.type ==# 'end'
    call s:over()
  endif
endfunction

" Return a call's command or path, else all of its arguments.
function! s:input(input) abort
  for name in ['command', 'file_path', 'pattern', 'path', 'url']
    if has_key(a:input, name)
      return a:input[name]
    endif
  endfor
  return json_encode(a:input)
endfunction

function! s:reload(path) abort
  for info in getbufinfo({'bufloaded': 1})
    if resolve(fnamemodify(info.name, ':p')) !=# a:path
      continue
    elseif info.changed
      call s:say(info.name . ' has changes of yours, and was not read again')
    else
      call setbufvar(info.bufnr, '&autoread', 1)
      execute 'checktime' info.bufnr
    endif
  endfor
endfunction

" Show the buffer in a window without moving the cursor.
function! s:open() abort
  if !bufexists(s:buffer)
    let s:buffer = bufadd('a3s')
    call bufload(s:buffer)
    call setbufvar(s:buffer, '&buftype', 'nofile')
    call setbufvar(s:buffer, '&bufhidden', 'hide')
    call setbufvar(s:buffer, '&swapfile', 0)
  endif
  if empty(win_findbuf(s:buffer))
    let window = win_getid()
    execute 'botright sbuffer' s:buffer
    call win_gotoid(window)
  endif
endfunction

" Append to the last line.
function! s:add(text) abort
  let [first; others] = split(a:text, "\n", 1)
  call setbufline(s:buffer, '$', getbufline(s:buffer, '$')[0] . first)
  call appendbufline(s:buffer, '$', others)
  for window in win_findbuf(s:buffer)
    call win_execute(window, '$')
  endfor
endfunction

" Append a separate line.
function! s:say(line) abort
  call s:fresh()
  call s:add(a:line . "\n")
endfunction

function! s:fresh() abort
  if getbufline(s:buffer, '$')[0] !=# ''
    call s:add("\n")
  endif
endfunction

function! s:complain(sentence) abort
  echohl ErrorMsg
  echomsg a:sentence
  echohl None
endfunction
