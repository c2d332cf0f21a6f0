;;; Run by Emacs --batch; what was seen goes into seen.json.  -*- lexical-binding: t -*-

(require 'json)
(load (getenv "PLUGIN") nil t)
(defvar seen nil)

(defun note (name value)
  (push (cons name value) seen))

(defun page ()
  (with-current-buffer "*a3s*" (buffer-string)))

(defun last-line ()
  (car (last (split-string (page) "\n" t))))

(defmacro wait (condition)
  `(let ((bound (+ (float-time) 60)))
     (while (and (not ,condition) (< (float-time) bound))
       (accept-process-output nil 0.02))
     (unless ,condition (error "It hangs: %S" ',condition))))

(defun idle ()
  (not a3s-running))

(defun run (prompt)
  (a3s prompt)
  (wait (idle))
  ;; The sentinel has its turn.
  (accept-process-output nil 0.1))

(condition-case failure
    (progn
      (find-file "mine.txt")
      (insert "a change of mine")
      (find-file "code.py")
      (a3s "Correct | both files.")
      (wait (string-match-p "Half of" (page)))
      (note "half" (if (idle) :json-false t))
      (write-region "" nil "go" nil 'quiet)
      (wait (string-match-p "a3s-answer" (page)))
      (a3s-answer "no" "leave it")
      (wait (idle))
      (wait (string-suffix-p "\n\n" (page)))
      (note "page" (page))
      (note "here" (if (equal (buffer-name) "code.py") t :json-false))
      (note "code" (split-string (buffer-string) "\n" t))
      (note "mine" (with-current-buffer "mine.txt" (split-string (buffer-string) "\n" t)))
      (a3s "Wait")
      (wait (string-match-p "ready" (page)))
      (note "messages" (condition-case one (a3s-answer "once") (user-error (cadr one))))
      (with-current-buffer "*a3s*" (call-interactively (key-binding (kbd "C-c C-k"))))
      (wait (idle))
      (wait (string-match-p "error:" (page)))
      (note "cancelled" (last-line))
      (a3s "-1 is a word" (a3s--region (point-min) (point-max)))
      (wait (idle))
      (note "word" (last-line))
      (let ((a3s-command '("a3s" "run" "--no-such-option")))
        (run "hi")
        (note "usage" (last-line)))
      (let ((a3s-command '("no-such-program")))
        (note "missing" (condition-case one (progn (a3s "hi") "none") (error (format "%s" one))))))
  (error (note "thrown" (format "%S" failure))))
(write-region (json-encode seen) nil "seen.json" nil 'quiet)
