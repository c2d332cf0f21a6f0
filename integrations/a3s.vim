" a3s in Vim (8.2 or later) and Neovim (0.6 or later).
"
"   :A3s PROMPT    run a prompt; the answer and the calls stream into a buffer
"   :A3sCancel     cancel the run
"
" The run is a job that writes JSON to a pipe. When a tool has written a file that is
" loaded here, its buffer is reloaded, unless it has unsaved changes.
"
" Source this file, or copy it to your plugins. Set options with
"   let g:a3s_command = ['a3s', 'run', '--allow', 'edit', '--allow', 'write']

if exists('g:loaded_a3s')
  finish
endif
let g:loaded_a3s = 1

let s:job = v:null
let s:buffer = -1
" An incomplete line (Neovim passes on whatever it has read).
let s:rest = ''

command! -nargs=+ A3s call A3s(<q-args>)
command! -bar A3sCancel call A3sCancel()

" Run a prompt.
function! A3s(prompt) abort
  let command = get(g:, 'a3s_command', ['a3s', 'run']) + ['-o', 'json', '--', a:prompt]
  if A3sRunning()
    return s:complain('a3s is running already: :A3sCancel ends it')
  elseif !executable(command[0])
    return s:complain(command[0] . ' is not on your path')
  endif
  call s:open()
  call s:say('> ' . a:prompt . "\n")
  let s:rest = ''
  if has('nvim')
    let s:job = jobstart(command, {
          \ 'stdin': 'null',
          \ 'on_stdout': {_, pieces, __ -> s:read(pieces)},
          \ 'on_stderr': {_, pieces, __ -> s:add(join(pieces, "\n"))},
          \ 'on_exit': {-> s:ended()},
          \ })
  else
    let s:job = job_start(command, {
          \ 'in_io': 'null',
          \ 'out_cb': {_, line -> s:show(line)},
          \ 'err_cb': {_, line -> s:say(line)},
          \ 'close_cb': {-> s:ended()},
          \ })
  endif
endfunction

" Cancel the run: it ends its tools and reports it in the buffer.
function! A3sCancel() abort
  if A3sRunning()
    call call(has('nvim') ? 'jobstop' : 'job_stop', [s:job])
  endif
endfunction

" Tell whether a run is active, for a status line.
function! A3sRunning() abort
  return s:job isnot v:null
endfunction

function! s:ended() abort
  let s:job = v:null
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
  elseif event.type ==# 'notice'
    call s:say(event.text)
  elseif event.type ==# 'error'
    call s:say('error: ' . event.error)
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
