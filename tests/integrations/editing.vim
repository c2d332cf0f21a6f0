" Run by Vim and by Neovim, without a window; what was seen goes into seen.json.
set nomore
let s:seen = {}

function! s:wait(what) abort
  let bound = reltime()
  while !eval(a:what) && reltimefloat(reltime(bound)) < 60
    sleep 20m
  endwhile
  if !eval(a:what)
    call writefile(['{"hangs": ' . json_encode(a:what) . '}'], 'seen.json')
    cquit
  endif
endfunction

function! s:page() abort
  return join(getbufline(bufnr('a3s'), 1, '$'), "\n")
endfunction

try
  execute 'source' $PLUGIN
  edit mine.txt
  call setline(1, 'a change of mine')
  hide edit code.py
  let s:at = bufnr('')

  A3s Correct | both files.
  call s:wait("s:page() =~# 'Half of'")
  let s:seen.half = A3sRunning() ? v:true : v:false
  call writefile([], 'go')
  call s:wait("s:page() =~# 'A3sAnswer once'")
  A3sAnswer no leave it
  call s:wait('!A3sRunning()')
  let s:seen.page = s:page()
  let s:seen.here = bufnr('') == s:at ? v:true : v:false
  let s:seen.code = getline(1, '$')
  let s:seen.mine = getbufline('mine.txt', 1, '$')

  A3s Wait
  call s:wait("s:page() =~# 'ready'")
  A3sAnswer once
  let s:seen.messages = split(execute('messages'), "\n")[-1]
  A3sCancel
  call s:wait('!A3sRunning()')
  let s:seen.cancelled = split(trim(s:page()), "\n")[-1]

  1,1A3s -1 is a word
  call s:wait('!A3sRunning()')
  let s:seen.word = split(trim(s:page()), "\n")[-1]

  let g:a3s_command = ['a3s', 'run', '--no-such-option']
  A3s hi
  call s:wait('!A3sRunning()')
  let s:seen.usage = split(trim(s:page()), "\n")[-1]
  let g:a3s_command = ['no-such-program']
  A3s hi
  let s:seen.missing = split(execute('messages'), "\n")[-1]
catch
  let s:seen.thrown = v:exception . ' in ' . v:throwpoint
endtry
call writefile([json_encode(s:seen)], 'seen.json')
qall!
